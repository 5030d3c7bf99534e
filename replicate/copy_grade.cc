#include "replicate/copy_grade.h"

#include <fmt/format.h>

#include "archive/base/progress.h"
#include "archive/format/signed_note.h"

namespace greffe::replicate {
namespace {

constexpr std::int64_t kGradeVersion = 1;
constexpr const char* kGradeName = "copied-and-read-back";

Json json_of(const Looks& looks) {
  Json out;
  return out.set("bytes", looks.bytes).set("objects", looks.objects).set("read", looks.read);
}

Result<Looks> looks_in(const Json& json, std::string_view key) {
  const Json one = GREFFE_TRY(json.object(key));
  Looks out;
  out.bytes = GREFFE_TRY(one.size("bytes"));
  out.objects = GREFFE_TRY(one.size("objects"));
  out.read = GREFFE_TRY(one.size("read"));
  return out;
}

Json json_of(const Round& round) {
  Json out;
  out.set("bad", round.bad).set("began", round.began).set("looks", json_of(round.looks)).set("next", round.next).set("size", round.size);
  if (round.ended) out.set("ended", *round.ended);
  return out;
}

Result<std::optional<Round>> round_in(const Json& json, std::string_view key) {
  if (!json.has(key)) return std::optional<Round>();
  const Json one = GREFFE_TRY(json.object(key));
  Round out;
  out.bad = GREFFE_TRY(one.size("bad"));
  out.began = GREFFE_TRY(one.utc("began"));
  out.looks = GREFFE_TRY(looks_in(one, "looks"));
  out.next = GREFFE_TRY(one.size("next"));
  out.size = GREFFE_TRY(one.size("size"));
  if (out.next > out.size) return fail(Errc::invalid, "a round has gone further than to its end");
  if (one.has("ended")) out.ended = GREFFE_TRY(one.utc("ended"));
  return std::optional(out);
}

Json json_of(const BadObject& bad) {
  Json out;
  out.set("found", bad.is_missing ? "missing" : "damaged").set("object", bad.object).set("since", bad.since);
  if (bad.hearing) out.set("hearing", bad.hearing->text());
  return out;
}

Result<BadObject> bad_object(const Json& json) {
  BadObject out;
  const std::string found = GREFFE_TRY(json.string("found"));
  if (found != "missing" && found != "damaged") return fail(Errc::invalid, "an object is missing or damaged, nothing else");
  out.is_missing = found == "missing";
  out.object = GREFFE_TRY(json.digest("object"));
  out.since = GREFFE_TRY(json.utc("since"));
  if (json.has("hearing")) {
    const std::string id = GREFFE_TRY(json.string("hearing"));
    out.hearing = GREFFE_TRY(parse_hearing_id(id));
  }
  return out;
}

std::string words_of(const Round& round) {
  const std::string what = fmt::format("{} objects looked for, {} of them ({}) read back whole, {} bad", round.looks.objects, round.looks.read,
                                       human_bytes(round.looks.bytes), round.bad);
  if (round.ended) return fmt::format("The last round over all of it ended on {}: {}.\n", to_text(*round.ended), what);
  return fmt::format("A round over all of it is at entry {} of {}, since {}: {}.\n", round.next, round.size, to_text(round.began), what);
}

}  // namespace

Json CopyGrade::json() const {
  Json::Array list;
  for (const BadObject& one : bad) list.push_back(json_of(one));
  Json out;
  out.set("bad", std::move(list)).set("grade", kGradeName).set("utc", utc).set("v", kGradeVersion).set("written", json_of(written));
  if (going) out.set("going", json_of(*going));
  if (last) out.set("last", json_of(*last));
  return out;
}

std::string CopyGrade::words() const {
  std::string out = fmt::format("Copied and read back, not cosigned: {} objects were copied, {} of them read back whole at once.\n", written.objects, written.read);
  if (last) out += words_of(*last);
  if (going) out += words_of(*going);
  if (!last && !going) out += "It was not gone through since.\n";
  for (const BadObject& one : bad) {
    out += fmt::format("BAD THERE: object {} of {} is {}, since {}\n", one.object.hex(),
                       one.hearing ? "hearing " + one.hearing->text() : std::string("the main log"), one.is_missing ? "missing" : "damaged", to_text(one.since));
  }
  return out;
}

// The second line is for LocalHeads, which takes the larger of two that differ.
std::string write_copy_grade(const CopyGrade& grade) { return write_json(grade.json()) + "\n" + std::to_string(grade.generation) + "\n"; }

Result<CopyGrade> parse_copy_grade(std::string_view text) {
  if (text.size() > kMaxNoteBytes) return fail(Errc::invalid, "the grade of a copy is longer than any");
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos || !text.ends_with('\n') || line + 1 == text.size()) return fail(Errc::invalid, "the grade of a copy is cut off");
  const Json json = GREFFE_TRY(parse_canonical_json(text.substr(0, line)));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != kGradeVersion) return fail(Errc::invalid, "the grade of a copy is of another version than this program knows");
  CopyGrade out;
  out.generation = GREFFE_TRY(parse_decimal(text.substr(line + 1, text.size() - line - 2)));
  out.utc = GREFFE_TRY(json.utc("utc"));
  out.written = GREFFE_TRY(looks_in(json, "written"));
  out.going = GREFFE_TRY(round_in(json, "going"));
  out.last = GREFFE_TRY(round_in(json, "last"));
  const Json::Array list = GREFFE_TRY(json.array("bad"));
  if ((out.going && out.going->ended) || (out.last && !out.last->ended)) return fail(Errc::invalid, "a round of a copy goes on or has ended, not both");
  if (list.size() > CopyGrade::kMostBad) return fail(Errc::invalid, "the grade of a copy names more bad objects than it may");
  for (const Json& one : list) out.bad.push_back(GREFFE_TRY(bad_object(one)));
  if (write_copy_grade(out) != text) return fail(Errc::invalid, "the grade of a copy says something that this program does not know");
  return out;
}

}  // namespace greffe::replicate
