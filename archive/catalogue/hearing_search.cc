#include "archive/catalogue/hearing_search.h"

#include <algorithm>
#include <limits>

#include "archive/catalogue/hearing_rows.h"
#include "archive/catalogue/query.h"
#include "archive/catalogue/schema.h"
#include "archive/catalogue/search_text.h"

namespace greffe::catalogue {

namespace {

constexpr std::size_t kMaxMarkMatches = 5;
constexpr int kMaxMarksLookedAt = 500;  // per hearing of a page

class Search {
 public:
  Search(Connection& db, const HearingQuery& query) : db_(db), query_(query), reader_(db) {}

  Result<HearingPage> run(const CourtSet& courts) {
    GREFFE_TRY(prepare(courts));
    if (!nothing_) {
      GREFFE_TRY(fill_page());
      GREFFE_TRY(count());
    }
    return std::move(page_);
  }

 private:
  // Everything that does not read the index: words, expressions, the range of rows.
  Status prepare(const CourtSet& courts) {
    if (query_.limit == 0 || query_.limit > kMaxPageRows) {
      return fail(Errc::invalid, "the limit of a page is 1 to " + std::to_string(kMaxPageRows));
    }
    if (!query_.cursor.empty()) cursor_ = GREFFE_TRY(parse_cursor(query_.cursor));
    words_ = GREFFE_TRY(searchable_words(db_, query_.text));
    const std::vector<std::string> judge_words = GREFFE_TRY(searchable_words(db_, query_.judge));
    const bool asks = query_.text.find_first_not_of(" \t\r\n") != std::string::npos;
    const bool asks_judge = query_.judge.find_first_not_of(" \t\r\n") != std::string::npos;
    // Only punctuation was typed, or there is no court to look in.
    nothing_ = (asks && words_.empty()) || (asks_judge && judge_words.empty()) || (!courts.all && courts.names.empty());

    if (!courts.all) filter_ = match_any_scope('c', courts.names);
    if (!query_.court.empty()) filter_ = match_both(filter_, quoted(scope_word('c', query_.court)));
    if (!query_.room.empty()) filter_ = match_both(filter_, quoted(scope_word('r', query_.room)));
    if (query_.closed) filter_ = match_both(filter_, quoted(scope_word('s', *query_.closed ? "closed" : "open")));
    if (query_.with_gaps) filter_ = match_both(filter_, quoted(scope_word('s', "gaps")));
    if (!judge_words.empty()) filter_ = match_both(filter_, "judges : (" + match_all(judge_words) + ")");
    match_ = match_both(filter_, match_all(words_));
    if (!words_.empty()) key_ = case_key(query_.text);

    if (query_.from) low_ = first_row_at(*query_.from);
    if (query_.to) high_ = first_row_at(UtcTime{query_.to->ms + 999}) - 1;
    return ok();
  }

  // Hearings with exactly this case number, then the others; one row more than the page shows whether there is more.
  Status fill_page() {
    const std::size_t wanted = query_.limit + 1;
    const bool in_text = cursor_ && !cursor_->exact;
    if (!key_.empty() && !in_text) GREFFE_TRY(read_exact(cursor_ ? cursor_->row - 1 : high_, wanted));
    if (page_.hearings.size() < wanted) {
      GREFFE_TRY(read_text(in_text ? cursor_->row - 1 : high_, wanted - page_.hearings.size()));
    }
    if (page_.hearings.size() < wanted) return ok();
    page_.hearings.pop_back();
    places_.pop_back();
    page_.next_cursor = places_.back().text();
    return ok();
  }

  Status read_exact(std::int64_t high, std::size_t limit) {
    const std::string sql = "SELECT " + std::string(kRowColumns) + exact_from() + " ORDER BY k.hearing DESC LIMIT ?5";
    Rows rows = GREFFE_TRY(db_.query(sql, key_, low_, std::min(high, high_), filter_, limit));
    return read_rows(rows, true);
  }

  // ?1 the key, ?2 and ?3 the range, ?4 the filter.
  std::string exact_from() const {
    std::string sql = " FROM case_key k CROSS JOIN hearing h ON h.row = k.hearing WHERE k.key = ?1"
                      " AND k.hearing BETWEEN ?2 AND ?3";
    sql += filter_.empty() ? " AND ?4 = ''"
                           : " AND EXISTS (SELECT 1 FROM search_index WHERE search_index MATCH ?4"
                             " AND search_index.rowid = k.hearing)";
    return sql;
  }

