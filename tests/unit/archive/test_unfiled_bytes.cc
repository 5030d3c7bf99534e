// What stations send without entries: how much each may, and that restarts, kills and torn lists neither forget nor invent it.
#include <catch2/catch.hpp>

#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/forgetful_file_system.h"

using greffe::Digest;
using greffe::Errc;
using greffe::sha256;
using greffe::archive::kUnfiledLeastBytes;
using greffe::archive::UnfiledBytes;
using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::deposit_object;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

constexpr const char* kList = "/state/unfiled";
constexpr std::uint64_t kUnit = kUnfiledLeastBytes;

Digest object(int number) { return sha256(greffe::as_bytes("object " + std::to_string(number))); }

std::unique_ptr<UnfiledBytes> opened(ForgetfulFileSystem& files, std::uint64_t quota = 10 * kUnit) {
  REQUIRE(files.make_directories("/state"));
  auto out = UnfiledBytes::open(files, kList, quota);
  REQUIRE(out);
  return *std::move(out);
}

std::uint64_t held(const UnfiledBytes& counts, const std::string& station) {
  const auto all = counts.by_station();
  const auto found = all.find(station);
  return found == all.end() ? 0 : found->second;
}

}  // namespace

TEST_CASE("each station has its quota, of what came and of what is on its way") {
  ForgetfulFileSystem files;
  const auto counts = opened(files);
  const greffe::HearingId hearing = greffe::make_hearing_id(greffe::UtcTime{1'795'338'000'000});
  {
    auto first = counts->admit("s1", object(1), 6 * kUnit);
    REQUIRE(first);
    const auto refused = counts->admit("s1", object(2), 5 * kUnit);
    REQUIRE(refused.error().code == Errc::no_space);
    CHECK_THAT(refused.error().message, Catch::Contains("s1") && Catch::Contains("file the entries"));
    REQUIRE(counts->admit("s2", object(2), 5 * kUnit));  // another station has its own
    counts->deposited("s1", hearing, object(1), 4 * kUnit);
  }
  REQUIRE(held(*counts, "s1") == 4 * kUnit);
  REQUIRE(held(*counts, "s2") == 0);
  REQUIRE(counts->admit("s1", object(2), 6 * kUnit));
  REQUIRE_FALSE(counts->admit("s1", object(2), 6 * kUnit + 1));
  // The same again takes no more room, also when there is none.
  counts->deposited("s1", hearing, object(2), 6 * kUnit);
  counts->deposited("s1", hearing, object(2), 6 * kUnit);
  counts->deposited("s2", hearing, object(2), 6 * kUnit);
  REQUIRE(held(*counts, "s1") == 10 * kUnit);
  REQUIRE(held(*counts, "s2") == 0);
  REQUIRE(counts->admit("s1", object(2), 6 * kUnit));
  REQUIRE_FALSE(counts->admit("s1", object(3), 1));
  // Tiny ones count as more than their bytes.
  counts->named({object(1), object(9)});
  REQUIRE(held(*counts, "s1") == 6 * kUnit);
  for (int i = 10; i < 14; ++i) {
    REQUIRE(counts->admit("s1", object(i), 1));
    counts->deposited("s1", hearing, object(i), 1);
  }
  REQUIRE_FALSE(counts->admit("s1", object(14), 1));
  counts->named({object(2), object(10), object(11), object(12), object(13)});
  REQUIRE(counts->by_station().empty());
  REQUIRE(counts->hearings().empty());
}

TEST_CASE("the count is the same after an end, a kill, and a power cut a second later") {
  ForgetfulFileSystem files;
  const greffe::HearingId hearing = greffe::make_hearing_id(greffe::UtcTime{1'795'338'000'000});
  auto counts = opened(files);
  for (int i = 0; i < 5; ++i) counts->deposited("s1", hearing, object(i), kUnit);
  counts->named({object(0)});
  counts.reset();
  counts = opened(files);
  REQUIRE(held(*counts, "s1") == 4 * kUnit);
  REQUIRE(counts->hearings() == std::set<greffe::HearingId>{hearing});
  REQUIRE(counts->sync());
  counts->deposited("s1", hearing, object(5), kUnit);
  REQUIRE(counts->sync());
  counts->deposited("s1", hearing, object(6), kUnit);  // not synced
  const std::uint64_t seed = GENERATE(1u, 2u, 3u, 4u, 5u, 6u);
  files.crash(seed);
  counts = opened(files);
  REQUIRE(held(*counts, "s1") >= 5 * kUnit);
  REQUIRE(held(*counts, "s1") <= 6 * kUnit);
}

