// The write side of one log, in the order of DESIGN section 7: stage on W volumes -> re-read it and recompute the root
// by a second path -> (sign) -> compare-and-swap the head -> write full tiles -> publish. A crash between any two steps
// loses nothing that was acknowledged; open() finishes what was begun. One thread at a time.
#ifndef GREFFE_ARCHIVE_TLOG_LOG_WRITER_H
#define GREFFE_ARCHIVE_TLOG_LOG_WRITER_H

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "archive/format/merkle.h"
#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/store/object_store.h"

namespace greffe::tlog {

class LogWriter {
 public:
  // Loads the right edge and the tail, replays the stage of the head (full tiles that a crash left unwritten), and
  // checks that head, tiles and stage agree. An absent log opens empty. corrupt: they disagree on every replica.
  static Result<LogWriter> open(store::ObjectStore& objects, store::HeadStore& heads, store::StageRemover& stages,
                                std::string log_path);
  LogWriter(LogWriter&&) noexcept;
  LogWriter& operator=(LogWriter&&) noexcept;
  ~LogWriter();

  std::uint64_t size() const;
  Digest root() const;
  const std::string& head() const;  // the published note; empty when the log is empty and has no head

  // What the tree would be with these entries; changes nothing.
  TreeEdge preview(std::span<const std::string> entries) const;

  // Appends entries[0…] at index size() and makes `sign(origin-less checkpoint fields)` the head. `sign` is given the
  // size and root recomputed from the re-read stage and returns the signed note to publish; an error from it leaves the
  // log as it was. ok: durable on W volumes and published. conflict: the head moved: another writer. unavailable:
  // outcome unknown: open() again.
  Status append(std::span<const std::string> entries,
                const std::function<Result<std::string>(std::uint64_t size, const Digest& root)>& sign);

  // Replaces the head by the same checkpoint with more signatures. conflict: the text says something else.
  Status add_signatures(const std::string& note);

  // Stores the partial tiles and bundle of the final size (at `close`); the stage is then superfluous and removed.
  Status finalise();

 private:
  struct State;
  explicit LogWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace greffe::tlog

#endif