  Status read_text(std::int64_t high, std::size_t limit) {
    const std::string columns(kRowColumns);
    const std::string sql =
        match_.empty() ? "SELECT " + columns + " FROM hearing h WHERE ?1 = '' AND ?4 = '' AND h.row BETWEEN ?2 AND ?3"
                                               " ORDER BY h.row DESC LIMIT ?5"
                       : "SELECT " + columns + " FROM search_index CROSS JOIN hearing h ON h.row = search_index.rowid" +
                             text_where() + " ORDER BY search_index.rowid DESC LIMIT ?5";
    Rows rows = GREFFE_TRY(db_.query(sql, match_, low_, std::min(high, high_), key_, limit));
    return read_rows(rows, false);
  }

  // ?1 the expression, ?2 and ?3 the range, ?4 the key whose hearings came first already.
  static std::string text_where() {
    return " WHERE search_index MATCH ?1 AND search_index.rowid BETWEEN ?2 AND ?3"
           " AND (?4 = '' OR NOT EXISTS (SELECT 1 FROM case_key k WHERE k.key = ?4"
           " AND k.hearing = search_index.rowid))";
  }

  Status read_rows(Rows& rows, bool exact) {
    for (;;) {
      const bool more = GREFFE_TRY(rows.next());
      if (!more) return ok();
      HearingRow row = GREFFE_TRY(reader_.read(rows));
      if (!words_.empty()) GREFFE_TRY(find_in_marks(rows.integer(0), row));
      places_.push_back(Cursor{exact, rows.integer(0)});
      page_.hearings.push_back(std::move(row));
    }
  }

  Status find_in_marks(std::int64_t hearing, HearingRow& row) {
    if (folded_words_.empty()) {
      for (const std::string& word : words_) folded_words_.push_back(fold(word));
    }
    Rows rows = GREFFE_TRY(db_.query("SELECT at_ms, text, folded FROM mark WHERE hearing = ? ORDER BY at_ms, id LIMIT ?",
                                     hearing, kMaxMarksLookedAt));
    while (row.mark_matches.size() < kMaxMarkMatches) {
      const bool more = GREFFE_TRY(rows.next());
      if (!more) break;
      const std::string_view folded = rows.text(2);
      const bool matches = std::any_of(folded_words_.begin(), folded_words_.end(),
                                       [folded](const std::string& word) { return has_word(folded, word); });
      if (matches) row.mark_matches.push_back({rows.utc(0), rows.string(1)});
    }
    return ok();
  }

  // Counts one further than the limit, to know whether the limit was passed.
  Status count() {
    const std::uint64_t ceiling = query_.count_limit + 1;
    if (!key_.empty()) {
      page_.count += GREFFE_TRY(count_rows("SELECT count(*) FROM (SELECT 1" + exact_from() + " LIMIT ?5)", key_, filter_,
                                           ceiling));
    }
    const std::string sql = match_.empty()
                                ? "SELECT count(*) FROM (SELECT 1 FROM hearing h WHERE ?1 = '' AND ?4 = ''"
                                  " AND h.row BETWEEN ?2 AND ?3 LIMIT ?5)"
                                : "SELECT count(*) FROM (SELECT 1 FROM search_index" + text_where() + " LIMIT ?5)";
    if (page_.count < ceiling) page_.count += GREFFE_TRY(count_rows(sql, match_, key_, ceiling - page_.count));
    page_.count_is_exact = page_.count < ceiling;
    page_.count = std::min(page_.count, query_.count_limit);
    return ok();
  }

  Result<std::uint64_t> count_rows(const std::string& sql, const std::string& first, const std::string& fourth,
                                   std::uint64_t ceiling) {
    Rows rows = GREFFE_TRY(db_.query(sql, first, low_, high_, fourth, ceiling));
    GREFFE_TRY(rows.next());
    return static_cast<std::uint64_t>(rows.integer(0));
  }

  Connection& db_;
  const HearingQuery& query_;
  RowReader reader_;
  std::optional<Cursor> cursor_;
  std::vector<std::string> words_;
  std::vector<std::string> folded_words_;
  bool nothing_ = false;
  std::string filter_;  // expression of rights and form fields; empty: all
  std::string match_;   // the same and the words
  std::string key_;     // of the text, when it may be a case number
  std::int64_t low_ = 0;
  std::int64_t high_ = std::numeric_limits<std::int64_t>::max();
  HearingPage page_;
  std::vector<Cursor> places_;  // of page_.hearings
};

}  // namespace

Result<HearingPage> search_hearings(Connection& db, const HearingQuery& query, const CourtSet& courts) {
  return Search(db, query).run(courts);
}

}  // namespace greffe::catalogue
