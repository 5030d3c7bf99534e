// The entries of hearing logs and of the main log. Typed where code needs the fields, otherwise Json. Pure.
// Bytes are kept verbatim and never re-serialised to verify. See docs/formats/hearing-log.md and main-log.md.
#ifndef GREFFE_ARCHIVE_FORMAT_ENTRIES_H
#define GREFFE_ARCHIVE_FORMAT_ENTRIES_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"
#include "archive/format/promotion.h"
#include "archive/format/signed_note.h"

namespace greffe {

// ---- hearing log -------------------------------------------------------------------------------------------------

struct ExpectedStream {
  std::string name;    // "cam-bench", "mic-judge"
  std::string medium;  // "video" or "audio"
  std::string source;  // "room", "remote", "screen", "file"
};

// Index 0 of every hearing log: binds the log to one station key.
struct OpenEntry {
  std::string archive;  // the archive's name; origin = hearing_origin(archive, hearing)
  HearingId hearing;
  std::string station;
  PublicKey station_key;
  std::string court;
  std::string room;
  std::vector<ExpectedStream> streams;
  Digest details;  // details_sha256
  // "Not before": the newest main-log checkpoint that the station had seen. Size 0 when it has seen none.
  std::uint64_t main_size = 0;
  Digest main_root;
  std::optional<HearingId> continues;
  std::string recovered_from;   // the broken station whose disk this was taken from; empty: none
  UtcTime start;  // "utc"
  std::string boot;
  std::int64_t mono_ms = 0;
};

struct ClockState {
  std::string state;  // "locked", "holdover", "free"; an import states "import"
  std::int64_t error_ms = 0;
};

struct SegmentEntry {
  std::string stream;
  std::uint64_t seq = 0;  // of the stream, 0, 1, 2 … over all runs
  std::uint64_t run = 0;  // of the stream, 0, 1, 2 …
  Digest sha256;
  std::uint64_t bytes = 0;
  std::uint64_t init_bytes = 0;  // length of ftyp + moov
  std::int64_t start_90k = 0;    // tfdt in 1/90000 s; a run starts one second after the run before it ends
  std::int64_t duration_90k = 0;
  std::string codecs;            // RFC 6381, for example "avc1.64001f"
  UtcTime utc;                   // wall clock of the first sample
  std::string boot;
  std::int64_t mono_ms = 0;
  ClockState clock;
  // "recovered": cut at its last whole fragment after a crash; "no-key-frame": cannot be decoded on its own;
  // "transcoded": PCM or G.711 stored as FLAC.
  std::vector<std::string> flags;
};

// What is imported has no monotonic clock: the hearing's own time stands for it, under this name of a boot.
constexpr const char* kImportBoot = "import";

struct GapEntry {
  std::vector<std::string> streams;  // {"*"}: all
  UtcTime from;
  UtcTime to;
  std::string boot;
  std::string to_boot;  // when a restart lies in the gap: the boot that the second number belongs to; else empty
  std::array<std::int64_t, 2> mono_ms{};
  std::string reason;  // one of kGapReasons
  std::string person;  // account or empty
  std::optional<Digest> note;  // note_sha256: a document object
};
extern const std::vector<std::string_view> kGapReasons;  // DESIGN section 4, closed list
bool is_excused(std::string_view reason);                // recess, closed-evidence, mediation

// What a person filed later about a gap that nothing explained. It excuses nothing: only the reason of the gap does.
struct ExplanationEntry {
  std::uint64_t gap = 0;  // index of the `gap` entry in this log
  Digest note;            // note_sha256: a document object {"kind":"explanation","text":…,"salt":…}
  std::string person;     // account or empty
  std::string reason;     // one of kGapReasons, or empty
};

struct MarkEntry {
  UtcTime at;
  std::string stream;  // empty: the hearing as a whole
  Digest note;         // note_sha256: a document object {"kind":"mark","text":…,"salt":…}
  std::string person;
};
struct CorrectionEntry {  // kind "details": what the hearing is about was chosen wrongly; from here on it is this
  Digest details;      // details_sha256; the document of before stays
  UtcTime utc;
  std::string person;  // account or empty
};
struct StreamEntry {  // a stream that joins late
  ExpectedStream stream;
};
struct PeaksEntry {  // level peaks of one stream and ten minutes, ten a second, one byte each
  std::string stream;
  UtcTime utc;
  std::uint64_t count = 0;
  Digest sha256;
};
struct LostEntry {  // objects that can no longer be delivered
  std::vector<Digest> objects;  // written as "objects":[{"sha256":…}]
  std::string reason;
};
struct StreamTotal {
  std::string stream;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::int64_t duration_90k = 0;
};
struct CloseEntry {
  UtcTime end;  // "utc"
  std::string boot;
  std::int64_t mono_ms = 0;
  std::vector<StreamTotal> totals;
};
struct UnknownEntry {  // a kind or version of the future: reported, never ignored
  std::string kind;
  std::int64_t version = 0;
};

using HearingEntry = std::variant<OpenEntry, SegmentEntry, GapEntry, ExplanationEntry, MarkEntry, CorrectionEntry, StreamEntry,
                                  PeaksEntry, LostEntry, CloseEntry, UnknownEntry>;

std::string write_hearing_entry(const HearingEntry& entry);  // canonical; never an UnknownEntry
// invalid with the field: canonical JSON, but not of this shape. Fields of the future are allowed and kept in the
// bytes. An unknown "kind" or "v" is an UnknownEntry.
Result<HearingEntry> parse_hearing_entry(std::string_view bytes);

// ---- main log ----------------------------------------------------------------------------------------------------

struct GenesisEntry {  // index 0 of the first epoch
  std::string archive;
  PublicKey log_key;
  std::string role;  // "primary" or "replica"
  VerifierKey holder;  // the archive as holder of hearing logs (cosignature)
  UtcTime utc;
};
struct KeyEntry {
  std::string action;  // "added", "renewed", "revoked"
  std::string role;    // "station", "cosigner", "officer", "replicator", "origin"
  std::string name;
  PublicKey key;
  std::string cosigner;  // role cosigner: the full vkey text; else empty
  std::string court;     // role station
  std::string room;      // role station
  std::string why;       // revoked: "retired" or "stolen"
  UtcTime since;
  UtcTime utc;
};
struct PlaceEntry {  // kind "place": display names of a court or a courtroom (an object, so that it can be corrected)
  std::string court;
  std::string room;  // empty: the court itself
  Digest names;      // names_sha256: document {"names":{"en":…,"fr":…,"zh":…},"salt":…}
  std::string zone;  // IANA time zone of the court; empty for a room
  UtcTime utc;
};
// A hearing with more entries that say something beside its totals is read whole: it is rare, and an entry stays short.
inline constexpr std::size_t kMaxBeside = 1000;
struct HearingCheckpointEntry {
  HearingId hearing;
  std::string note;  // the station's signed note, verbatim
  bool closed = false;
  std::vector<std::uint64_t> beside;  // of a finished hearing, see finished_hearing.h: ascending, from 0; empty: not said
  UtcTime utc;
};
struct DetailsEntry {  // a correction: the newest document counts, the old ones stay
  HearingId hearing;
  Digest details;
  Digest reason;  // reason_sha256: document {"text":…,"salt":…}
  std::string account;
  UtcTime utc;
};
struct MarkAddedEntry {  // kind "mark": a mark made in the archive
  HearingId hearing;
  UtcTime at;
  std::string stream;
  Digest note;
  std::string account;
  UtcTime utc;
};
struct AccessEntry {  // one per play session or export; the account is a pseudonym
  HearingId hearing;
  std::string account;
  std::string purpose;  // "play" or "export"
  std::string session;  // random
  UtcTime utc;
};
struct PassResults {  // of a pass over a volume
  UtcTime began;
  std::optional<std::int64_t> oldest_ms;  // the longest that a replica had not been read when the pass came to it, at most
  Digest root;                            // of the tree whose leaves are the results, see docs/formats/main-log.md
};
struct ScrubEntry {  // a pass over a volume, or one finding and what was done about it
  std::string finding;  // "pass", "missing", "damaged"
  std::string volume;   // "logs" for a pass over all logs
  std::string key;      // of the object or log file; empty for a pass
  std::string action;   // "repaired", "not-repaired"; empty for a pass
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t failures = 0;
  std::optional<PassResults> results;  // of a pass; passes before they were recorded have none
  UtcTime utc;
};
struct ExportEntry {
  HearingId hearing;
  std::string account;
  Digest root;  // of the exported hearing log
  std::uint64_t size = 0;
  UtcTime utc;
};
struct AccountEntry {  // a change of accounts; the snapshot is an object that is never served
  Digest snapshot;     // snapshot_sha256
  UtcTime utc;
};
struct MainLostEntry {
  std::optional<HearingId> hearing;    // none: documents that only the main log names
  std::vector<Digest> objects;
  std::vector<std::string> officers;   // names, those who ordered it
  std::vector<Signature> signatures;   // of each of them, over lost_statement (lost_declarations.h); empty: excuses nothing
  UtcTime utc;
};

struct DrillEntry {            // a rehearsal of the worst (drill.h), in the log of the site that rehearsed
  std::string archive;         // whose copy
  std::uint64_t size = 0;      // of that archive's main log, as it was held
  Digest root;
  std::uint64_t objects = 0;   // read from the media and hashed
  std::uint64_t failures = 0;  // 0: all was as the logs say
  std::int64_t seconds = 0;    // it took
  Digest report;               // report_sha256: a DrillReport
  UtcTime utc;
};
struct GraftedHearing {
  HearingId hearing;
  std::uint64_t size = 0;  // of its log where it came back
  Digest root;
};
// What an epoch had behind the state that its successor goes on from, and that came back later: it is part of the archive from here on.
struct GraftEntry {
  Checkpoint end;                        // of the old epoch's log, "origin", "size" and "root": held here that far
  std::vector<GraftedHearing> hearings;  // whose logs were longer there; none twice
  UtcTime utc;
};
// A hearing that another court may see, without a copy of a byte; in the logs of both.
struct ShareEntry {
  std::string action;          // "granted" or "revoked"
  std::string archive;         // that has the hearing
  HearingId hearing;
  std::string court;           // whose people may see it, "<archive>/<court>" where it is one of another archive
  std::optional<UtcTime> until;
  Digest reason;               // reason_sha256: document {"text":…,"salt":…}
  std::string account;
  UtcTime utc;
};

using MainEntry = std::variant<GenesisEntry, KeyEntry, PlaceEntry, HearingCheckpointEntry, DetailsEntry, MarkAddedEntry,
                               AccessEntry, ScrubEntry, ExportEntry, AccountEntry, MainLostEntry, PromotionEntry, DrillEntry, GraftEntry,
                               ShareEntry, UnknownEntry>;
std::string write_main_entry(const MainEntry& entry);
Result<MainEntry> parse_main_entry(std::string_view bytes);  // as parse_hearing_entry

}  // namespace greffe

#endif
