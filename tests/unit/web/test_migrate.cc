// The new configuration of an archive that moves.
#include <catch2/catch.hpp>

#include "archive/store/open_pool.h"
#include "web/migrate_verb.h"

using greffe::web::with_other_pool;

TEST_CASE("an archive's configuration is kept but for its pool") {
  CHECK(with_other_pool("# mine\nname = \"a\"\nvolumes = [\"v1\", \"v2\"]\nreplicas = 3\nui_directory = \"u\"", "pool = \"rados:x\"\n") ==
        "pool = \"rados:x\"\n# mine\nname = \"a\"\nui_directory = \"u\"\n");
  // A list over several lines, with brackets in names and in comments.
  CHECK(with_other_pool("volumes = [ # ]\n  \"a]\", 'b[',\n  \"c\\\"]\"\n]\nname = \"a\"\n", "pool = \"s3:x\"\n") == "pool = \"s3:x\"\nname = \"a\"\n");
  CHECK(with_other_pool("  pool=\"s3:x\"\ns3_endpoint = \"e\"\n[other]\nvolumes = [\n1]\n", "volumes = [\"a\"]\n") ==
        "volumes = [\"a\"]\n[other]\nvolumes = [\n1]\n");
  CHECK(with_other_pool("", "x = 1\n") == "x = 1\n");
}

TEST_CASE("what a configuration says about its pool is what the reader of pools asks for") {
  const std::set<std::string, std::less<>> keys = {"ceph_conf", "ceph_user", "min_free_bytes", "pool", "replicas", "s3_authorities", "s3_credentials",
                                                   "s3_endpoint", "s3_quoted_etags", "s3_region", "s3_retention_days", "s3_retention_mode", "volumes", "write_quorum"};
  CHECK(greffe::store::pool_keys() == keys);
}
