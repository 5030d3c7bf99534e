// A share is logged on both sides: in the log of the archive that has the hearing, and as its counterpart, the very same entry, in the log of
// the archive whose court may see it. That is written where both are at hand: at a site of the latter that holds a copy of the former.
#ifndef GREFFE_ARCHIVE_SHARE_COUNTERPARTS_H
#define GREFFE_ARCHIVE_SHARE_COUNTERPARTS_H

#include <cstdint>
#include <string>

#include "archive/main_log.h"

namespace greffe::archive {

// Whether this main log has just this `share` entry.
Result<bool> has_share(const catalogue::Catalogue& catalogue, const tlog::LogChain& chain, const ShareEntry& share);
// Files in `own` what the archive `copied` shares with courts of `own`, and what it ended, of its entries from number `from` on that are not
// there yet; in their order. The number up to which its entries were looked at: what its catalogue stands for. A crash meanwhile leaves some of
// them, and the next call with the same number files the others. Errors as MainLog::append; one thread for each pair of archives.
Result<std::uint64_t> file_counterparts(MainLog& own, const std::string& copied, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain,
                                        std::uint64_t from);

}  // namespace greffe::archive

#endif
