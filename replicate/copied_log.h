// One log in a copy that has nobody behind it, as the replicator keeps it: what an archive in the role of a replica does for a log that
// it holds, done by who copies. No state; one thread at a time for each log.
#ifndef GREFFE_REPLICATE_COPIED_LOG_H
#define GREFFE_REPLICATE_COPIED_LOG_H

#include <string>

#include "archive/client/archive_client.h"
#include "archive/store/whole_pool.h"
#include "archive/tlog/log_writer.h"
#include "replicate/look_ahead.h"

namespace greffe::replicate {

// Where a log lies in the copy: hearings as in any pool, the archive's main log of each epoch as another archive's, below "log/from/".
std::string copied_path(const client::LogTarget& log);

class CopiedLog {
 public:
  // Both must outlive this object.
  CopiedLog(store::WholePool& pool, const Source& source, const client::LogTarget& log);

  // Its writer. What a log that is damaged there lacks is written again from the source first (mend).
  Result<tlog::LogWriter> writer();
  // Writes again, from the source, whatever is not as the source has it, up to `note`; other bytes are moved aside. ok: the log is whole there, up
  // to the note or further. conflict: what is there is no earlier or equal state of the source's log. denied: the service does not let
  // damaged bytes be replaced. Else as tlog::import_log.
  Status mend(const std::string& note);
  // The head as it is there; not_found: none.
  Result<SignedCheckpoint> head() const;
  // ok: the entries [first, last) there are the source's. corrupt: they are not, or cannot be read.
  Status compare(std::uint64_t first, std::uint64_t last) const;
  // ok: every file of it there leads to the root of its head. corrupt: some are damaged or missing.
  Status check() const;
  const std::string& path() const { return path_; }

 private:
  Status mend_tail(std::uint64_t size);

  store::WholePool& pool_;
  const Source source_;
  const bool is_hearing_;
  const std::string path_;
  const std::string source_path_;
};

}  // namespace greffe::replicate

#endif
