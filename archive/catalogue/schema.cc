#include "archive/catalogue/schema.h"

namespace greffe::catalogue {

namespace {

// Times are UTC milliseconds; digests and keys lower-case hex; JSON is canonical.
constexpr const char* kSchema = R"sql(
CREATE TABLE meta(              -- applied_size, applied_root; what genesis said
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE hearing(
  row                 INTEGER PRIMARY KEY,   -- schema.h: first_row_at
  id                  TEXT NOT NULL UNIQUE,
  court               TEXT NOT NULL,
  room                TEXT NOT NULL,
  station             TEXT NOT NULL,
  station_key         TEXT NOT NULL,
  details_sha256      TEXT NOT NULL,         -- of the newest document
  details             TEXT NOT NULL,         -- that document without its salt; empty: lost
  start_ms            INTEGER NOT NULL,
  end_ms              INTEGER,               -- of a closed hearing
  newest_ms           INTEGER NOT NULL,      -- end of the newest segment or gap; of a closed hearing its end
  streams             TEXT NOT NULL,         -- JSON: name, medium, source, segments, bytes, duration_90k
  closed              INTEGER NOT NULL,
  gap_count           INTEGER NOT NULL,
  unexcused_gap_count INTEGER NOT NULL,
  continues           TEXT,                  -- id of an earlier hearing
  origin              TEXT NOT NULL,
  log_size            INTEGER NOT NULL,      -- entries of the hearing log that this row counts
  log_root            TEXT NOT NULL,
  checkpoint_index    INTEGER NOT NULL,      -- main-log index of the newest hearing-checkpoint
  checkpoint_ms       INTEGER NOT NULL       -- its utc
);
CREATE INDEX hearing_by_place      ON hearing(court, room);
CREATE INDEX hearing_by_checkpoint ON hearing(checkpoint_index);
CREATE INDEX hearing_by_station    ON hearing(station, checkpoint_ms);
CREATE INDEX hearing_open          ON hearing(station) WHERE closed = 0;
CREATE INDEX hearing_by_continues  ON hearing(continues) WHERE continues IS NOT NULL;

CREATE TABLE case_key(          -- of the newest details and of all that were corrected
  key     TEXT NOT NULL,
  hearing INTEGER NOT NULL,
  PRIMARY KEY(key, hearing)
) WITHOUT ROWID;

CREATE TABLE details_version(   -- details_versions.h; of hearings that were corrected
  hearing        INTEGER NOT NULL,
  from_archive   INTEGER NOT NULL,
  entry_index    INTEGER NOT NULL,           -- in the main log, or in the hearing's own
  utc_ms         INTEGER NOT NULL,
  counts_from_ms INTEGER NOT NULL,
  account        TEXT NOT NULL,
  reason         TEXT NOT NULL,
  details        TEXT NOT NULL,
  details_sha256 TEXT NOT NULL,
  PRIMARY KEY(hearing, from_archive, entry_index)
) WITHOUT ROWID;

CREATE TABLE mark(
  hearing      INTEGER NOT NULL,
  at_ms        INTEGER NOT NULL,
  id           TEXT NOT NULL,
  stream       TEXT NOT NULL,
  text         TEXT NOT NULL,
  folded       TEXT NOT NULL,                -- text as search_text.h fold() gives it
  account      TEXT NOT NULL,
  from_archive INTEGER NOT NULL,
  PRIMARY KEY(hearing, at_ms, id)
) WITHOUT ROWID;

CREATE TABLE lost(
  hearing INTEGER NOT NULL,
  sha256  TEXT NOT NULL,
  PRIMARY KEY(hearing, sha256)
) WITHOUT ROWID;

CREATE TABLE share(             -- the newest grant of a hearing to each court
  hearing         INTEGER NOT NULL,
  court           TEXT NOT NULL,             -- of this archive, or <archive>/<court>
  entry_index     INTEGER NOT NULL,          -- of the grant
  utc_ms          INTEGER NOT NULL,
  until_ms        INTEGER,
  account         TEXT NOT NULL,
  reason          TEXT NOT NULL,
  revoked_index   INTEGER,                   -- of the entry that ended it
  revoked_ms      INTEGER,
  revoked_account TEXT NOT NULL,
  revoked_reason  TEXT NOT NULL,
  PRIMARY KEY(hearing, court)
) WITHOUT ROWID;

CREATE TABLE place(
  court       TEXT NOT NULL,
  room        TEXT NOT NULL,                 -- empty: the court itself
  names       TEXT NOT NULL,                 -- JSON: language -> name
  zone        TEXT NOT NULL,
  entry_index INTEGER NOT NULL,
  PRIMARY KEY(court, room)
) WITHOUT ROWID;

CREATE TABLE known_key(
  entry_index INTEGER PRIMARY KEY,           -- of the entry that added or renewed it
  role        TEXT NOT NULL,
  name        TEXT NOT NULL,
  key         TEXT NOT NULL,
  cosigner    TEXT NOT NULL,
  court       TEXT NOT NULL,
  room        TEXT NOT NULL,
  since_ms    INTEGER NOT NULL,
  revoked_ms  INTEGER,
  revoked_why TEXT NOT NULL
);
CREATE INDEX known_key_by_key ON known_key(role, key);

CREATE TABLE main_entry(        -- all but hearing-checkpoint, of which hearing.checkpoint_index names the newest
  entry_index INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  hearing     TEXT                           -- id
);
CREATE INDEX main_entry_by_kind    ON main_entry(kind, entry_index);
CREATE INDEX main_entry_by_hearing ON main_entry(hearing, entry_index) WHERE hearing IS NOT NULL;

CREATE TABLE scrub(             -- the newest pass of each volume, and of the logs
  volume   TEXT PRIMARY KEY,
  utc_ms   INTEGER NOT NULL,
  objects  INTEGER NOT NULL,
  bytes    INTEGER NOT NULL,
  failures INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE open_finding(      -- a copy that is missing or damaged and was not repaired so far
  volume TEXT NOT NULL,
  key    TEXT NOT NULL,                      -- of the object or log file
  utc_ms INTEGER NOT NULL,                   -- when it was found first
  PRIMARY KEY(volume, key)
) WITHOUT ROWID;

CREATE TABLE problem(           -- entries that could not be understood
  entry_index INTEGER NOT NULL,
  number      INTEGER NOT NULL,              -- within the entry
  message     TEXT NOT NULL,
  PRIMARY KEY(entry_index, number)
) WITHOUT ROWID;

CREATE TABLE search_text(       -- normalised; one line a value
  row     INTEGER PRIMARY KEY,
  cases   TEXT NOT NULL,                     -- as given and as key
  parties TEXT NOT NULL,
  judges  TEXT NOT NULL,
  place   TEXT NOT NULL,                     -- names of court and room in every language
  other   TEXT NOT NULL,                     -- title, clerk
  marks   TEXT NOT NULL,
  scope   TEXT NOT NULL                      -- query.h: scope_word
);
CREATE VIRTUAL TABLE search_index USING fts5(cases, parties, judges, place, other, marks, scope,
  content='search_text', content_rowid='row', tokenize='greffe', columnsize=0, prefix='1 2 3');
)sql";

}  // namespace

Status create_schema(Connection& db) {
  Transaction transaction = GREFFE_TRY(Transaction::begin(db));
  GREFFE_TRY(db.script(kSchema));
  GREFFE_TRY(db.script("PRAGMA user_version=" + std::to_string(kSchemaVersion)));
  return transaction.commit();
}

const std::vector<Table>& dumped_tables() {
  static const std::vector<Table> kTables = {
      {"meta", "name"},
      {"hearing", "row"},
      {"case_key", "key, hearing"},
      {"details_version", "hearing, from_archive, entry_index"},
      {"mark", "hearing, at_ms, id"},
      {"lost", "hearing, sha256"},
      {"share", "hearing, court"},
      {"place", "court, room"},
      {"known_key", "entry_index"},
      {"main_entry", "entry_index"},
      {"scrub", "volume"},
      {"open_finding", "volume, key"},
      {"problem", "entry_index, number"},
      {"search_text", "row"},
  };
  return kTables;
}

Result<std::string> meta(Connection& db, std::string_view name) {
  Rows rows = GREFFE_TRY(db.query("SELECT value FROM meta WHERE name = ?", name));
  const bool found = GREFFE_TRY(rows.next());
  return found ? rows.string(0) : std::string();
}

Status set_meta(Connection& db, std::string_view name, std::string_view value) {
  return db.run("INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
                name, value);
}

}  // namespace greffe::catalogue
