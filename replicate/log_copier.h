// Carries one log and the objects its entries name to one target, a step at a time: objects first, then entries up to a signed
// checkpoint; then checks the target's cosignature and brings it back. Keeps no state: what the target holds is the state.
// Thread-safe; a step is one thread's at a time, but for send().
#ifndef GREFFE_REPLICATE_LOG_COPIER_H
#define GREFFE_REPLICATE_LOG_COPIER_H

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
#include "replicate/bandwidth.h"
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

// Between which two sites.
struct Sites {
  Source source;
  CopySite& target;
  ConfirmationSite& confirmations;
  std::optional<VerifierKey> target_key;  // with which the target confirms what it holds; none: a copy that nobody answers for
  // What a site had that was the archive comes back to the one that is it now: nobody here waits for its confirmations, and of a hearing it may
  // have more than is here.
  bool comes_back = false;
};

// An object that the target lacks.
struct Named {
  Digest digest;
  std::uint64_t entry = 0;
  bool excused = false;  // a `lost` entry of the same step names it: sent if it is here, no hole if not
};

// Part of one log: from what the target holds to a signed checkpoint. What the entries say is read again when they are sent,
// so a step is small.
struct Step {
  std::optional<HearingId> hearing;  // none: the main log
  client::LogTarget target;
  std::string origin;
  std::string path;                  // of the log, here
  std::uint64_t first_number = 0;    // of a main log: that of its entry 0, among those of all epochs
  std::uint64_t source_size = 0;     // of the published head
  std::uint64_t held = 0;            // that the target holds and cosigned
  std::uint64_t size = 0;            // the checkpoint that ends it; `held`: there is nothing to send
  std::string note;                  // that checkpoint
  std::string held_note;             // as the target gave it; may be empty
  bool more_there = false;           // of a hearing: the target holds all of it, and more behind it
  ByClass<std::vector<Named>> missing;
  std::vector<Hole> holes;           // what could not be sent
  std::vector<ShownEntry> shown;
};

enum class Committed {
  held,      // the target holds the step and cosigned it
  hole,      // something was not sent: the step waits
  elsewhere  // the target holds something else than was thought, or lacks more: plan again
};

class LogCopier {
 public:
  struct Limits {
    std::size_t batch_bytes = 8 * 1024 * 1024;  // of entries in one request; the protocol takes 16 MiB of JSON
    std::size_t batch_entries = 16'384;
    unsigned connections = 4;                   // objects at the same time
  };
  LogCopier(Sites sites, Bandwidth& bandwidth, Limits limits, Log& log);

  // What a hearing's next step is. `known_held`: what the target confirmed to this process; else it is asked. not_found: nothing
  // is filed of it yet. conflict: the two sites disagree about the log: nothing may be sent.
  Result<Step> plan_hearing(const HearingId& id, std::optional<std::uint64_t> known_held);
  // How far the main log is held there, and the head here; nothing is planned. Of an archive that was promoted: of the first epoch that the
  // target lacks something of, else of the newest. Errors as plan_hearing.
  Result<SignedCheckpoint> end_of(const tlog::LogChain::Link& link);
  Result<Step> open_main();
  // The signed checkpoint to which the main log can go next from `first`; the head of `opened` if that is near.
  struct End {
    std::uint64_t size = 0;
    std::string note;
  };
  Result<End> next_main_end(const Step& opened, std::uint64_t first);
  // The same for a hearing with this head. Errors as plan_hearing.
  Result<End> next_hearing_end(const HearingId& id, const tlog::LogReader& reader, const SignedCheckpoint& head, std::uint64_t first);
  // Fills in the documents that the target lacks of main-log entries [held, size).
  Status plan_documents(Step& main);

  // Sends one of the objects. A hole: it cannot be read here. Bytes of an object that arrived; 0: excused.
  // conflict: nothing of this class may go at this time. Any thread.
  Result<std::variant<std::uint64_t, Hole>> send(const Step& step, MediaClass media, const Named& named, std::stop_token stop);

  // Takes those holes out that entries further on declare lost, and remembers these to be shown. True: none is left.
  Result<bool> excuse(Step& step);
  // Posts the entries of the step once its objects are there.
  Result<Committed> commit(Step& step);
  // True when the archive has the target's cosignature of everything held; brings it if not. A confirmation that cannot be
  // delivered now is not lost: it is asked for again. denied: the target holds it but does not confirm it with its key.
  // Where nobody cosigns, the other way round: the copy gets the signatures that the source has of what it holds.
  Result<bool> deliver(const Step& step);

  // True when the archive itself has the target's cosignature of this hearing's head; or there is none to be had.
  Result<bool> is_confirmed(const HearingId& id);

 private:
  void show_archive(const client::LogTarget& target, const std::string& note);
  Result<client::HeldCheckpoint> held_and_consistent(const client::LogTarget& target, const tlog::LogReader& reader,
                                                     const Checkpoint& head);
  Result<std::optional<std::string>> longer_there(const client::LogTarget& target, const Checkpoint& head);
  Result<std::uint64_t> reach(const tlog::LogReader& reader, std::uint64_t first, std::uint64_t last);
  Result<std::optional<End>> hearing_note(const HearingId& id, std::uint64_t first, std::uint64_t reach);
  Result<std::optional<End>> main_note(const Step& opened, std::uint64_t first, std::uint64_t reach);
  Status keep_missing(Step& step, ByClass<std::vector<Named>> named);
  Status check_cosigned(std::string_view note, const Checkpoint& wanted) const;
  Result<bool> give_signatures(const Step& step);

  const Sites sites_;
  Bandwidth& bandwidth_;
  const Limits limits_;
  Log& log_;
  std::mutex ahead_mutex_;
  LookAhead ahead_;  // guarded by it
};

}  // namespace greffe::replicate

#endif
