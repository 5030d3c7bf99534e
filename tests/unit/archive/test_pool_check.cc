#include "archive/pool_check.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

#include "tests/unit/archive/sample_archive.h"

using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

greffe::GenesisEntry genesis_of(const SampleArchive& a, const greffe::PublicKey& key) {
  greffe::GenesisEntry out;
  out.archive = a.name;
  out.role = "primary";
  out.log_key = key;
  out.holder = a.holder();
  out.utc = greffe::UtcTime{1'795'000'000'000};
  return out;
}

std::vector<std::string> findings(SampleArchive& a) {
  const auto checked = greffe::archive::check_pool_logs(*a.pool);
  REQUIRE(checked);
  CHECK(checked->logs == 2);
  return checked->findings;
}

}  // namespace

TEST_CASE("a checkpoint that another key has signed is found, of short logs and of long ones") {
  for (const int segments : {2, 300}) {
    SampleArchive a;
    REQUIRE(a.main_log->append(genesis_of(a, a.keys->log.public_key())));
    SampleHearing h(a.name);
    h.add_segment();
    for (int i = 1; i < segments; ++i) h.entries.push_back(h.entries.back());  // of the same object
    h.close();
    deposit_all_objects(a, h);
    REQUIRE(append_range(a, h, 0, h.entries.size()));
    CHECK(findings(a).empty());

    h.key = greffe::PrivateKey::generate();
    const std::string forged = h.checkpoint(h.entries.size());
    for (const char* volume : {"/v0/", "/v1/", "/v2/"}) {
      const std::string path = a.folder.path + volume + greffe::checkpoint_path(greffe::hearing_log_path(h.id));
      REQUIRE(std::filesystem::remove(path));
      std::ofstream(path) << forged;
    }
    const auto found = findings(a);
    REQUIRE(found.size() == 1);
    CHECK(found[0].find(h.id.text() + ": its checkpoint of " + std::to_string(h.entries.size()) + " entries is not signed by the key") != std::string::npos);
  }
}

TEST_CASE("a main log that is signed by another key than its first entry names is found") {
  SampleArchive a;
  REQUIRE(a.main_log->append(genesis_of(a, greffe::PrivateKey::generate().public_key())));
  SampleHearing h(a.name);
  h.close();
  deposit_all_objects(a, h);
  REQUIRE(append_range(a, h, 0, h.entries.size()));
  const auto found = findings(a);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("log/main: its checkpoint of "));
}

TEST_CASE("an object that is nowhere, or good nowhere, is named with the entry that needs it") {
  for (const bool removed : {true, false}) {
    SampleArchive a;
    SampleHearing h(a.name);
    h.add_segment();
    h.close();
    deposit_all_objects(a, h);
    REQUIRE(append_range(a, h, 0, h.entries.size()));
    const auto check = [&a] { return greffe::archive::check_pool(a.files, a.clock, *a.pool, {a.name, 1}, a.folder.path + "/state/catalogue.sqlite")->findings; };
    CHECK(check().empty());
    const greffe::Digest& digest = h.objects.back().first;
    for (const char* volume : {"/v0/", "/v1/", "/v2/"}) {
      const std::string path = a.folder.path + volume + greffe::object_key(digest);
      REQUIRE(std::filesystem::remove(path));
      if (!removed) std::ofstream(path) << "something else";
    }
    const std::vector<std::string> found = check();
    INFO(found.size() << ": " << (found.empty() ? "" : found.back()));
    const auto names_it = [&](const std::string& finding) { return finding.find(" entry 1 names " + digest.hex() + ", which is not here") != std::string::npos; };
    CHECK(std::count_if(found.begin(), found.end(), names_it) == 1);
  }
}
