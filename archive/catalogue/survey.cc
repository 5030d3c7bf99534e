#include "archive/catalogue/survey.h"

#include <limits>

#include "archive/catalogue/dump.h"
#include "archive/catalogue/schema.h"

namespace greffe::catalogue {
namespace {

constexpr unsigned kConnections = 2;  // one walks the hearings, the other is asked about each

UtcTime start_of_row(std::int64_t row) { return UtcTime{(row >> kRowBitsPerSecond) * 1000}; }

Result<Applied> applied_in(Connection& db) {
  const std::string size = GREFFE_TRY(meta(db, "applied_size"));
  const std::string root = GREFFE_TRY(meta(db, "applied_root"));
  const auto parsed_size = parse_decimal(size);
  const auto parsed_root = digest_from_hex(root);
  if (!parsed_size || !parsed_root) return fail(Errc::corrupt, "the catalogue does not say which state of the main log it stands for: rebuild it");
  return Applied{*parsed_size, *parsed_root};
}

Result<SurveyedHearing> read_hearing(const Rows& rows) {
  SurveyedHearing out;
  out.id = GREFFE_TRY(parse_hearing_id(rows.text(0)));
  out.station_key = GREFFE_TRY(public_key_from_hex(rows.text(1)));
  out.log_size = static_cast<std::uint64_t>(rows.integer(2));
  out.log_root = GREFFE_TRY(digest_from_hex(rows.text(3)));
  return out;
}

}  // namespace

Result<Survey> Survey::open(const std::string& path) {
  auto pool = std::make_unique<ReadPool>(path, kConnections);
  GREFFE_TRY(pool->borrow());
  return Survey(std::move(pool));
}

Result<Applied> Survey::applied() const {
  const ReadPool::Loan db = GREFFE_TRY(pool_->borrow());
  return applied_in(*db);
}

Result<CatalogueSum> Survey::sum(const std::stop_token& stop) const {
  const ReadPool::Loan db = GREFFE_TRY(pool_->borrow());
  CatalogueSum out;
  out.applied = GREFFE_TRY(applied_in(*db));
  Sha256 hash;
  GREFFE_TRY(dump_tables(*db, [&](std::string_view line) {
    hash.update(as_bytes(line));
    hash.update(as_bytes("\n"));
    return !stop.stop_requested();
  }));
  out.sum = hash.finish();
  return out;
}

Result<CatalogueExtent> Survey::extent() const {
  const ReadPool::Loan db = GREFFE_TRY(pool_->borrow());
  Rows rows = GREFFE_TRY((*db).query("SELECT count(*), coalesce(sum(log_size), 0) FROM hearing"));
  GREFFE_TRY(rows.next());
  return CatalogueExtent{static_cast<std::uint64_t>(rows.integer(0)), static_cast<std::uint64_t>(rows.integer(1))};
}

Result<std::optional<Survey::Span>> Survey::span() const {
  const ReadPool::Loan db = GREFFE_TRY(pool_->borrow());
  Rows rows = GREFFE_TRY((*db).query("SELECT min(row), max(row) FROM hearing"));
  GREFFE_TRY(rows.next());
  if (rows.is_null(0)) return std::optional<Span>();
  return std::optional(Span{start_of_row(rows.integer(0)), start_of_row(rows.integer(1))});
}

Result<std::optional<UtcTime>> Survey::next_start(UtcTime from) const {
  const ReadPool::Loan db = GREFFE_TRY(pool_->borrow());
  Rows rows = GREFFE_TRY((*db).query("SELECT min(row) FROM hearing WHERE row >= ?", first_row_at(from)));
  GREFFE_TRY(rows.next());
  if (rows.is_null(0)) return std::optional<UtcTime>();
  return std::optional(start_of_row(rows.integer(0)));
}

Status Survey::hearings(std::optional<UtcTime> from, std::optional<UtcTime> to, const std::function<bool(const SurveyedHearing&)>& visit) const {
  const ReadPool::Loan db = GREFFE_TRY(pool_->borrow());
  const std::int64_t first = from ? first_row_at(*from) : std::numeric_limits<std::int64_t>::min();
  const std::int64_t last = to ? first_row_at(*to) - 1 : std::numeric_limits<std::int64_t>::max();
  Rows rows = GREFFE_TRY((*db).query("SELECT id, station_key, log_size, log_root FROM hearing WHERE row BETWEEN ? AND ? ORDER BY row", first, last));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return ok();
    const SurveyedHearing hearing = GREFFE_TRY(read_hearing(rows));
    if (!visit(hearing)) return ok();
  }
}

Result<std::vector<std::uint64_t>> Survey::entries_about(const HearingId& id) const {
  const ReadPool::Loan db = GREFFE_TRY(pool_->borrow());
  std::vector<std::uint64_t> out;
  Rows rows = GREFFE_TRY((*db).query("SELECT entry_index FROM main_entry WHERE hearing = ? ORDER BY entry_index", id.text()));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back(static_cast<std::uint64_t>(rows.integer(0)));
  }
}

}  // namespace greffe::catalogue
