#include "ingest/import_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "archive/format/entries.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMaxNoteTextBytes = 4000;

Error bad(std::string_view option, std::string_view value, std::string_view why) {
  return fail(Errc::invalid, fmt::format("{} {}: {}", option, value, why));
}

// "#v:0" or "#a:2" at the end of a file name.
TrackChoice take_track(std::string& path) {
  const std::size_t at = path.rfind('#');
  if (at == std::string::npos || path.size() < at + 4 || path[at + 2] != ':' || (path[at + 1] != 'a' && path[at + 1] != 'v')) return {};
  const auto number = parse_decimal(std::string_view(path).substr(at + 3));
  if (!number || *number > 63) return {};
  const auto medium = path[at + 1] == 'v' ? TrackChoice::Medium::video : TrackChoice::Medium::audio;
  path.resize(at);
  return {medium, static_cast<int>(*number)};
}

std::string absolute(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  return real ? std::string(real.get()) : path;
}

Result<StreamRequest> parse_stream(FileSystem& files, const std::string& text) {
  const std::size_t at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) return bad("--stream", text, "write it as NAME=FILE");
  StreamRequest out;
  out.name = text.substr(0, at);
  if (!is_valid_name(out.name)) {
    return bad("--stream", text, "the name of a stream is of the letters a-z, digits and '-', at most 32, like cam-bench");
  }
  std::string path = text.substr(at + 1);
  out.track = take_track(path);
  out.path = absolute(path);
  const auto facts = files.stat(out.path);
  if (!facts) return facts.error().within("--stream " + out.name);
  if (!facts->is_regular) return bad("--stream", text, "this is not a file");
  out.bytes = facts->size;
  out.modified_ms = facts->modified_ms;
  return out;
}

Result<std::optional<HearingId>> parse_id(std::string_view option, const std::string& text) {
  if (text.empty()) return std::optional<HearingId>();
  const auto id = parse_hearing_id(text);
  if (!id) return bad(option, text, "this is not the id of a hearing");
  return std::optional<HearingId>(*id);
}

Result<UtcTime> parse_time(std::string_view option, std::string_view text) {
  auto time = parse_utc(text);
  if (!time && text.size() == 20 && text.back() == 'Z') time = parse_utc(std::string(text.substr(0, 19)) + ".000Z");
  if (!time) return bad(option, text, "write the time in UTC, like 2026-11-22T09:00:00Z or 2026-11-22T09:00:00.000Z");
  return time;
}

// Up to `most` parts; the last one may have commas.
std::vector<std::string> split(const std::string& text, std::size_t most) {
  std::vector<std::string> out;
  std::size_t at = 0;
  while (out.size() + 1 < most) {
    const std::size_t comma = text.find(',', at);
    if (comma == std::string::npos) break;
    out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  out.push_back(text.substr(at));
  return out;
}

Status check_note(std::string_view option, const std::string& text) {
  if (text.empty() || text.size() > kMaxNoteTextBytes || !is_valid_utf8(text)) {
    return bad(option, text.substr(0, 60), "the text must be valid UTF-8, not empty, and at most 4,000 bytes");
  }
  return ok();
}

Result<GapRequest> parse_gap(const std::string& text) {
  const std::vector<std::string> parts = split(text, 4);
  if (parts.size() < 3) return bad("--gap", text, "write it as FROM,TO,REASON or FROM,TO,REASON,NOTE");
  GapRequest out;
  out.from = GREFFE_TRY(parse_time("--gap", parts[0]));
  out.to = GREFFE_TRY(parse_time("--gap", parts[1]));
  out.reason = parts[2];
  if (out.to <= out.from) return bad("--gap", text, "it must end after it begins");
  if (std::find(kGapReasons.begin(), kGapReasons.end(), out.reason) == kGapReasons.end()) {
    return bad("--gap", text, fmt::format("the reason must be one of {}", fmt::join(kGapReasons, ", ")));
  }
  if (parts.size() == 4) {
    out.note = parts[3];
    GREFFE_TRY(check_note("--gap", out.note));
  }
  return out;
}

Result<MarkRequest> parse_mark(const std::string& text) {
  const std::vector<std::string> parts = split(text, 2);
  if (parts.size() != 2) return bad("--mark", text, "write it as UTC,TEXT");
  MarkRequest out;
  out.at = GREFFE_TRY(parse_time("--mark", parts[0]));
  out.text = parts[1];
  GREFFE_TRY(check_note("--mark", out.text));
  return out;
}

Result<std::string> read_details(FileSystem& files, const std::string& path) {
  const auto bytes = files.read_file(path, kMaxDocumentBytes);
  if (!bytes) return bytes.error().within("--details");
  std::string text(as_text(*bytes));
  const auto details = parse_details(text);
  if (!details) return fail(Errc::invalid, fmt::format("--details {}: {}", path, details.error().message));
  if (details->cases.empty()) return bad("--details", path, "\"cases\" names no case number; give at least one");
  return text;
}

Status check_gaps(const ImportPlan& plan) {
  for (std::size_t i = 0; i < plan.gaps.size(); ++i) {
    const GapRequest& gap = plan.gaps[i];
    if (i > 0 && gap.from < plan.gaps[i - 1].to) {
      return bad("--gap", to_text(gap.from), "two gaps overlap; give each stretch of missing time once");
    }
    const bool before = gap.to <= plan.start;
    if (gap.from < plan.start && !(before && plan.hearing)) {
      return bad("--gap", to_text(gap.from), "it begins before --start");
    }
  }
  return ok();
}

Status check_streams(const ImportPlan& plan) {
  for (std::size_t i = 0; i < plan.streams.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (plan.streams[i].name != plan.streams[j].name) continue;
      return bad("--stream", plan.streams[i].name,
                 "it is given twice; import what follows on with a second import: --hearing ID --start UTC");
    }
  }
  return ok();
}

}  // namespace

