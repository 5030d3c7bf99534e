#include "ingest/continuation.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "archive/format/segment.h"
#include "archive/format/time_axis.h"
#include "ingest/import_begin.h"
#include "ingest/lost_objects.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxContinuationBytes = 256 * 1024;
constexpr std::uint64_t kMaxOpenBytes = 2 * kMaxObjectBytes;
constexpr const char* kRecovered = "recovered";

// When what an entry tells begins; nothing for those that tell of no time.
std::optional<UtcTime> begin_of(const HearingEntry& entry) {
  if (const auto* segment = std::get_if<SegmentEntry>(&entry)) return segment->utc;
  if (const auto* gap = std::get_if<GapEntry>(&entry)) return gap->from;
  if (const auto* peaks = std::get_if<PeaksEntry>(&entry)) return peaks->utc;
  if (const auto* close = std::get_if<CloseEntry>(&entry)) return close->end;
  return std::nullopt;
}

// A segment in open/ that has a whole fragment and stands in no entry.
struct LeftSegment {
  std::string file;
  OpenSegmentName name;
};

// By time. What no stream's name fits, or what holds no whole fragment, stays where it is.
Result<std::vector<LeftSegment>> left_segments(FileSystem& files, const SpoolPaths& from, const HearingState& state) {
  std::vector<LeftSegment> out;
  const std::vector<std::string> names = GREFFE_TRY(files.list(from.open()));
  for (const std::string& file : names) {
    const auto name = parse_open_name(file);
    const StreamState* stream = name ? state.find(name->stream) : nullptr;
    if (stream == nullptr) continue;
    const Bytes bytes = GREFFE_TRY(files.read_file(join(from.open(), file), kMaxOpenBytes));
    const auto layout = read_segment(bytes);
    if (!layout || layout->fragments.empty() || stream->logged.contains(layout->good_digest)) continue;
    out.push_back({file, *name});
  }
  std::sort(out.begin(), out.end(), [](const LeftSegment& a, const LeftSegment& b) { return a.name.utc < b.name.utc; });
  return out;
}

// What is filed anew, and from where.
struct Source {
  const SpoolPaths& from;
  const HearingId& hearing;
  const std::vector<std::string>& entries;
  std::string recovered_from;  // the station whose disk it is; empty: our own
};
// In whose name it is filed.
struct Filer {
  const Enrolment& enrolment;
  const PrivateKey& key;
  const std::optional<Checkpoint>& seen;
};

// The rest of a log as the entries of another hearing.
class Refiling {
 public:
  Refiling(const Source& source, const Continuation& continuation) : source_(source), continuation_(continuation), texts_(source.entries) {}

  Status read(FileSystem& files) {
    for (std::uint64_t i = 0; i < texts_.size(); ++i) {
      GREFFE_TRY(all_.apply(texts_[i]));
      if (all_.open() && (i == 0 || i < continuation_.first)) details_ = all_.details();
      if (i >= continuation_.first) rest_.push_back(GREFFE_TRY(parse_hearing_entry(texts_[i])));
    }
    if (!all_.open()) return fail(Errc::corrupt, "the log has no \"open\" entry");
    if (!source_.recovered_from.empty()) left_ = GREFFE_TRY(left_segments(files, source_.from, all_));
    start_ = UtcTime{INT64_MAX};
    for (const LeftSegment& left : left_) start_ = std::min(start_, left.name.utc);
    for (const HearingEntry& entry : rest_) {
      if (const auto time = begin_of(entry)) start_ = std::min(start_, *time);
    }
    if (continuation_.first == 0 || start_.ms == INT64_MAX) start_ = all_.open()->start;
    return ok();
  }

  bool is_empty() const { return rest_.empty() && left_.empty(); }
  UtcTime start() const { return start_; }
  Result<std::vector<Digest>> objects() const {
    std::set<Digest> lost;  // they are not here either
    for (const HearingEntry& entry : rest_) {
      if (const auto* one = std::get_if<LostEntry>(&entry)) lost.insert(one->objects.begin(), one->objects.end());
    }
    std::vector<Digest> out{details_};
    for (std::uint64_t i = std::max<std::uint64_t>(1, continuation_.first); i < texts_.size(); ++i) {
      const Json json = GREFFE_TRY(parse_canonical_json(texts_[i]));
      for (const Digest& digest : named_objects(json)) {
        if (!lost.contains(digest)) out.push_back(digest);
      }
    }
    return out;
  }

