#include "archive/catalogue/dump.h"

#include <string>

#include "archive/catalogue/schema.h"

namespace greffe::catalogue {
namespace {

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') line += '\\';
    line += c;
  }
  line += '"';
}

Status dump_table(Connection& db, const Table& table, const std::function<bool(std::string_view)>& write) {
  std::string sql = "SELECT * FROM ";
  sql += table.name;
  sql += " ORDER BY ";
  sql += table.order;
  Rows rows = GREFFE_TRY(db.query(sql));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return ok();
    std::string line(table.name);
    for (int column = 0; column < rows.columns(); ++column) {
      line += ' ';
      if (rows.is_null(column)) {
        line += '-';
      } else {
        append_quoted(line, rows.text(column));
      }
    }
    if (!write(line)) return fail(Errc::cancelled, "the catalogue was not read to its end");
  }
}

}  // namespace

Status dump_tables(Connection& db, const std::function<bool(std::string_view line)>& write) {
  for (const Table& table : dumped_tables()) GREFFE_TRY(dump_table(db, table, write));
  return ok();
}

}  // namespace greffe::catalogue
