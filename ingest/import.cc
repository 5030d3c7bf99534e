#include "ingest/import.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "archive/base/progress.h"
#include "ingest/lane.h"
#include "ingest/spool_space.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kBatchEntries = 32;      // become durable together
constexpr std::int64_t kBatchMs = 2000;        // or after so long
constexpr std::size_t kMostWaiting = 4;        // segments of one stream that are ahead of the others

GapEntry gap_entry(const GapRequest& request, UtcTime hearing_start, std::optional<Digest> note) {
  GapEntry out;
  out.streams = {"*"};
  out.from = request.from;
  out.to = request.to;
  out.boot = kImportBoot;
  out.mono_ms = {std::max<std::int64_t>(0, request.from.ms - hearing_start.ms), std::max<std::int64_t>(0, request.to.ms - hearing_start.ms)};
  out.reason = request.reason;
  out.note = note;
  return out;
}

class Import {
 public:
  Import(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
         const ImportPlan& plan, BegunImport& begun)
      : files_(files), clock_(clock), settings_(settings), enrolment_(enrolment), key_(key), plan_(plan), record_(begun.record),
        spool_(*begun.spool) {}

  Status run(std::vector<OpenedTrack> tracks) {
    reserve_bytes_ = GREFFE_TRY(measure_space(files_, settings_)).reserve_bytes;
    GREFFE_TRY(prepare(tracks));
    GREFFE_TRY(start_lanes(std::move(tracks)));
    const Status merged = merge();
    if (!merged && merged.error().code == Errc::no_space) GREFFE_TRY(spend_ballast(files_, settings_));
    // What came before a failure is recorded and stays.
    const Status committed = spool_.commit();
    if (!merged) return merged;
    return committed;
  }

  std::vector<std::string> warnings() const {
    std::vector<std::string> out;
    for (const auto& lane : lanes_) {
      if (!lane->cut_short()) continue;
      const Missing& m = *lane->cut_short();
      out.push_back(m.to > m.from
                        ? fmt::format("{}: the file is cut short or damaged at its end: {} are missing. What could be read is kept; "
                                      "the rest of stream {} is logged as a gap (fault)",
                                      lane->request().path, human_duration((m.to.ms - m.from.ms + 999) / 1000), lane->request().name)
                        : fmt::format("{}: the file is cut short or damaged at its end, and does not say how long it should be; everything "
                                      "that could be read is kept", lane->request().path));
    }
    return out;
  }

 private:
  // Everything that an entry is computed from is the same when the import is done again: the log before it, the plan
  // and the files, never what this import has logged so far.
  Status prepare(const std::vector<OpenedTrack>& tracks) {
    for (std::uint64_t i = 0; i < record_.first_entry; ++i) GREFFE_TRY(before_.apply(spool_.entries()[i]));
    next_ = record_.first_entry;
    if (!plan_.hearing) GREFFE_TRY(emit_open(tracks));
    for (const OpenedTrack& track : tracks) GREFFE_TRY(announce(track));
    std::size_t note = 0;
    for (const GapRequest& gap : plan_.gaps) {
      std::optional<Digest> digest;
      if (!gap.note.empty()) digest = record_.gap_notes.at(note++);
      const GapEntry entry = gap_entry(gap, before_.open()->start, digest);
      before_.apply(HearingEntry(entry));
      declared_.push_back({gap.from, entry, {}, std::nullopt});
    }
    for (std::size_t i = 0; i < plan_.marks.size(); ++i) {
      declared_.push_back({plan_.marks[i].at, MarkEntry{plan_.marks[i].at, "", record_.mark_notes.at(i), ""}, {}, std::nullopt});
    }
    std::stable_sort(declared_.begin(), declared_.end(), [](const Waiting& a, const Waiting& b) { return a.turn < b.turn; });
    return ok();
  }

