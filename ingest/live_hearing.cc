#include "ingest/live_hearing.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/documents.h"
#include "ingest/import_begin.h"
#include "ingest/main_log_seen.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxRecordBytes = 64 * 1024;

Json write_pause(const OpenPause& pause) {
  Json out;
  out.set("boot", pause.boot).set("from", pause.at.utc).set("mono_ms", pause.at.mono_ms).set("person", pause.person).set("reason", pause.reason);
  if (pause.note) out.set("note_sha256", *pause.note);
  return out;
}

Result<OpenPause> parse_pause(const Json& json) {
  OpenPause out;
  out.boot = GREFFE_TRY(json.string("boot"));
  out.at.utc = GREFFE_TRY(json.utc("from"));
  out.at.mono_ms = GREFFE_TRY(json.integer("mono_ms"));
  out.person = GREFFE_TRY(json.string("person"));
  out.reason = GREFFE_TRY(json.string("reason"));
  if (json.has("note_sha256")) out.note = GREFFE_TRY(json.digest("note_sha256"));
  return out;
}

// With its signed first entry. What a crash leaves of it has no name yet and is swept: a hearing that has a name has begun.
Status make_directory(FileSystem& files, const SpoolPaths& paths, const LiveRecord& record, std::string_view details, const OpenEntry& open,
                      const PrivateKey& key) {
  const SpoolPaths unfinished{paths.directory + std::string(kUnfinishedHearing)};
  GREFFE_TRY(HearingSpool::create(files, unfinished));
  GREFFE_TRY(files.write_new(unfinished.object(open.details), as_bytes(details)));
  GREFFE_TRY(save_live_record(files, unfinished, record));
  {
    const auto spool = GREFFE_TRY(HearingSpool::open(files, unfinished, open.hearing, open.archive, key));
    spool->append(open);
    GREFFE_TRY(spool->commit());
  }
  GREFFE_TRY(files.rename(unfinished.directory, paths.directory));
  return files.sync_directory(parent_of(paths.directory));
}

}  // namespace

std::string write_live_record(const LiveRecord& record) {
  Json clock;
  clock.set("error_ms", record.clock.error_ms).set("state", record.clock.state);
  Json muted{Json::Object{}};
  for (const auto& [stream, pause] : record.muted) muted.set(stream, write_pause(pause));
  Json out;
  out.set("boot", record.boot).set("clock", std::move(clock)).set("muted", std::move(muted)).set("stopped", record.stopped);
  if (!record.after.empty()) out.set("after", record.after).set("taken_up_mono_ms", record.taken_up_mono_ms);
  if (record.pause) out.set("pause", write_pause(*record.pause));
  return write_json(out) + "\n";
}

Result<LiveRecord> parse_live_record(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  LiveRecord out;
  out.boot = GREFFE_TRY(json.string("boot"));
  const Json clock = GREFFE_TRY(json.object("clock"));
  out.clock.error_ms = GREFFE_TRY(clock.integer("error_ms"));
  out.clock.state = GREFFE_TRY(clock.string("state"));
  out.stopped = GREFFE_TRY(json.boolean("stopped"));
  if (json.has("after")) {
    out.after = GREFFE_TRY(json.string("after"));
    out.taken_up_mono_ms = GREFFE_TRY(json.integer("taken_up_mono_ms"));
  }
  if (json.has("pause")) {
    const Json pause = GREFFE_TRY(json.object("pause"));
    out.pause = GREFFE_TRY(parse_pause(pause));
  }
  const Json muted = GREFFE_TRY(json.object("muted"));
  for (const auto& [stream, pause] : *muted.as_object()) out.muted[stream] = GREFFE_TRY(parse_pause(pause));
  return out;
}

Status save_live_record(FileSystem& files, const SpoolPaths& paths, const LiveRecord& record) {
  return files.replace(paths.live_record(), as_bytes(write_live_record(record)), 0640);
}

Result<LiveRecord> load_live_record(FileSystem& files, const SpoolPaths& paths) {
  const Bytes bytes = GREFFE_TRY(files.read_file(paths.live_record(), kMaxRecordBytes));
  auto record = parse_live_record(as_text(bytes));
  if (!record) return record.error().within(paths.live_record());
  return record;
}

Result<std::unique_ptr<HearingSpool>> begin_live_hearing(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment,
                                                         const PrivateKey& key, StationClock& clock, const LiveOpening& opening) {
  const Details details = GREFFE_TRY(parse_details(opening.details));
  const std::string document = write_details(details);
  GREFFE_TRY(files.make_directories(spool_path(settings.directory)));
  const auto lock = GREFFE_TRY(files.lock(join(spool_path(settings.directory), "lock")));
  GREFFE_TRY(sweep_unfinished(files, spool_path(settings.directory)));
  LiveRecord record;
  record.boot = clock.boot();
  record.clock = clock.state();
  const Moment now = clock.now();
  const HearingId id = make_hearing_id(now.utc);
  OpenEntry open;
  open.archive = enrolment.archive;
  open.hearing = id;
  open.station = enrolment.name;
  open.station_key = key.public_key();
  open.court = enrolment.court;
  open.room = enrolment.room;
  open.streams = opening.streams;
  open.details = sha256(as_bytes(document));
  open.main_root = empty_root();
  if (const auto seen = newest_seen(files, settings.directory, enrolment)) {
    open.main_size = seen->size;
    open.main_root = seen->root;
  }
  open.continues = opening.continues;
  open.start = now.utc;
  open.boot = clock.boot();
  open.mono_ms = now.mono_ms;
  const SpoolPaths paths = spool_of(settings.directory, id);
  GREFFE_TRY(make_directory(files, paths, record, document, open, key));
  return HearingSpool::open(files, paths, id, enrolment.archive, key);
}

