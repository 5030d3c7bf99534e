// `greffe-replicate restore`: rebuilds the pool of [source] from what the second site holds, or a copy that nobody answers for.
#ifndef GREFFE_REPLICATE_RESTORE_VERB_H
#define GREFFE_REPLICATE_RESTORE_VERB_H

#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/result.h"

namespace greffe::replicate {

struct RestoreOptions {
  std::string config;
  std::string from;                      // name of the second site or of the copy; empty: the one of the configuration
  std::string court;
  std::string hearing;
  std::string log_key;                   // empty: as enrolment at the archive said
  std::vector<std::string> new_volumes;  // PATH=DOMAIN: made first, unless they are volumes already
  bool new_pool = false;                 // the same for a pool in Ceph or S3
  bool json = false;
};

// Exit status: 0 everything that was asked for is in the pool, 1 something is missing there and named. The pool is locked for
// writing meanwhile.
Result<int> run_restore(const RestoreOptions& options, std::stop_token stop);

}  // namespace greffe::replicate

#endif
