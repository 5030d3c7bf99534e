// What an old epoch had behind the state that its successor goes on from, and that came back: whether the `graft` entries of a main log
// say that rightly (docs/formats/main-log.md). Of a pool they are held against the old log itself; an export shows no more of that than
// the state that is gone on from. One thread.
#ifndef GREFFE_ARCHIVE_VERIFY_GRAFTS_H
#define GREFFE_ARCHIVE_VERIFY_GRAFTS_H

#include <cstdint>
#include <vector>

#include "archive/verify/epochs.h"
#include "archive/verify/exported_epochs.h"
#include "archive/verify/main_facts.h"

namespace greffe::verify {

// An epoch of the chain, and how much of its log is the archive's.
struct EpochSpan {
  EpochName name;
  std::uint64_t first = 0;  // number of its entry 0, through all epochs
  std::uint64_t end = 0;    // entries of its log that count: up to where the next epoch goes on, or to where they came back since
};

// The rule, for the grafts of one chain in rising order. A value.
class GraftRule {
 public:
  // All epochs, in order.
  explicit GraftRule(std::vector<EpochSpan> spans) : spans_(std::move(spans)) {}
  // The place in the chain of the epoch that this gives back. denied with what is wrong.
  Result<std::size_t> check(const Graft& graft) const;
  // The epoch in whose log the entry with this number is.
  std::size_t epoch_at(std::uint64_t number) const;
  // From here on its entries count.
  void take_back(std::size_t epoch, std::uint64_t end) { spans_[epoch].end = end; }
  const EpochSpan& span(std::size_t epoch) const { return spans_[epoch]; }

 private:
  std::vector<EpochSpan> spans_;
};

// In rising order, and what is left behind the pins. Finding: `graft`. Notes: what came back, and what is no part of the archive.
void judge_grafts(const std::vector<EpochLog>& chain, const std::vector<Graft>& grafts, Report& report);
void judge_grafts(const std::vector<ExportedEpoch>& chain, const std::vector<Graft>& grafts, Report& report);

}  // namespace greffe::verify

#endif