TEST_CASE("a list that is torn, foreign or gone counts what can be read of it") {
  ForgetfulFileSystem files;
  REQUIRE(files.make_directories("/state"));
  const greffe::HearingId hearing = greffe::make_hearing_id(greffe::UtcTime{1'795'338'000'000});
  const std::string good = object(1).hex() + " 70000 " + hearing.text() + " s1\n";
  const std::string two = object(2).hex();
  const std::string text = "\n \nnonsense\n" + two + "\n" + two + " x " + hearing.text() + " s1\n" + two + " 99999999999 " + hearing.text() + " s1\n" + two +
                           " 1 " + hearing.text() + " S 1\n" + object(3).hex() + " named\n" + good + object(4).hex() + " 5 " + hearing.text() + " s";
  REQUIRE(files.write_new(kList, greffe::as_bytes(text)));
  auto counts = opened(files);
  REQUIRE(counts->by_station() == std::map<std::string, std::uint64_t>{{"s1", 70'000}});
  REQUIRE(greffe::as_text(*files.read_file(kList, 1'000'000)) == good);  // and it is clean again
  counts.reset();
  REQUIRE(files.remove(kList));
  REQUIRE(opened(files)->by_station().empty());
}

TEST_CASE("the list stays short, and a disk that fails leaves the count in memory and is tried again") {
  ForgetfulFileSystem files;
  const greffe::HearingId hearing = greffe::make_hearing_id(greffe::UtcTime{1'795'338'000'000});
  auto counts = opened(files);
  counts->deposited("s1", hearing, object(-1), kUnit);
  for (int i = 0; i < 12'000; ++i) {
    counts->deposited("s1", hearing, object(i), 1);
    counts->named({object(i)});
    if (i % 1000 == 0) REQUIRE(counts->sync());
  }
  REQUIRE(counts->sync());
  REQUIRE(files.stat(kList)->size < 3'000'000);
  for (const Fault fault : {Fault::fails_before, Fault::fails_after}) {
    for (std::uint64_t step = 1; step < 8; ++step) {
      files.faults().arm(fault, step);
      counts->deposited("s1", hearing, object(20'000), kUnit);
      static_cast<void>(counts->sync().has_value());
      counts->named({object(20'000)});
      static_cast<void>(counts->sync().has_value());
      files.faults().disarm();
      REQUIRE(held(*counts, "s1") == kUnit);
      REQUIRE(counts->sync());
      counts->deposited("s1", hearing, object(20'001), kUnit);
      REQUIRE(counts->sync());
      files.crash();
      counts = opened(files);
      REQUIRE(held(*counts, "s1") == 2 * kUnit);
      counts->named({object(20'001)});
    }
  }
}

TEST_CASE("entries give a station its room back, a restart does not, and who sends again what he sent is let in") {
  SampleArchive a;
  a.quota_bytes = 4 * kUnit;
  a.restart();
  SampleHearing h(a.name);
  for (int i = 0; i < 5; ++i) h.add_segment();
  for (std::size_t i = 0; i < 4; ++i) REQUIRE(deposit_object(a, h, h.objects[i].first, h.objects[i].second));
  const auto next = [&] { return deposit_object(a, h, h.objects[4].first, h.objects[4].second); };
  CHECK(next().error().code == Errc::no_space);
  SampleHearing other(a.name);
  other.key = greffe::PrivateKey::generate();
  // Another hearing helps nobody.
  CHECK(deposit_object(a, other, other.objects[0].first, other.objects[0].second).error().code == Errc::no_space);
  a.restart();
  CHECK(next().error().code == Errc::no_space);
  for (std::size_t i = 0; i < 4; ++i) REQUIRE(deposit_object(a, h, h.objects[i].first, h.objects[i].second));
  REQUIRE(append_range(a, h, 0, 4));
  CHECK(a.unfiled->by_station().empty());
  REQUIRE(next());
  CHECK(held(*a.unfiled, "station-1") == kUnit);
  REQUIRE(deposit_object(a, h, h.objects[1].first, h.objects[1].second));  // named already
  CHECK(held(*a.unfiled, "station-1") == kUnit);
}

TEST_CASE("what an entry named is not counted again when the list did not get to know of it") {
  SampleArchive a;
  SampleHearing h(a.name);
  h.add_segment();
  deposit_all_objects(a, h);
  const auto before = a.files.read_file(a.folder.path + "/state/unfiled", 1'000'000);
  REQUIRE(before);
  REQUIRE(append_range(a, h, 0, 2));
  a.stop();
  REQUIRE(a.files.replace(a.folder.path + "/state/unfiled", *before, 0640));
  a.start();
  CHECK(a.unfiled->by_station().empty());
}

TEST_CASE("a deposit that breaks off gives its room back") {
  SampleArchive a;
  a.quota_bytes = 2 * kUnit;
  a.restart();
  SampleHearing h(a.name);
  for (int i = 0; i < 5; ++i) {
    auto writer = a.deposit->begin_object(h.peer(), h.id, h.objects[0].first, 2 * kUnit);
    REQUIRE(writer);
    REQUIRE(a.deposit->begin_object(h.peer(), h.id, object(i), 1).error().code == Errc::no_space);
    REQUIRE((*writer)->write(greffe::as_bytes("other bytes")));
    REQUIRE((*writer)->commit(h.objects[0].first).error().code == Errc::conflict);
  }
  CHECK(a.unfiled->by_station().empty());
}
