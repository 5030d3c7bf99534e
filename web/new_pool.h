// Where a new pool goes, as a person says it on the command line: for `init` and `migrate`.
#ifndef GREFFE_WEB_NEW_POOL_H
#define GREFFE_WEB_NEW_POOL_H

#include <cstdint>
#include <string>
#include <vector>

#include "archive/store/open_pool.h"

namespace greffe::web {

struct NewPool {
  std::vector<std::string> volumes;  // "PATH=DOMAIN"; or
  std::string service;               // "rados:POOL", "s3:BUCKET"
  std::string ceph_conf = "/etc/ceph/ceph.conf";
  std::string ceph_user = "client.greffe";
  std::string s3_endpoint;
  std::string s3_region = "us-east-1";
  std::string s3_credentials;  // path
  bool s3_plain_etags = false;
  std::int64_t s3_retention_days = 3650;
  std::string s3_retention_mode = "governance";
};

// Its lines in archive.toml. invalid: neither volumes nor a service, or both.
Result<std::string> pool_lines(const NewPool& pool);

// A TOML basic string.
std::string toml_string(std::string_view text);

// Makes volumes or remote pool ready, empty, with the id `pool_id` (store::make_pool_id). `place`: what archive.toml says with those lines;
// `directory`: where it is. What is worth knowing of it, in a sentence, or nothing. After a crash, again with the same id: goes on with what
// was made. already_exists: one of them holds something of Greffe's that has another id. invalid: a volume is named twice.
Result<std::string> make_pool(FileSystem& files, const NewPool& pool, const store::PoolPlace& place, const std::string& directory,
                              const std::string& pool_id);

}  // namespace greffe::web

#endif
