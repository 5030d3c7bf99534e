// The list of sites that an archive may read at: what is stored, and which codes it takes. Fetching over the network is tested with whole
// programs (tests/system/test_read_from_second_site.py).
#include <catch2/catch.hpp>

#include "archive/other_sites.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::Errc;
using greffe::Json;
using greffe::archive::OtherSites;

namespace {

constexpr const char* kArchive = "archive.court.example";

struct Listed {
  void store(const std::string& file, const std::string& text) {
    REQUIRE(files.make_directories(folder.path + "/sites"));
    REQUIRE(files.replace(folder.path + "/sites/" + file, greffe::as_bytes(text), 0600));
  }
  static std::string site(const std::string& name, const std::string& address) {
    Json json;
    json.set("address", address).set("epoch", std::uint64_t{1}).set("name", name).set("server_key", greffe::sha256(greffe::as_bytes("server")));
    return greffe::write_json(json) + "\n";
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& one : sites.all()) out.push_back(one->name());
    return out;
  }
  std::string refusal(const std::string& role, const std::string& name, const std::string& log) {
    greffe::client::EnrolmentCode code;
    code.address = "https://127.0.0.1:1";
    code.log = {log, greffe::KeyType::ed25519, identity.public_key()};
    code.name = name;
    code.role = role;
    code.court = "court-1";
    code.room = "room-1";
    code.secret = greffe::to_base64url(greffe::sha256(greffe::as_bytes("secret")).view());
    const auto added = sites.add(greffe::client::write_enrolment_code(code));
    REQUIRE_FALSE(added);
    CHECK(added.error().code == Errc::invalid);
    return added.error().message;
  }

  greffe::testing::TemporaryFolder folder;
  greffe::PosixFileSystem files;
  const greffe::PrivateKey identity = greffe::PrivateKey::generate();
  OtherSites sites{files, folder.path, kArchive, identity};
};

}  // namespace

TEST_CASE("sites that were stored are known after a start, in the order of their names") {
  Listed l;
  CHECK(l.sites.load().empty());  // none was ever added
  CHECK(l.names().empty());
  l.store("province.court.example.json", Listed::site("province.court.example", "https://10.0.0.9:8444"));
  l.store("dr.court.example.json", Listed::site("dr.court.example", "https://10.0.0.7:8444"));
  CHECK(l.sites.load().empty());
  CHECK(l.names() == std::vector<std::string>{"dr.court.example", "province.court.example"});
  const Json::Array told = *l.sites.report().array("sites");
  REQUIRE(told.size() == 2);
  CHECK(*told[0].string("address") == "https://10.0.0.7:8444");

  REQUIRE(l.sites.remove("dr.court.example"));
  CHECK(l.names() == std::vector<std::string>{"province.court.example"});
  CHECK(l.files.stat(l.folder.path + "/sites/dr.court.example.json").error().code == Errc::not_found);
  CHECK(l.sites.remove("dr.court.example").error().code == Errc::not_found);
}

TEST_CASE("a site that cannot be read is named, and the others are known") {
  Listed l;
  l.store("dr.court.example.json", Listed::site("dr.court.example", "https://10.0.0.7:8444"));
  l.store("broken.court.example.json", "{\"address\":");
  l.store("other.court.example.json", Listed::site("dr.court.example", "https://10.0.0.7:8444"));
  l.store("half.court.example.json.new-0011", "");
  const std::vector<std::string> problems = l.sites.load();
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].find("broken.court.example.json") != std::string::npos);
  CHECK(problems[1].find("of another site") != std::string::npos);
  CHECK(l.names() == std::vector<std::string>{"dr.court.example"});
}

TEST_CASE("only a reader's code for this archive, of another one, is taken") {
  Listed l;
  CHECK(l.refusal("station", "station-1", "dr.court.example").find("for a station") != std::string::npos);
  CHECK(l.refusal("replicator", kArchive, "dr.court.example").find("for a replicator") != std::string::npos);
  CHECK(l.refusal("reader", "third.court.example", "dr.court.example").find("third.court.example") != std::string::npos);
  CHECK(l.refusal("reader", kArchive, kArchive).find("of this archive itself") != std::string::npos);
  CHECK(l.refusal("reader", kArchive, "../../etc/cron.d/x").find("which archive") != std::string::npos);
  CHECK(l.sites.add("not a code").error().code == Errc::invalid);
  CHECK(l.names().empty());
}
