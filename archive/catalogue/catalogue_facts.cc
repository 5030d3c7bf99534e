// The catalogue's answers about places, keys, stations, scrubbing and the main log.
#include <algorithm>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/catalogue_state.h"
#include "archive/catalogue/hearing_rows.h"
#include "archive/catalogue/schema.h"

namespace greffe::catalogue {

namespace {

// What `read` makes of every row: Result<T> each.
template <class T, class Read>
Result<std::vector<T>> collect(Rows& rows, const Read& read) {
  std::vector<T> out;
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back(GREFFE_TRY(read(rows)));
  }
}

constexpr std::string_view kKeyColumns =
    "k.role, k.name, k.key, k.cosigner, k.court, k.room, k.since_ms, k.entry_index, k.revoked_ms, k.revoked_why";
constexpr int kKeyColumnCount = 10;

Result<KnownKey> read_key(const Rows& rows) {
  KnownKey out;
  out.role = rows.string(0);
  out.name = rows.string(1);
  out.key = GREFFE_TRY(public_key_from_hex(rows.text(2)));
  out.cosigner = rows.string(3);
  out.court = rows.string(4);
  out.room = rows.string(5);
  out.since = rows.utc(6);
  out.entry_index = static_cast<std::uint64_t>(rows.integer(7));
  if (!rows.is_null(8)) out.revoked_since = rows.utc(8);
  out.revoked_why = rows.string(9);
  return out;
}

}  // namespace

Result<std::vector<Court>> Catalogue::places() const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  std::vector<Court> out;
  Rows rows = GREFFE_TRY((*db).query("SELECT court, room, names, zone FROM place ORDER BY court, room"));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    const NamesByLanguage names = GREFFE_TRY(parse_names(rows.text(2)));
    if (out.empty() || out.back().court != rows.text(0)) {
      out.push_back({});
      out.back().court = rows.string(0);
    }
    if (rows.text(1).empty()) {
      out.back().names = names;
      out.back().zone = rows.string(3);
    } else {
      out.back().rooms.push_back({rows.string(1), names});
    }
  }
}

Result<std::vector<KnownKey>> Catalogue::keys(std::string_view role) const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  Rows rows = GREFFE_TRY((*db).query("SELECT " + std::string(kKeyColumns) +
                                         " FROM known_key k WHERE ?1 = '' OR k.role = ?1 ORDER BY k.entry_index",
                                     role));
  return collect<KnownKey>(rows, read_key);
}

Result<std::optional<KnownKey>> Catalogue::key(std::string_view role, const PublicKey& key) const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  Rows rows = GREFFE_TRY((*db).query("SELECT " + std::string(kKeyColumns) +
                                         " FROM known_key k WHERE k.role = ? AND k.key = ?"
                                         " ORDER BY k.entry_index DESC LIMIT 1",
                                     role, key.hex()));
  const bool found = GREFFE_TRY(rows.next());
  std::optional<KnownKey> out;
  if (found) out = GREFFE_TRY(read_key(rows));
  return out;
}

Result<std::vector<StationFacts>> Catalogue::stations() const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  Rows rows = GREFFE_TRY((*db).query(
      "SELECT " + std::string(kKeyColumns) +
      ", (SELECT max(h.checkpoint_ms) FROM hearing h WHERE h.station = k.name),"
      " (SELECT count(*) FROM hearing h WHERE h.station = k.name AND h.closed = 0)"
      " FROM known_key k WHERE k.role = 'station' AND k.entry_index ="
      " (SELECT max(n.entry_index) FROM known_key n WHERE n.role = 'station' AND n.name = k.name) ORDER BY k.name"));
  return collect<StationFacts>(rows, [](const Rows& row) -> Result<StationFacts> {
    StationFacts one;
    one.key = GREFFE_TRY(read_key(row));
    if (!row.is_null(kKeyColumnCount)) one.last_receipt = row.utc(kKeyColumnCount);
    one.open_hearings = static_cast<std::uint64_t>(row.integer(kKeyColumnCount + 1));
    return one;
  });
}

Result<std::optional<ArchiveFacts>> Catalogue::archive_facts() const {
  const ReadPool::Loan loan = GREFFE_TRY(state_->pool.borrow());
  Connection& db = *loan;
  std::optional<ArchiveFacts> out;
  const std::string utc = GREFFE_TRY(meta(db, "genesis_utc"));
  if (utc.empty()) return out;
  out.emplace();
  out->archive = GREFFE_TRY(meta(db, "archive"));
  out->role = GREFFE_TRY(meta(db, "role"));
  const std::string key = GREFFE_TRY(meta(db, "log_key"));
  out->log_key = GREFFE_TRY(public_key_from_hex(key));
  out->holder_vkey = GREFFE_TRY(meta(db, "holder_vkey"));
  out->utc = GREFFE_TRY(parse_utc(utc));
  return out;
}

