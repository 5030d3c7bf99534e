// Carries one log and the objects its entries name to the second site: objects first, then entries, then the checkpoint;
// then checks the site's cosignature and brings it back. Keeps no state: what the second site holds is the state.
#ifndef GREFFE_REPLICATE_LOG_COPIER_H
#define GREFFE_REPLICATE_LOG_COPIER_H

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/log.h"
#include "archive/format/names.h"
#include "archive/tlog/log_reader.h"
#include "replicate/look_ahead.h"
#include "replicate/remote_sites.h"

namespace greffe::replicate {

// An object that an entry names and that the source cannot give: neither passed over nor waited for.
struct Hole {
  Digest object;
  std::string log;  // origin of the log whose entry names it
  std::uint64_t entry = 0;
  std::string why;
};

struct Copied {
  std::uint64_t entries = 0;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  void add(const Copied& other) {
    entries += other.entries;
    objects += other.objects;
    bytes += other.bytes;
  }
};

// What became of one log in one pass.
struct LogOutcome {
  std::uint64_t source_size = 0;  // of the published head
  std::uint64_t held = 0;         // that the second site holds and cosigned
  bool closed = false;            // a finished hearing, held to its end
  bool delivered = false;         // the archive has the site's cosignature of everything held
  std::vector<Hole> holes;        // what keeps `held` below `source_size`
  Copied copied;
};

class LogCopier {
 public:
  struct Limits {
    std::size_t batch_bytes = 8 * 1024 * 1024;  // of entries in one request; the protocol takes 16 MiB of JSON
    std::size_t batch_entries = 16'384;
    unsigned connections = 4;
  };
  LogCopier(Source source, CopySite& target, ConfirmationSite& confirmations, VerifierKey target_key, Limits limits, Log& log);

  // Brings a hearing to the published head. conflict: the two sites disagree about the log: nothing was sent.
  Result<LogOutcome> copy_hearing(const HearingId& id, std::stop_token stop);
  // Brings the main log as far as everything it names is held there. `hearings` is asked to bring a hearing first and
  // says whether it is held to the size that the entry commits to.
  using BringHearing = std::function<Result<bool>(const HearingId& id, std::uint64_t size)>;
  Result<LogOutcome> copy_main(const BringHearing& hearings, std::stop_token stop);

  // True when the archive itself has the second site's cosignature of this hearing's head.
  Result<bool> is_confirmed(const HearingId& id);

 private:
  struct Batch {
    std::uint64_t first = 0;
    std::vector<std::string> entries;
    std::string note;  // signed checkpoint at first + entries
    std::uint64_t size() const { return first + entries.size(); }
  };
  struct Named {
    Digest digest;
    std::uint64_t entry = 0;
    bool excused = false;  // a `lost` entry of the same batch names it: sent if it is here, no hole if not
  };
  Result<client::HeldCheckpoint> held_and_consistent(const client::LogTarget& target, const tlog::LogReader& reader,
                                                     const Checkpoint& head);
  Result<Batch> next_batch(const tlog::LogReader& reader, std::uint64_t first, const SignedCheckpoint& head,
                           const std::vector<std::pair<std::uint64_t, std::string>>& between);
  Result<std::vector<std::pair<std::uint64_t, std::string>>> notes_between(const std::optional<HearingId>& hearing);
  Result<bool> send_objects(const client::LogTarget& target, const std::string& origin, const std::vector<Named>& named,
                            LogOutcome& outcome, std::stop_token stop);
  Status send_one(const client::LogTarget& target, const std::string& origin, const Named& named, LogOutcome& outcome,
                  std::mutex& mutex);
  Result<bool> excuse_holes(const std::optional<HearingId>& hearing, std::size_t first_hole, LogOutcome& outcome, std::vector<ShownEntry>& shown);
  Result<std::string> send_entries(const client::LogTarget& target, const std::string& origin, const Batch& batch,
                                   const std::vector<ShownEntry>& shown, LogOutcome& outcome, std::stop_token stop);
  Status check_cosigned(std::string_view note, const Checkpoint& wanted) const;
  void deliver(const std::optional<HearingId>& hearing, const std::string& note, LogOutcome& outcome);

  const Source source_;
  CopySite& target_;
  ConfirmationSite& confirmations_;
  const VerifierKey target_key_;
  const Limits limits_;
  Log& log_;
  LookAhead ahead_;
};

}  // namespace greffe::replicate

#endif