  // `gone`: those of objects() that are not there any more.
  void write(HearingSpool& spool, const Filer& filer, const std::vector<Digest>& gone) {
    spool.append(open(spool.id(), filer));
    for (const ExpectedStream& stream : streams()) append_first_hole(spool, stream.name);
    const bool closed = !rest_.empty() && std::holds_alternative<CloseEntry>(rest_.back());
    for (std::size_t i = 0; i < rest_.size() - (closed ? 1 : 0); ++i) append(spool, continuation_.first + i, rest_[i]);
    if (!gone.empty()) spool.append(LostEntry{gone, "unreadable"});
    if (closed) append(spool, continuation_.first + rest_.size() - 1, rest_.back());
  }

  // After write(): the segments that were not finished, under the numbers that they have here.
  Status link_left(FileSystem& files, const SpoolPaths& to) {
    for (const LeftSegment& left : left_) {
      OpenSegmentName name = left.name;
      name.run = run_of(name.stream, name.run);
      numbers_[name.stream].next_seq += 1;
      const Status linked = files.link_file(join(source_.from.open(), left.file), join(to.open(), name.text()));
      if (!linked && linked.error().code != Errc::already_exists) return linked;
    }
    return files.sync_directory(to.open());
  }

 private:
  // Those that the rest has segments of; all of them when it has none.
  std::vector<ExpectedStream> streams() const {
    std::vector<ExpectedStream> out;
    for (const StreamState& one : all_.streams()) {
      const bool here = first_segment(one.stream.name) != nullptr || first_left(one.stream.name) != nullptr;
      if (here || (continuation_.first == 0 && source_.recovered_from.empty())) out.push_back(one.stream);
    }
    return out;
  }

  const SegmentEntry* first_segment(const std::string& stream) const {
    for (const HearingEntry& entry : rest_) {
      const auto* segment = std::get_if<SegmentEntry>(&entry);
      if (segment != nullptr && segment->stream == stream) return segment;
    }
    return nullptr;
  }

  const LeftSegment* first_left(const std::string& stream) const {
    const auto at = std::find_if(left_.begin(), left_.end(), [&](const LeftSegment& left) { return left.name.stream == stream; });
    return at == left_.end() ? nullptr : &*at;
  }

  OpenEntry open(const HearingId& id, const Filer& filer) const {
    OpenEntry out = *all_.open();
    out.hearing = id;
    out.details = details_;
    out.station = filer.enrolment.name;
    out.station_key = filer.key.public_key();
    out.court = filer.enrolment.court;
    out.room = filer.enrolment.room;
    out.streams = streams();
    out.main_size = filer.seen ? filer.seen->size : 0;
    out.main_root = filer.seen ? filer.seen->root : empty_root();
    out.continues = source_.hearing;
    out.recovered_from = source_.recovered_from;
    if (const auto first = first_moment()) {
      out.boot = first->boot;
      out.mono_ms = std::max<std::int64_t>(0, first->mono_ms - (first->utc.ms - start_.ms));
    } else {
      out.mono_ms = std::max<std::int64_t>(0, out.mono_ms + start_.ms - out.start.ms);
    }
    out.start = start_;
    return out;
  }

  // The earliest of the rest that names both clocks: the station may have been started again since the old hearing began.
  std::optional<TimePoint> first_moment() const {
    std::optional<TimePoint> out;
    for (const HearingEntry& entry : rest_) {
      std::optional<TimePoint> point;
      if (const auto* open = std::get_if<OpenEntry>(&entry)) point = {open->boot, open->mono_ms, open->start};
      if (const auto* segment = std::get_if<SegmentEntry>(&entry)) point = greffe::begin_of(*segment);
      if (const auto* gap = std::get_if<GapEntry>(&entry)) point = greffe::begin_of(*gap);
      if (const auto* close = std::get_if<CloseEntry>(&entry)) point = {close->boot, close->mono_ms, close->end};
      if (point && (!out || point->utc < out->utc)) out = point;
    }
    return out;
  }

