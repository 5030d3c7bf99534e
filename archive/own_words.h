// What this archive has said itself since an earlier epoch ended, about the same things as what comes back of that epoch.
#ifndef GREFFE_ARCHIVE_OWN_WORDS_H
#define GREFFE_ARCHIVE_OWN_WORDS_H

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "archive/main_log.h"

namespace greffe::archive {

// Entries that stand behind `block`, which is about to be said again, so that the newer word counts: this archive's own newest details of a
// hearing, names of a place and share, as they were written; the end of a station's key that ended here, and of one that this archive has
// replaced by another. `since`: number of the first entry of its own. `brought_back`: leaf hashes of all that the old log says behind that
// state, so that what came back before is not taken for the archive's own. Reads those of its own entries that are of these kinds.
Result<std::vector<std::string>> own_words(const MainLog& main_log, std::uint64_t since, const std::set<Digest>& brought_back,
                                           const std::vector<std::string>& block, UtcTime now);

}  // namespace greffe::archive

#endif
