// The files of a pool that a service keeps: Ceph RADOS or S3, as the archive's configuration names it. It only brings bytes;
// what they are is judged here as everywhere in the verifier. Opened for reading, beside a running archive.
#ifndef GREFFE_ARCHIVE_VERIFY_REMOTE_FILES_H
#define GREFFE_ARCHIVE_VERIFY_REMOTE_FILES_H

#include <memory>
#include <string>
#include <vector>

#include "archive/verify/files.h"

namespace greffe::verify {

// Volumes of this machine, or files of a service: paths begin with `name` there.
struct ConfiguredPool {
  std::vector<std::string> volumes;
  std::string name;  // "rados:POOL", "s3:BUCKET"
  std::unique_ptr<Files> files;
};
// invalid with file and key. Errors of the service as store::open_pool.
Result<ConfiguredPool> open_configured_pool(const std::string& config_path);

}  // namespace greffe::verify

#endif
