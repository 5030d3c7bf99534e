// What this archive tells its stations for the day on which it is lost (GET /v1/successors): who its officers are, with proofs, and which
// other sites hold its copies. Thread-safe.
#ifndef GREFFE_ARCHIVE_SUCCESSOR_FACTS_H
#define GREFFE_ARCHIVE_SUCCESSOR_FACTS_H

#include <mutex>
#include <vector>

#include "archive/format/successors.h"
#include "archive/main_log.h"
#include "archive/other_sites.h"

namespace greffe::archive {

class SuccessorFacts {
 public:
  // Both outlive it.
  SuccessorFacts(const MainLog& main_log, const OtherSites& sites) : main_log_(main_log), sites_(sites) {}
  // As the published main log says it now. The first question reads every `key` entry of the log, each later one those that have come
  // since. conflict: more officers' entries than an answer takes.
  Result<Successors> now();

 private:
  Status read_on(std::uint64_t size) /* mutex_ held */;
  Result<ProvedEntry> proved(std::uint64_t number, std::uint64_t size) const;

  const MainLog& main_log_;
  const OtherSites& sites_;
  std::mutex mutex_;  // guards what follows
  std::uint64_t read_ = 0;               // entries, through all epochs, that were looked at
  std::vector<std::uint64_t> officers_;  // numbers of their `key` entries
};

}  // namespace greffe::archive

#endif
