// Configurations of one target and of several.
#include <catch2/catch.hpp>

#include "replicate/settings.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::Errc;
namespace replicate = greffe::replicate;

namespace {

struct Files {
  greffe::testing::TemporaryFolder folder;
  greffe::PosixFileSystem files;
  std::string path = folder.path + "/replicate.toml";

  greffe::Result<replicate::Settings> load(const std::string& targets, const std::string& first = "") {
    const std::string text = first + "state_directory = \"state\"\narchive = \"archive.example\"\n" + "[source]\nvolumes = [\"/v0\", \"/v1\", \"/v2\"]\n" + targets;
    REQUIRE(files.replace(path, greffe::as_bytes(text), 0600));
    return replicate::load_settings(files, path);
  }
};

constexpr const char* kTwo = "[[target]]\nname = \"dr\"\n"
                             "[[target.limit]]\nclass = \"picture\"\nfrom = \"mon 08:00\"\nto = \"fri 18:00\"\nbytes_per_second = 1000000\n"
                             "[[target]]\nname = \"province\"\n";

}  // namespace

TEST_CASE("a configuration of one target goes on, and its file counts") {
  Files rig;
  const auto settings = rig.load("[target]\n");
  REQUIRE(settings);
  REQUIRE(settings->targets.size() == 1);
  CHECK(settings->targets[0].unnamed);
  CHECK(*replicate::find_target(*settings, "") == &settings->targets[0]);
  const auto nowhere = replicate::load_target(rig.files, *settings, settings->targets[0]);
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == Errc::not_found);

  const greffe::PrivateKey key = greffe::PrivateKey::generate();
  const std::string spki = std::string(64, 'a');
  const std::string site = "{\"address\":\"https://127.0.0.1:1\",\"cosigners\":[\"" +
                           greffe::VerifierKey{"dr.example/holder", greffe::KeyType::cosignature_v1, key.public_key()}.text() +
                           "\"],\"epoch\":1,\"log\":\"" + greffe::VerifierKey{"dr.example", greffe::KeyType::ed25519, key.public_key()}.text() +
                           "\",\"name\":\"archive.example\",\"server_key\":\"" + spki + "\"}\n";
  REQUIRE(rig.files.make_directories(settings->state_directory));
  REQUIRE(rig.files.replace(settings->state_directory + "/target.json", greffe::as_bytes(site), 0600));
  CHECK(replicate::load_target(rig.files, *settings, settings->targets[0]).value().address == "https://127.0.0.1:1");

  // The one target may get a name; of several each has its own file.
  const auto named = rig.load("[[target]]\nname = \"dr\"\n");
  REQUIRE(named);
  CHECK(replicate::load_target(rig.files, *named, named->targets[0]));
  const auto two = rig.load(kTwo);
  REQUIRE(two);
  CHECK_FALSE(replicate::load_target(rig.files, *two, two->targets[0]));
  REQUIRE(rig.files.make_directories(two->state_directory + "/targets"));
  REQUIRE(rig.files.replace(two->state_directory + "/targets/dr.json", greffe::as_bytes(site), 0600));
  CHECK(replicate::load_target(rig.files, *two, two->targets[0]));
  CHECK_FALSE(replicate::load_target(rig.files, *two, two->targets[1]));
}

TEST_CASE("several targets are told apart by name, each with its limits") {
  Files rig;
  const auto settings = rig.load(kTwo, "zone = \"Asia/Shanghai\"\n");
  REQUIRE(settings);
  REQUIRE(settings->targets.size() == 2);
  CHECK((*replicate::find_target(*settings, "province"))->name == "province");
  CHECK_FALSE(replicate::find_target(*settings, ""));
  CHECK_FALSE(replicate::find_target(*settings, "nobody"));
  const auto limit = [&](std::size_t of, const char* utc) { return settings->targets[of].timetable.at(replicate::MediaClass::picture, greffe::parse_utc(utc).value()); };
  CHECK(limit(0, "2026-11-23T00:00:00.000Z") == 1'000'000);  // Monday 08:00 in Shanghai
  CHECK(limit(0, "2026-11-22T23:59:00.000Z") == std::nullopt);
  CHECK(limit(1, "2026-11-23T00:00:00.000Z") == std::nullopt);
}

