// This archive as a pure witness of other logs (C2SP tlog-witness): it remembers the largest tree that it has cosigned of each, and signs
// only what continues that tree. It holds nothing of those logs. Its key is its own, under the name "<archive>/witness": a cosignature of
// it says "the largest consistent tree that I have seen", never "I hold every byte". Thread-safe. See docs/formats/witness.md.
#ifndef GREFFE_ARCHIVE_WITNESS_H
#define GREFFE_ARCHIVE_WITNESS_H

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/format/signed_note.h"

namespace greffe::archive {

constexpr std::size_t kMaxWitnessedLogs = 1024;

VerifierKey witness_verifier(std::string_view archive_name, const PublicKey& key);

class Witness {
 public:
  struct WitnessedLog {
    VerifierKey key;  // name = origin
    std::optional<SignedCheckpoint> newest;  // cosigned last; none: never
    bool witnessed = true;                   // false: removed; remembered all the same
  };
  struct Answer {
    // As C2SP names them: 200, 400, 404, 403, 409, 422.
    enum class Outcome { cosigned, malformed, unknown_log, not_signed, other_size, not_consistent };
    Outcome outcome = Outcome::malformed;
    std::string detail;                      // what is wrong, for people
    std::uint64_t size = 0;                  // that is held; 0: none
    std::optional<SignedCheckpoint> newest;  // that is held, with the log's signature and this witness's
    std::vector<NoteSignature> lines;        // cosigned: the new cosignature
  };

  // The state is "<state>/witness/<SHA-256 of origin>.json", one file for each log; the key "<state>/keys/witness.key", made when it is
  // first needed. The key is in no backup, on purpose: a witness that has lost its memory must not sign in the name of the one that had it.
  Witness(FileSystem& files, Clock& clock, const std::string& state_directory, std::string archive_name);

  Result<VerifierKey> key();
  // From now on checkpoints of this log are cosigned. Its key may be exchanged; what was cosigned before stays remembered, also over
  // remove_log. Durable. invalid: no key of a log. no_space: more than kMaxWitnessedLogs.
  Status add_log(const VerifierKey& log);
  Status remove_log(const std::string& origin);  // not_found: it is not witnessed
  Result<std::vector<WitnessedLog>> logs();      // those that are witnessed, in the order of origins

  // One add-checkpoint request. The check and the new state are one step under a lock, and the state is durable before the cosignature is
  // returned. An error: state or key cannot be read or written; nothing was signed that anybody has seen.
  Result<Answer> add_checkpoint(std::string_view body);
  // What was cosigned last of the log whose origin has this SHA-256. not_found: nothing.
  Result<SignedCheckpoint> newest(const Digest& origin);

 private:
  std::string path_of(const Digest& origin) const;
  Result<WitnessedLog> read(const Digest& origin) const;
  Status write(const WitnessedLog& log) const;
  Status make_key();

  FileSystem& files_;
  Clock& clock_;
  const std::string directory_;
  const std::string key_path_;
  const std::string archive_name_;
  std::mutex mutex_;                // over reading, judging and writing a state; guards the key
  std::optional<PrivateKey> key_;
};

}  // namespace greffe::archive

#endif
