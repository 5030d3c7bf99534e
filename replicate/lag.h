// How far the second site is behind, from durable numbers only: the heads here and the checkpoints that it cosigned there.
// Never less than the truth (I10): what cannot be asked counts as behind.
#ifndef GREFFE_REPLICATE_LAG_H
#define GREFFE_REPLICATE_LAG_H

#include <optional>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "replicate/last_comparison.h"
#include "replicate/log_copier.h"

namespace greffe::replicate {

struct Lag {
  std::uint64_t main_size = 0;
  std::uint64_t main_held = 0;
  std::uint64_t entries_behind = 0;   // of the main log
  std::uint64_t hearings_behind = 0;
  std::uint64_t hearing_entries_behind = 0;
  std::uint64_t bytes_behind = 0;     // of segments that the second site does not hold
  std::optional<UtcTime> oldest;      // of the oldest recording or entry that is not covered
  std::optional<UtcTime> cosigned;    // when the second site last confirmed the main log
  std::string target;
  std::optional<LastComparison> compared;  // none: never; the caller's to fill in
  Json json(UtcTime now) const;
  std::string words(UtcTime now) const;
};

Result<Lag> measure_lag(const Source& source, CopySite& target, const VerifierKey& target_key);

}  // namespace greffe::replicate

#endif