Result<ScrubFacts> Catalogue::scrub_facts() const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  ScrubFacts out;
  Rows passes = GREFFE_TRY((*db).query("SELECT min(utc_ms), sum(iif(volume = 'logs', 0, objects)), sum(bytes), sum(failures) FROM scrub"));
  GREFFE_TRY(passes.next());
  if (!passes.is_null(0)) out.utc = passes.utc(0);
  out.objects = static_cast<std::uint64_t>(passes.integer(1));
  out.bytes = static_cast<std::uint64_t>(passes.integer(2));
  out.failures = static_cast<std::uint64_t>(passes.integer(3));
  Rows findings = GREFFE_TRY((*db).query("SELECT count(*), min(utc_ms) FROM open_finding"));
  GREFFE_TRY(findings.next());
  out.open_findings = static_cast<std::uint64_t>(findings.integer(0));
  if (!findings.is_null(1)) out.open_since = findings.utc(1);
  return out;
}

Result<std::vector<OpenFinding>> Catalogue::open_findings(std::size_t limit) const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  std::vector<OpenFinding> out;
  Rows rows = GREFFE_TRY((*db).query("SELECT volume, key FROM open_finding ORDER BY utc_ms, volume, key LIMIT ?", limit));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back({rows.string(0), rows.string(1)});
  }
}

namespace {

constexpr std::int64_t kAnyIndex = INT64_MAX;

Status append_indices(Rows& rows, std::vector<std::uint64_t>& out) {
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return ok();
    out.push_back(static_cast<std::uint64_t>(rows.integer(0)));
  }
}

}  // namespace

Result<std::vector<std::uint64_t>> Catalogue::entries(const EntryQuery& query) const {
  if (query.kind.empty() && !query.hearing) {
    return fail(Errc::invalid, "entries are looked up by kind or by hearing; without either, read the log itself");
  }
  const ReadPool::Loan loan = GREFFE_TRY(state_->pool.borrow());
  Connection& db = *loan;
  const std::int64_t before = query.before ? static_cast<std::int64_t>(std::min<std::uint64_t>(*query.before, kAnyIndex))
                                           : kAnyIndex;
  const std::string hearing = query.hearing ? query.hearing->text() : "";
  std::vector<std::uint64_t> out;
  if (query.kind.empty() || query.kind == "hearing-checkpoint") {
    Rows rows = GREFFE_TRY(
        hearing.empty() ? db.query("SELECT checkpoint_index FROM hearing WHERE checkpoint_index < ?"
                                   " ORDER BY checkpoint_index DESC LIMIT ?", before, query.limit)
                        : db.query("SELECT checkpoint_index FROM hearing WHERE checkpoint_index < ? AND id = ?"
                                   " LIMIT 1", before, hearing));
    GREFFE_TRY(append_indices(rows, out));
  }
  if (query.kind != "hearing-checkpoint") {
    Rows rows = GREFFE_TRY(
        hearing.empty() ? db.query("SELECT entry_index FROM main_entry WHERE kind = ? AND entry_index < ?"
                                   " ORDER BY entry_index DESC LIMIT ?", query.kind, before, query.limit)
                        : db.query("SELECT entry_index FROM main_entry WHERE hearing = ?1 AND entry_index < ?2"
                                   " AND (?3 = '' OR kind = ?3) ORDER BY entry_index DESC LIMIT ?4",
                                   hearing, before, query.kind, query.limit));
    GREFFE_TRY(append_indices(rows, out));
  }
  std::sort(out.rbegin(), out.rend());
  if (out.size() > query.limit) out.resize(query.limit);
  return out;
}

Result<Applied> Catalogue::applied() const {
  const ReadPool::Loan loan = GREFFE_TRY(state_->pool.borrow());
  const std::string size = GREFFE_TRY(meta(*loan, "applied_size"));
  const std::string root = GREFFE_TRY(meta(*loan, "applied_root"));
  Applied out;
  out.size = GREFFE_TRY(parse_decimal(size));
  out.root = GREFFE_TRY(digest_from_hex(root));
  return out;
}

Result<std::vector<Problem>> Catalogue::problems(std::size_t limit) const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  Rows rows = GREFFE_TRY((*db).query("SELECT entry_index, message FROM problem ORDER BY entry_index DESC, number LIMIT ?",
                                     limit));
  return collect<Problem>(rows, [](const Rows& row) -> Result<Problem> {
    return Problem{static_cast<std::uint64_t>(row.integer(0)), row.string(1)};
  });
}

}  // namespace greffe::catalogue
