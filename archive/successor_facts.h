// What this archive tells its stations for the day on which it is lost (GET /v1/successors): who its officers are, with proofs, and which
// other sites hold its copies. Thread-safe.
#ifndef GREFFE_ARCHIVE_SUCCESSOR_FACTS_H
#define GREFFE_ARCHIVE_SUCCESSOR_FACTS_H

#include "archive/format/successors.h"
#include "archive/held_archives.h"
#include "archive/other_sites.h"

namespace greffe::archive {

class SuccessorFacts {
 public:
  // Both outlive it.
  SuccessorFacts(const HeldArchives& archives, const OtherSites& sites) : archives_(archives), sites_(sites) {}
  // As this archive's published main log says it now. conflict: more officers' entries than an answer takes.
  Result<Successors> now() const;

 private:
  const HeldArchives& archives_;
  const OtherSites& sites_;
};

}  // namespace greffe::archive

#endif
