// What a drill leaves: its entry, its report, and what is refused of both.
#include "archive/format/drill.h"

#include "archive/format/entries.h"
#include "tests/unit/format/vectors.h"

using greffe::as_bytes;
using greffe::DrillReport;
using greffe::Json;
using greffe::parse_drill_report;
using greffe::sha256;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

namespace {

std::string golden_entry() {
  const Json::Array entries = need(vectors("drill.json").array("entries"));
  return need(entries.at(0).string("entry"));
}
std::string golden_report(const std::string& name = "report") { return need(vectors("drill.json").string(name)); }

// With one member changed; null: taken away.
std::string changed(const std::string& text, const std::string& key, const Json* value) {
  Json json = need(greffe::parse_json(text));
  if (value != nullptr) json.set(key, *value);
  else json.as_object()->erase(key);
  return greffe::write_json(json);
}
std::string changed(const std::string& text, const std::string& key, const Json& value) { return changed(text, key, &value); }

// With one member of a part changed.
std::string changed_in(const std::string& text, const std::string& part, const std::string& key, const Json& value) {
  const Json json = need(greffe::parse_json(text));
  return changed(text, part, need(json.object(part)).set(key, value));
}

std::string without_salt(const std::string& text) { return changed(text, "salt", nullptr); }

}  // namespace

TEST_CASE("the entry of a drill is read and written as the vectors have it") {
  const std::string golden = golden_entry();
  const auto entry = std::get<greffe::DrillEntry>(need(greffe::parse_main_entry(golden)));
  CHECK(entry.archive == "archive.court.example");
  CHECK(entry.size == 4711);
  CHECK(entry.root == sha256(as_bytes("root")));
  CHECK(entry.failures == 1);
  CHECK(entry.objects == 410);
  CHECK(entry.seconds == 65);
  CHECK(entry.report == sha256(as_bytes(golden_report())));
  CHECK(greffe::write_main_entry(entry) == golden);
  CHECK(greffe::parse_main_entry(changed(golden, "future", true)));
}

TEST_CASE("an entry of a drill that cannot be is refused by its member") {
  const std::string golden = golden_entry();
  check_refused(greffe::parse_main_entry(changed(golden, "archive", "Lyon")), "archive");
  check_refused(greffe::parse_main_entry(changed(golden, "size", Json(0))), "size");
  check_refused(greffe::parse_main_entry(changed(golden, "size", "4711")), "size");
  check_refused(greffe::parse_main_entry(changed(golden, "seconds", -1)), "seconds");
  check_refused(greffe::parse_main_entry(changed(golden, "failures", -1)), "failures");
  check_refused(greffe::parse_main_entry(changed(golden, "root", "ab")), "root");
  CHECK(std::get<greffe::UnknownEntry>(need(greffe::parse_main_entry(changed(golden, "v", 2)))).kind == "drill");
  for (const char* key : {"archive", "failures", "objects", "report_sha256", "root", "seconds", "size", "utc"}) {
    INFO(key);
    CHECK_FALSE(greffe::parse_main_entry(changed(golden, key, nullptr)));
  }
  check_refused(greffe::parse_main_entry(" " + golden), "canonical");
}

