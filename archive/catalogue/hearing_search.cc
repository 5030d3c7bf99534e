#include "archive/catalogue/hearing_search.h"

#include <algorithm>
#include <limits>

#include "archive/catalogue/hearing_rows.h"
#include "archive/catalogue/query.h"
#include "archive/catalogue/schema.h"
#include "archive/catalogue/search_text.h"
#include "archive/catalogue/visibility.h"

namespace greffe::catalogue {

namespace {

constexpr std::size_t kMaxMarkMatches = 5;
constexpr int kMaxMarksLookedAt = 500;  // per hearing of a page

class Search {
 public:
  Search(Connection& db, const HearingQuery& query, const CourtSet& courts) : db_(db), query_(query), courts_(courts), reader_(db) {}

  Result<HearingPage> run() {
    GREFFE_TRY(prepare());
    if (!nothing_) GREFFE_TRY(fill_page());
    return std::move(page_);
  }

 private:
  // Everything that does not read the index: words, expressions, the range of rows.
  Status prepare() {
    if (query_.limit == 0 || query_.limit > kMaxPageRows) {
      return fail(Errc::invalid, "the limit of a page is 1 to " + std::to_string(kMaxPageRows));
    }
    if (!query_.cursor.empty()) cursor_ = GREFFE_TRY(parse_cursor(query_.cursor));
    words_ = GREFFE_TRY(searchable_words(db_, query_.text));
    const std::vector<std::string> judge_words = GREFFE_TRY(searchable_words(db_, query_.judge));
    const bool asks = query_.text.find_first_not_of(" \t\r\n") != std::string::npos;
    const bool asks_judge = query_.judge.find_first_not_of(" \t\r\n") != std::string::npos;
    // Only punctuation was typed, or there is no court to look in.
    nothing_ = (asks && words_.empty()) || (asks_judge && judge_words.empty()) || (!courts_.all && courts_.names.empty() && courts_.guests.empty());

    if (!courts_.all) filter_ = match_either(match_any_scope('c', courts_.names), match_any_scope('h', courts_.guests));
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

  // On the first page one pass over the index gives rows and count. Later pages begin at their cursor, and count apart.
  Status fill_page() {
    const std::uint64_t ceiling = query_.count_limit + 1;  // one further, to know whether the limit was passed
    const std::uint64_t wanted = query_.limit + 1;         // one further, to know whether there is another page
    std::vector<Cursor> found;
    if (!cursor_) {
      found = GREFFE_TRY(find_rows(std::nullopt, std::max(ceiling, wanted)));
      set_count(found.size());
    } else {
      found = GREFFE_TRY(find_rows(cursor_, wanted));
      const std::vector<Cursor> all = GREFFE_TRY(find_rows(std::nullopt, ceiling));
      set_count(all.size());
    }
    const bool more = found.size() > query_.limit;
    if (more) found.resize(query_.limit);
    for (const Cursor& one : found) GREFFE_TRY(read_row(one));
    if (more) page_.next_cursor = found.back().text();
    return ok();
  }

  void set_count(std::uint64_t found) {
    page_.count_is_exact = found <= query_.count_limit;
    page_.count = std::min(found, query_.count_limit);
  }

  // The rows behind `after`, at most `limit`: first the hearings with exactly this case number, then the others, each
  // newest first.
  Result<std::vector<Cursor>> find_rows(const std::optional<Cursor>& after, std::uint64_t limit) {
    std::vector<Cursor> found;
    const bool in_text = after && !after->exact;
    if (!key_.empty() && !in_text) GREFFE_TRY(find_exact(after ? after->row - 1 : high_, limit, found));
    if (found.size() < limit) {
      GREFFE_TRY(find_text(in_text ? after->row - 1 : high_, limit - found.size(), found));
    }
    return found;
  }

  Status find_exact(std::int64_t high, std::uint64_t limit, std::vector<Cursor>& found) {
    Rows rows = GREFFE_TRY(
        filter_.empty()
            ? db_.query("SELECT hearing FROM case_key WHERE key = ? AND hearing BETWEEN ? AND ?"
                        " ORDER BY hearing DESC",
                        key_, low_, std::min(high, high_))
            : db_.query("SELECT k.hearing FROM case_key k WHERE k.key = ? AND k.hearing BETWEEN ? AND ?"
                        " AND EXISTS (SELECT 1 FROM search_index WHERE search_index MATCH ?"
                        " AND search_index.rowid = k.hearing) ORDER BY k.hearing DESC",
                        key_, low_, std::min(high, high_), filter_));
    return append(rows, true, limit, found);
  }

  // The hearings of key_ came first already.
  Status find_text(std::int64_t high, std::uint64_t limit, std::vector<Cursor>& found) {
    Rows rows = GREFFE_TRY(
        match_.empty()
            ? db_.query("SELECT row FROM hearing WHERE row BETWEEN ? AND ? ORDER BY row DESC", low_,
                        std::min(high, high_))
            : db_.query("SELECT search_index.rowid FROM search_index WHERE search_index MATCH ?1"
                        " AND search_index.rowid BETWEEN ?2 AND ?3 AND (?4 = '' OR NOT EXISTS (SELECT 1 FROM case_key k"
                        " WHERE k.key = ?4 AND k.hearing = search_index.rowid))"
                        " ORDER BY search_index.rowid DESC",
                        match_, low_, std::min(high, high_), key_));
    return append(rows, false, limit, found);
  }

  // At most `limit` of them; the statement is stepped no further.
  Status append(Rows& rows, bool exact, std::uint64_t limit, std::vector<Cursor>& found) {
    for (std::uint64_t taken = 0; taken < limit;) {
      const bool more = GREFFE_TRY(rows.next());
      if (!more) return ok();
      const bool lapsed = GREFFE_TRY(has_lapsed(rows.integer(0)));
      if (lapsed) continue;
      found.push_back(Cursor{exact, rows.integer(0)});
      ++taken;
    }
    return ok();
  }

  // Whether the index found it only by a share whose time is over.
  Result<bool> has_lapsed(std::int64_t row) {
    if (courts_.all || courts_.guests.empty()) return false;
    const bool one_has = GREFFE_TRY(has_lapsed_share(db_, row, courts_.now));
    if (!one_has) return false;
    Rows rows = GREFFE_TRY(db_.query("SELECT court FROM hearing WHERE row = ?", row));
    const bool found = GREFFE_TRY(rows.next());
    if (!found) return false;  // read_row says so
    const std::optional<Seen> right = GREFFE_TRY(seen(db_, courts_, row, rows.text(0)));
    return !right;
  }

  Status read_row(const Cursor& at) {
    Rows rows = GREFFE_TRY(db_.query("SELECT " + std::string(kRowColumns) + " FROM hearing h WHERE h.row = ?", at.row));
    const bool found = GREFFE_TRY(rows.next());
    if (!found) return fail(Errc::corrupt, "the text index of the catalogue names a hearing that is not there: rebuild it");
    const std::optional<Seen> right = GREFFE_TRY(seen(db_, courts_, at.row, rows.text(2)));
    page_.hearings.push_back(GREFFE_TRY(reader_.read(rows)));
    if (right) page_.hearings.back().shared = right->shared;
    page_.hearings.back().cursor = at.text();
    if (words_.empty()) return ok();
    return find_in_marks(at.row, page_.hearings.back());
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

  Connection& db_;
  const HearingQuery& query_;
  const CourtSet& courts_;
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
};

}  // namespace

Result<HearingPage> search_hearings(Connection& db, const HearingQuery& query, const CourtSet& courts) {
  return Search(db, query, courts).run();
}

}  // namespace greffe::catalogue
