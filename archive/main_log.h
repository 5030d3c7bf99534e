// The archive's main log with everything that hangs on it: sequencer, guard file, catalogue. Thread-safe.
#ifndef GREFFE_ARCHIVE_MAIN_LOG_H
#define GREFFE_ARCHIVE_MAIN_LOG_H

#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/base/log.h"
#include "archive/catalogue/catalogue_builder.h"
#include "archive/declared_lost.h"
#include "archive/format/entries.h"
#include "archive/tlog/cosigned.h"
#include "archive/tlog/log_chain.h"
#include "archive/tlog/sequencer.h"

namespace greffe::archive {

struct Stores {  // what a pool is to this layer; all outlive whoever is given them
  store::ObjectStore& objects;
  store::HeadStore& heads;
  store::StageRemover& stages;
};

// Documents and hearing logs of this pool, for the catalogue.
catalogue::Sources catalogue_sources(Stores stores);

// The newest main-log checkpoint that this machine ever published, outside the pool: a pool that was rolled back to an
// older state is recognised (DESIGN section 7, Start).
class GuardFile {
 public:
  GuardFile(FileSystem& files, const std::string& state_directory);
  Result<std::string> read() const;              // not_found: never written
  Result<Checkpoint> checkpoint() const;         // what it says
  Status write(const std::string& note) const;   // durable and atomic
  // ok: `head` (empty: no log) is at or after the guard and consistent with it. conflict: below or beside it.
  Status check(const tlog::LogReader& reader, std::string_view head) const;

 private:
  FileSystem& files_;
  std::string path_;
};

class MainLog {
 public:
  // Start-up in the order of DESIGN section 7: head -> guard -> replay -> catalogue. conflict: the pool's head is below
  // or beside the guard file, or what another site or a witness cosigned: restore the volumes that are missing, or accept the loss with
  // `accept_head`, which is remembered for that tree. Where it was shown while the archive ran, it opens and signs nothing (refusal()).
  static Result<std::unique_ptr<MainLog>> open(FileSystem& files, Log& log, Stores stores, const tlog::MainLogPlace& place,
                                               const std::string& state_directory, PrivateKey key, bool accept_head);
  ~MainLog();

  // Durable, signed, published and in the catalogue when it returns; the entry's number, through all epochs. Errors as Sequencer::append.
  Result<std::uint64_t> append(const MainEntry& entry);
  Result<std::uint64_t> append(const std::vector<MainEntry>& entries);
  // One batch of entries as they were written before, verbatim.
  Result<std::uint64_t> append_texts(std::vector<std::string> entries);

  SignedCheckpoint head() const;
  tlog::LogReader reader() const;        // of the log of this epoch
  const tlog::LogChain& chain() const;   // of all epochs
  const tlog::MainLogPlace& place() const;
  const catalogue::Catalogue& catalogue() const;
  DeclaredLost& declared_lost() const;  // also of the main logs of other archives that are held here
  const std::string& archive_name() const;

  // Keeps the newest checkpoint of a cosigner or witness under
  // "<log>/cosigned/". denied: its line does not verify. conflict: a tree that this log never had; with this log's own signature it is as compare().
  Status add_cosignature(const SignedCheckpoint& cosigned, const VerifierKey& cosigner);
  // Whether what somebody (`who`: the name of a cosigner or witness) shows of this log is a part of it. denied: it does not bear this log's
  // signature, and proves nothing. conflict: it does, and this log is behind or beside it: from now on nothing is signed, also
  // after a restart. already_exists: the same, but an operator has accepted it: this very tree before, or `accept_head` was given and it is
  // the first that `who` shows since.
  Status compare(const SignedCheckpoint& seen, const std::string& who);
  // The newest head with the lines of all cosigners and witnesses that have signed just it.
  Result<SignedCheckpoint> published() const;

  // Why nothing is signed, in words; nothing: it is. While there is a reason, append() returns unavailable with it.
  std::optional<std::string> refusal() const;
  // For good: the archive goes on at another site. Whoever calls has stored that, and calls again after a restart.
  void fence(std::string why);
  // For now: until it is known what others hold of this log. A new reason takes the place of the old one.
  void hold(std::string why);
  void release();

 private:
  struct State;
  Status check(const Checkpoint& seen, const std::string& who) const;
  explicit MainLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Keys of these roles that are in the log and not revoked: "cosigner" (a site that holds what this archive holds), "witness" (it has seen
// the main log, no more).
Result<std::vector<VerifierKey>> cosigning_keys(const catalogue::Catalogue& catalogue, std::initializer_list<std::string_view> roles);

using tlog::keep_cosigned;
using tlog::newest_cosigned;

}  // namespace greffe::archive

#endif
