#include "ingest/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/bytes.h"

namespace greffe::ingest {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// One record from `at` on. After an error `at` stands behind the line on which the record began.
class Reader {
 public:
  Reader(std::string_view text, char separator) : text_(text), separator_(separator) {}

  bool at_end() const { return at_ >= text_.size(); }
  std::uint64_t line() const { return line_; }

  Result<std::vector<std::string>> record() {
    const std::size_t begin = at_;
    const std::uint64_t begin_line = line_;
    auto fields = read_fields();
    if (!fields) {
      at_ = begin;
      line_ = begin_line + 1;
      const std::size_t end = text_.find('\n', begin);
      at_ = end == std::string_view::npos ? text_.size() : end + 1;
    }
    return fields;
  }

 private:
  Result<std::vector<std::string>> read_fields() {
    std::vector<std::string> out;
    for (const std::size_t begin = at_;;) {
      if (at_ - begin > kMaxCsvRecordBytes) return fail(Errc::invalid, "the row has more than 64 KiB; perhaps a quotation mark is not closed");
      out.push_back(GREFFE_TRY(peek() == '"' ? quoted() : plain()));
      if (!is_utf8(out.back())) {
        return fail(Errc::invalid, "the row is not UTF-8; save the list as \"CSV UTF-8\"");
      }
      if (peek() == separator_ && !at_end()) {
        ++at_;
        continue;
      }
      take_line_end();
      return out;
    }
  }

  static bool is_utf8(const std::string& text) { return is_valid_utf8(text) && text.find('\0') == std::string::npos; }

  char peek() const { return at_end() ? '\n' : text_[at_]; }
  bool line_ends() const { return at_end() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n"; }

  void take_line_end() {
    if (at_end()) return;
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
  }

  Result<std::string> plain() {
    const std::size_t begin = at_;
    while (!line_ends() && text_[at_] != separator_) {
      if (text_[at_] == '"') {
        return fail(Errc::invalid, "a quotation mark stands inside a field; put the whole field into quotation marks and write the one "
                                   "inside twice");
      }
      if (++at_ - begin > kMaxCsvFieldBytes) return too_long();
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<std::string> quoted() {
    std::string out;
    for (++at_;; ++at_) {
      if (at_end() || out.size() > kMaxCsvFieldBytes) {
        return at_end() ? fail(Errc::invalid, "a quotation mark is opened and never closed; close it") : too_long();
      }
      if (text_[at_] == '"') {
        ++at_;
        if (at_end() || text_[at_] != '"') break;
      }
      if (text_[at_] == '\n') ++line_;
      out += text_[at_];
    }
    if (!line_ends() && text_[at_] != separator_) {
      return fail(Errc::invalid, "something follows a closing quotation mark; write a quotation mark inside a field twice");
    }
    return out;
  }

  static Error too_long() {
    return fail(Errc::invalid, "a field has more than 16 KiB; perhaps a quotation mark is not closed");
  }

  const std::string_view text_;
  const char separator_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 1;
};

// What stands more often in the first line that has anything, outside of quotation marks.
char separator_of(std::string_view text) {
  std::size_t commas = 0;
  std::size_t semicolons = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == '\n' && commas + semicolons > 0) break;
    if (!quoted && c == ',') ++commas;
    if (!quoted && c == ';') ++semicolons;
  }
  return semicolons > commas ? ';' : ',';
}

bool is_blank(const std::vector<std::string>& fields) {
  return std::all_of(fields.begin(), fields.end(), [](const std::string& field) {
    return field.find_first_not_of(" \t\r") == std::string::npos;
  });
}

}  // namespace

Result<CsvTable> read_csv(std::string_view text) {
  if (text.size() > kMaxCsvBytes) return fail(Errc::invalid, "the list has more than 4 MiB; give the list of one day");
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return fail(Errc::invalid, "the list is UTF-16; save it as \"CSV UTF-8\"");
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CsvTable out;
  Reader reader(text, separator_of(text));
  while (!reader.at_end()) {
    const std::uint64_t line = reader.line();
    auto fields = reader.record();
    if (fields && is_blank(*fields)) continue;
    if (out.rows.size() + out.problems.size() > kMaxCsvRows) {
      out.problems.push_back({line, "the list has more than 10,000 rows; the rest was not read: give the list of one day"});
      break;
    }
    if (fields) {
      out.rows.push_back({line, std::move(*fields)});
    } else {
      out.problems.push_back({line, fields.error().message});
    }
  }
  return out;
}

}  // namespace greffe::ingest
