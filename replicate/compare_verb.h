// `greffe-replicate compare`: compares, mends what can be mended when it is asked to, compares again, and keeps the result.
#ifndef GREFFE_REPLICATE_COMPARE_VERB_H
#define GREFFE_REPLICATE_COMPARE_VERB_H

#include <functional>
#include <stop_token>

#include "replicate/comparison.h"
#include "replicate/log_copier.h"
#include "replicate/settings.h"

namespace greffe::replicate {

struct CompareOrder {
  ComparisonSettings settings;
  std::string folder;  // comparison_folder(), which is there
  bool repair = false;
};

// What is kept of comparisons with one target: "<state>/compared/<target>".
std::string comparison_folder(const Settings& settings, const std::string& target);

// Carries a hearing to the second site once more, from what that one says that it holds of it.
using BringHearing = std::function<Status(const HearingId& id)>;

// BringHearing with the replicator's own copier. unavailable: some of it cannot be read here, or is not taken there. conflict: a
// timetable lets nothing of some class go now. Else as LogCopier.
Status bring_again(LogCopier& copier, const HearingId& id, const std::stop_token& stop);

// The last comparison that was made; its result is in the folder. Errors as compare_sites; io_error: the result could
// not be kept; unavailable also: another one is running.
Result<ComparisonReport> compare_and_mend(const ComparedParts& parts, ConfirmationSite& archive, const BringHearing& bring, const CompareOrder& order,
                                          const std::stop_token& stop);

}  // namespace greffe::replicate

#endif
