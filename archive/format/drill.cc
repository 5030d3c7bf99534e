#include "archive/format/drill.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "archive/base/bytes.h"
#include "archive/format/characters.h"
#include "archive/format/documents.h"
#include "archive/format/members.h"

namespace greffe {

const std::vector<std::string_view> kDrillFailures = {"head", "log", "catalogue", "object", "decode"};

namespace {

constexpr std::string_view kReportKind = "drill-report";
constexpr std::size_t kSaltBytes = 32;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

bool is_date(std::string_view text) { return parse_utc(std::string(text) + "T00:00:00.000Z").has_value(); }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// One line of valid UTF-8, not longer than may be told.
std::string one_line(std::string_view what) {
  std::string out(what);
  if (!is_valid_utf8(out)) std::replace_if(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if (byte < 0x20 || byte == 0x7F) out[i] = ' ';
    const bool c1 = byte == 0xC2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xA0;
    if (c1) out[i] = out[i + 1] = ' ';
  }
  if (out.size() > kDrillFailureBytes) {
    std::size_t end = kDrillFailureBytes;
    while (end > 0 && is_continuation(out[end])) --end;
    out.resize(end);
  }
  return out.empty() ? "?" : out;
}

// ---- writing ----

Json to_json(const DrillTimes& ms) {
  Json out;
  out.set("catalogue", ms.catalogue).set("compare", ms.compare).set("day", ms.day).set("decode", ms.decode).set("head", ms.head);
  out.set("log", ms.log).set("sample", ms.sample);
  return out;
}

Json to_json(const DrilledCatalogue& catalogue) {
  Json out;
  out.set("entries", catalogue.entries).set("equal", catalogue.equal).set("hearings", catalogue.hearings).set("sum", catalogue.sum);
  return out;
}

Json to_json(const DrilledDay& day) {
  Json out;
  out.set("bytes", day.bytes).set("date", day.date).set("hearings", day.hearings).set("objects", day.objects);
  return out;
}

Json to_json(const DrilledSample& sample) {
  Json out;
  out.set("bytes", sample.bytes).set("entries", sample.entries).set("objects", sample.objects);
  return out;
}

Json to_json(const DrilledMedia& media) {
  Json out;
  out.set("frames", media.frames).set("hearing", media.hearing.text()).set("media_ms", media.media_ms).set("segments", media.segments);
  out.set("stream", media.stream);
  return out;
}

Json head_json(const DrillReport& report) {
  Json out;
  out.set("newest", report.newest).set("root", report.root).set("size", report.size);
  if (report.heard) out.set("heard", *report.heard);
  return out;
}

// ---- reading ----

Result<DrillTimes> read_times(const Json& report) {
  const Json json = GREFFE_TRY(report.object("ms"));
  DrillTimes out;
  out.catalogue = GREFFE_TRY(duration_member(json, "catalogue"));
  out.compare = GREFFE_TRY(duration_member(json, "compare"));
  out.day = GREFFE_TRY(duration_member(json, "day"));
  out.decode = GREFFE_TRY(duration_member(json, "decode"));
  out.head = GREFFE_TRY(duration_member(json, "head"));
  out.log = GREFFE_TRY(duration_member(json, "log"));
  out.sample = GREFFE_TRY(duration_member(json, "sample"));
  return out;
}

Result<DrilledCatalogue> read_catalogue(const Json& json) {
  DrilledCatalogue out;
  out.entries = GREFFE_TRY(json.size("entries"));
  out.equal = GREFFE_TRY(json.boolean("equal"));
  out.hearings = GREFFE_TRY(json.size("hearings"));
  out.sum = GREFFE_TRY(json.digest("sum"));
  return out;
}

Result<DrilledDay> read_day(const Json& json) {
  DrilledDay out;
  out.bytes = GREFFE_TRY(json.size("bytes"));
  out.date = GREFFE_TRY(json.string("date"));
  if (!is_date(out.date)) return fail(Errc::invalid, "\"date\" is no day");
  out.hearings = GREFFE_TRY(json.size("hearings"));
  out.objects = GREFFE_TRY(json.size("objects"));
  return out;
}

Result<DrilledSample> read_sample(const Json& json) {
  DrilledSample out;
  out.bytes = GREFFE_TRY(json.size("bytes"));
  out.entries = GREFFE_TRY(json.size("entries"));
  out.objects = GREFFE_TRY(json.size("objects"));
  return out;
}

Result<DrilledMedia> read_media(const Json& json) {
  DrilledMedia out;
  out.frames = GREFFE_TRY(json.size("frames"));
  out.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  out.media_ms = GREFFE_TRY(duration_member(json, "media_ms"));
  out.segments = GREFFE_TRY(json.size("segments"));
  out.stream = GREFFE_TRY(name_member(json, "stream"));
  return out;
}

Status read_head(const Json& report, DrillReport& out) {
  const Json head = GREFFE_TRY(report.object("head"));
  out.newest = GREFFE_TRY(head.utc("newest"));
  out.root = GREFFE_TRY(head.digest("root"));
  out.size = GREFFE_TRY(head.size("size"));
  if (head.has("heard")) out.heard = GREFFE_TRY(head.utc("heard"));
  return ok();
}

Status read_parts(const Json& json, DrillReport& out) {
  if (json.has("catalogue")) {
    const Json part = GREFFE_TRY(json.object("catalogue"));
    out.catalogue = GREFFE_TRY(read_catalogue(part));
  }
  if (json.has("day")) {
    const Json part = GREFFE_TRY(json.object("day"));
    out.day = GREFFE_TRY(read_day(part));
  }
  const Json sample = GREFFE_TRY(json.object("sample"));
  out.sample = GREFFE_TRY(read_sample(sample));
  if (json.has("media")) {
    const Json part = GREFFE_TRY(json.object("media"));
    out.media = GREFFE_TRY(read_media(part));
  }
  return ok();
}

Status read_failures(const Json& json, DrillReport& out) {
  out.failure_count = GREFFE_TRY(json.size("failure_count"));
  const Json::Array list = GREFFE_TRY(json.array("failures"));
  if (list.size() > kDrillFailuresTold || list.size() > out.failure_count || (list.empty() && out.failure_count > 0)) {
    return fail(Errc::invalid, "\"failures\" are not as many as \"failure_count\" allows");
  }
  for (const Json& one : list) {
    DrillFailure failure;
    failure.code = GREFFE_TRY(one.string("code"));
    failure.what = GREFFE_TRY(one.string("what"));
    if (std::find(kDrillFailures.begin(), kDrillFailures.end(), failure.code) == kDrillFailures.end()) {
      return fail(Errc::invalid, "\"code\" is not that of a failure");
    }
    if (failure.what.empty() || failure.what.size() > kDrillFailureBytes || has_control_character(failure.what)) {
      return fail(Errc::invalid, "\"what\" is not a sentence");
    }
    out.failures.push_back(std::move(failure));
  }
  return ok();
}

}  // namespace

void DrillReport::fail(std::string_view code, std::string_view what) {
  DrillFailure one{std::string(code), one_line(what)};
  const bool told = std::any_of(failures.begin(), failures.end(), [&](const DrillFailure& other) { return other.code == one.code && other.what == one.what; });
  if (told) return;
  ++failure_count;
  if (failures.size() < kDrillFailuresTold) failures.push_back(std::move(one));
}

std::int64_t drill_level(std::int64_t rpo_ms, std::int64_t rto_ms) {
  const bool soon = rto_ms <= 2 * kDayMs;
  if (soon && rpo_ms <= kHourMs / 2) return 5;
  if (soon && rpo_ms <= kDayMs) return 4;
  return rpo_ms <= 7 * kDayMs ? 2 : 0;
}

std::string write_drill_report(const DrillReport& report) {
  std::array<std::uint8_t, kSaltBytes> salt{};
  fill_random(salt);
  Json::Array failures;
  for (const DrillFailure& one : report.failures) {
    Json failure;
    failure.set("code", one.code).set("what", one.what);
    failures.push_back(std::move(failure));
  }
  Json out;
  out.set("archive", report.archive).set("asked", report.asked).set("began", report.began).set("ended", report.ended);
  out.set("failure_count", report.failure_count).set("failures", std::move(failures)).set("head", head_json(report));
  out.set("kind", kReportKind).set("level", report.level).set("ms", to_json(report.ms)).set("rpo_ms", report.rpo_ms);
  out.set("salt", to_hex(salt)).set("sample", to_json(report.sample)).set("site", report.site).set("v", kEntryVersion);
  if (report.catalogue) out.set("catalogue", to_json(*report.catalogue));
  if (report.day) out.set("day", to_json(*report.day));
  if (report.media) out.set("media", to_json(*report.media));
  if (report.rto_ms) out.set("rto_ms", *report.rto_ms);
  return write_json(out);
}

Result<DrillReport> parse_drill_report(std::string_view document) {
  if (document.size() > kMaxDocumentBytes) return fail(Errc::invalid, fmt::format("a report of a drill has at most {} bytes", kMaxDocumentBytes));
  const Json json = GREFFE_TRY(parse_canonical_json(document));
  const std::string kind = GREFFE_TRY(json.string("kind"));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (kind != kReportKind || version != kEntryVersion) return fail(Errc::invalid, "this is not the report of a drill of version 1");
  GREFFE_TRY(json.digest("salt"));
  DrillReport out;
  out.archive = GREFFE_TRY(archive_name_member(json, "archive"));
  out.site = GREFFE_TRY(archive_name_member(json, "site"));
  out.asked = GREFFE_TRY(json.boolean("asked"));
  out.began = GREFFE_TRY(json.utc("began"));
  out.ended = GREFFE_TRY(json.utc("ended"));
  GREFFE_TRY(read_head(json, out));
  out.ms = GREFFE_TRY(read_times(json));
  GREFFE_TRY(read_parts(json, out));
  out.rpo_ms = GREFFE_TRY(duration_member(json, "rpo_ms"));
  if (json.has("rto_ms")) out.rto_ms = GREFFE_TRY(duration_member(json, "rto_ms"));
  out.level = GREFFE_TRY(json.integer("level"));
  if (out.level < 0 || out.level > 6) return fail(Errc::invalid, "\"level\" must be from 0 to 6");
  GREFFE_TRY(read_failures(json, out));
  return out;
}

}  // namespace greffe