TEST_CASE("the report of a drill is read and written as the vectors have it, with a salt of its own each time") {
  for (const char* name : {"report", "report_without_parts"}) {
    const std::string golden = golden_report(name);
    const DrillReport report = need(parse_drill_report(golden));
    const std::string written = greffe::write_drill_report(report);
    CHECK(without_salt(written) == without_salt(golden));
    CHECK(written != golden);
    CHECK(written != greffe::write_drill_report(report));
  }
  const DrillReport report = need(parse_drill_report(golden_report()));
  CHECK(report.site == "dr.court.example");
  CHECK(report.asked);
  CHECK(report.catalogue->equal);
  CHECK(report.day->date == "2026-11-20");
  CHECK(report.media->frames == 2500);
  CHECK(report.ms.day == 60'000);
  CHECK(report.rto_ms == 1210);
  CHECK(report.failures.at(0).code == "object");
  const DrillReport bare = need(parse_drill_report(golden_report("report_without_parts")));
  CHECK_FALSE(bare.catalogue);
  CHECK_FALSE(bare.rto_ms);
  CHECK_FALSE(bare.heard);
}

TEST_CASE("a report of a drill that cannot be is refused by its member") {
  const std::string golden = golden_report();
  check_refused(parse_drill_report(changed(golden, "site", "")), "site");
  check_refused(parse_drill_report(changed(golden, "salt", "ab")), "salt");
  check_refused(parse_drill_report(changed(golden, "level", 7)), "level");
  check_refused(parse_drill_report(changed(golden, "rto_ms", -1)), "rto_ms");
  check_refused(parse_drill_report(changed(golden, "failure_count", Json(0))), "failures");
  check_refused(parse_drill_report(changed(golden, "kind", "drill")), "not the report");
  check_refused(parse_drill_report(changed_in(golden, "day", "date", "2026-11-31")), "date");
  check_refused(parse_drill_report(changed_in(golden, "media", "stream", "Cam")), "stream");
  check_refused(parse_drill_report(changed_in(golden, "ms", "day", "long")), "day");
  check_refused(parse_drill_report(changed_in(golden, "head", "size", -1)), "size");
  const auto with_failure = [&](const std::string& code, const std::string& what) {
    return parse_drill_report(changed(golden, "failures", Json::Array{Json().set("code", code).set("what", what)}));
  };
  CHECK(with_failure("decode", "it does not play"));
  check_refused(with_failure("weather", "rain"), "code");
  check_refused(with_failure("object", ""), "what");
  check_refused(with_failure("object", "\x1b[31m"), "what");
  check_refused(with_failure("object", std::string(greffe::kDrillFailureBytes + 1, 'x')), "what");
}

TEST_CASE("whatever is told as a failure can be read again: cut, one line, and not too many") {
  DrillReport report = need(parse_drill_report(golden_report()));
  report.fail("object", "a\nb\x1b[0m\xC2\x85 \xE4\xB8\xAD");
  CHECK(report.failures.back().what == "a b [0m   \xE4\xB8\xAD");
  report.fail("log", std::string(greffe::kDrillFailureBytes - 1, 'x') + "\xE4\xB8\xAD");
  CHECK(report.failures.back().what == std::string(greffe::kDrillFailureBytes - 1, 'x'));
  report.fail("log", "\xff\xfe");
  CHECK(report.failures.back().what == "??");
  for (int i = 0; i < 300; ++i) report.fail("object", std::to_string(i) + std::string(2000, '"'));
  report.fail("object", "7" + std::string(2000, '"'));  // found before
  CHECK(report.failure_count == 304);
  CHECK(report.failures.size() == greffe::kDrillFailuresTold);
  const DrillReport again = need(parse_drill_report(greffe::write_drill_report(report)));
  CHECK(again.failure_count == 304);
  CHECK(again.failures.size() == greffe::kDrillFailuresTold);
}

TEST_CASE("a level is given for what would be lost and how long it takes") {
  constexpr std::int64_t kHour = 3'600'000;
  CHECK(greffe::drill_level(0, 0) == 5);
  CHECK(greffe::drill_level(kHour / 2, 48 * kHour) == 5);
  CHECK(greffe::drill_level(kHour / 2 + 1, 48 * kHour) == 4);
  CHECK(greffe::drill_level(24 * kHour, 48 * kHour) == 4);
  CHECK(greffe::drill_level(0, 48 * kHour + 1) == 2);
  CHECK(greffe::drill_level(7 * 24 * kHour, 1) == 2);
  CHECK(greffe::drill_level(7 * 24 * kHour + 1, 1) == 0);
}
