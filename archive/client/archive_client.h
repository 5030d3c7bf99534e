// The only client of the machine protocol (DESIGN section 5, docs/formats/machine-protocol.md): what stations and
// replicators say to an archive. Thread-safe.
//
// An archive may have several machines (nodes) with one key, of which one writes. A call goes to the one that answered last; another
// one sends it on (307), to an address of the same key only, and what cannot be reached is asked for at the next address, each once.
// Every call may be made twice: what was done is not done again. Nothing else is retried.
#ifndef GREFFE_ARCHIVE_CLIENT_ARCHIVE_CLIENT_H
#define GREFFE_ARCHIVE_CLIENT_ARCHIVE_CLIENT_H

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/client/archive_endpoint.h"
#include "archive/format/canonical_json.h"
#include "archive/format/comparison_messages.h"
#include "archive/format/lost_declarations.h"
#include "archive/format/names.h"
#include "archive/format/share_messages.h"
#include "archive/format/signed_note.h"
#include "archive/format/successors.h"

namespace greffe::client {

class ArchiveChannel;

// What a one-time enrolment code says: base64url of canonical JSON, made by `station add`, `origin add`, `origin reader-code`, `cosigner add`,
// `returning add`.
struct EnrolmentCode {
  std::string address;        // "https://127.0.0.1:8444"
  Digest server_spki;         // "server_key": SHA-256 of the server's SubjectPublicKeyInfo
  VerifierKey log;            // the main log's key
  std::vector<VerifierKey> cosigners;
  std::string name;           // of the station or peer that is to enrol
  std::string role;           // "station", "replicator", "returning" or "reader"
  std::string court;          // role station
  std::string room;
  std::string secret;         // base64url of 32 random bytes, good once and for 24 hours
};
std::string write_enrolment_code(const EnrolmentCode& code);
Result<EnrolmentCode> parse_enrolment_code(std::string_view text);

// Which log a call is about: a hearing's, or another archive's main log (replicas).
struct LogTarget {
  std::variant<HearingId, std::string /* origin */> log;
  std::string path() const;  // "/v1/hearings/<id>" or "/v1/log/from/<SHA-256 of origin>"
};

struct EntriesRefused {             // 409, or 400 "diverged"
  std::optional<std::uint64_t> held_size;
  std::vector<Digest> missing;
  std::string detail;
  bool diverged = false;            // this log can never go on there: continue in a new hearing
};
// What a replica knows of a log: entries that it holds with all that they name, and those it knows ahead of that. No statement of anybody.
struct KnownThere {
  std::uint64_t held_size = 0;
  std::uint64_t known_size = 0;     // at least held_size
  Digest known_root;                // of the tree of so many entries
};
struct AheadRefused {               // 409, or 400 "diverged"
  std::uint64_t known_size = 0;     // send from there
  std::string detail;
  bool diverged = false;            // what is known there is not the beginning of this log
};
struct HeldCheckpoint {
  std::string note;                 // with all cosignatures; empty when nothing is held
  std::uint64_t size = 0;
  std::uint64_t read_back_size = 0;
  std::vector<Digest> consistency;  // with the size that was asked about
};

// Steps of comparing another archive's main log, and all it names, with what a replica holds; `path` is the last part of the address.
enum class ComparisonStep { begin, nodes, ids, challenge };
std::string_view path_of(ComparisonStep step);  // "/comparison", "/comparison/nodes", …

struct LogPiece {                   // of a log that is held there
  std::string note;                 // its newest checkpoint with all cosignatures
  std::uint64_t first = 0;          // as it was asked for
  std::vector<std::string> entries; // verbatim; none when the log ends at or before `first`
  std::vector<std::string> kept;    // of a main log: signed checkpoints of its sizes within these entries
};

// What a promoted archive has taken back of the log of an earlier epoch.
struct GraftThere {
  std::uint64_t entries = 0;   // of the old log that its main log says again, in all
  std::uint64_t hearings = 0;  // that have a checkpoint in what came back
  std::uint64_t number = 0;    // of the newest `graft` entry of that log there, through all epochs
  std::uint64_t size = 0;      // of the old log
};

struct LostThere {
  std::optional<HearingId> hearing;  // that names it; none: only the main log does
  Digest digest;
};

class ArchiveClient {
 public:
  // `stop`: every call ends with `cancelled` at once when it is requested, also one that waits.
  ArchiveClient(ArchiveEndpoint endpoint, const PrivateKey& identity, std::stop_token stop = {});
  ~ArchiveClient();

