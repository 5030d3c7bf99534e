#include "archive/catalogue/details_versions.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace greffe::catalogue {

namespace {

using Placed = std::pair<UtcTime, DetailsVersion>;

Result<std::vector<Placed>> versions_of(Connection& db, std::int64_t hearing_row, bool from_archive) {
  std::vector<Placed> out;
  UtcTime at;  // the opening stands before everything, whatever the station's clock said
  Rows rows = GREFFE_TRY(db.query("SELECT entry_index, utc_ms, counts_from_ms, account, reason, details, details_sha256 FROM details_version"
                                  " WHERE hearing = ? AND from_archive = ? ORDER BY entry_index",
                                  hearing_row, from_archive));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    DetailsVersion one;
    one.from_archive = from_archive;
    one.entry_index = static_cast<std::uint64_t>(rows.integer(0));
    one.utc = rows.utc(1);
    one.counts_from = rows.utc(2);
    one.account = rows.string(3);
    one.reason = rows.string(4);
    one.details = rows.string(5);
    one.details_sha256 = rows.string(6);
    const bool opening = !from_archive && one.entry_index == 0;
    if (!opening) at = std::max(at, one.counts_from);
    out.emplace_back(at, std::move(one));
  }
}

}  // namespace

Status add_details_versions(Connection& db, std::int64_t hearing_row, const std::vector<DetailsVersion>& versions) {
  if (versions.empty()) return ok();
  // Before its first correction the hearing has the details that it was opened with.
  GREFFE_TRY(db.run("INSERT OR IGNORE INTO details_version(hearing, from_archive, entry_index, utc_ms, counts_from_ms, account,"
                    " reason, details, details_sha256) SELECT row, 0, 0, start_ms, start_ms, '', '', details, details_sha256"
                    " FROM hearing WHERE row = ?",
                    hearing_row));
  for (const DetailsVersion& one : versions) {
    GREFFE_TRY(db.run("INSERT INTO details_version(hearing, from_archive, entry_index, utc_ms, counts_from_ms, account, reason,"
                      " details, details_sha256) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      hearing_row, one.from_archive, one.entry_index, one.utc, one.counts_from, one.account, one.reason, one.details,
                      one.details_sha256));
  }
  const std::vector<DetailsVersion> all = GREFFE_TRY(details_versions(db, hearing_row));
  return db.run("UPDATE hearing SET details = ?, details_sha256 = ? WHERE row = ?", all.back().details,
                all.back().details_sha256, hearing_row);
}

Result<std::vector<DetailsVersion>> details_versions(Connection& db, std::int64_t hearing_row) {
  const std::vector<Placed> room = GREFFE_TRY(versions_of(db, hearing_row, false));
  const std::vector<Placed> archive = GREFFE_TRY(versions_of(db, hearing_row, true));
  std::vector<Placed> merged;
  std::merge(room.begin(), room.end(), archive.begin(), archive.end(), std::back_inserter(merged),
             [](const Placed& a, const Placed& b) { return a.first < b.first; });
  std::vector<DetailsVersion> out;
  for (Placed& one : merged) out.push_back(std::move(one.second));
  return out;
}

}  // namespace greffe::catalogue
