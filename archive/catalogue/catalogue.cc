#include "archive/catalogue/catalogue.h"

#include <algorithm>

#include "archive/catalogue/details_versions.h"
#include "archive/catalogue/hearing_rows.h"
#include "archive/catalogue/hearing_search.h"
#include "archive/catalogue/catalogue_state.h"
#include "archive/catalogue/schema.h"
#include "archive/catalogue/visibility.h"

namespace greffe::catalogue {

Catalogue::Catalogue(std::unique_ptr<State> state) : state_(std::move(state)) {}
Catalogue::Catalogue(Catalogue&&) noexcept = default;
Catalogue& Catalogue::operator=(Catalogue&&) noexcept = default;
Catalogue::~Catalogue() = default;

Result<Catalogue> Catalogue::open(std::string path, unsigned connections) {
  auto state = std::make_unique<State>(std::move(path), std::max(1U, connections));
  GREFFE_TRY(state->pool.borrow());
  return Catalogue(std::move(state));
}

void Catalogue::reopen() { state_->pool.reopen(); }

Result<HearingPage> Catalogue::find(const HearingQuery& query, const CourtSet& courts) const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  return search_hearings(*db, query, courts);
}

namespace {

Error no_such_hearing(const HearingId& id) {
  return fail(Errc::not_found, "there is no hearing " + id.text() + " in the courts that you may see");
}

Result<std::vector<Correction>> corrections_of(Connection& db, std::int64_t hearing) {
  std::vector<Correction> out;
  const std::vector<DetailsVersion> versions = GREFFE_TRY(details_versions(db, hearing));
  for (std::size_t i = 1; i < versions.size(); ++i) {
    const DetailsVersion& before = versions[i - 1];
    Correction one;
    one.from_archive = versions[i].from_archive;
    one.entry_index = versions[i].entry_index;
    one.utc = versions[i].utc;
    one.account = versions[i].account;
    one.reason = versions[i].reason;
    one.before = GREFFE_TRY(parse_kept_details(before.details));
    one.before_json = before.details.empty() ? "{}" : before.details;
    one.before_sha256 = GREFFE_TRY(digest_from_hex(before.details_sha256));
    one.after_sha256 = GREFFE_TRY(digest_from_hex(versions[i].details_sha256));
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<Digest>> lost_objects_of(Connection& db, std::int64_t hearing) {
  std::vector<Digest> out;
  Rows rows = GREFFE_TRY(db.query("SELECT sha256 FROM lost WHERE hearing = ? ORDER BY sha256", hearing));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back(GREFFE_TRY(digest_from_hex(rows.text(0))));
  }
}

Result<std::optional<std::uint64_t>> enrolment_of(Connection& db, std::string_view station_key) {
  Rows rows = GREFFE_TRY(db.query(
      "SELECT entry_index FROM known_key WHERE role = 'station' AND key = ? ORDER BY entry_index DESC LIMIT 1",
      station_key));
  const bool found = GREFFE_TRY(rows.next());
  std::optional<std::uint64_t> index;
  if (found) index = static_cast<std::uint64_t>(rows.integer(0));
  return index;
}

}  // namespace

Result<HearingRecord> Catalogue::hearing(const HearingId& id, const CourtSet& courts) const {
  const ReadPool::Loan loan = GREFFE_TRY(state_->pool.borrow());
  Connection& db = *loan;
  Rows rows = GREFFE_TRY(db.query("SELECT " + std::string(kRowColumns) +
                                      ", h.details_sha256, h.origin, h.log_size, h.log_root, h.checkpoint_index,"
                                      " h.checkpoint_ms, h.station_key FROM hearing h WHERE h.id = ?",
                                  id.text()));
  const bool found = GREFFE_TRY(rows.next());
  if (!found) return no_such_hearing(id);
  const std::optional<Seen> right = GREFFE_TRY(seen(db, courts, rows.integer(0), rows.text(2)));
  if (!right) return no_such_hearing(id);

  HearingRecord out;
  RowReader reader(db);
  out.row = GREFFE_TRY(reader.read(rows));
  out.row.shared = right->shared;
  const std::int64_t row = rows.integer(0);
  out.details_json = rows.text(5).empty() ? "{}" : rows.string(5);
  out.details_sha256 = GREFFE_TRY(digest_from_hex(rows.text(kRowColumnCount)));
  out.origin = rows.string(kRowColumnCount + 1);
  out.log_size = static_cast<std::uint64_t>(rows.integer(kRowColumnCount + 2));
  out.log_root = GREFFE_TRY(digest_from_hex(rows.text(kRowColumnCount + 3)));
  out.checkpoint_index = static_cast<std::uint64_t>(rows.integer(kRowColumnCount + 4));
  out.checkpoint_utc = rows.utc(kRowColumnCount + 5);
  out.station_key = GREFFE_TRY(public_key_from_hex(rows.text(kRowColumnCount + 6)));
  out.key_index = GREFFE_TRY(enrolment_of(db, rows.text(kRowColumnCount + 6)));
  out.corrections = GREFFE_TRY(corrections_of(db, row));
  out.lost_objects = GREFFE_TRY(lost_objects_of(db, row));
  return out;
}

Result<std::vector<Mark>> Catalogue::marks(const HearingId& id, const CourtSet& courts) const {
  const ReadPool::Loan loan = GREFFE_TRY(state_->pool.borrow());
  Connection& db = *loan;
  Rows hearing = GREFFE_TRY(db.query("SELECT row, court FROM hearing WHERE id = ?", id.text()));
  const bool found = GREFFE_TRY(hearing.next());
  if (!found) return no_such_hearing(id);
  const std::optional<Seen> right = GREFFE_TRY(seen(db, courts, hearing.integer(0), hearing.text(1)));
  if (!right) return no_such_hearing(id);

  std::vector<Mark> out;
  Rows rows = GREFFE_TRY(db.query("SELECT id, at_ms, stream, text, account, from_archive FROM mark WHERE hearing = ?"
                                  " ORDER BY at_ms, id",
                                  hearing.integer(0)));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back({rows.string(0), rows.utc(1), rows.string(2), rows.string(3), rows.string(4), rows.integer(5) != 0});
  }
}

Result<std::vector<HearingId>> Catalogue::open_hearings(const CourtSet& courts) const {
  const ReadPool::Loan loan = GREFFE_TRY(state_->pool.borrow());
  std::vector<HearingId> out;
  Rows rows = GREFFE_TRY((*loan).query("SELECT id, court, row FROM hearing WHERE closed = 0 ORDER BY row"));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    const std::optional<Seen> right = GREFFE_TRY(seen(*loan, courts, rows.integer(2), rows.text(1)));
    if (right) out.push_back(GREFFE_TRY(parse_hearing_id(rows.text(0))));
  }
}

}  // namespace greffe::catalogue