  Status emit_open(const std::vector<OpenedTrack>& tracks) {
    OpenEntry open;
    open.archive = enrolment_.archive;
    open.hearing = spool_.id();
    open.station = enrolment_.name;
    open.station_key = key_.public_key();
    open.court = enrolment_.court;
    open.room = enrolment_.room;
    for (const OpenedTrack& track : tracks) open.streams.push_back({track.request.name, track.facts.medium, "file"});
    open.details = record_.details;
    open.main_size = record_.main_size;
    open.main_root = record_.main_root;
    open.continues = plan_.continues;
    open.start = plan_.start;
    open.boot = kImportBoot;
    before_.apply(HearingEntry(open));
    return emit({plan_.start, open, {}, std::nullopt});
  }

  // A stream that joins late, or one that goes on and must be of the same medium.
  Status announce(const OpenedTrack& track) {
    const StreamState* known = before_.find(track.request.name);
    if (known != nullptr && known->stream.medium == track.facts.medium) return ok();
    if (known != nullptr) {
      return fail(Errc::invalid, fmt::format("--stream {}: the hearing has {} under this name, the file has {}; choose another name",
                                             track.request.name, known->stream.medium, track.facts.medium));
    }
    const StreamEntry entry{{track.request.name, track.facts.medium, "file"}};
    before_.apply(HearingEntry(entry));
    return emit({plan_.start, entry, {}, std::nullopt});
  }

  Status start_lanes(std::vector<OpenedTrack> tracks) {
    std::int64_t lead_us = 0;
    for (const OpenedTrack& track : tracks) lead_us = std::max(lead_us, -track.facts.first_us);
    const WallClock wall = WallClock::make(plan_.start, lead_us, plan_.gaps);
    CutRules rules;
    rules.video_ms = settings_.video_ms;
    rules.audio_ms = settings_.audio_ms;
    rules.cuts_us = wall.cuts_us;
    std::uint64_t bytes = 0;
    for (OpenedTrack& track : tracks) {
      bytes += track.request.bytes;
      const std::uint64_t logged = count_logged(track.request.name);
      lanes_.push_back(std::make_unique<Lane>(track.request, std::move(track.worker), track.facts, before_, logged));
      GREFFE_TRY(lanes_.back()->start(wall, rules));
    }
    progress_.emplace(clock_, "import", bytes, ProgressUnit::bytes);
    return ok();
  }

  std::uint64_t count_logged(const std::string& stream) const {
    const StreamState* known = before_.find(stream);
    const StreamState* now = spool_.state().find(stream);
    return now == nullptr ? 0 : now->segments - (known == nullptr ? 0 : known->segments);
  }

  // Takes entries in the order of the wall clock, as soon as every stream has said what comes next in it.
  Status merge() {
    for (;;) {
      while (Waiting* next = take_turn()) {
        Waiting item = std::move(*next);
        turn_->pop_front();
        GREFFE_TRY(emit(std::move(item)));
      }
      if (all_ended()) break;
      GREFFE_TRY(wait_for_news());
    }
    while (!declared_.empty()) {
      Waiting item = std::move(declared_.front());
      declared_.pop_front();
      GREFFE_TRY(emit(std::move(item)));
    }
    return ok();
  }

