// The main logs of one archive, epoch by epoch: a later one is believed because officers that the ones before name signed what it goes on
// from (docs/decisions/0018-epochs.md). The rule, and the logs of a pool; those of an export are in exported_epochs.h. One thread.
#ifndef GREFFE_ARCHIVE_VERIFY_EPOCHS_H
#define GREFFE_ARCHIVE_VERIFY_EPOCHS_H

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/officers.h"
#include "archive/format/policy.h"
#include "archive/format/promotion.h"
#include "archive/verify/log_files.h"

namespace greffe::verify {

// The rule. `head`: a checkpoint of the log of epoch `name`, whose first entry is `promotion`. `had_pinned`: the trusted log of epoch `before`, the
// newest of the chain, had exactly the state `previous`; `officers`: whom the chain names up to there. denied with what is wrong.
Status believe_epoch(const EpochName& before, bool had_pinned, const Officers& officers, const EpochName& name, const PromotionEntry& promotion,
                     const SignedCheckpoint& head);
// `promotion`: the log that calls itself this epoch, and all behind it, is not taken into account.
Finding not_an_epoch(const EpochName& name, const Error& why, const std::string& file);

// The checkpoint that the auditor holds, where it is of this archive: `stale` if it is of an epoch that came after `newest`, `main-signature` if another key
// than the chain's signed it. `policy`: with the keys of all epochs.
void check_known_epoch(const std::optional<SignedCheckpoint>& known, const EpochName& newest, const Policy& policy, Report& report);

// A main log as it lies in the pool, not judged yet.
struct MainLogFolder {
  std::string path;              // below a volume
  EpochName name;
  std::vector<NoteCopy> notes;   // its checkpoints, largest first; at least one
};

// One that is believed, with its tree.
struct EpochLog {
  EpochName name;
  std::unique_ptr<LogFiles> log;
  std::vector<NoteCopy> notes;
  NoteCopy chosen;                          // the checkpoint that is judged
  bool root_holds = false;
  std::uint64_t first = 0;                  // number of its entry 0, through all epochs
  std::uint64_t counted = 0;                // entries that are the archive's: all, or those up to where the next epoch goes on
  std::optional<PromotionEntry> promotion;  // none: the first epoch
  const Checkpoint& head() const { return chosen.signed_checkpoint.checkpoint; }
};

// Loads the log with this checkpoint.
EpochLog open_epoch(const MainLogFolder& folder, const NoteCopy& chosen, std::vector<std::string> folders, Files& files, Report& report);

// Whether `next` goes on from the chain, whose roots hold. Then the chain has it, and the policy its keys. Else a finding, `promotion`.
bool follow_epoch(std::vector<EpochLog>& chain, EpochLog next, Policy& policy, Report& report);

}  // namespace greffe::verify

#endif