  // Streams do not begin at the same moment; what lies before one is in the hearing that this one continues, or missing there.
  void append_first_hole(HearingSpool& spool, const std::string& stream) const {
    const SegmentEntry* first = first_segment(stream);
    const LeftSegment* left = first == nullptr ? first_left(stream) : nullptr;
    if ((first == nullptr && left == nullptr) || (continuation_.first == 0 && source_.recovered_from.empty())) return;
    const OpenEntry& opened = *all_.open();
    const UtcTime begin = first != nullptr ? first->utc : left->name.utc;
    const std::int64_t begin_mono_ms = first != nullptr ? first->mono_ms : left->name.mono_ms;
    for (const Missing& missing : all_.undeclared(stream, start_, begin)) {
      GapEntry gap;
      gap.streams = {stream};
      gap.from = missing.from;
      gap.to = missing.to;
      gap.boot = first != nullptr ? first->boot : opened.boot;
      gap.mono_ms = {begin_mono_ms - (begin.ms - missing.from.ms), begin_mono_ms - (begin.ms - missing.to.ms)};
      for (std::int64_t& ms : gap.mono_ms) ms = std::max<std::int64_t>(0, ms);
      gap.reason = "unknown";
      spool.append(gap);
    }
  }

  // `index`: in the old log.
  void append(HearingSpool& spool, std::uint64_t index, const HearingEntry& entry) {
    if (std::holds_alternative<OpenEntry>(entry)) return;
    if (std::holds_alternative<StreamEntry>(entry)) return;  // they stand in `open`
    if (std::holds_alternative<GapEntry>(entry)) gap_at_[index] = spool.entries().size();
    if (const auto* explanation = std::get_if<ExplanationEntry>(&entry)) return append_explanation(spool, *explanation);
    if (const auto* segment = std::get_if<SegmentEntry>(&entry)) return spool.append(renumbered(*segment));
    if (const auto* close = std::get_if<CloseEntry>(&entry)) {
      CloseEntry out = *close;
      out.totals = spool.state().close_entry().totals;
      return spool.append(out);
    }
    spool.append(entry);
  }

  // An entry can explain only a gap of its own log. What somebody filed about one that the archive has already, in the old
  // log, stands here as a mark at that time.
  void append_explanation(HearingSpool& spool, ExplanationEntry explanation) const {
    const auto refiled = gap_at_.find(explanation.gap);
    if (refiled != gap_at_.end()) {
      explanation.gap = refiled->second;
      return spool.append(explanation);
    }
    UtcTime at = start_;
    const auto old = parse_hearing_entry(explanation.gap < texts_.size() ? texts_[explanation.gap] : std::string());
    if (const auto* gap = old ? std::get_if<GapEntry>(&*old) : nullptr) at = gap->from;
    spool.append(MarkEntry{at, "", explanation.note, explanation.person});
  }

  // Numbers begin anew in every log; the object and its times are the same.
  SegmentEntry renumbered(SegmentEntry segment) {
    segment.run = run_of(segment.stream, segment.run);
    segment.seq = numbers_[segment.stream].next_seq++;
    const bool flagged = std::find(segment.flags.begin(), segment.flags.end(), kRecovered) != segment.flags.end();
    if (!source_.recovered_from.empty() && !flagged) segment.flags.emplace_back(kRecovered);
    return segment;
  }

  std::uint64_t run_of(const std::string& stream, std::uint64_t old_run) {
    Numbers& numbers = numbers_[stream];
    if (numbers.next_seq > 0 && old_run != numbers.old_run) ++numbers.run;
    numbers.old_run = old_run;
    return numbers.run;
  }

  struct Numbers {
    std::uint64_t next_seq = 0;
    std::uint64_t run = 0;
    std::uint64_t old_run = 0;
  };
  const Source source_;
  const Continuation& continuation_;
  const std::vector<std::string>& texts_;
  HearingState all_;
  std::vector<HearingEntry> rest_;
  std::vector<LeftSegment> left_;
  Digest details_;  // what the hearing was about where the rest begins
  UtcTime start_;
  std::map<std::string, Numbers> numbers_;
  std::map<std::uint64_t, std::uint64_t> gap_at_;  // index in the old log -> in the new one
};

