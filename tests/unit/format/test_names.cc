#include <catch2/catch.hpp>

#include "archive/format/names.h"
#include "tests/unit/format/vectors.h"

using greffe::testing::check_refused;
using greffe::testing::need;

TEST_CASE("names of courts, rooms, streams and stations") {
  for (const char* good : {"a", "0", "-", "cam-bench", "abcdefghijklmnopqrstuvwxyz012345"}) CHECK(greffe::is_valid_name(good));
  for (const char* bad : {"", "A", "a b", "a_b", "a.b", "é", "a/b", "..", "abcdefghijklmnopqrstuvwxyz0123456", "a\n"}) {
    CHECK_FALSE(greffe::is_valid_name(bad));
  }
  CHECK_FALSE(greffe::is_valid_name(std::string_view("a\0b", 3)));
}

TEST_CASE("names of archives") {
  for (const char* good : {"a", "archive.court.example", "a-b.c9"}) CHECK(greffe::is_valid_archive_name(good));
  for (const char* bad : {"", ".", ".a", "a.", "a..b", "a/b", "A.b", "a b", "a+b", "é.example"}) {
    INFO(bad);
    CHECK_FALSE(greffe::is_valid_archive_name(bad));
  }
  CHECK(greffe::is_valid_archive_name(std::string(120, 'a')));
  CHECK_FALSE(greffe::is_valid_archive_name(std::string(121, 'a')));
}

TEST_CASE("where a machine is reached: host and port, nothing else") {
  for (const char* good : {"https://archive.court.example:8444", "https://10.0.0.5:8444", "https://[::1]:8444", "https://a"}) {
    INFO(good);
    CHECK(greffe::is_https_origin(good));
  }
  for (const std::string& bad : {std::string(), std::string("https://"), std::string("http://a:1"), std::string("https://a:1/"), std::string("https://a/x"),
                                 std::string("https://u@a:1"), std::string("https://a:1?q"), std::string("https://a b"), std::string("https://:1"),
                                 std::string("https://a:"), std::string("https://a\r\nX: y"), "https://" + std::string(200, 'a')}) {
    INFO(bad);
    CHECK_FALSE(greffe::is_https_origin(bad));
  }
}

TEST_CASE("case numbers: free text within limits, with a reason when refused") {
  CHECK(greffe::check_case_number("RG 24/01234"));
  CHECK(greffe::check_case_number("（2026）沪01民初123号"));
  CHECK(greffe::check_case_number("'; DROP TABLE hearing; --"));
  std::string full_width;
  for (int i = 0; i < 200; ++i) full_width += "号";
  CHECK(greffe::check_case_number(full_width));
  check_refused(greffe::check_case_number(full_width + "x"), "has 201 characters; at most 200");
  check_refused(greffe::check_case_number(""), "is empty");
  check_refused(greffe::check_case_number("   "), "is empty");
  check_refused(greffe::check_case_number("\xE3\x80\x80 \xC2\xA0"), "is empty");
  check_refused(greffe::check_case_number("a\tb"), "control character");
  check_refused(greffe::check_case_number("a\x7f"), "control character");
  check_refused(greffe::check_case_number("a\xC2\x85"), "control character");
  check_refused(greffe::check_case_number(std::string_view("a\0b", 3)), "control character");
  check_refused(greffe::check_case_number("a\xC2"), "not valid UTF-8");
}

