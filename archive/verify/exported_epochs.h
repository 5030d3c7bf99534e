// The main log as an export carries it (docs/formats/export.md): of every epoch a checkpoint and the entries that concern the hearing, each
// proved to be at its index. Later epochs are believed by the rule of epochs.h. One thread.
#ifndef GREFFE_ARCHIVE_VERIFY_EXPORTED_EPOCHS_H
#define GREFFE_ARCHIVE_VERIFY_EXPORTED_EPOCHS_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/format/policy.h"
#include "archive/format/promotion.h"
#include "archive/verify/log_files.h"

namespace greffe::verify {

constexpr std::uint64_t kExportedEpochsMax = 1000;

struct ExportedEpoch {
  EpochName name;
  std::string folder;                             // "main", "main/epoch/2", …: in the export
  NoteCopy head;                                  // of an earlier epoch: the state that the next one goes on from
  std::uint64_t first = 0;                        // number of its entry 0, through all epochs
  std::optional<PromotionEntry> promotion;        // none: the first epoch
  std::map<std::uint64_t, std::string> entries;   // by their index in its log
  const Checkpoint& checkpoint() const { return head.signed_checkpoint.checkpoint; }
};

// The folder of an epoch, "main" of the first one; that of a path in an export, if it is of a later one.
std::string epoch_folder(std::uint64_t epoch);
std::optional<std::uint64_t> epoch_of_path(std::string_view path);

// The epochs that are believed, beginning with the one that the policy names; their keys are added to it. None: there is no such. `listed`:
// the files that are in `folder`. Findings: `main-checkpoint`, `main-signature`, `main-proof`, `genesis`, `promotion`, `unreadable`.
std::vector<ExportedEpoch> read_exported_epochs(const std::string& folder, const std::map<std::string, Digest>& listed, Policy& policy, Report& report);

}  // namespace greffe::verify

#endif
