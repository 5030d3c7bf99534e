// The catalogue's answer to: which hearings are sittings of the same matter?
#include <algorithm>
#include <deque>
#include <set>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/catalogue_state.h"
#include "archive/catalogue/hearing_rows.h"
#include "archive/catalogue/visibility.h"

namespace greffe::catalogue {
namespace {

// The hearing that `id` goes on from, however the person stands to it; nothing when it is the first, or not held here.
Result<std::optional<std::string>> earlier(Connection& db, const std::string& id) {
  Rows rows = GREFFE_TRY(db.query("SELECT continues FROM hearing WHERE id = ? AND continues IS NOT NULL", id));
  const bool found = GREFFE_TRY(rows.next());
  std::optional<std::string> out;
  if (found) out = rows.string(0);
  return out;
}

// Ids of the whole chain in no order. A station only names the hearing that it goes on from: logs that name one another
// in a circle, or far too many, end the walk and nothing else.
Result<std::set<std::string>> chain_of(Connection& db, const std::string& id) {
  std::set<std::string> out{id};
  std::deque<std::string> todo{id};
  while (!todo.empty() && out.size() < kMaxSittings) {
    const std::string at = todo.front();
    todo.pop_front();
    const auto add = [&](const std::string& next) {
      if (out.size() < kMaxSittings && out.insert(next).second) todo.push_back(next);
    };
    const std::optional<std::string> before = GREFFE_TRY(earlier(db, at));
    if (before) add(*before);
    Rows rows = GREFFE_TRY(db.query("SELECT id FROM hearing WHERE continues = ? ORDER BY row LIMIT ?", at, kMaxSittings));
    for (;;) {
      const bool more = GREFFE_TRY(rows.next());
      if (!more) break;
      add(rows.string(0));
    }
  }
  return out;
}

// One that is not held here is known only from those that go on from it.
Result<std::int64_t> before_what_continues(Connection& db, const std::string& id) {
  Rows rows = GREFFE_TRY(db.query("SELECT min(start_ms) FROM hearing WHERE continues = ?", id));
  GREFFE_TRY(rows.next());
  return rows.integer(0) - 1;
}

}  // namespace

Result<std::vector<Sitting>> Catalogue::sittings(const HearingId& id, const CourtSet& courts) const {
  const ReadPool::Loan loan = GREFFE_TRY(state_->pool.borrow());
  Connection& db = *loan;
  const std::set<std::string> chain = GREFFE_TRY(chain_of(db, id.text()));
  RowReader reader(db);
  std::vector<std::pair<std::int64_t, Sitting>> placed;  // by when they began
  bool may_see = false;
  for (const std::string& one : chain) {
    Rows rows = GREFFE_TRY(db.query("SELECT " + std::string(kRowColumns) + " FROM hearing h WHERE h.id = ?", one));
    const bool held = GREFFE_TRY(rows.next());
    Sitting sitting;
    std::optional<Seen> right;
    if (held) right = GREFFE_TRY(seen(db, courts, rows.integer(0), rows.text(2)));
    if (right) sitting.row = GREFFE_TRY(reader.read(rows));
    may_see |= sitting.row && sitting.row->id == id;
    const std::int64_t begin = held ? rows.utc(6).ms : GREFFE_TRY(before_what_continues(db, one));
    placed.emplace_back(begin, std::move(sitting));
  }
  if (!may_see) return fail(Errc::not_found, "there is no hearing " + id.text() + " in the courts that you may see");
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Sitting> out;
  for (auto& [begin, sitting] : placed) out.push_back(std::move(sitting));
  return out;
}

}  // namespace greffe::catalogue