Result<ImportPlan> make_plan(FileSystem& files, const ImportArguments& arguments) {
  ImportPlan out;
  if (arguments.streams.empty()) return fail(Errc::invalid, "import needs at least one --stream NAME=FILE");
  out.start = GREFFE_TRY(parse_time("--start", arguments.start));
  out.hearing = GREFFE_TRY(parse_id("--hearing", arguments.hearing));
  out.continues = GREFFE_TRY(parse_id("--continues", arguments.continues));
  if (out.hearing && out.continues) {
    return fail(Errc::invalid, "--continues belongs to a new hearing; leave it away with --hearing");
  }
  if (arguments.details_path.empty() != out.hearing.has_value()) {
    return fail(Errc::invalid, out.hearing ? "--details belongs to a new hearing; leave it away with --hearing"
                                           : "import needs --details FILE: who and what the hearing is about");
  }
  if (!out.hearing) out.details = GREFFE_TRY(read_details(files, arguments.details_path));
  for (const std::string& text : arguments.streams) out.streams.push_back(GREFFE_TRY(parse_stream(files, text)));
  for (const std::string& text : arguments.gaps) out.gaps.push_back(GREFFE_TRY(parse_gap(text)));
  for (const std::string& text : arguments.marks) out.marks.push_back(GREFFE_TRY(parse_mark(text)));
  std::stable_sort(out.gaps.begin(), out.gaps.end(), [](const GapRequest& a, const GapRequest& b) { return a.from < b.from; });
  std::stable_sort(out.marks.begin(), out.marks.end(), [](const MarkRequest& a, const MarkRequest& b) { return a.at < b.at; });
  GREFFE_TRY(check_streams(out));
  GREFFE_TRY(check_gaps(out));
  out.close = arguments.close;
  return out;
}

std::string identity_of(const ImportPlan& plan) {
  Json::Array streams;
  for (const StreamRequest& stream : plan.streams) {
    Json one;
    one.set("name", stream.name).set("path", stream.path).set("bytes", stream.bytes).set("modified_ms", stream.modified_ms);
    one.set("medium", static_cast<int>(stream.track.medium)).set("number", stream.track.number);
    streams.push_back(std::move(one));
  }
  // Personal data and free text belong into objects only; here their digests are enough to tell two imports apart.
  Json::Array gaps;
  for (const GapRequest& gap : plan.gaps) {
    Json one;
    one.set("from", gap.from).set("to", gap.to).set("reason", gap.reason).set("note", sha256(as_bytes(gap.note)).hex());
    gaps.push_back(std::move(one));
  }
  Json::Array marks;
  for (const MarkRequest& mark : plan.marks) {
    Json one;
    one.set("at", mark.at).set("text", sha256(as_bytes(mark.text)).hex());
    marks.push_back(std::move(one));
  }
  Json out;
  out.set("streams", std::move(streams)).set("start", plan.start).set("details", sha256(as_bytes(plan.details)).hex());
  out.set("gaps", std::move(gaps)).set("marks", std::move(marks));
  if (plan.hearing) out.set("hearing", plan.hearing->text());
  if (plan.continues) out.set("continues", plan.continues->text());
  return write_json(out);
}

std::string write_import_record(const ImportRecord& record) {
  const auto list = [](const std::vector<Digest>& digests) {
    Json::Array out;
    for (const Digest& digest : digests) out.emplace_back(digest);
    return out;
  };
  Json out;
  out.set("v", 1).set("identity", record.identity).set("first_entry", record.first_entry).set("details", record.details);
  out.set("gap_notes", list(record.gap_notes)).set("mark_notes", list(record.mark_notes)).set("done", record.done);
  out.set("main_size", record.main_size).set("main_root", record.main_root);
  return write_json(out) + "\n";
}

Result<ImportRecord> parse_import_record(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != 1) return fail(Errc::invalid, "an import record of an unknown version");
  ImportRecord out;
  out.identity = GREFFE_TRY(json.string("identity"));
  out.first_entry = GREFFE_TRY(json.size("first_entry"));
  out.details = GREFFE_TRY(json.digest("details"));
  const std::vector<std::string> gap_notes = GREFFE_TRY(json.strings("gap_notes"));
  for (const std::string& hex : gap_notes) out.gap_notes.push_back(GREFFE_TRY(digest_from_hex(hex)));
  const std::vector<std::string> mark_notes = GREFFE_TRY(json.strings("mark_notes"));
  for (const std::string& hex : mark_notes) out.mark_notes.push_back(GREFFE_TRY(digest_from_hex(hex)));
  out.done = GREFFE_TRY(json.boolean("done"));
  if (!json.has("main_size")) return out;  // of an import that a version before this one began
  out.main_size = GREFFE_TRY(json.size("main_size"));
  out.main_root = GREFFE_TRY(json.digest("main_root"));
  return out;
}

}  // namespace greffe::ingest
