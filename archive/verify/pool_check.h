// A pool, or a replica's: one or several volumes, or what a service holds. Every main log in it that the policy names is rebuilt from all
// its bundles, then every hearing is checked, then every other object is re-hashed.
#ifndef GREFFE_ARCHIVE_VERIFY_POOL_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_POOL_CHECK_H

#include <optional>
#include <string>
#include <vector>

#include "archive/format/policy.h"
#include "archive/format/signed_note.h"
#include "archive/verify/files.h"
#include "archive/verify/report.h"

namespace greffe::verify {

struct PoolRequest {
  std::vector<std::string> volumes;  // folders with greffe-volume.json
  const Policy& policy;
  std::optional<SignedCheckpoint> known;  // a main checkpoint that the auditor holds
  unsigned threads = 2;
  Files& files;
  bool labelled = true;              // volumes have labels; a service has none of those
};
// invalid: the volumes are not of one pool. Everything else is a finding.
Status check_pool(const PoolRequest& request, Report& report);

}  // namespace greffe::verify

#endif
