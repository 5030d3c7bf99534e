// What the program that decodes recordings says is believed only in its form.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

#include "archive/media_checker.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::Errc;
using greffe::archive::CheckedMedia;
using greffe::archive::parse_checked_media;

namespace {

constexpr const char* kGood = R"({"errors":0,"file":"/tmp/a.mp4","frames":250,"media_ms":10000,"packets":250})";
constexpr const char* kBad = R"({"errors":2,"file":"/tmp/b.mp4","frames":9,"media_ms":400,"packets":11,"problem":"2 of its 11 packets cannot be decoded"})";

std::string of(const std::string& files) { return "{\"files\":[" + files + "]}\n"; }

// A program in the place of greffe-ingest.
struct Program {
  explicit Program(const std::string& script) : path(folder.path + "/checker") {
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  greffe::Result<CheckedMedia> check(const std::vector<std::string>& paths) {
    return greffe::archive::media_checker(clock, path)(paths, std::stop_token());
  }
  greffe::testing::TemporaryFolder folder;
  greffe::SystemClock clock;
  std::string path;
};

}  // namespace

TEST_CASE("what was decoded of several files is added up, and each that does not play is named") {
  const auto checked = parse_checked_media(of(std::string(kGood) + "," + kBad), 2);
  REQUIRE(checked);
  CHECK(checked->packets == 261);
  CHECK(checked->frames == 259);
  CHECK(checked->errors == 2);
  CHECK(checked->media_ms == 10'400);
  CHECK(checked->problems == std::vector<std::string>{"/tmp/b.mp4: 2 of its 11 packets cannot be decoded"});
}

TEST_CASE("an answer of another form is refused") {
  for (const std::string& text : {std::string(), std::string("{}"), of(kGood), of(std::string(kGood) + "," + kGood + "," + kGood),
                                  of(std::string(kGood) + R"(,{"errors":1,"file":"b","frames":1,"media_ms":1,"packets":1})"),   // no word of what
                                  of(std::string(kGood) + R"(,{"errors":0,"file":"b","frames":0,"media_ms":1,"packets":1})"),   // nothing came of it
                                  of(std::string(kGood) + R"(,{"errors":1,"file":"b","frames":1,"media_ms":-1,"packets":1,"problem":"x"})"),
                                  of(std::string(kGood) + R"(,{"errors":1,"file":"b","frames":1,"media_ms":1,"packets":1,"problem":"\u001b[31m"})"),
                                  std::string(greffe::archive::kMostCheckedOutput + 1, ' ')}) {
    INFO(text.substr(0, 200));
    const auto checked = parse_checked_media(text, 2);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == Errc::invalid);
  }
}

TEST_CASE("the program is given the files, and its exit status is heard") {
  Program good("[ \"$*\" = 'check-media --json /tmp/a.mp4' ] || exit 2\ncat <<'END'\n" + of(kGood) + "END");
  CHECK(good.check({"/tmp/a.mp4"})->frames == 250);
  Program finds("cat <<'END'\n" + of(kBad) + "END\nexit 1");
  CHECK(finds.check({"/tmp/b.mp4"})->problems.size() == 1);
  Program fails("echo greffe-ingest: no sandbox here >&2; exit 2");
  const auto failed = fails.check({"/tmp/a.mp4"});
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::unavailable);
  CHECK_THAT(failed.error().message, Catch::Contains("no sandbox here"));
  Program talks("echo hello");
  CHECK(talks.check({"/tmp/a.mp4"}).error().code == Errc::unavailable);
  greffe::SystemClock clock;
  const auto absent = greffe::archive::media_checker(clock, "/nowhere/greffe-ingest")({"/tmp/a.mp4"}, std::stop_token());
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == Errc::not_found);
  CHECK_THAT(absent.error().message, Catch::Contains("install it") && Catch::Contains("media_checker"));
}
