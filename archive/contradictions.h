// What others hold of this archive's main log and this archive does not: checkpoints with the archive's own valid signature. They prove
// that the log was set back, or that somebody else signs with its key. Kept outside the pool, so that a restart changes nothing until an
// operator accepts the head. One thread at a time.
#ifndef GREFFE_ARCHIVE_CONTRADICTIONS_H
#define GREFFE_ARCHIVE_CONTRADICTIONS_H

#include <optional>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/signed_note.h"

namespace greffe::archive {

struct Contradiction {
  std::string who;  // that showed it, in words: "the witness W has cosigned"
  SignedCheckpoint checkpoint;
};

class Contradictions {
 public:
  // "<state>/contradiction.json": the one that stands. "<state>/accepted-heads.json": those that an operator accepted.
  Contradictions(FileSystem& files, const std::string& state_directory);

  // At start. Errors: a file is there and cannot be read; without it nobody knows whether the log may be signed.
  Status load();
  const std::optional<Contradiction>& standing() const { return standing_; }
  // Durable; after an error it stands all the same, and the next call stores it. One that stands already is kept: the first to be shown
  // says enough.
  Status stand(Contradiction contradiction);
  // Nothing stands any more: the log has it again.
  Status settle();
  // This tree is not held against the log any more, whoever shows it. Durable.
  Status accept(const Checkpoint& tree);
  bool is_accepted(const Checkpoint& tree) const;

 private:
  FileSystem& files_;
  const std::string standing_path_;
  const std::string accepted_path_;
  std::optional<Contradiction> standing_;
  bool is_stored_ = false;  // what stands is on the disk
  std::vector<Checkpoint> accepted_;  // the origin is always the archive's
};

}  // namespace greffe::archive

#endif
