// The catalogue's read side: answers what clerks, auditors and the status page ask. Everything in it is derived from
// the main log, the hearing logs and the documents they name; it is a cache, never an authority, and can be deleted.
// Thread-safe: every question takes one of a few read connections and gives it back; readers never wait for the
// builder. Any method can return corrupt (the file is damaged: rebuild it), io_error or unavailable.
#ifndef GREFFE_ARCHIVE_CATALOGUE_CATALOGUE_H
#define GREFFE_ARCHIVE_CATALOGUE_CATALOGUE_H

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/result.h"
#include "archive/format/digest.h"
#include "archive/format/documents.h"
#include "archive/format/ed25519.h"
#include "archive/format/names.h"

namespace greffe::catalogue {

using NamesByLanguage = std::map<std::string, std::string>;  // "en", "fr", "zh" -> display name

// The courts whose hearings a person may see. The filter acts inside every query, so that neither counts nor pages
// tell anything about other courts.
struct CourtSet {
  bool all = false;
  std::vector<std::string> names;
  // The same courts as `share` entries here name them, "<archive>/*" for all of one archive: what is shared with them is seen too.
  std::vector<std::string> guests = {};
  UtcTime now = {};  // at which a share that ends is judged
  static CourtSet everything() { return {true, {}}; }
  bool contains(std::string_view court) const;
  bool is_guest(std::string_view court) const;
};
std::string every_court_beside(std::string_view court);  // "<archive>/*" of "<archive>/<court>"; empty of a court without an archive

// By which share somebody sees a hearing that is in no court of theirs.
struct SharedWith {
  std::string court;             // theirs, as the entry names it
  std::optional<UtcTime> until;  // the latest of those that hold
};

// ---- finding hearings --------------------------------------------------------------------------------------------

constexpr std::size_t kMaxQueryCharacters = 400;
constexpr std::size_t kMaxPageRows = 200;

struct HearingQuery {
  std::string text;   // as typed: words, parts of case numbers, anything; never an error because of its syntax
  std::string court;  // codes; empty: any
  std::string room;
  std::string judge;  // text, searched among the judges only
  std::optional<UtcTime> from;  // hearings that start at or after, whole seconds
  std::optional<UtcTime> to;    // hearings that start before, whole seconds
  std::optional<bool> closed;
  bool with_gaps = false;
  std::size_t limit = 50;          // 1 to kMaxPageRows
  std::string cursor;              // next_cursor of the page before; empty: the first page
  std::uint64_t count_limit = 1000;  // hits are counted exactly up to here
};

struct StreamFacts {
  std::string name;
  std::string medium;
  std::string source;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::int64_t duration_90k = 0;  // sum over its segments
};

struct MarkMatch {
  UtcTime at;
  std::string text;
};

struct HearingRow {
  HearingId id;
  std::string court;
  std::string room;
  NamesByLanguage court_names;  // empty when the archive was never told
  NamesByLanguage room_names;
  std::string zone;             // IANA zone of the court, or empty
  std::string station;
  Details details;              // the newest; empty when its document is lost. scheduled.ms == 0: not known
  UtcTime start;
  std::optional<UtcTime> end;   // of a closed hearing
  std::int64_t duration_ms = 0;  // from start to end, or to the newest thing filed
  std::vector<StreamFacts> streams;
  bool closed = false;
  std::uint64_t gap_count = 0;
  std::uint64_t unexcused_gap_count = 0;
  std::optional<HearingId> continues;
  std::vector<MarkMatch> mark_matches;  // marks in which a word of the query was found; at most 5
  std::optional<SharedWith> shared;  // nothing: seen by a right of one's own
  std::string cursor;  // of a row of a page: where a page that ends with it goes on
};

struct HearingPage {
  std::vector<HearingRow> hearings;  // exact case-number hits first, then newest start first
  std::optional<std::string> next_cursor;
  std::uint64_t count = 0;  // of all pages
  bool count_is_exact = true;  // false: there are more than `count`
};

// ---- one hearing -------------------------------------------------------------------------------------------------

struct Correction {  // one `details` entry of the main log, or of the hearing's own
  bool from_archive = false;
  std::uint64_t entry_index = 0;  // in that log
  UtcTime utc;
  std::string account;      // archive: pseudonym; room: what the station wrote, or nothing
  std::string reason;       // archive; empty when its document is lost
  Details before;
  std::string before_json;  // canonical JSON without the salt
  Digest before_sha256;
  Digest after_sha256;
};

struct Mark {
  std::string id;      // "room-<index in the hearing log>" or "archive-<index in the main log>"
  UtcTime at;
  std::string stream;  // empty: the hearing as a whole
  std::string text;    // empty when its document is lost
  std::string account;  // room: what the station wrote; archive: pseudonym
  bool from_archive = false;
};

struct HearingRecord {
  HearingRow row;
  std::string details_json;  // canonical JSON of the newest details without the salt; "{}" when lost
  Digest details_sha256;
  std::vector<Correction> corrections;  // oldest first
  std::string origin;
  std::uint64_t log_size = 0;  // of the newest checkpoint that the main log holds; the live log may be ahead
  Digest log_root;
  std::uint64_t checkpoint_index = 0;  // main-log index of that hearing-checkpoint entry
  UtcTime checkpoint_utc;
  PublicKey station_key;
  std::optional<std::uint64_t> key_index;  // main-log index of the entry that enrolled the station's key
  std::vector<Digest> lost_objects;        // sorted
};

// One of the hearings that go on from one another: an adjourned hearing is continued as a new one, weeks later or in another room.
struct Sitting {
  // Nothing: it is in a court that the person may not see, or the archive does not hold it (the two cannot be told apart).
  std::optional<HearingRow> row;
};

constexpr std::size_t kMaxSittings = 200;

// The newest grant of a hearing to one court (`share` entries), and how it was ended, if it was.
struct Share {
  HearingId hearing;
  std::string court;   // of this archive, or "<archive>/<court>"
  std::uint64_t entry_index = 0;
  UtcTime utc;
  std::optional<UtcTime> until;
  std::string account;  // pseudonym
  std::string reason;   // empty when its document is lost
  struct Revocation {
    std::uint64_t entry_index = 0;
    UtcTime utc;
    std::string account;
    std::string reason;
  };
  std::optional<Revocation> revoked;
  bool holds_at(UtcTime now) const { return !revoked && (!until || now < *until); }
};
constexpr std::size_t kMaxShares = 1000;

// ---- places, keys, status ----------------------------------------------------------------------------------------

struct Room {
  std::string room;
  NamesByLanguage names;
};
struct Court {
  std::string court;
  NamesByLanguage names;
  std::string zone;
  std::vector<Room> rooms;  // by code
};

struct KnownKey {  // one public key under one name and role
  std::string role;  // "station", "cosigner", "officer", "replicator", "origin"
  std::string name;
  PublicKey key;
  std::string cosigner;  // role cosigner: the vkey
  std::string court;     // role station
  std::string room;
  UtcTime since;
  std::uint64_t entry_index = 0;  // of the entry that added or renewed it
  std::optional<UtcTime> revoked_since;
  std::string revoked_why;  // "retired" or "stolen"
};

struct StationFacts {  // the newest key of each station, with what it filed
  KnownKey key;
  std::optional<UtcTime> last_receipt;  // newest hearing-checkpoint entry of one of its hearings
  std::uint64_t open_hearings = 0;
};

struct ArchiveFacts {  // from `genesis`
  std::string archive;
  std::string role;
  PublicKey log_key;
  std::string holder_vkey;
  UtcTime utc;
};

struct ScrubFacts {
  std::optional<UtcTime> utc;  // the oldest of the newest passes over each volume; nullopt: no pass was finished yet
  std::uint64_t objects = 0;   // of those passes, added up
  std::uint64_t bytes = 0;
  std::uint64_t failures = 0;
  std::uint64_t open_findings = 0;    // copies found missing or damaged that were not repaired so far
  std::optional<UtcTime> open_since;  // the first of them
};

// A copy found missing or damaged that was not repaired so far.
struct OpenFinding {
  std::string volume;
  std::string key;  // of the object or log file
};

struct EntryQuery {
  std::string kind;                     // empty: any
  std::optional<HearingId> hearing;
  std::optional<std::uint64_t> before;  // indices below this one
  std::size_t limit = 50;
};

struct Applied {  // the state of the main log that the catalogue stands for
  std::uint64_t size = 0;
  Digest root;
};

struct Problem {  // an entry that could not be understood; it is skipped, never silently
  std::uint64_t entry_index = 0;
  std::string message;
};

class Catalogue {
 public:
  // not_found: no such file. corrupt: not a catalogue of this version. At most `connections` questions run at once.
  static Result<Catalogue> open(std::string path, unsigned connections = 4);
  Catalogue(Catalogue&&) noexcept;
  Catalogue& operator=(Catalogue&&) noexcept;
  ~Catalogue();

