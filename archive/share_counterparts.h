// A share is logged on both sides: in the log of the archive that has the hearing, and as its counterpart, the very same entry, in the log of
// the archive whose court may see it. Where a site holds the copy of both, it files them there itself (held_archives.h) or tells the other
// archive (share_inquiry.h).
#ifndef GREFFE_ARCHIVE_SHARE_COUNTERPARTS_H
#define GREFFE_ARCHIVE_SHARE_COUNTERPARTS_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "archive/main_log.h"

namespace greffe::archive {

// Whether this main log has just this `share` entry.
Result<bool> has_share(const catalogue::Catalogue& catalogue, const tlog::LogChain& chain, const ShareEntry& share);

struct FoundShare {
  std::uint64_t number = 0;  // of the entry, through all epochs
  ShareEntry share;
};
// Acts of sharing, in the order of the log.
struct SharesFound {
  std::vector<FoundShare> shares;
  std::uint64_t looked_at = 0;  // entries below this number, through all epochs
};
// What the archive `of`, whose catalogue and log these are, shares with courts of the archive `with`, and what it ended, from entry `from` on;
// at most `limit`, the first of them. It looks at what the catalogue stands for.
Result<SharesFound> shares_with(const std::string& with, const std::string& of, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain,
                                std::uint64_t from, std::size_t limit);
// Files those of them that `own` does not have yet, in their order. `before` is called for each of these first, to store the reason that it names:
// its error ends this with nothing filed. Without one, the reasons are stored already. A crash meanwhile leaves all of the entries or none.
// Errors as MainLog::append. One thread for each archive whose shares these are: two would file the same twice.
Status file_counterparts(MainLog& own, const std::vector<ShareEntry>& shares, const std::function<Status(const ShareEntry&)>& before = {});

}  // namespace greffe::archive

#endif