Result<std::optional<HearingId>> find_live_hearing(FileSystem& files, const IngestSettings& settings) {
  const std::vector<HearingId> all = GREFFE_TRY(list_hearings(files, settings.directory));
  for (auto id = all.rbegin(); id != all.rend(); ++id) {
    const SpoolPaths paths = spool_of(settings.directory, *id);
    if (!files.stat(paths.live_record()) || files.stat(paths.continued()) || files.stat(paths.waits())) continue;
    const SignedLog log = GREFFE_TRY(read_signed_log(files, paths));
    if (log.entries.empty()) continue;
    const HearingEntry last = GREFFE_TRY(parse_hearing_entry(log.entries.back()));
    if (!std::holds_alternative<CloseEntry>(last)) return std::optional<HearingId>(*id);
  }
  return std::optional<HearingId>();
}

Accounted accounted_so_far(const HearingState& state, const std::string& stream, const Accounted& start) {
  Accounted out = start;
  const StreamState* known = state.find(stream);
  if (known != nullptr && known->last) {
    const SegmentEntry& last = *known->last;
    const std::int64_t ms = last.duration_90k / 90;
    out = {{UtcTime{last.utc.ms + ms}, last.mono_ms + ms}, last.boot};
  }
  for (const GapEntry& gap : state.gaps()) {
    const bool applies = std::any_of(gap.streams.begin(), gap.streams.end(), [&](const std::string& s) { return s == "*" || s == stream; });
    const std::string& end_boot = gap.to_boot.empty() ? gap.boot : gap.to_boot;
    const bool later = end_boot == out.boot ? gap.mono_ms[1] > out.at.mono_ms : gap.to > out.at.utc;
    if (applies && later) out = {{gap.to, gap.mono_ms[1]}, end_boot};
  }
  return out;
}

std::optional<GapEntry> gap_between(const std::string& stream, const Accounted& from, const Accounted& to, const char* reason) {
  const bool same_boot = from.boot == to.boot;
  const std::int64_t ms = same_boot ? to.at.mono_ms - from.at.mono_ms : to.at.utc.ms - from.at.utc.ms;
  if (ms < kLeastGapMs) return std::nullopt;
  GapEntry gap;
  gap.streams = {stream};
  gap.from = from.at.utc;
  gap.to = std::max(to.at.utc, from.at.utc);
  gap.boot = from.boot;
  if (!same_boot) gap.to_boot = to.boot;
  gap.mono_ms = {from.at.mono_ms, to.at.mono_ms};
  gap.reason = reason;
  return gap;
}

Status recover_live_segments(HearingSpool& spool, const LiveRecord& record) {
  const Accounted start{{spool.state().open()->start, spool.state().open()->mono_ms}, spool.state().open()->boot};
  std::map<std::string, Accounted> until;
  for (const StreamState& stream : spool.state().streams()) until[stream.stream.name] = accounted_so_far(spool.state(), stream.stream.name, start);
  const std::size_t first = spool.entries().size();
  GREFFE_TRY(spool.recover_open_segments({record.boot, record.clock}));
  const std::size_t end = spool.entries().size();
  for (std::size_t i = first; i < end; ++i) {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(spool.entries()[i]));
    const auto* segment = std::get_if<SegmentEntry>(&entry);
    if (segment == nullptr) continue;
    Accounted& before = until[segment->stream];
    // A second interruption before the stream's first segment: the gap of the one before was never logged.
    const bool of_before = !record.after.empty() && (before.boot != record.boot || before.at.mono_ms <= record.taken_up_mono_ms);
    const char* reason = of_before ? record.after.c_str() : "no-signal";
    if (auto gap = gap_between(segment->stream, before, {{segment->utc, segment->mono_ms}, segment->boot}, reason)) spool.append(*gap);
    const std::int64_t ms = segment->duration_90k / 90;
    before = {{UtcTime{segment->utc.ms + ms}, segment->mono_ms + ms}, segment->boot};
  }
  return ok();
}

void end_live_log(HearingSpool& spool, const LiveRecord& record) {
  const HearingState& state = spool.state();
  const Accounted start{{state.open()->start, state.open()->mono_ms}, state.open()->boot};
  Accounted end = start;
  for (const StreamState& stream : state.streams()) {
    Accounted one = accounted_so_far(state, stream.stream.name, start);
    if (one.at.utc > end.at.utc) end = std::move(one);
  }
  std::vector<GapEntry> gaps;
  for (const StreamState& stream : state.streams()) {
    const Accounted from = accounted_so_far(state, stream.stream.name, start);
    if (end.at.utc.ms - from.at.utc.ms < kDeclareFromMs) continue;
    GapEntry gap;
    gap.streams = {stream.stream.name};
    gap.from = from.at.utc;
    gap.to = end.at.utc;
    gap.boot = from.boot;
    if (end.boot != from.boot) gap.to_boot = end.boot;
    gap.mono_ms = {from.at.mono_ms, end.at.mono_ms};
    const auto muted = record.muted.find(stream.stream.name);
    gap.reason = muted == record.muted.end() ? "fault" : muted->second.reason;
    gaps.push_back(std::move(gap));
  }
  for (const GapEntry& gap : gaps) spool.append(gap);
  CloseEntry close = spool.state().close_entry();
  close.end = end.at.utc;
  close.boot = end.boot;
  close.mono_ms = end.at.mono_ms;
  spool.append(close);
}

}  // namespace greffe::ingest