TEST_CASE("hearing ids are version 7 UUIDs in lower case") {
  const auto id = need(greffe::parse_hearing_id("019d0a3c-7c00-7abc-8def-0123456789ab"));
  CHECK(id.text() == "019d0a3c-7c00-7abc-8def-0123456789ab");
  CHECK(id.time().ms == 0x019d0a3c7c00);
  const char* const refused[] = {"",
                                 "019D0A3C-7C00-7ABC-8DEF-0123456789AB",
                                 "019d0a3c7c007abc8def0123456789ab",
                                 "019d0a3c-7c00-4abc-8def-0123456789ab",
                                 "019d0a3c-7c00-7abc-cdef-0123456789ab",
                                 "019d0a3c-7c00-7abc-8def-0123456789a",
                                 "019d0a3c-7c00-7abc-8def-0123456789abc",
                                 "019d0a3c-7c00-7abc-8def-0123456789ag",
                                 "019d0a3c--7c0-7abc-8def-0123456789ab",
                                 "ffffffff-ffff-7abc-8def-0123456789ab"};
  for (const char* text : refused) {
    INFO(text);
    CHECK_FALSE(greffe::parse_hearing_id(text));
  }
  const greffe::UtcTime now = need(greffe::parse_utc("2026-11-22T09:00:00.123Z"));
  const auto made = greffe::make_hearing_id(now);
  CHECK(made.time() == now);
  CHECK(need(greffe::parse_hearing_id(made.text())) == made);
  CHECK(greffe::make_hearing_id(now) != made);
  CHECK(made < greffe::make_hearing_id(greffe::UtcTime{now.ms + 1}));
}

TEST_CASE("origins of hearing logs") {
  const std::string good = "archive.court.example/hearing/019d0a3c-7c00-7abc-8def-0123456789ab";
  const auto origin = need(greffe::parse_hearing_origin(good));
  CHECK(origin.archive_name == "archive.court.example");
  CHECK(greffe::hearing_origin(origin.archive_name, origin.id) == good);
  const std::vector<std::string> refused{"archive.court.example", "/hearing/019d0a3c-7c00-7abc-8def-0123456789ab",
                                         good + "/", good + "/hearing/x", "a/b" + good, "x/hearing/" + good};
  for (const std::string& bad : refused) {
    INFO(bad);
    CHECK_FALSE(greffe::parse_hearing_origin(bad));
  }
}

TEST_CASE("every path of a volume") {
  const auto id = need(greffe::parse_hearing_id("019d0a3c-7c00-7abc-8def-0123456789ab"));
  const greffe::Digest digest = greffe::sha256({});
  CHECK(greffe::object_key(digest) == "sha256/e3/b0/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(need(greffe::parse_object_key(greffe::object_key(digest))) == digest);
  std::string wrong_folder = greffe::object_key(digest);
  wrong_folder[7] = 'f';
  for (const std::string& bad : {std::string(), digest.hex(), wrong_folder, greffe::object_key(digest) + "0", "SHA256" + greffe::object_key(digest).substr(6)}) {
    INFO(bad);
    CHECK_FALSE(greffe::parse_object_key(bad));
  }
  CHECK(greffe::main_log_path() == "log/main");
  CHECK(greffe::hearing_log_path(id) == "log/hearing/" + greffe::to_date(id.time()).replace(4, 1, "/").replace(7, 1, "/") + "/" + id.text());
  CHECK(greffe::hearing_log_path(id) == "log/hearing/2026/03/20/019d0a3c-7c00-7abc-8def-0123456789ab");
  CHECK(greffe::open_marker_path(id) == "log/open/" + id.text());
  CHECK(greffe::foreign_log_path("") == "log/from/" + digest.hex());
  CHECK(greffe::checkpoint_path("log/main") == "log/main/checkpoint");
  CHECK(greffe::cosigned_path("log/main", 0x0000ab12) == "log/main/cosigned/0000ab12");
}

TEST_CASE("names of stages") {
  const greffe::StageName stage{256, 300, greffe::sha256({})};
  CHECK(stage.text() == "256-300-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(need(greffe::parse_stage_name(stage.text())) == stage);
  CHECK(greffe::stage_path("log/main", stage) == "log/main/stage/" + stage.text());
  const std::string root = stage.root.hex();
  const std::vector<std::string> refused{"", "256-300", "300-256-" + root, "0256-300-" + root, "256-300-" + root + "-",
                                         "-300-" + root, "256--" + root, "256-300-" + root.substr(1),
                                         "256-9223372036854775808-" + root};
  for (const std::string& bad : refused) {
    INFO(bad);
    CHECK_FALSE(greffe::parse_stage_name(bad));
  }
}
