// The catalogue's answer to: with which courts is a hearing shared?
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/catalogue_state.h"

namespace greffe::catalogue {
namespace {

constexpr std::string_view kShareColumns =
    "h.id, s.court, s.entry_index, s.utc_ms, s.until_ms, s.account, s.reason, s.revoked_index, s.revoked_ms, s.revoked_account, s.revoked_reason";

Result<Share> read_share(const Rows& rows) {
  Share one;
  one.hearing = GREFFE_TRY(parse_hearing_id(rows.text(0)));
  one.court = rows.string(1);
  one.entry_index = static_cast<std::uint64_t>(rows.integer(2));
  one.utc = rows.utc(3);
  if (!rows.is_null(4)) one.until = rows.utc(4);
  one.account = rows.string(5);
  one.reason = rows.string(6);
  if (!rows.is_null(7)) one.revoked = Share::Revocation{static_cast<std::uint64_t>(rows.integer(7)), rows.utc(8), rows.string(9), rows.string(10)};
  return one;
}

}  // namespace

Result<std::vector<Share>> Catalogue::shares(const std::optional<HearingId>& hearing, std::size_t limit) const {
  const ReadPool::Loan db = GREFFE_TRY(state_->pool.borrow());
  const std::string all = "SELECT " + std::string(kShareColumns) + " FROM share s JOIN hearing h ON h.row = s.hearing";
  const std::string newest_first = " ORDER BY s.entry_index DESC LIMIT ?";
  Rows rows = GREFFE_TRY(hearing ? (*db).query(all + " WHERE h.id = ?" + newest_first, hearing->text(), limit) : (*db).query(all + newest_first, limit));
  std::vector<Share> out;
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back(GREFFE_TRY(read_share(rows)));
  }
}

}  // namespace greffe::catalogue
