#include <catch2/catch.hpp>

#include "archive/officer_entries.h"
#include "tests/unit/archive/sample_archive.h"

using greffe::testing::SampleArchive;

namespace {

greffe::MainEntry key_entry(const std::string& role, const std::string& name, const std::string& action = "added") {
  greffe::KeyEntry out;
  out.action = action;
  out.role = role;
  out.name = name;
  out.key = greffe::PrivateKey::generate().public_key();
  if (action == "revoked") out.why = "retired";
  if (role == "station") {
    out.court = "court-1";
    out.room = "room-1";
  }
  return out;
}

}  // namespace

TEST_CASE("entries about officers are found among the keys of many stations, also when they are asked for as the log grows") {
  SampleArchive archive;
  greffe::archive::OfficerEntries officers;
  const auto& catalogue = archive.main_log->catalogue();
  const auto& chain = archive.main_log->chain();
  std::vector<std::uint64_t> wanted;
  const auto append = [&](const greffe::MainEntry& entry, bool of_officer) {
    const auto number = archive.main_log->append(entry);
    if (!number) FAIL(number.error().message);
    if (of_officer) wanted.push_back(*number);
  };
  const auto stations = [&](int count) {
    std::vector<greffe::MainEntry> entries;
    for (int i = 0; i < count; ++i) entries.push_back(key_entry("station", "s-" + std::to_string(i)));
    REQUIRE(archive.main_log->append(entries));
  };
  append(key_entry("officer", "one"), true);
  stations(230);  // more than one page of the catalogue
  append(key_entry("officer", "two"), true);
  const std::uint64_t before = archive.main_log->head().checkpoint.size;
  CHECK(officers.below(before, catalogue, chain).value() == wanted);
  CHECK(officers.below(wanted[1], catalogue, chain).value() == std::vector<std::uint64_t>{wanted[0]});

  const std::vector<std::uint64_t> first = wanted;
  append(key_entry("officer", "two", "revoked"), true);
  stations(205);
  append(key_entry("officer", "three"), true);
  CHECK(officers.below(before, catalogue, chain).value() == first);
  CHECK(officers.below(archive.main_log->head().checkpoint.size, catalogue, chain).value() == wanted);
  CHECK(greffe::archive::OfficerEntries().below(archive.main_log->head().checkpoint.size, catalogue, chain).value() == wanted);
}
