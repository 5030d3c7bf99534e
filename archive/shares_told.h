// What this site tells another archive of hearings that are shared with that archive's courts: of its own, and of those whose copies it holds.
// The other archive files it as counterparts (share_inquiry.h). Thread-safe; reads only.
#ifndef GREFFE_ARCHIVE_SHARES_TOLD_H
#define GREFFE_ARCHIVE_SHARES_TOLD_H

#include <string>

#include "archive/format/share_messages.h"
#include "archive/held_archives.h"

namespace greffe::archive {

class SharesForOthers {
 public:
  // Both outlive it.
  SharesForOthers(Stores stores, const HeldArchives& archives) : stores_(stores), archives_(archives) {}
  // For the archive `asking`, behind what was looked at before; kToldSharesMax at most. Nothing more for now: the answer's `looked_at` is the
  // question's. A share whose reason cannot be read here waits until it was brought back, and with it what follows in that log.
  Result<SharesTold> tell(const std::string& asking, const LookedAt& looked_at) const;

 private:
  Status add(const HeldArchive& of, const std::string& asking, std::uint64_t from, SharesTold& out) const;

  const Stores stores_;
  const HeldArchives& archives_;
};

}  // namespace greffe::archive

#endif
