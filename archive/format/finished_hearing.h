// What an archive says about a finished hearing beside its last checkpoint, so that a catalogue is made again without reading
// every entry: which of the entries say more than the totals of `close` sum up. Pure. See docs/formats/main-log.md.
#ifndef GREFFE_ARCHIVE_FORMAT_FINISHED_HEARING_H
#define GREFFE_ARCHIVE_FORMAT_FINISHED_HEARING_H

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "archive/format/entries.h"

namespace greffe {

// Follows the entries of one hearing as they come. A value.
class FinishedHearing {
 public:
  void take(std::uint64_t index, const HearingEntry& entry);  // every entry, in order

  // Indices of all entries but `segment`, `peaks` and `explanation`, ascending. Empty: the hearing is not finished, has
  // too many of them, or its `close` does not state exactly the sums over its segments, each of a stream that was declared
  // before: then only the whole log says what was recorded.
  std::vector<std::uint64_t> beside() const;

 private:
  struct Sum {
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
    std::uint64_t duration_90k = 0;
    bool operator==(const Sum&) const = default;
  };
  void count(const SegmentEntry& segment);
  bool adds_up(const CloseEntry& close) const;

  std::set<std::string> declared_;  // streams
  std::map<std::string, Sum> sums_;
  std::vector<std::uint64_t> beside_;
  bool plain_ = true;    // false: something about it is unusual
  bool summed_ = false;  // it is finished, and its totals are the sums
};

}  // namespace greffe

#endif
