// Which entries of a main log are about officers: a few among the keys of thousands of stations. The log is read for them once, and then
// what has come since. Thread-safe.
#ifndef GREFFE_ARCHIVE_OFFICER_ENTRIES_H
#define GREFFE_ARCHIVE_OFFICER_ENTRIES_H

#include <mutex>
#include <vector>

#include "archive/catalogue/catalogue.h"
#include "archive/tlog/log_chain.h"

namespace greffe::archive {

class OfficerEntries {
 public:
  // The numbers, in rising order, of the officers' `key` entries among the first `size` of this log, as far as its catalogue has them. Ask with
  // one chain only: where a later epoch goes on from less than was held of the one before, numbers are given anew. Errors: the catalogue
  // or the log cannot be read.
  Result<std::vector<std::uint64_t>> below(std::uint64_t size, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain);

 private:
  Status read_on(std::uint64_t size, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain) /* mutex_ held */;

  std::mutex mutex_;                    // guards what follows, also while the log is read
  std::uint64_t read_ = 0;              // entries that were looked at
  std::vector<std::uint64_t> numbers_;  // in rising order
};

}  // namespace greffe::archive

#endif
