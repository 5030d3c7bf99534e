// Which hearings go before the backlog: those in progress, those of the main log's newest entries, and finished ones whose
// confirmation is not with the archive yet. Bounded, whatever there is: what does not fit is found by the walk through the main
// log. One thread.
#ifndef GREFFE_REPLICATE_FRESH_HEARINGS_H
#define GREFFE_REPLICATE_FRESH_HEARINGS_H

#include <functional>
#include <optional>
#include <vector>

#include "replicate/look_ahead.h"

namespace greffe::replicate {

// The newest entry that look() found about a hearing.
struct NewestCommitment {
  std::uint64_t number = 0;  // of the entry, through all epochs
  std::uint64_t size = 0;    // entries of the hearing
  bool closed = false;       // it is finished
};

struct FreshHearing {
  HearingId id;
  std::optional<NewestCommitment> committed;  // none: it is only in progress
};

class FreshHearings {
 public:
  static constexpr std::size_t kMostOpen = 4096;
  static constexpr std::uint64_t kNewestEntries = 256;
  static constexpr std::uint64_t kLookBackEntries = 20'000;  // after a start: for confirmations that were never delivered
  static constexpr std::uint64_t kLookBackStep = 2048;

  explicit FreshHearings(const Source& source) : source_(source) {}

  // Newest first.
  Result<std::vector<FreshHearing>> look();
  // Finished hearings of the next entries to be looked back at; nothing: all were looked at.
  Result<std::vector<HearingId>> look_back();
  // The confirmations of what look_back() gave last are with the archive (else it gives them again).
  void looked_back();
  // Some confirmation could not be delivered: entries from there on are to be looked back at, later.
  void owe(std::uint64_t from_entry);
  std::uint64_t newest_looked_at() const { return seen_; }

 private:
  const Source source_;
  bool began_ = false;
  std::uint64_t seen_ = 0;       // main-log entries that look() knows
  std::uint64_t owed_ = 0;       // where look_back() goes on
  std::uint64_t owed_end_ = 0;   // and where it ends
  std::uint64_t given_to_ = 0;   // end of what it gave last
};

}  // namespace greffe::replicate

#endif