Status check_finished(FileSystem& files, const HearingId& id, const SpoolPaths& paths, bool closed) {
  if (!closed && files.stat(paths.live_record())) {
    // Else the recorder would find it gone when it wants to go on with it.
    return fail(Errc::conflict, fmt::format("the archive holds another log of hearing {}, which is recorded live: finish it (greffe-ingest close "
                                            "--hearing {}); then what the archive does not have is filed as a new hearing", id.text(), id.text()));
  }
  const std::vector<std::string> open = GREFFE_TRY(files.list(paths.open()));
  const std::vector<ImportRecord> records = GREFFE_TRY(read_import_records(files, paths));
  // Behind a finished import only second names of logged segments can be there.
  if (closed || (records.empty() ? open.empty() : records.back().done)) return ok();
  return fail(Errc::conflict, fmt::format("the archive holds another log of hearing {}, and an import into it was broken off: start that "
                                          "import again, or greffe-ingest close --hearing {}; then what the archive does not have is filed "
                                          "as a new hearing", id.text(), id.text()));
}

// Second names of the same files. Those that cannot be read any more stay where they are: the answer.
Result<std::vector<Digest>> link_whole(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const std::vector<Digest>& objects) {
  std::vector<Digest> gone;
  for (const Digest& digest : objects) {
    if (!GREFFE_TRY(is_whole_object(files, from, digest))) {
      if (std::find(gone.begin(), gone.end(), digest) == gone.end()) gone.push_back(digest);
      continue;
    }
    const Status linked = files.link_file(from.object(digest), to.object(digest));
    if (!linked && linked.error().code != Errc::already_exists) return linked.error();
  }
  return gone;
}

// Whole in `<id>.new`, then renamed: as with a new import.
Status build(FileSystem& files, const Filer& filer, const Source& source, const Continuation& continuation, const SpoolPaths& to) {
  Refiling refiling(source, continuation);
  GREFFE_TRY(refiling.read(files));
  const SpoolPaths unfinished{to.directory + std::string(kUnfinishedHearing)};
  GREFFE_TRY(HearingSpool::create(files, unfinished));
  const std::vector<Digest> objects = GREFFE_TRY(refiling.objects());
  const std::vector<Digest> gone = GREFFE_TRY(link_whole(files, source.from, unfinished, objects));
  GREFFE_TRY(files.sync_directory(unfinished.objects()));
  {
    const auto spool = GREFFE_TRY(HearingSpool::open(files, unfinished, continuation.hearing, filer.enrolment.archive, filer.key));
    refiling.write(*spool, filer, gone);
    GREFFE_TRY(spool->commit());
  }
  GREFFE_TRY(refiling.link_left(files, unfinished));
  GREFFE_TRY(files.rename(unfinished.directory, to.directory));
  return files.sync_directory(parent_of(to.directory));
}

Result<HearingId> build_once(FileSystem& files, const IngestSettings& settings, const Filer& filer, const Source& source,
                             const Continuation& known) {
  const SpoolPaths to = spool_of(settings.directory, known.hearing);
  if (files.stat(to.directory)) return known.hearing;
  GREFFE_TRY(sweep_unfinished(files, spool_path(settings.directory)));
  GREFFE_TRY(build(files, filer, source, known, to));
  return known.hearing;
}

}  // namespace

std::string write_continuation(const Continuation& continuation) {
  Json::Array proof;
  for (const Digest& digest : continuation.proof) proof.emplace_back(digest);
  Json out;
  out.set("v", 1).set("hearing", continuation.hearing.text()).set("first", continuation.first).set("held", continuation.held);
  out.set("proof", std::move(proof));
  return write_json(out) + "\n";
}

Result<Continuation> parse_continuation(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  if (GREFFE_TRY(json.integer("v")) != 1) return fail(Errc::invalid, "of an unknown version");
  Continuation out;
  const std::string id = GREFFE_TRY(json.string("hearing"));
  out.hearing = GREFFE_TRY(parse_hearing_id(id));
  out.first = GREFFE_TRY(json.size("first"));
  out.held = GREFFE_TRY(json.string("held"));
  const std::vector<std::string> proof = GREFFE_TRY(json.strings("proof"));
  for (const std::string& hex : proof) out.proof.push_back(GREFFE_TRY(digest_from_hex(hex)));
  return out;
}

