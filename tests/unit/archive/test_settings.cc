// Where a pool may be: what archive.toml says and what it must not.
#include <catch2/catch.hpp>

#include "archive/settings.h"
#include "tests/unit/support/forgetful_file_system.h"

using greffe::Errc;
using greffe::archive::Settings;

namespace {

greffe::Result<Settings> settings_of(const std::string& lines) {
  greffe::testing::ForgetfulFileSystem files;
  const std::string text = "name = \"archive.test.example\"\nstate_directory = \"state\"\n" + lines;
  REQUIRE(files.make_directories("/etc/greffe"));
  REQUIRE(files.replace("/etc/greffe/archive.toml", greffe::as_bytes(text), 0640));
  return greffe::archive::load_settings(files, "/etc/greffe/archive.toml");
}

}  // namespace

TEST_CASE("a pool is on volumes, in Ceph or in S3") {
  const auto local = settings_of("volumes = [\"a\", \"/b\"]\nreplicas = 2\n");
  REQUIRE(local);
  REQUIRE(local->pool.volumes == std::vector<std::string>{"/etc/greffe/a", "/b"});
  REQUIRE_FALSE(local->pool.rados);
  REQUIRE_FALSE(local->pool.s3);

  const auto rados = settings_of("pool = \"rados:court\"\nceph_user = \"client.court\"\n");
  REQUIRE(rados);
  REQUIRE(rados->pool.rados->pool == "court");
  REQUIRE(rados->pool.rados->user == "client.court");
  REQUIRE(rados->pool.rados->conf_path == "/etc/ceph/ceph.conf");
  REQUIRE(rados->pool.volumes.empty());

  const auto s3 = settings_of("pool = \"s3:court\"\ns3_endpoint = \"https://s3.court.example\"\ns3_credentials = \"s3-keys\"\ns3_quoted_etags = false\n");
  REQUIRE(s3);
  REQUIRE(s3->pool.s3->bucket == "court");
  REQUIRE(s3->pool.s3->endpoint == "https://s3.court.example");
  REQUIRE(s3->pool.s3->credentials_path == "/etc/greffe/s3-keys");
  REQUIRE_FALSE(s3->pool.s3->quoted_etags);
}

TEST_CASE("several machines stand before a remote pool, and each knows itself among them") {
  const std::string pool = "pool = \"rados:court\"\nmachine_address = \"10.0.0.5:8444\"\nmachine_url = \"https://a1.court.example:8444\"\n";
  const auto alone = settings_of(pool);
  REQUIRE(alone);
  REQUIRE(alone->nodes.empty());
  REQUIRE(alone->pages_url == "https://127.0.0.1:8443");
  const auto two = settings_of(pool + "nodes = [\"https://a1.court.example:8444\", \"https://a2.court.example:8444\"]\n");
  REQUIRE(two);
  REQUIRE(two->nodes.size() == 2);
  for (const std::string& lines : {pool + "nodes = [\"https://a2.court.example:8444\"]\n", pool + "nodes = [\"http://a1.court.example:8444\"]\n",
                                   pool + "nodes = [\"https://a1.court.example:8444\", \"https://a2.court.example/x\"]\n",
                                   pool + "pages_url = \"https://\"\n", std::string("volumes = [\"a\"]\nwrite_quorum = 1\nnodes = [\"https://127.0.0.1:8444\"]\n")}) {
    INFO(lines);
    const auto settings = settings_of(lines);
    REQUIRE_FALSE(settings);
    REQUIRE(settings.error().code == Errc::invalid);
  }
}

TEST_CASE("keys of one kind of pool are unknown to another") {
  for (const char* lines : {"", "pool = \"rados:\"\n", "pool = \"ceph:court\"\n", "pool = \"rados:court\"\nvolumes = [\"a\"]\n",
                            "pool = \"rados:court\"\ns3_endpoint = \"x\"\n", "pool = \"s3:court\"\n",
                            "pool = \"s3:court\"\ns3_endpoint = \"https://x\"\n",
                            "pool = \"s3:court\"\ns3_endpoint = \"http://s3.court.example\"\ns3_credentials = \"k\"\n", "volumes = [\"a\"]\nwrite_quorum = 1\nceph_user = \"x\"\n"}) {
    INFO(lines);
    const auto settings = settings_of(lines);
    REQUIRE_FALSE(settings);
    REQUIRE(settings.error().code == Errc::invalid);
  }
}
