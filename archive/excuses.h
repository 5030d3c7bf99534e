// What excuses objects that a second site is not sent: `lost` entries that stand further on in the logs than it holds, shown
// to it ahead with the proofs that they do. A value; no I/O.
#ifndef GREFFE_ARCHIVE_EXCUSES_H
#define GREFFE_ARCHIVE_EXCUSES_H

#include <optional>
#include <set>
#include <vector>

#include "archive/declared_lost.h"
#include "archive/tlog/copied_main_log.h"

namespace greffe::archive {

// What is shown without the keys among it: for an archive that lets nobody outside say who its officers are.
std::vector<ShownEntry> without_keys(std::vector<ShownEntry> shown);

class Excuses {
 public:
  // `held`: what the main log says as far as it is held here; of what is shown, only what stands behind that is taken.
  // `main_logs`: of the epochs whose keys are known here, at least the first one's, numbered as `held` is. A later epoch becomes known by its
  // promotion, shown before its other entries and behind those about the officers who signed it: two officers whom the log names may
  // say which objects are lost, so they may say in which log they do. `hearing`: the key of the hearing's log; none: only
  // main-log entries can be shown. denied: of another log, not signed, not by two officers, or behind what the next epoch goes on from.
  // corrupt, invalid: a proof or an entry is none.
  static Result<Excuses> read(const std::vector<ShownEntry>& shown, DeclaredLost::Read held, std::vector<tlog::SignedLog> main_logs,
                              const std::optional<VerifierKey>& hearing);
  bool cover(const std::optional<HearingId>& hearing, const Digest& digest) const {
    return by_station_.contains(digest) || declared_.covers(hearing, digest);
  }

 private:
  explicit Excuses(LostDeclarations declared) : declared_(std::move(declared)) {}
  LostDeclarations declared_;
  std::set<Digest> by_station_;
};

}  // namespace greffe::archive

#endif