Result<std::optional<Continuation>> read_continuation(FileSystem& files, const SpoolPaths& paths) {
  const auto bytes = files.read_file(paths.continued(), kMaxContinuationBytes);
  if (!bytes && bytes.error().code == Errc::not_found) return std::optional<Continuation>();
  if (!bytes) return bytes.error();
  auto out = parse_continuation(as_text(*bytes));
  if (!out) return fail(Errc::corrupt, fmt::format("{}: {}", paths.continued(), out.error().message));
  return std::optional(std::move(*out));
}

Status check_continuation(const Continuation& continuation, const SignedLog& log, const PublicKey& station_key, const Enrolment& enrolment) {
  if (continuation.first == 0) return ok();
  if (!log.checkpoint || continuation.first > log.entries.size()) return fail(Errc::invalid, "it is not about this log");
  const SignedCheckpoint held = GREFFE_TRY(parse_signed_checkpoint(continuation.held));
  const std::string& origin = log.checkpoint->checkpoint.origin;
  if (held.checkpoint.origin != origin) return fail(Errc::invalid, "it is of another hearing");
  GREFFE_TRY(verify_note(held.note, VerifierKey{origin, KeyType::ed25519, station_key}));
  const VerifierKey holder = GREFFE_TRY(enrolment.holder());
  GREFFE_TRY(verify_cosignature(held.note, holder));
  return verify_consistency(continuation.first, held.checkpoint.size, root_at(log, continuation.first), held.checkpoint.root, continuation.proof);
}

Result<HearingId> continue_elsewhere(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
                                     const HearingId& old, Continuation wanted, const std::optional<Checkpoint>& seen) {
  const SpoolPaths from = spool_of(settings.directory, old);
  // An import that begins now would sweep away what is not finished.
  const auto lock = GREFFE_TRY(files.lock(join(spool_path(settings.directory), "lock")));
  auto known = GREFFE_TRY(read_continuation(files, from));
  if (!known) {
    const auto spool = GREFFE_TRY(HearingSpool::open(files, from, old, enrolment.archive, key));
    GREFFE_TRY(check_finished(files, old, from, spool->state().closed()));
    const SignedLog log = GREFFE_TRY(read_signed_log(files, from));
    GREFFE_TRY(check_continuation(wanted, log, key.public_key(), enrolment));
    Refiling refiling({from, old, log.entries, ""}, wanted);
    GREFFE_TRY(refiling.read(files));
    wanted.hearing = make_hearing_id(refiling.start());
    // From here on nothing is added to the old hearing, and the new one has its name.
    GREFFE_TRY(files.write_new(from.continued(), as_bytes(write_continuation(wanted))));
    known = std::move(wanted);
  }
  const SignedLog log = GREFFE_TRY(read_signed_log(files, from));
  return build_once(files, settings, {enrolment, key, seen}, {from, old, log.entries, ""}, *known);
}

Result<std::optional<HearingId>> file_salvage(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment,
                                              const PrivateKey& key, const Salvage& salvage, Continuation wanted,
                                              const std::optional<Checkpoint>& seen) {
  const auto lock = GREFFE_TRY(files.lock(join(spool_path(settings.directory), "lock")));
  const Source source{salvage.from, salvage.hearing, salvage.entries, salvage.station};
  auto known = GREFFE_TRY(read_continuation(files, salvage.from));
  if (!known) {
    Refiling refiling(source, wanted);
    GREFFE_TRY(refiling.read(files));
    if (refiling.is_empty()) return std::optional<HearingId>();
    wanted.hearing = make_hearing_id(refiling.start());
    GREFFE_TRY(files.write_new(salvage.from.continued(), as_bytes(write_continuation(wanted))));
    known = std::move(wanted);
  }
  return std::optional(GREFFE_TRY(build_once(files, settings, {enrolment, key, seen}, source, *known)));
}

}  // namespace greffe::ingest
