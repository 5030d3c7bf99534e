#include "archive/catalogue/text_rows.h"

#include <array>
#include <set>
#include <string>
#include <vector>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/query.h"
#include "archive/catalogue/search_text.h"
#include "archive/format/documents.h"

namespace greffe::catalogue {

namespace {

// One column of the index: distinct normalised values, one a line, in the order in which they came.
class Lines {
 public:
  void add(std::string_view value) {
    std::string line = normalise(value);
    if (line.find_first_not_of(' ') == std::string::npos || !seen_.insert(line).second) return;
    if (!text_.empty()) text_ += '\n';
    text_ += line;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::set<std::string> seen_;
};

struct Searchable {
  Lines cases, parties, judges, place, other, marks;
  std::string scope;
  std::set<std::string> case_keys;

  std::array<std::string_view, 7> columns() const {
    return {cases.text(), parties.text(), judges.text(), place.text(), other.text(), marks.text(), scope};
  }
};

void add_case(Searchable& out, const std::string& number) {
  const std::string key = case_key(number);
  out.cases.add(number);
  out.cases.add(key);
  if (key.empty()) return;
  out.case_keys.insert(key);
  out.case_keys.insert(case_key_without_brackets(key));
}

Status add_details(Searchable& out, std::string_view json) {
  if (json.empty()) return ok();  // lost
  const Details details = GREFFE_TRY(parse_details(json));
  for (const std::string& number : details.cases) add_case(out, number);
  for (const HearingPart& part : details.parts) {
    for (const std::string& number : part.cases) add_case(out, number);
  }
  for (const Party& party : details.parties) {
    out.parties.add(party.name);
    for (const std::string& spelling : party.spellings) out.parties.add(spelling);
  }
  for (const std::string& judge : details.judges) out.judges.add(judge);
  out.other.add(details.title);
  out.other.add(details.clerk);
  return ok();
}

Status add_place(Connection& db, Searchable& out, std::string_view court, std::string_view room) {
  Rows rows = GREFFE_TRY(db.query(
      "SELECT names FROM place WHERE court = ? AND (room = '' OR room = ?) ORDER BY room", court, room));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return ok();
    const Json names = GREFFE_TRY(parse_json(rows.text(0)));
    if (names.as_object() == nullptr) continue;
    for (const auto& [language, name] : *names.as_object()) {
      if (const std::string* text = name.as_string()) out.place.add(*text);
    }
  }
}

// The text columns of a query, one value a row, each given to `add`.
template <class Add>
Status each_text(Connection& db, std::string_view sql, std::int64_t row, const Add& add) {
  Rows rows = GREFFE_TRY(db.query(sql, row));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return ok();
    GREFFE_TRY(add(rows.text(0)));
  }
}

// Also when its time is over: the search looks at that (hearing_search.cc).
Status add_guest(Searchable& out, std::string_view court) {
  out.scope += ' ' + scope_word('h', court);
  if (const std::string all = every_court_beside(court); !all.empty()) out.scope += ' ' + scope_word('h', all);
  return ok();
}

Result<Searchable> searchable(Connection& db, std::int64_t row) {
  Searchable out;
  Rows rows = GREFFE_TRY(db.query("SELECT court, room, details, closed, gap_count FROM hearing WHERE row = ?", row));
  const bool found = GREFFE_TRY(rows.next());
  GREFFE_CHECK(found);
  const std::string court = rows.string(0);
  const std::string room = rows.string(1);
  GREFFE_TRY(add_details(out, rows.text(2)));
  out.scope = scope_word('c', court) + ' ' + scope_word('r', room) + ' ' +
              scope_word('s', rows.integer(3) != 0 ? "closed" : "open");
  if (rows.integer(4) > 0) out.scope += ' ' + scope_word('s', "gaps");

  GREFFE_TRY(each_text(db, "SELECT court FROM share WHERE hearing = ? AND revoked_ms IS NULL ORDER BY court", row,
                       [&out](std::string_view guest) { return add_guest(out, guest); }));

  GREFFE_TRY(add_place(db, out, court, room));
  GREFFE_TRY(each_text(db, "SELECT details FROM details_version WHERE hearing = ? ORDER BY from_archive, entry_index", row,
                       [&out](std::string_view json) { return add_details(out, json); }));
  GREFFE_TRY(each_text(db, "SELECT text FROM mark WHERE hearing = ? ORDER BY at_ms, id", row,
                       [&out](std::string_view text) {
                         out.marks.add(text);
                         return ok();
                       }));
  return out;
}

// Takes what the index has of this row out of it. The old text must be given exactly; it is the row of search_text.
// True: nothing to do, it is the same text.
Result<bool> remove_old(Connection& db, std::int64_t row, const std::array<std::string_view, 7>& next) {
  Rows rows = GREFFE_TRY(db.query(
      "SELECT cases, parties, judges, place, other, marks, scope FROM search_text WHERE row = ?", row));
  const bool found = GREFFE_TRY(rows.next());
  if (!found) return false;
  bool same = true;
  std::array<std::string, 7> old;
  for (std::size_t i = 0; i < old.size(); ++i) {
    old[i] = rows.string(static_cast<int>(i));
    same = same && old[i] == next[i];
  }
  if (same) return true;
  GREFFE_TRY(db.run("INSERT INTO search_index(search_index, rowid, cases, parties, judges, place, other, marks, scope)"
                    " VALUES('delete', ?, ?, ?, ?, ?, ?, ?, ?)",
                    row, old[0], old[1], old[2], old[3], old[4], old[5], old[6]));
  return false;
}

}  // namespace

Status refresh_text(Connection& db, std::int64_t hearing_row) {
  const Searchable text = GREFFE_TRY(searchable(db, hearing_row));
  for (const std::string& key : text.case_keys) {
    GREFFE_TRY(db.run("INSERT OR IGNORE INTO case_key(key, hearing) VALUES(?, ?)", key, hearing_row));
  }
  const auto columns = text.columns();
  const bool same = GREFFE_TRY(remove_old(db, hearing_row, columns));
  if (same) return ok();
  GREFFE_TRY(db.run("REPLACE INTO search_text(row, cases, parties, judges, place, other, marks, scope)"
                    " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                    hearing_row, columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6]));
  return db.run("INSERT INTO search_index(rowid, cases, parties, judges, place, other, marks, scope)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                hearing_row, columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6]);
}

}  // namespace greffe::catalogue
