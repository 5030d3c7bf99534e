// What this archive tells its stations for the day on which it is lost (GET /v1/successors): who its officers are, with proofs, and which
// other sites hold its copies. Thread-safe.
#ifndef GREFFE_ARCHIVE_SUCCESSOR_FACTS_H
#define GREFFE_ARCHIVE_SUCCESSOR_FACTS_H

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/successors.h"
#include "archive/held_archives.h"
#include "archive/other_sites.h"

namespace greffe::archive {

class SuccessorFacts {
 public:
  // All of them outlive it.
  SuccessorFacts(Stores stores, const HeldArchives& archives, const OtherSites& sites) : stores_(stores), archives_(archives), sites_(sites) {}
  // As this archive's published main log says it now. conflict: more officers' entries than an answer takes.
  Result<Successors> now();

 private:
  std::vector<std::string> ends(const HeldArchive& own) /* mutex_ held */;

  const Stores stores_;
  const HeldArchives& archives_;
  const OtherSites& sites_;
  std::mutex mutex_;  // guards what follows
  std::optional<std::vector<std::string>> ends_;  // of the epochs before, of the newest kSuccessorEndsMax at most; they change no more
};

}  // namespace greffe::archive

#endif
