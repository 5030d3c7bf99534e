#include <algorithm>

#include "archive/format/entries.h"
#include "archive/format/members.h"

namespace greffe {

const std::vector<std::string_view> kGapReasons = {"recess",  "closed-evidence", "mediation", "fault",    "power",
                                                   "network", "no-signal",       "operator",  "unknown"};

bool is_excused(std::string_view reason) {
  return reason == "recess" || reason == "closed-evidence" || reason == "mediation";
}

namespace {

Json begin(std::string_view kind) {
  Json out;
  out.set("kind", kind).set("v", kEntryVersion);
  return out;
}

// ---- streams ----

Json write_stream(const ExpectedStream& stream) {
  Json out;
  out.set("medium", stream.medium).set("name", stream.name).set("source", stream.source);
  return out;
}

Result<ExpectedStream> read_stream(const Json& json) {
  ExpectedStream out;
  out.name = GREFFE_TRY(name_member(json, "name"));
  out.medium = GREFFE_TRY(choice_member(json, "medium", {"video", "audio"}));
  out.source = GREFFE_TRY(choice_member(json, "source", {"room", "remote", "screen", "file"}));
  return out;
}

// ---- writers ----

Json to_json(const OpenEntry& e) {
  Json out = begin("open");
  out.set("archive", e.archive).set("boot", e.boot).set("court", e.court).set("details_sha256", e.details);
  out.set("hearing", e.hearing.text()).set("main_root", e.main_root).set("main_size", e.main_size);
  out.set("mono_ms", e.mono_ms).set("room", e.room).set("station", e.station).set("station_key", e.station_key.hex());
  Json::Array streams;
  for (const ExpectedStream& stream : e.streams) streams.push_back(write_stream(stream));
  out.set("streams", std::move(streams)).set("utc", e.start);
  if (e.continues) out.set("continues", e.continues->text());
  if (!e.recovered_from.empty()) out.set("recovered_from", e.recovered_from);
  return out;
}

Json to_json(const SegmentEntry& e) {
  Json out = begin("segment");
  Json clock;
  clock.set("error_ms", e.clock.error_ms).set("state", e.clock.state);
  out.set("boot", e.boot).set("bytes", e.bytes).set("clock", std::move(clock)).set("codecs", e.codecs);
  out.set("duration_90k", e.duration_90k).set("flags", list_of(e.flags)).set("init_bytes", e.init_bytes);
  out.set("mono_ms", e.mono_ms).set("run", e.run).set("seq", e.seq).set("sha256", e.sha256);
  out.set("start_90k", e.start_90k).set("stream", e.stream).set("utc", e.utc);
  return out;
}

Json to_json(const GapEntry& e) {
  Json out = begin("gap");
  out.set("boot", e.boot).set("from", e.from).set("mono_ms", Json::Array{e.mono_ms[0], e.mono_ms[1]});
  out.set("reason", e.reason).set("streams", list_of(e.streams)).set("to", e.to);
  if (!e.to_boot.empty()) out.set("to_boot", e.to_boot);
  if (!e.person.empty()) out.set("person", e.person);
  if (e.note) out.set("note_sha256", *e.note);
  return out;
}

Json to_json(const ExplanationEntry& e) {
  Json out = begin("explanation");
  out.set("gap", e.gap).set("note_sha256", e.note);
  if (!e.person.empty()) out.set("person", e.person);
  if (!e.reason.empty()) out.set("reason", e.reason);
  return out;
}

Json to_json(const MarkEntry& e) {
  Json out = begin("mark");
  out.set("at", e.at).set("note_sha256", e.note);
  if (!e.stream.empty()) out.set("stream", e.stream);
  if (!e.person.empty()) out.set("person", e.person);
  return out;
}

Json to_json(const CorrectionEntry& e) {
  Json out = begin("details");
  out.set("details_sha256", e.details).set("utc", e.utc);
  if (!e.person.empty()) out.set("person", e.person);
  return out;
}

Json to_json(const StreamEntry& e) {
  Json out = begin("stream");
  out.set("medium", e.stream.medium).set("name", e.stream.name).set("source", e.stream.source);
  return out;
}

Json to_json(const PeaksEntry& e) {
  Json out = begin("peaks");
  out.set("count", e.count).set("sha256", e.sha256).set("stream", e.stream).set("utc", e.utc);
  return out;
}

Json to_json(const LostEntry& e) {
  Json out = begin("lost");
  out.set("objects", write_objects(e.objects)).set("reason", e.reason);
  return out;
}

Json to_json(const CloseEntry& e) {
  Json out = begin("close");
  Json::Array totals;
  for (const StreamTotal& t : e.totals) {
    Json total;
    total.set("bytes", t.bytes).set("duration_90k", t.duration_90k).set("segments", t.segments).set("stream", t.stream);
    totals.push_back(std::move(total));
  }
  out.set("boot", e.boot).set("mono_ms", e.mono_ms).set("totals", std::move(totals)).set("utc", e.end);
  return out;
}

Json to_json(const UnknownEntry&) {
  GREFFE_CHECK(!"an unknown entry is never written");
  return {};
}

// ---- readers ----

Result<HearingEntry> read_open(const Json& json) {
  OpenEntry e;
  e.archive = GREFFE_TRY(archive_name_member(json, "archive"));
  e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.station = GREFFE_TRY(name_member(json, "station"));
  e.station_key = GREFFE_TRY(key_member(json, "station_key"));
  e.court = GREFFE_TRY(name_member(json, "court"));
  e.room = GREFFE_TRY(name_member(json, "room"));
  const Json::Array streams = GREFFE_TRY(json.array("streams"));
  for (const Json& stream : streams) {
    ExpectedStream one = GREFFE_TRY(read_stream(stream));
    for (const ExpectedStream& other : e.streams) {
      if (other.name == one.name) return fail(Errc::invalid, "\"streams\" names " + one.name + " twice");
    }
    e.streams.push_back(std::move(one));
  }
  e.details = GREFFE_TRY(json.digest("details_sha256"));
  e.main_size = GREFFE_TRY(json.size("main_size"));
  e.main_root = GREFFE_TRY(json.digest("main_root"));
  if (json.has("continues")) e.continues = GREFFE_TRY(hearing_member(json, "continues"));
  if (json.has("recovered_from")) e.recovered_from = GREFFE_TRY(name_member(json, "recovered_from"));
  e.start = GREFFE_TRY(json.utc("utc"));
  e.boot = GREFFE_TRY(token_member(json, "boot"));
  e.mono_ms = GREFFE_TRY(duration_member(json, "mono_ms"));
  return HearingEntry(std::move(e));
}

Result<HearingEntry> read_segment_entry(const Json& json) {
  SegmentEntry e;
  e.stream = GREFFE_TRY(name_member(json, "stream"));
  e.seq = GREFFE_TRY(json.size("seq"));
  e.run = GREFFE_TRY(json.size("run"));
  e.sha256 = GREFFE_TRY(json.digest("sha256"));
  e.bytes = GREFFE_TRY(json.size("bytes"));
  e.init_bytes = GREFFE_TRY(json.size("init_bytes"));
  if (e.bytes == 0 || e.bytes > kMaxObjectBytes || e.init_bytes == 0 || e.init_bytes >= e.bytes) {
    return fail(Errc::invalid, "\"bytes\" must be at most 16 MiB and more than \"init_bytes\"");
  }
  e.start_90k = GREFFE_TRY(json.integer("start_90k"));
  e.duration_90k = GREFFE_TRY(json.integer("duration_90k"));
  if (e.start_90k < 0 || e.duration_90k <= 0) {
    return fail(Errc::invalid, "\"start_90k\" must not be negative and \"duration_90k\" must be positive");
  }
  e.codecs = GREFFE_TRY(token_member(json, "codecs"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  e.boot = GREFFE_TRY(token_member(json, "boot"));
  e.mono_ms = GREFFE_TRY(duration_member(json, "mono_ms"));
  const Json clock = GREFFE_TRY(json.object("clock"));
  e.clock.state = GREFFE_TRY(choice_member(clock, "state", {"locked", "holdover", "free", "import"}));
  e.clock.error_ms = GREFFE_TRY(duration_member(clock, "error_ms"));
  e.flags = GREFFE_TRY(name_list_member(json, "flags"));
  return HearingEntry(std::move(e));
}

// Names of streams, or "*" alone for all of them.
Result<std::vector<std::string>> gap_streams(const Json& json) {
  std::vector<std::string> out = GREFFE_TRY(json.strings("streams"));
  if (out == std::vector<std::string>{"*"}) return out;
  if (out.empty()) return fail(Errc::invalid, "\"streams\" must name a stream, or \"*\" alone for all");
  return name_list_member(json, "streams");
}

Result<std::string> reason_member(const Json& json) {
  std::string out = GREFFE_TRY(json.string("reason"));
  if (std::find(kGapReasons.begin(), kGapReasons.end(), out) != kGapReasons.end()) return out;
  return fail(Errc::invalid, "\"reason\" is not one of the reasons for a gap");
}

Result<HearingEntry> read_gap(const Json& json) {
  GapEntry e;
  e.streams = GREFFE_TRY(gap_streams(json));
  e.from = GREFFE_TRY(json.utc("from"));
  e.to = GREFFE_TRY(json.utc("to"));
  if (e.to < e.from) return fail(Errc::invalid, "\"to\" is before \"from\"");
  e.boot = GREFFE_TRY(token_member(json, "boot"));
  const Json::Array mono = GREFFE_TRY(json.array("mono_ms"));
  const bool two = mono.size() == 2 && mono[0].as_integer() != nullptr && mono[1].as_integer() != nullptr;
  // The second may be the smaller one: a gap over a restart ends in the clock of another boot.
  if (!two || *mono[0].as_integer() < 0 || *mono[1].as_integer() < 0) {
    return fail(Errc::invalid, "\"mono_ms\" must be two whole numbers that are not negative");
  }
  e.mono_ms = {*mono[0].as_integer(), *mono[1].as_integer()};
  e.to_boot = GREFFE_TRY(optional_token_member(json, "to_boot"));
  e.reason = GREFFE_TRY(reason_member(json));
  e.person = GREFFE_TRY(optional_token_member(json, "person"));
  if (json.has("note_sha256")) e.note = GREFFE_TRY(json.digest("note_sha256"));
  return HearingEntry(std::move(e));
}

Result<HearingEntry> read_explanation(const Json& json) {
  ExplanationEntry e;
  e.gap = GREFFE_TRY(json.size("gap"));
  e.note = GREFFE_TRY(json.digest("note_sha256"));
  e.person = GREFFE_TRY(optional_token_member(json, "person"));
  if (json.has("reason")) e.reason = GREFFE_TRY(reason_member(json));
  return HearingEntry(std::move(e));
}

Result<HearingEntry> read_mark(const Json& json) {
  MarkEntry e;
  e.at = GREFFE_TRY(json.utc("at"));
  e.stream = GREFFE_TRY(optional_name_member(json, "stream"));
  e.note = GREFFE_TRY(json.digest("note_sha256"));
  e.person = GREFFE_TRY(optional_token_member(json, "person"));
  return HearingEntry(std::move(e));
}

Result<HearingEntry> read_correction(const Json& json) {
  CorrectionEntry e;
  e.details = GREFFE_TRY(json.digest("details_sha256"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  e.person = GREFFE_TRY(optional_token_member(json, "person"));
  return HearingEntry(std::move(e));
}

Result<HearingEntry> read_late_stream(const Json& json) {
  return HearingEntry(StreamEntry{GREFFE_TRY(read_stream(json))});
}

Result<HearingEntry> read_peaks(const Json& json) {
  PeaksEntry e;
  e.stream = GREFFE_TRY(name_member(json, "stream"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  e.count = GREFFE_TRY(json.size("count"));
  if (e.count == 0 || e.count > kMaxObjectBytes) return fail(Errc::invalid, "\"count\" must be from 1 to 16,777,216");
  e.sha256 = GREFFE_TRY(json.digest("sha256"));
  return HearingEntry(std::move(e));
}

Result<HearingEntry> read_lost(const Json& json) {
  LostEntry e;
  e.objects = GREFFE_TRY(objects_member(json, "objects"));
  e.reason = GREFFE_TRY(name_member(json, "reason"));
  return HearingEntry(std::move(e));
}

Result<HearingEntry> read_close(const Json& json) {
  CloseEntry e;
  e.end = GREFFE_TRY(json.utc("utc"));
  e.boot = GREFFE_TRY(token_member(json, "boot"));
  e.mono_ms = GREFFE_TRY(duration_member(json, "mono_ms"));
  const Json::Array totals = GREFFE_TRY(json.array("totals"));
  for (const Json& total : totals) {
    StreamTotal t;
    t.stream = GREFFE_TRY(name_member(total, "stream"));
    t.segments = GREFFE_TRY(total.size("segments"));
    t.bytes = GREFFE_TRY(total.size("bytes"));
    t.duration_90k = GREFFE_TRY(duration_member(total, "duration_90k"));
    for (const StreamTotal& other : e.totals) {
      if (other.stream == t.stream) return fail(Errc::invalid, "\"totals\" names " + t.stream + " twice");
    }
    e.totals.push_back(std::move(t));
  }
  return HearingEntry(std::move(e));
}

using Reader = Result<HearingEntry> (*)(const Json&);
struct Kind {
  std::string_view name;
  Reader read;
};
constexpr Kind kKinds[] = {{"open", read_open},          {"segment", read_segment_entry},   {"gap", read_gap},
                           {"mark", read_mark},          {"explanation", read_explanation}, {"stream", read_late_stream},
                           {"details", read_correction}, {"peaks", read_peaks},             {"lost", read_lost},
                           {"close", read_close}};

}  // namespace

std::string write_hearing_entry(const HearingEntry& entry) {
  return write_json(std::visit([](const auto& e) { return to_json(e); }, entry));
}

Result<HearingEntry> parse_hearing_entry(std::string_view bytes) {
  RawEntry raw = GREFFE_TRY(read_raw_entry(bytes));
  for (const Kind& known : kKinds) {
    if (known.name != raw.kind || raw.version != kEntryVersion) continue;
    auto entry = known.read(raw.json);
    if (!entry) return entry.error().within("\"" + raw.kind + "\" entry");
    return entry;
  }
  return HearingEntry(UnknownEntry{std::move(raw.kind), raw.version});
}

}  // namespace greffe
