// Sharing a hearing with another court: not a byte is copied, one `share` entry of the main log opens it, another one ends it. Only of hearings
// that this archive keeps itself. Thread-safe.
#ifndef GREFFE_ARCHIVE_SHARES_H
#define GREFFE_ARCHIVE_SHARES_H

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "archive/held_archives.h"
#include "archive/main_log.h"

namespace greffe::archive {

struct ShareOrder {
  HearingId hearing;
  std::string court;   // of this archive, or "<archive>/<court>"
  std::string reason;  // kept as a document
  std::optional<UtcTime> until;
  std::string account;  // pseudonym of who orders it
};
constexpr std::size_t kMaxShareReasonBytes = 2000;

// Where the log of the other court's archive stands.
enum class Counterpart {
  same_log,  // the court is of the archive that has the hearing: one entry says it for both
  logged,    // that log has the newest entry of this share
  missing,   // it is held here, and does not have it
  unknown,   // it is not held here
};
std::string_view name_of(Counterpart counterpart);

class Shares {
 public:
  // `on_ended` is told after a share was ended, before the caller is answered. All outlive it.
  Shares(Clock& clock, Stores stores, MainLog& main_log, const HeldArchives& archives, std::function<void(const HearingId&)> on_ended);

  // Durable, and in force, when it returns; the entry's number. A court that has the hearing already gets the new time. not_found: this
  // archive does not keep the hearing, or there is no such court in an archive that is held here. invalid: the hearing's own court, a time
  // that is over, no reason. Else as MainLog::append.
  Result<std::uint64_t> grant(const ShareOrder& order);
  // Nothing more is shown to that court's people when it returns. not_found: it is not shared with it. `until` does not matter.
  Result<std::uint64_t> revoke(const ShareOrder& order);

  // Of the newest act of this share, of a hearing of `archive`.
  Result<Counterpart> counterpart(const HeldArchive& archive, const catalogue::Share& share) const;

 private:
  Status check_court(const std::string& own_court, const std::string& court) const;
  Result<std::uint64_t> append(const ShareOrder& order, std::string_view action, const std::string& court);

  Clock& clock_;
  const Stores stores_;
  MainLog& main_log_;
  const HeldArchives& archives_;
  const std::function<void(const HearingId&)> on_ended_;
  std::mutex mutex_;  // held from looking at how it stands to the entry
};

}  // namespace greffe::archive

#endif
