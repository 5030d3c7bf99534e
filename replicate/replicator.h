// Follows the heads of hearings and of the main log and keeps the second site up to date. One thread.
#ifndef GREFFE_REPLICATE_REPLICATOR_H
#define GREFFE_REPLICATE_REPLICATOR_H

#include <map>
#include <set>
#include <string>
#include <vector>

#include "replicate/log_copier.h"
#include "replicate/lost_return.h"

namespace greffe::replicate {

// One pass over everything that may have changed.
struct PassReport {
  std::uint64_t main_size = 0;  // published here
  std::uint64_t main_held = 0;  // held and cosigned by the second site
  std::set<HearingId> hearings_behind;
  std::uint64_t undelivered = 0;  // logs whose confirmation could not be brought to the archive
  std::vector<Hole> holes;
  std::vector<std::string> problems;  // hearings that could not be carried, each a sentence
  Copied copied;
  std::uint64_t returned = 0;  // objects that one site had lost and the other one gave back
  bool caught_up() const { return main_held == main_size && hearings_behind.empty() && holes.empty() && problems.empty(); }
  Json json() const;
  std::string words() const;
};

class Replicator {
 public:
  Replicator(Source source, CopySite& target, ConfirmationSite& confirmations, VerifierKey target_key,
             LogCopier::Limits limits, Log& log);

  // Hearings in progress first, then the main log with the hearings that it commits to. unavailable: the second site does
  // not answer, try again. conflict: the sites disagree. cancelled.
  Result<PassReport> pass(std::stop_token stop);

 private:
  // Brings one hearing; a problem with it is recorded and does not stop the others. Its outcome, if there is one.
  Result<std::optional<LogOutcome>> bring(const HearingId& id, PassReport& report, std::stop_token stop);
  Status find_unconfirmed();
  static void give_back(RepairableSite& site, const TakeLost& take, PassReport& report, const std::stop_token& stop);

  const Source source_;
  CopySite& target_;
  ConfirmationSite& confirmations_;
  LogCopier copier_;
  // What is known of hearings since this process began; everything in it can be asked again.
  std::map<HearingId, std::string> settled_;  // hearing -> its head here when it was held there and confirmed
  std::map<HearingId, std::uint64_t> held_;   // that the second site confirmed; a hearing there never shrinks
  std::set<HearingId> unconfirmed_;           // finished ones whose confirmation is not with the archive yet
  bool looked_back_ = false;
};

}  // namespace greffe::replicate

#endif