  // POST /v1/enrol. denied: wrong, used or expired code. The answer: {"archive","court","room","name","epoch"}.
  Result<Json> enrol(const EnrolmentCode& code, const PublicKey& key);
  // At most 4,096 digests; the missing ones.
  Result<std::vector<Digest>> have(const LogTarget& log, const std::vector<Digest>& digests);
  // ok: the archive holds it durably on W volumes. corrupt: the bytes do not have this digest. `pace`: see HttpRequest.
  Status put_object(const LogTarget& log, const Digest& digest, std::shared_ptr<ReadableFile> bytes,
                    std::function<Result<std::size_t>(std::size_t)> pace = {});
  Status put_object(const LogTarget& log, const Digest& digest, ByteView bytes);
  // The cosigned checkpoint note, or why not. denied: unknown or revoked key, lower epoch. `shown`: entries further on in the
  // logs that declare lost what was not sent (a replicator's).
  Result<std::variant<std::string, EntriesRefused>> post_entries(const LogTarget& log, std::uint64_t first,
                                                                 const std::vector<std::string>& entries,
                                                                 std::string_view checkpoint_note,
                                                                 const std::vector<ShownEntry>& shown = {});
  // POST …/graft: at an archive that was promoted after the epoch of this log, by the site that wrote it: the log ends with this checkpoint, and
  // comes back. The same answer when it has before. conflict: it is not held there to that end, or further. denied: not this log's site.
  Result<GraftThere> graft(const std::string& origin, std::string_view checkpoint_note);
  // GET …/ahead, POST …/ahead, of a replica. not_found: it is too old to take entries ahead of their objects. no_space: it knows as many as
  // it takes, and still does.
  Result<KnownThere> known_ahead(const LogTarget& log);
  Result<std::variant<KnownThere, AheadRefused>> post_ahead(const LogTarget& log, std::uint64_t first, const std::vector<std::string>& entries,
                                                            std::string_view checkpoint_note);
  // `from`: of a hearing, with the proof that the held log continues its first `from` entries.
  Result<HeldCheckpoint> checkpoint(const LogTarget& log, std::optional<std::uint64_t> from = std::nullopt);
  // The signed note of the archive's own main log. not_found: an archive that is too old to say.
  Result<std::string> main_checkpoint();
  // Proof that its main log of `to` entries continues the one of `from`.
  Result<std::vector<Digest>> main_consistency(std::uint64_t from, std::uint64_t to);
  // GET /v1/epochs/…: the certificate of the newest epoch of that archive that is known there, verbatim and unchecked. not_found: none is.
  Result<std::string> certificate(const std::string& archive);
  // GET /v1/successors: of the archive itself, unchecked. not_found: an archive that is too old to say.
  Result<Successors> successors();
  // POST /v1/echo: the archive is there, has the pinned key, and answers this very question. Its epoch. invalid: it sent back
  // another nonce. not_found: an archive that is too old to say.
  Result<std::uint64_t> echo(std::string_view nonce);
  // Gives cosignatures (a note with them) back to the archive whose log it is.
  // POST /v1/log/main/cosignatures or /v1/hearings/{id}/cosignatures
  Status post_cosignatures(std::optional<HearingId> hearing, std::string_view note);
  // GET …/objects/{sha256}: for repair between sites; hashed as it arrives. `entry`: which one of a main log names it, if known.
  // `within`: unavailable when the bytes are still coming after that, however slowly.
  Result<Bytes> get_object(const LogTarget& log, const Digest& digest, std::optional<std::uint64_t> entry = std::nullopt,
                           std::optional<std::chrono::milliseconds> within = std::nullopt);
  // GET /v1/lost-objects: what that archive has no good replica of, and which hearing names it; at most 4,096 of hearings and
  // as many documents of the main log.
  Result<std::vector<LostThere>> lost_objects();
  // PUT /v1/lost-objects/…: ok: it has them durably again. not_found: it is not lost there.
  Status return_object(const Digest& digest, ByteView bytes);
  // POST {log}/comparison…: question and answer as archive/format/comparison_messages.h writes and reads them. not_found: the comparison
  // is over: begin it again. conflict: the site holds another main log. unavailable: not now.
  Result<std::string> ask_comparison(const LogTarget& log, ComparisonStep step, std::string question);
  // POST /v1/lost-objects: the archive looks for itself, and lists what it has not. How many of them are lost there. unavailable: a
  // volume is missing there.
  Result<std::uint64_t> report_absent(const AbsentObjects& absent);
  // GET …/entries: what another site holds of our log, from `first` on and before `last`, as many as one answer takes. not_found:
  // nothing is held. denied: not our log.
  Result<LogPiece> read_entries(const LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last = std::nullopt);
  // GET /v1/log/from/…/hearings: our hearings there, of one day of UTC as in their ids ("2026-11-22"); sorted.
  Result<std::vector<HearingId>> hearings_of_day(const std::string& origin, const std::string& day);
  // POST /v1/shares: what others share with our courts, as that site holds it, behind what was looked at before. not_found: a site that is too
  // old to say, or keeps no copies.
  Result<SharesTold> shares(const LookedAt& looked_at);
  std::uint64_t server_epoch() const;  // the highest Greffe-Epoch seen in an answer
  std::vector<std::string> nodes() const;  // as the archive told them last, or as they were given

 private:
  std::unique_ptr<ArchiveChannel> channel_;
};

// Public key's SubjectPublicKeyInfo digest as pinned by TLS clients (the 12-byte Ed25519 prefix is fixed).
Digest spki_digest(const PublicKey& key);

}  // namespace greffe::client

#endif
