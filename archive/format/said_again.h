// Which entries of an earlier epoch's log, when they come back with a `graft`, stand again behind it in the newer log, because they still say
// something there (docs/formats/main-log.md). Pure.
#ifndef GREFFE_ARCHIVE_FORMAT_SAID_AGAIN_H
#define GREFFE_ARCHIVE_FORMAT_SAID_AGAIN_H

#include "archive/format/entries.h"

namespace greffe {

// A `lost` is among them: one that officers of the newer archive did not sign counts for nothing, and may be left out.
bool is_said_again(const MainEntry& entry);

}  // namespace greffe

#endif