  bool all_ended() const {
    return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->ended() && lane->waiting().empty(); });
  }

  // The entry whose turn it is; nothing while a stream has not said yet what comes next in it. Sets turn_.
  Waiting* take_turn() {
    turn_ = nullptr;
    for (const auto& lane : lanes_) {
      if (lane->waiting().empty() && !lane->ended()) return nullptr;
      if (lane->waiting().empty()) continue;
      if (turn_ == nullptr || lane->waiting().front().turn < turn_->front().turn) turn_ = &lane->waiting();
    }
    if (turn_ == nullptr) return nullptr;
    if (!declared_.empty() && declared_.front().turn <= turn_->front().turn) turn_ = &declared_;
    return &turn_->front();
  }

  Status wait_for_news() {
    std::vector<pollfd> watched;
    std::vector<Lane*> owners;
    for (const auto& lane : lanes_) {
      if (lane->ended()) continue;
      if (lane->wants_file()) {
        if (lane->waiting().size() >= kMostWaiting) continue;
        GREFFE_TRY(lane->give_file(spool_));
      }
      watched.push_back({lane->descriptor(), POLLIN, 0});
      owners.push_back(lane.get());
    }
    GREFFE_CHECK(!watched.empty());
    const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(kBatchMs));
    if (ready < 0 && errno != EINTR) return fail(Errc::io_error, fmt::format("cannot wait for the readers: {}", std::strerror(errno)));
    for (std::size_t i = 0; ready > 0 && i < watched.size(); ++i) {
      if (watched[i].revents == 0) continue;
      GREFFE_TRY(owners[i]->take_news(spool_));
      progress_->add(owners[i]->take_progress());
    }
    return spool_.waiting() > 0 && clock_.monotonic_ms() - committed_ms_ >= kBatchMs ? commit() : ok();
  }

  Status emit(Waiting item) {
    skip_additions();
    if (next_ < spool_.entries().size()) return compare(item);
    ++next_;
    if (!item.document.empty()) (void)GREFFE_TRY(spool_.put_document(item.document));
    if (item.segment) spool_.finish_segment(std::move(*item.segment), std::get<SegmentEntry>(item.entry).sha256);
    spool_.append(item.entry);
    return spool_.waiting() >= kBatchEntries ? commit() : ok();
  }

  // What drain and the courtroom have logged while this import lay broken off: no import has such entries.
  void skip_additions() {
    const std::vector<std::string>& entries = spool_.entries();
    for (; next_ < entries.size(); ++next_) {
      const auto entry = parse_hearing_entry(entries[next_]);
      if (!entry || (!std::holds_alternative<LostEntry>(*entry) && !std::holds_alternative<CorrectionEntry>(*entry))) return;
    }
  }

  // Logged before a crash: it must come out the same, byte for byte.
  Status compare(const Waiting& item) {
    if (write_hearing_entry(item.entry) == spool_.entries()[next_]) {
      ++next_;
      return ok();
    }
    return fail(Errc::conflict, fmt::format("hearing {}: the files or this program changed since the import was broken off: entry {} came "
                                            "out different. What was recorded stays; finish it with: greffe-ingest close --hearing {}",
                                            spool_.id().text(), next_, spool_.id().text()));
  }

  // An import can wait; the reserve is for what happens only once.
  Status commit() {
    committed_ms_ = clock_.monotonic_ms();
    if (spool_.waiting() == 0) return ok();
    GREFFE_TRY(spool_.commit());
    const Space disk = GREFFE_TRY(files_.space(settings_.directory));
    if (disk.free_bytes > reserve_bytes_) return ok();
    return fail(Errc::no_space, fmt::format("only the reserve for hearings that are being recorded is left on the disk of {} ({} free)",
                                            settings_.directory, human_bytes(disk.free_bytes)));
  }

  FileSystem& files_;
  Clock& clock_;
  const IngestSettings& settings_;
  const Enrolment& enrolment_;
  const PrivateKey& key_;
  const ImportPlan& plan_;
  const ImportRecord record_;
  HearingSpool& spool_;
  HearingState before_;                // the log before this import, its streams and its declared gaps
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::deque<Waiting> declared_;       // gaps and marks of the command line, by time
  std::deque<Waiting>* turn_ = nullptr;
  std::uint64_t next_ = 0;             // index of the next entry in the log
  std::int64_t committed_ms_ = 0;      // monotonic
  std::uint64_t reserve_bytes_ = 0;    // that it leaves free
  std::optional<Progress> progress_;
};

Status said_with_remedy(const Status& done) {
  if (done || done.error().code != Errc::no_space) return done;
  return fail(Errc::no_space, done.error().message + ". What was recorded so far stays. Make room (greffe-ingest drain removes what is safe), "
                                                     "then start the same import again: it goes on where it was");
}

// Holes at the end of streams that ended early, then `close`.
Status append_close(HearingSpool& spool, const char* reason) {
  GREFFE_TRY(spool.declare_lost());
  const HearingState& state = spool.state();
  std::vector<GapEntry> gaps;
  for (const StreamState& stream : state.streams()) {
    const UtcTime from = stream.end.ms != 0 ? stream.end : state.open()->start;
    for (const Missing& missing : state.undeclared(stream.stream.name, from, state.end())) {
      GapEntry gap = gap_entry({missing.from, missing.to, reason, ""}, state.open()->start, std::nullopt);
      gap.streams = {stream.stream.name};
      gaps.push_back(std::move(gap));
    }
  }
  for (const GapEntry& gap : gaps) spool.append(gap);
  spool.append(state.close_entry());
  return spool.commit();
}

