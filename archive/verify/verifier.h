// The verifier as a whole: what the paths are, which checks apply, one report. It reads; it never writes.
#ifndef GREFFE_ARCHIVE_VERIFY_VERIFIER_H
#define GREFFE_ARCHIVE_VERIFY_VERIFIER_H

#include <memory>
#include <string>
#include <vector>

#include "archive/verify/report.h"

namespace greffe::verify {

struct VerifyRequest {
  std::string policy_file;               // the auditor's own; a copy inside PATH is never used
  std::string main_checkpoint_file;      // a main checkpoint that the auditor holds; empty: none
  std::string sheet_file;                // a closing sheet, or the text of its code; empty: none
  std::vector<std::string> paths;        // exports, or the volumes of one pool, or folders of volumes; may be empty with a sheet
  std::string pool_config;               // an archive.toml: the pool that it names; instead of paths
  unsigned threads = 2;
};
// invalid or not_found: it cannot run (bad policy, no such path, neither export nor volume). Everything that is wrong
// with the evidence is in the report.
Result<std::unique_ptr<Report>> verify(const VerifyRequest& request);

}  // namespace greffe::verify

#endif
