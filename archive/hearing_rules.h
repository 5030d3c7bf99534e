// What a hearing log must be to be taken: rules over entries, without I/O. Each refusal says which entry and why.
#ifndef GREFFE_ARCHIVE_HEARING_RULES_H
#define GREFFE_ARCHIVE_HEARING_RULES_H

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/format/entries.h"

namespace greffe::archive {

struct ReadEntries {
  std::optional<OpenEntry> open;  // when the first of them is index 0
  bool closes = false;
  bool corrects = false;          // one of them says anew what the hearing is about
  std::vector<Digest> named;      // objects, in order, without duplicates
  std::set<Digest> lost;          // those that a `lost` entry among these says can no longer be delivered
  std::vector<HearingEntry> entries;  // all of them
};

// Entries [first, first + n) of a hearing that is `closed` or not. invalid: not canonical, unknown kind, `open` not at
// index 0 or elsewhere, anything after `close`.
Result<ReadEntries> read_entries(std::uint64_t first, const std::vector<std::string>& entries, bool closed);

}  // namespace greffe::archive

#endif
