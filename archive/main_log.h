// The archive's main log with everything that hangs on it: sequencer, guard file, catalogue. Thread-safe.
#ifndef GREFFE_ARCHIVE_MAIN_LOG_H
#define GREFFE_ARCHIVE_MAIN_LOG_H

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/base/log.h"
#include "archive/catalogue/catalogue_builder.h"
#include "archive/declared_lost.h"
#include "archive/format/entries.h"
#include "archive/tlog/cosigned.h"
#include "archive/tlog/log_reader.h"
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
  // or beside the guard file, or what another site confirmed: restore the volumes that are missing, or accept the loss with `accept_head`.
  static Result<std::unique_ptr<MainLog>> open(FileSystem& files, Log& log, Stores stores, const std::string& archive_name,
                                               const std::string& state_directory, PrivateKey key, bool accept_head);
  ~MainLog();

  // Durable, signed, published and in the catalogue when it returns; the entry's index. Errors as Sequencer::append.
  Result<std::uint64_t> append(const MainEntry& entry);
  Result<std::uint64_t> append(const std::vector<MainEntry>& entries);
  // The same for entries that are written already. invalid: parse_main_entry does not accept one of them.
  Result<std::uint64_t> append_texts(std::vector<std::string> texts);

  SignedCheckpoint head() const;
  tlog::LogReader reader() const;
  const catalogue::Catalogue& catalogue() const;
  DeclaredLost& declared_lost() const;  // also of the main logs of other archives that are held here
  const std::string& archive_name() const;

  // Keeps a cosigner's newest checkpoint under
  // "<log>/cosigned/". denied: its line does not verify. conflict: a tree that this log never had.
  Status add_cosignature(const SignedCheckpoint& cosigned, const VerifierKey& cosigner);

 private:
  struct State;
  explicit MainLog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

using tlog::keep_cosigned;
using tlog::newest_cosigned;

}  // namespace greffe::archive

#endif