ImportOutcome outcome_of(const HearingId& id, const HearingState& state, std::size_t entries) {
  ImportOutcome out;
  out.hearing = id;
  out.closed = state.closed();
  out.entries = entries;
  for (const StreamState& stream : state.streams()) {
    out.segments += stream.segments;
    out.bytes += stream.bytes;
  }
  return out;
}

}  // namespace

Result<std::vector<OpenedTrack>> open_tracks(const ImportPlan& plan) {
  std::vector<OpenedTrack> out;
  for (const StreamRequest& request : plan.streams) {
    out.push_back({request, GREFFE_TRY(MediaWorker::start(request.path, request.track)), {}});
  }
  for (OpenedTrack& track : out) track.facts = GREFFE_TRY(track.worker->facts());
  return out;
}

Result<ImportOutcome> import_files(FileSystem& files, Clock& clock, const IngestSettings& settings, const ImportPlan& plan,
                                   std::vector<OpenedTrack> tracks) {
  const Enrolment enrolment = GREFFE_TRY(load_enrolment(files, settings.directory));
  const PrivateKey key = GREFFE_TRY(load_station_key(files, settings.directory, false));
  BegunImport begun = GREFFE_TRY(begin_import(files, clock, settings, enrolment, key, plan));
  HearingSpool& spool = *begun.spool;
  std::vector<std::string> warnings;
  if (!begun.record.done) {
    Import import(files, clock, settings, enrolment, key, plan, begun);
    GREFFE_TRY(said_with_remedy(import.run(std::move(tracks))));
    warnings = import.warnings();
    begun.record.done = true;
    GREFFE_TRY(files.replace(spool.paths().import_record(begun.number), as_bytes(write_import_record(begun.record)), 0640));
  }
  if (plan.close && !spool.state().closed()) GREFFE_TRY(append_close(spool, "no-signal"));
  ImportOutcome out = outcome_of(spool.id(), spool.state(), spool.entries().size());
  out.resumed = begun.resumed;
  out.warnings = std::move(warnings);
  return out;
}

Result<ImportOutcome> close_hearing(FileSystem& files, const IngestSettings& settings, const HearingId& id,
                                    std::optional<LiveRecord> live) {
  const Enrolment enrolment = GREFFE_TRY(load_enrolment(files, settings.directory));
  const PrivateKey key = GREFFE_TRY(load_station_key(files, settings.directory, false));
  const SpoolPaths paths = spool_of(settings.directory, id);
  if (!files.stat(paths.directory)) {
    return fail(Errc::not_found, fmt::format("there is no hearing {} in {}", id.text(), spool_path(settings.directory)));
  }
  const auto spool = GREFFE_TRY(HearingSpool::open(files, paths, id, enrolment.archive, key));
  if (!spool->state().closed()) {
    if (!spool->state().open()) {
      return fail(Errc::conflict, fmt::format("hearing {} has no entry yet; start its import again", id.text()));
    }
    if (!live && files.stat(paths.live_record())) live = GREFFE_TRY(load_live_record(files, paths));
    if (live) {
      GREFFE_TRY(recover_live_segments(*spool, *live));
      end_live_log(*spool, *live);
      GREFFE_TRY(spool->commit());
    } else {
      GREFFE_TRY(spool->recover_open_segments({kImportBoot, {"import", kImportClockErrorMs}}));
      GREFFE_TRY(append_close(*spool, "fault"));
    }
  }
  return outcome_of(id, spool->state(), spool->entries().size());
}

Result<ImportOutcome> look_at_outcome(FileSystem& files, const IngestSettings& settings, const HearingId& id) {
  const SignedLog log = GREFFE_TRY(read_signed_log(files, spool_of(settings.directory, id)));
  HearingState state;
  for (const std::string& entry : log.entries) GREFFE_TRY(state.apply(entry));
  return outcome_of(id, state, log.entries.size());
}

}  // namespace greffe::ingest
