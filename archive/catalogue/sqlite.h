// SQLite behind Result: connections, statements, transactions. The only place that knows its C interface, but for the
// tokenizer. A Connection and everything made from it is used by one thread at a time.
#ifndef GREFFE_ARCHIVE_CATALOGUE_SQLITE_H
#define GREFFE_ARCHIVE_CATALOGUE_SQLITE_H

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "archive/base/bytes.h"
#include "archive/base/clock.h"
#include "archive/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace greffe::catalogue {

// The rows of one running statement. Destroyed: the statement is reset and goes back to its connection, which must
// outlive it. Views from text() and blob() are valid until next().
class Rows {
 public:
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  Result<bool> next();  // true: there is a row; false: the end

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  ByteView blob(int column) const;
  bool is_null(int column) const;
  int columns() const;
  std::string string(int column) const { return std::string(text(column)); }
  UtcTime utc(int column) const { return UtcTime{integer(column)}; }

 private:
  friend class Connection;
  Rows(sqlite3* db, sqlite3_stmt* statement, bool* in_use);
  sqlite3* db_;
  sqlite3_stmt* statement_;
  bool* in_use_;  // flag of the cached statement; nullptr: the statement is ours and is finalised
};

class Connection {
 public:
  enum class Mode {
    read,    // the file must exist; nothing can be written through it
    write,   // the file must exist
    create,  // made when absent, mode 0600
  };
  // WAL, foreign keys checked, defensive, 5 s of patience with another writer. `durable`: a commit survives a power
  // cut (synchronous=FULL); otherwise the newest commits may be forgotten, never torn (NORMAL).
  // not_found, corrupt, io_error.
  static Result<Connection> open(const std::string& path, Mode mode, bool durable);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // Runs one statement to its end; rows are dropped. `sql` is prepared once per connection.
  // already_exists: a constraint. corrupt: damaged, or the schema is not ours. no_space, io_error, unavailable.
  template <class... Values>
  Status run(std::string_view sql, const Values&... values) {
    auto rows = query(sql, values...);
    if (!rows) return std::move(rows).error();
    return to_end(*rows);
  }

  // Starts one statement; the caller steps through it.
  template <class... Values>
  Result<Rows> query(std::string_view sql, const Values&... values) {
    auto rows = prepare(sql);
    if (!rows) return rows;
    int position = 0;
    bool bound = true;
    ((bound = bound && bind_value(*rows, ++position, values)), ...);
    if (!bound) return last_error(sql);
    return rows;
  }

  // For statements whose number of values is known only at run time; positions count from 1.
  Result<Rows> prepare(std::string_view sql);
  template <class Value>
  bool bind_value(Rows& rows, int position, const Value& value) {
    if constexpr (std::same_as<Value, bool> || std::integral<Value>) {
      return bind(rows, position, static_cast<std::int64_t>(value));
    } else if constexpr (std::same_as<Value, UtcTime>) {
      return bind(rows, position, value.ms);
    } else if constexpr (std::same_as<Value, ByteView> || std::same_as<Value, Bytes>) {
      return bind(rows, position, ByteView(value));
    } else if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      return bind(rows, position, std::string_view(value));
    } else {  // std::optional<one of these>
      return value ? bind_value(rows, position, *value) : bind_null(rows, position);
    }
  }

  Status script(const std::string& sql);  // several statements, nothing bound
  std::int64_t changes() const;           // rows changed by the last INSERT, UPDATE or DELETE

  // corrupt with what PRAGMA quick_check found. Reads the whole file.
  Status quick_check();
  // `user_version` of the file, 0 in a new one.
  Result<std::int64_t> version();

  sqlite3* handle() const;

 private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  static Status to_end(Rows& rows);
  static bool bind(Rows& rows, int position, std::int64_t value);
  static bool bind(Rows& rows, int position, std::string_view value);
  static bool bind(Rows& rows, int position, ByteView value);
  static bool bind_null(Rows& rows, int position);
  Error last_error(std::string_view what) const;
  std::unique_ptr<State> state_;
};

// BEGIN IMMEDIATE … COMMIT; rolled back when destroyed without commit().
class Transaction {
 public:
  static Result<Transaction> begin(Connection& db);
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Connection& db) : db_(&db) {}
  Connection* db_;  // nullptr: finished
};

}  // namespace greffe::catalogue

#endif
