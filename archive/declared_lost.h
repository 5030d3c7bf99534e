// What two officers declared lost in the main logs that this archive holds: its own, and at a second site those of the
// archives whose copies it keeps. Whoever finds an object missing asks here whether it is missed. Thread-safe; blocks: the
// first question reads the main logs from their beginning, each later one what has come since.
#ifndef GREFFE_ARCHIVE_DECLARED_LOST_H
#define GREFFE_ARCHIVE_DECLARED_LOST_H

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "archive/catalogue/catalogue.h"
#include "archive/format/lost_declarations.h"
#include "archive/store/object_store.h"
#include "archive/tlog/log_chain.h"

namespace greffe::archive {

class DeclaredLost {
 public:
  // All of them outlive it. `own`: where the archive's own main log is.
  DeclaredLost(store::ObjectStore& objects, store::HeadStore& heads, const catalogue::Catalogue& catalogue, tlog::MainLogPlace own);

  struct Read {
    LostDeclarations declarations;
    std::uint64_t size = 0;   // entries, through all epochs, that were read for it
    std::uint64_t epoch = 1;  // the newest that was there
  };

  // As LostDeclarations, in any of the main logs held here. Errors: a log that cannot be read.
  Result<bool> covers(const std::optional<HearingId>& hearing, const Digest& digest);
  Result<bool> names(const Digest& digest);
  // What the main log of this archive says, as far as it is published here.
  Result<Read> of(const std::string& origin);

 private:
  Result<std::vector<std::string>> origins() const;
  Result<const Read*> read_on(const std::string& origin) /* mutex_ held */;

  store::ObjectStore& objects_;
  store::HeadStore& heads_;
  const catalogue::Catalogue& catalogue_;
  const tlog::MainLogPlace own_;
  std::mutex mutex_;  // guards `read_`, also while a log is read: what one question learns serves the next
  std::map<std::string, Read> read_;
};

}  // namespace greffe::archive

#endif
