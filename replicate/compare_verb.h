// `greffe-replicate compare`: compares, mends what can be mended when it is asked to, compares again, and keeps the result.
#ifndef GREFFE_REPLICATE_COMPARE_VERB_H
#define GREFFE_REPLICATE_COMPARE_VERB_H

#include <functional>
#include <stop_token>

#include "replicate/comparison.h"

namespace greffe::replicate {

struct CompareOrder {
  ComparisonSettings settings;
  std::string state_directory;
  bool repair = false;
};

// Carries a hearing to the second site once more, from what that one says that it holds of it.
using BringHearing = std::function<Status(const HearingId& id)>;

// The last comparison that was made; its result is in "<state>/comparison.json". Errors as compare_sites; io_error: the result could
// not be kept; unavailable also: another one is running.
Result<ComparisonReport> compare_and_mend(const ComparedParts& parts, ConfirmationSite& archive, const BringHearing& bring, const CompareOrder& order,
                                          const std::stop_token& stop);

}  // namespace greffe::replicate

#endif
