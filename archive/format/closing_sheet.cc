#include "archive/format/closing_sheet.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/members.h"

namespace greffe {
namespace {

// The file is {"sheet":…,"signature":…} and nothing else, so that the signed bytes stand between these two.
constexpr std::string_view kBeforeSheet = "{\"sheet\":";
constexpr std::string_view kAfterSheet = ",\"signature\":";
// Never change: it is signed. Its second line is no size, so no signature over it can pass for one of a checkpoint.
constexpr std::string_view kStatement = "greffe closing sheet v1";

std::string statement_of(const std::string& origin, std::string_view sheet) {
  return fmt::format("{}\n{}\nsha256 {}\n", kStatement, origin, sha256(as_bytes(sheet)).hex());
}

// A document of ours, which was canonical when it was stored.
Json document(const std::string& text) {
  auto json = parse_canonical_json(text);
  GREFFE_CHECK(json);
  return std::move(*json);
}

Json names_json(const std::map<std::string, std::string>& names) {
  Json out;
  for (const auto& [language, name] : names) out.set(language, name);
  return out;
}

Json to_json(const SheetStream& s) {
  Json time;
  time.set("declared_ms", s.time.declared_ms).set("excused_ms", s.time.excused_ms).set("recorded_ms", s.time.recorded_ms);
  time.set("unexcused_ms", s.time.unexcused_ms).set("unexplained_ms", s.time.unexplained_ms);
  Json out;
  out.set("bytes", s.bytes).set("duration_90k", s.duration_90k).set("medium", s.stream.medium).set("name", s.stream.name);
  out.set("segments", s.segments).set("source", s.stream.source).set("time", std::move(time));
  return out;
}

Json to_json(const SheetExplanation& e) {
  Json out;
  out.set("note", document(e.note));
  if (!e.person.empty()) out.set("person", e.person);
  if (!e.reason.empty()) out.set("reason", e.reason);
  return out;
}

Json to_json(const SheetInterruption& i) {
  Json out;
  Json::Array explanations;
  out.set("from", i.from).set("length_ms", i.length_ms).set("reason", i.reason).set("streams", list_of(i.streams)).set("to", i.to);
  if (!i.person.empty()) out.set("person", i.person);
  if (!i.note.empty()) out.set("note", document(i.note));
  for (const SheetExplanation& one : i.explanations) explanations.push_back(to_json(one));
  if (!explanations.empty()) out.set("explanations", std::move(explanations));
  return out;
}

Json to_json(const SheetCorrection& c) {
  Json out;
  out.set("details_sha256", c.details).set("utc", c.utc);
  if (!c.person.empty()) out.set("person", c.person);
  return out;
}

Json to_json(const ClosingSheet& sheet) {
  const auto note = parse_signed_checkpoint(sheet.checkpoint);
  GREFFE_CHECK(note);
  Json log;
  log.set("root", note->checkpoint.root).set("size", note->checkpoint.size);
  Json::Array streams;
  for (const SheetStream& one : sheet.streams) streams.push_back(to_json(one));
  Json::Array interruptions;
  for (const SheetInterruption& one : sheet.interruptions) interruptions.push_back(to_json(one));
  Json out;
  out.set("archive", sheet.archive).set("checkpoint", sheet.checkpoint).set("court", sheet.court);
  if (!sheet.court_names.empty()) out.set("court_names", names_json(sheet.court_names));
  if (sheet.continues) out.set("continues", sheet.continues->text());
  Json::Array corrections;
  for (const SheetCorrection& one : sheet.corrections) corrections.push_back(to_json(one));
  if (!corrections.empty()) out.set("corrections", std::move(corrections));
  out.set("details", document(sheet.details)).set("end", sheet.end).set("hearing", sheet.hearing.text());
  out.set("interruptions", std::move(interruptions)).set("kind", "closing-sheet").set("log", std::move(log));
  out.set("room", sheet.room).set("start", sheet.start).set("station", sheet.station);
  if (!sheet.room_names.empty()) out.set("room_names", names_json(sheet.room_names));
  out.set("station_key", sheet.station_key.hex()).set("streams", std::move(streams)).set("v", 1);
  if (!sheet.zone.empty()) out.set("zone", sheet.zone);
  return out;
}

// ---- reading ----

Error bad(std::string_view what) { return fail(Errc::invalid, fmt::format("this is not a closing sheet: {}", what)); }

Result<TimeSums> read_time(const Json& json) {
  TimeSums out;
  out.recorded_ms = GREFFE_TRY(duration_member(json, "recorded_ms"));
  out.excused_ms = GREFFE_TRY(duration_member(json, "excused_ms"));
  out.unexcused_ms = GREFFE_TRY(duration_member(json, "unexcused_ms"));
  out.unexplained_ms = GREFFE_TRY(duration_member(json, "unexplained_ms"));
  out.declared_ms = GREFFE_TRY(duration_member(json, "declared_ms"));
  if (out.recorded_ms + out.excused_ms + out.unexcused_ms != out.declared_ms || out.unexplained_ms > out.unexcused_ms) {
    return fail(Errc::invalid, "recorded, excused and unexcused time do not add up to what was declared");
  }
  return out;
}

Result<SheetStream> read_stream(const Json& json) {
  SheetStream out;
  out.stream.name = GREFFE_TRY(name_member(json, "name"));
  out.stream.medium = GREFFE_TRY(choice_member(json, "medium", {"video", "audio"}));
  out.stream.source = GREFFE_TRY(choice_member(json, "source", {"room", "remote", "screen", "file"}));
  out.segments = GREFFE_TRY(json.size("segments"));
  out.bytes = GREFFE_TRY(json.size("bytes"));
  out.duration_90k = GREFFE_TRY(duration_member(json, "duration_90k"));
  const Json time = GREFFE_TRY(json.object("time"));
  out.time = GREFFE_TRY(read_time(time));
  return out;
}

Result<std::string> read_reason(const Json& json) {
  std::string out = GREFFE_TRY(json.string("reason"));
  if (std::find(kGapReasons.begin(), kGapReasons.end(), out) == kGapReasons.end()) {
    return fail(Errc::invalid, "\"reason\" of an interruption is none that is known");
  }
  return out;
}

Result<std::string> read_note(const Json& json) {
  const Json note = GREFFE_TRY(json.object("note"));
  std::string out = write_json(note);  // the very bytes: the file is canonical
  (void)GREFFE_TRY(parse_note(out));
  return out;
}

Result<SheetExplanation> read_explanation(const Json& json) {
  SheetExplanation out;
  if (json.has("person")) out.person = GREFFE_TRY(id_member(json, "person"));
  if (json.has("reason")) out.reason = GREFFE_TRY(read_reason(json));
  out.note = GREFFE_TRY(read_note(json));
  return out;
}

Result<SheetInterruption> read_interruption(const Json& json) {
  SheetInterruption out;
  out.from = GREFFE_TRY(json.utc("from"));
  out.to = GREFFE_TRY(json.utc("to"));
  out.length_ms = GREFFE_TRY(duration_member(json, "length_ms"));
  out.reason = GREFFE_TRY(read_reason(json));
  out.streams = GREFFE_TRY(json.strings("streams"));
  const bool all = out.streams == std::vector<std::string>{"*"};
  if (!all) out.streams = GREFFE_TRY(name_list_member(json, "streams"));
  if (json.has("person")) out.person = GREFFE_TRY(id_member(json, "person"));
  if (json.has("note")) out.note = GREFFE_TRY(read_note(json));
  if (!json.has("explanations")) return out;
  const Json::Array explanations = GREFFE_TRY(json.array("explanations"));
  for (const Json& one : explanations) out.explanations.push_back(GREFFE_TRY(read_explanation(one)));
  return out;
}

Result<SheetCorrection> read_correction(const Json& json) {
  SheetCorrection out;
  out.utc = GREFFE_TRY(json.utc("utc"));
  if (json.has("person")) out.person = GREFFE_TRY(id_member(json, "person"));
  out.details = GREFFE_TRY(json.digest("details_sha256"));
  return out;
}

// The last of them says which document the details are.
Result<std::vector<SheetCorrection>> read_corrections(const Json& json, std::string_view details) {
  std::vector<SheetCorrection> out;
  if (!json.has("corrections")) return out;
  const Json::Array list = GREFFE_TRY(json.array("corrections"));
  for (const Json& one : list) out.push_back(GREFFE_TRY(read_correction(one)));
  if (!out.empty() && out.back().details == sha256(as_bytes(details))) return out;
  return fail(Errc::invalid, "\"details\" is not what the last of \"corrections\" names");
}

Result<std::map<std::string, std::string>> read_names(const Json& json, std::string_view key) {
  std::map<std::string, std::string> out;
  if (!json.has(key)) return out;
  const Json names = GREFFE_TRY(json.object(key));
  for (const auto& [language, name] : *names.as_object()) {
    if (name.as_string() == nullptr) return fail(Errc::invalid, fmt::format("\"{}\" must map languages to names", key));
    out.emplace(language, *name.as_string());
  }
  return out;
}

// What the sheet says in plain must be what the note in it says.
Status check_log(const Json& json, const ClosingSheet& sheet) {
  const auto note = parse_signed_checkpoint(sheet.checkpoint);
  if (!note) return note.error().within("\"checkpoint\"");
  const Json log = GREFFE_TRY(json.object("log"));
  const Digest root = GREFFE_TRY(log.digest("root"));
  const std::uint64_t size = GREFFE_TRY(log.size("size"));
  if (note->checkpoint.origin != sheet.origin()) return fail(Errc::invalid, "its checkpoint is of another hearing");
  if (note->checkpoint.root != root || note->checkpoint.size != size) return fail(Errc::invalid, "\"log\" is not what its checkpoint says");
  const Status signed_by_station = verify_note(note->note, sheet.key());
  if (!signed_by_station) return fail(Errc::corrupt, "the checkpoint in it is not signed by the station key that it names");
  return ok();
}

Result<ClosingSheet> read_sheet(const Json& json) {
  const std::string kind = GREFFE_TRY(json.string("kind"));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (kind != "closing-sheet") return fail(Errc::invalid, "\"kind\" must be \"closing-sheet\"");
  if (version != 1) return fail(Errc::invalid, fmt::format("version {} is not known to this program", version));
  ClosingSheet out;
  out.archive = GREFFE_TRY(archive_name_member(json, "archive"));
  out.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  out.court = GREFFE_TRY(name_member(json, "court"));
  out.room = GREFFE_TRY(name_member(json, "room"));
  out.court_names = GREFFE_TRY(read_names(json, "court_names"));
  out.room_names = GREFFE_TRY(read_names(json, "room_names"));
  out.station = GREFFE_TRY(name_member(json, "station"));
  out.station_key = GREFFE_TRY(key_member(json, "station_key"));
  if (json.has("continues")) out.continues = GREFFE_TRY(hearing_member(json, "continues"));
  const Json details = GREFFE_TRY(json.object("details"));
  out.details = write_json(details);
  (void)GREFFE_TRY(parse_details(out.details));
  out.corrections = GREFFE_TRY(read_corrections(json, out.details));
  out.start = GREFFE_TRY(json.utc("start"));
  out.end = GREFFE_TRY(json.utc("end"));
  out.zone = json.has("zone") ? GREFFE_TRY(token_member(json, "zone")) : std::string();
  const Json::Array streams = GREFFE_TRY(json.array("streams"));
  for (const Json& one : streams) out.streams.push_back(GREFFE_TRY(read_stream(one)));
  const Json::Array interruptions = GREFFE_TRY(json.array("interruptions"));
  for (const Json& one : interruptions) out.interruptions.push_back(GREFFE_TRY(read_interruption(one)));
  out.checkpoint = GREFFE_TRY(json.string("checkpoint"));
  GREFFE_TRY(check_log(json, out));
  return out;
}

}  // namespace

std::string write_closing_sheet(const ClosingSheet& sheet, const PrivateKey& key) {
  const std::string text = write_json(to_json(sheet));
  SignedNote note;
  note.text = statement_of(sheet.origin(), text);
  const Signature signature = key.sign(as_bytes(note.text));
  put_signature(note, {sheet.origin(), sheet.key().id(), Bytes(signature.begin(), signature.end())});
  return std::string(kBeforeSheet) + text + std::string(kAfterSheet) + write_json(note.write()) + "}";
}

Result<ClosingSheet> parse_closing_sheet(std::string_view file) {
  if (file.size() > kMaxClosingSheetBytes) return bad("it has more than 16 MiB");
  if (file.ends_with('\n')) file.remove_suffix(1);
  const auto json = parse_canonical_json(file);
  if (!json) return bad(json.error().message);
  const Json* signature = json->find("signature");
  if (json->as_object() == nullptr || json->as_object()->size() != 2 || !json->has("sheet") || signature == nullptr ||
      signature->as_string() == nullptr) {
    return bad("it must be an object with the members \"sheet\" and \"signature\"");
  }
  const Json body = GREFFE_TRY(json->object("sheet"));
  auto sheet = read_sheet(body);
  if (!sheet && sheet.error().code == Errc::corrupt) return sheet.error();
  if (!sheet) return bad(sheet.error().message);
  // The signed bytes as they stand in the file.
  const std::size_t end = file.size() - 1 - write_json(*signature).size() - kAfterSheet.size();
  const std::string_view text = file.substr(kBeforeSheet.size(), end - kBeforeSheet.size());
  const auto note = parse_signed_note(*signature->as_string());
  if (!note) return bad("\"signature\": " + note.error().message);
  if (note->text != statement_of(sheet->origin(), text) || !verify_note(*note, sheet->key())) {
    return fail(Errc::corrupt, "the sheet is not signed by the station key that it names: it was altered, or is not from that station");
  }
  return sheet;
}

}  // namespace greffe
