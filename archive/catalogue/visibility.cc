#include "archive/catalogue/visibility.h"

#include <algorithm>

namespace greffe::catalogue {

bool CourtSet::contains(std::string_view court) const {
  return all || std::find(names.begin(), names.end(), court) != names.end();
}

bool CourtSet::is_guest(std::string_view court) const {
  const auto named = [this](std::string_view name) { return std::find(guests.begin(), guests.end(), name) != guests.end(); };
  return named(court) || named(every_court_beside(court));
}

std::string every_court_beside(std::string_view court) {
  const std::size_t slash = court.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(court.substr(0, slash + 1)) + "*";
}

Result<std::optional<Seen>> seen(Connection& db, const CourtSet& courts, std::int64_t row, std::string_view court) {
  if (courts.contains(court)) return std::optional<Seen>(Seen{});
  std::optional<Seen> out;
  if (courts.guests.empty()) return out;
  Rows rows = GREFFE_TRY(db.query("SELECT court, until_ms FROM share WHERE hearing = ? AND revoked_ms IS NULL ORDER BY court", row));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    std::optional<UtcTime> until;
    if (!rows.is_null(1)) until = rows.utc(1);
    if ((until && *until <= courts.now) || !courts.is_guest(rows.text(0))) continue;
    const bool longer = !out || (out->shared->until && (!until || *until > *out->shared->until));
    if (longer) out = Seen{SharedWith{rows.string(0), until}};
  }
}

Result<bool> has_lapsed_share(Connection& db, std::int64_t row, UtcTime now) {
  Rows rows = GREFFE_TRY(db.query("SELECT 1 FROM share WHERE hearing = ? AND revoked_ms IS NULL AND until_ms <= ?", row, now));
  return rows.next();
}

}  // namespace greffe::catalogue