  // After another file was swapped in under the same path: later questions are answered by the new one.
  void reopen();

  // invalid: a cursor that is not ours, limit out of range, text over kMaxQueryCharacters or not UTF-8. A query of
  // nothing but punctuation has no hits; an empty text means "no text filter".
  Result<HearingPage> find(const HearingQuery& query, const CourtSet& courts) const;

  // not_found: unknown, or in a court that is not in `courts` and not shared with one that is (the two cannot be told apart).
  Result<HearingRecord> hearing(const HearingId& id, const CourtSet& courts) const;
  Result<std::vector<Mark>> marks(const HearingId& id, const CourtSet& courts) const;  // by time
  // Every hearing that this one goes on from and that goes on from it, near or far, itself among them, by start; those
  // that may not be seen stand where they belong and tell nothing else. At most kMaxSittings.
  Result<std::vector<Sitting>> sittings(const HearingId& id, const CourtSet& courts) const;
  // Of one hearing, or of all; the newest grant first, whoever asks.
  Result<std::vector<Share>> shares(const std::optional<HearingId>& hearing, std::size_t limit = kMaxShares) const;
  // Ids of hearings without a `close`, oldest start first.
  Result<std::vector<HearingId>> open_hearings(const CourtSet& courts) const;

  Result<std::vector<Court>> places() const;                              // every court, by code
  Result<std::vector<KnownKey>> keys(std::string_view role = {}) const;   // in log order; revoked ones too
  Result<std::optional<KnownKey>> key(std::string_view role, const PublicKey& key) const;
  Result<std::vector<StationFacts>> stations() const;                     // by name
  Result<std::optional<ArchiveFacts>> archive_facts() const;              // nullopt: the main log is empty
  Result<ScrubFacts> scrub_facts() const;
  Result<std::vector<OpenFinding>> open_findings(std::size_t limit) const;  // the oldest ones first

  // Indices of main-log entries, newest first. Of `hearing-checkpoint` entries only the newest of each hearing is known
  // here (a busy province makes millions a day). invalid: neither kind nor hearing is given: read the log itself.
  Result<std::vector<std::uint64_t>> entries(const EntryQuery& query) const;

  Result<Applied> applied() const;
  Result<std::vector<Problem>> problems(std::size_t limit = 100) const;  // newest first

 private:
  struct State;
  explicit Catalogue(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace greffe::catalogue

#endif