TEST_CASE("what is wrong with a target is said") {
  Files rig;
  const auto refused = [&](const std::string& targets, const std::string& word, const std::string& first = "") {
    const auto settings = rig.load(targets, first);
    REQUIRE_FALSE(settings);
    CHECK(settings.error().code == Errc::invalid);
    INFO(settings.error().message);
    CHECK(settings.error().message.find(word) != std::string::npos);
  };
  refused("[[target]]\n", "name");
  refused("[[target]]\nname = \"No Name\"\n", "small letters");
  refused("[[target]]\nname = \"a\"\n[[target]]\nname = \"a\"\n", "two targets");
  refused("[[target]]\nname = \"a\"\nspeed = 3\n", "unknown key");
  refused("[target]\nname = \"a\"\n", "unknown key");
  refused("[[target]]\nname = \"a\"\n[[target.limit]]\nclass = \"log\"\nbytes_per_second = 5000\n", "always goes");
  refused("[[target]]\nname = \"a\"\n[[target.limit]]\nclass = \"picture\"\n", "bytes_per_second");
  refused("[[target]]\nname = \"a\"\n[[target.limit]]\nclass = \"picture\"\nbytes_per_second = 0\nhours = 3\n", "unknown key");
  refused("[target]\n", "zone", "zone = \"Mars/Base\"\n");
}

TEST_CASE("a target may be a pool that nobody answers for: volumes, Ceph or a bucket") {
  Files rig;
  const auto settings = rig.load("[[target]]\nname = \"dr\"\n"
                                 "[[target]]\nname = \"nas\"\nvolumes = [\"copy\"]\n[[target.limit]]\nclass = \"picture\"\nbytes_per_second = 9000\n"
                                 "[[target]]\nname = \"two\"\nvolumes = [\"/x\", \"/y\"]\nreplicas = 2\nmin_free_bytes = 5\n"
                                 "[[target]]\nname = \"ceph\"\npool = \"rados:court\"\n"
                                 "[[target]]\nname = \"bucket\"\npool = \"s3:court\"\ns3_endpoint = \"https://s3.example\"\ns3_credentials = \"keys\"\n");
  INFO((settings ? std::string() : settings.error().message));
  REQUIRE(settings);
  REQUIRE(settings->targets.size() == 5);
  CHECK_FALSE(settings->targets[0].copy);
  REQUIRE(settings->targets[1].copy);
  CHECK(settings->targets[1].copy->volumes == std::vector<std::string>{rig.folder.path + "/copy"});
  CHECK(settings->targets[1].copy->replicas == 1);
  CHECK(settings->targets[1].copy->write_quorum == 1);
  CHECK(settings->targets[1].timetable.at(replicate::MediaClass::picture, greffe::UtcTime{0}) == 9000);
  REQUIRE(settings->targets[2].copy);
  CHECK(settings->targets[2].copy->replicas == 2);
  CHECK(settings->targets[2].copy->write_quorum == 2);
  CHECK(settings->targets[2].copy->min_free_bytes == 5);
  CHECK(settings->targets[3].copy->rados->pool == "court");
  CHECK(settings->targets[4].copy->s3->bucket == "court");
  // There is nothing to enrol at.
  const auto site = replicate::load_target(rig.files, *settings, settings->targets[1]);
  REQUIRE_FALSE(site);
  CHECK(site.error().code == Errc::invalid);
  const auto enrolled = replicate::enrol(rig.files, *settings, &settings->targets[1], "a code");
  REQUIRE_FALSE(enrolled);
  CHECK(enrolled.error().message.find("init-target") != std::string::npos);

  const auto refused = [&](const std::string& table, const std::string& word) {
    const auto wrong = rig.load("[[target]]\nname = \"nas\"\n" + table);
    REQUIRE_FALSE(wrong);
    INFO(wrong.error().message);
    CHECK(wrong.error().message.find(word) != std::string::npos);
  };
  refused("volumes = [\"/x\"]\npool = \"rados:court\"\n", "not both");
  refused("volumes = [\"/x\"]\nreplicas = 2\n", "fewer volumes");
  refused("volumes = []\n", "at least one");
  refused("volumes = [\"/x\"]\nwrite_quorum = 1\n", "unknown key");
  refused("pool = \"tape:court\"\n", "rados:POOL");
  refused("pool = \"s3:court\"\n", "s3_endpoint");
}
