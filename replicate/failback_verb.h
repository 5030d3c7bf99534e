// `greffe-replicate failback`: at the old site, once it has joined again: bring the archive what only this site has.
#ifndef GREFFE_REPLICATE_FAILBACK_VERB_H
#define GREFFE_REPLICATE_FAILBACK_VERB_H

#include <stop_token>
#include <string>

#include "archive/base/result.h"

namespace greffe::replicate {

struct FailbackOptions {
  std::string config;
  std::string target;    // the site that was promoted; may be empty where there is one target
  bool dry_run = false;  // only says what would come back
  bool json = false;
};

// kExitDone: with --dry-run, all that is here can come back, or does not lack there; else, it is there and part of the archive. kExitFound: not all
// of it. invalid: the configuration, or the target is not of a later epoch. not_found: not enrolled there. Else as fail_back.
Result<int> run_failback(const FailbackOptions& options, std::stop_token stop);

}  // namespace greffe::replicate

#endif
