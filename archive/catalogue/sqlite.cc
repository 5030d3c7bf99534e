#include "archive/catalogue/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>

namespace greffe::catalogue {

namespace {

// The one switch from SQLite's codes to ours.
Errc code_of(int rc) {
  switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::unavailable;
    case SQLITE_FULL:
      return Errc::no_space;
    case SQLITE_CONSTRAINT:
      return Errc::already_exists;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Errc::denied;
    case SQLITE_INTERRUPT:
      return Errc::cancelled;
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
      return Errc::invalid;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:   // a table or column that should be there is not: the file is not what we wrote
    case SQLITE_SCHEMA:
    case SQLITE_FORMAT:
      return Errc::corrupt;
    default:
      return Errc::io_error;
  }
}

Error error_of(sqlite3* db, int rc, std::string_view what) {
  GREFFE_CHECK((rc & 0xff) != SQLITE_NOMEM);
  GREFFE_CHECK((rc & 0xff) != SQLITE_MISUSE);
  const char* file = db != nullptr ? sqlite3_db_filename(db, "main") : nullptr;
  std::string message = file != nullptr && *file != '\0' ? file : "database";
  message += ": ";
  message += db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  message += " (while running: ";
  message += what.substr(0, 120);
  message += ")";
  return fail(code_of(rc), std::move(message));
}

// SQLite would make the file with the process's umask; these files hold names of people.
Status make_private_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(Errc::io_error, path + ": cannot make the database file: " + std::strerror(errno));
  ::close(fd);
  return ok();
}

}  // namespace

struct Connection::State {
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };
  sqlite3* db = nullptr;
  std::map<std::string, Prepared, std::less<>> prepared;  // addresses of its values are stable

  ~State() {
    for (auto& [sql, one] : prepared) sqlite3_finalize(one.statement);
    sqlite3_close_v2(db);
  }
};

// ---- Rows --------------------------------------------------------------------------------------------------------

Rows::Rows(sqlite3* db, sqlite3_stmt* statement, bool* in_use) : db_(db), statement_(statement), in_use_(in_use) {
  if (in_use_ != nullptr) *in_use_ = true;
}

Rows::Rows(Rows&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)), in_use_(other.in_use_) {}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  if (in_use_ == nullptr) {
    sqlite3_finalize(statement_);
    return;
  }
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  *in_use_ = false;
}

Result<bool> Rows::next() {
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  const char* sql = sqlite3_sql(statement_);
  return error_of(db_, rc, sql != nullptr ? sql : "");
}

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Rows::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

ByteView Rows::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Rows::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
int Rows::columns() const { return sqlite3_column_count(statement_); }

// ---- Connection --------------------------------------------------------------------------------------------------

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Result<Connection> Connection::open(const std::string& path, Mode mode, bool durable) {
  struct ::stat info {};
  const bool exists = ::stat(path.c_str(), &info) == 0;
  if (!exists && mode != Mode::create) return fail(Errc::not_found, path + ": there is no such database");
  const bool in_memory = path == ":memory:";  // SQLite's name for a database without a file
  if (!exists && !in_memory) GREFFE_TRY(make_private_file(path));

  // Also readers open for writing: a reader of a WAL file must be able to make the shared-memory file. query_only
  // keeps them from changing anything.
  auto state = std::make_unique<State>();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int rc = sqlite3_open_v2(path.c_str(), &state->db, flags, nullptr);
  if (rc != SQLITE_OK) return error_of(state->db, rc, "open").within(path);
  sqlite3_busy_timeout(state->db, 5000);
  sqlite3_db_config(state->db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(state->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);

  Connection db(std::move(state));
  GREFFE_TRY(db.script("PRAGMA cell_size_check=ON; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=ON;"
                       "PRAGMA temp_store=MEMORY;"));
  if (mode == Mode::read) {
    // An archive has several of them; the system's page cache is behind each. More is no quicker (docs/SPEED.md).
    GREFFE_TRY(db.script("PRAGMA query_only=ON; PRAGMA cache_size=-8000;"));
  } else {
    GREFFE_TRY(db.script("PRAGMA journal_mode=WAL; PRAGMA cache_size=-32000;"));
    GREFFE_TRY(db.script(durable ? "PRAGMA synchronous=FULL;" : "PRAGMA synchronous=NORMAL;"));
  }
  return db;
}

Result<Rows> Connection::prepare(std::string_view sql) {
  auto found = state_->prepared.find(sql);
  if (found == state_->prepared.end()) found = state_->prepared.emplace(std::string(sql), State::Prepared{}).first;
  State::Prepared& cached = found->second;
  if (cached.statement != nullptr && !cached.in_use) return Rows(state_->db, cached.statement, &cached.in_use);

  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(state_->db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                    &statement, nullptr);
  if (rc != SQLITE_OK) return last_error(sql);
  GREFFE_CHECK(statement != nullptr);
  // The same text runs already further up the stack: this one lives for its own rows only.
  if (cached.in_use) return Rows(state_->db, statement, nullptr);
  cached.statement = statement;
  return Rows(state_->db, statement, &cached.in_use);
}

Status Connection::to_end(Rows& rows) {
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return ok();
  }
}

bool Connection::bind(Rows& rows, int position, std::int64_t value) {
  return sqlite3_bind_int64(rows.statement_, position, value) == SQLITE_OK;
}

bool Connection::bind(Rows& rows, int position, std::string_view value) {
  // A null pointer would bind NULL; an empty text is not absent.
  const char* data = value.data() != nullptr ? value.data() : "";
  return sqlite3_bind_text64(rows.statement_, position, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK;
}

bool Connection::bind(Rows& rows, int position, ByteView value) {
  const void* data = value.data() != nullptr ? static_cast<const void*>(value.data()) : "";
  return sqlite3_bind_blob64(rows.statement_, position, data, value.size(), SQLITE_TRANSIENT) == SQLITE_OK;
}

bool Connection::bind_null(Rows& rows, int position) {
  return sqlite3_bind_null(rows.statement_, position) == SQLITE_OK;
}

Status Connection::script(const std::string& sql) {
  const int rc = sqlite3_exec(state_->db, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error_of(state_->db, rc, sql);
  return ok();
}

std::int64_t Connection::changes() const { return sqlite3_changes64(state_->db); }

Status Connection::quick_check() {
  Rows rows = GREFFE_TRY(query("PRAGMA quick_check(1)"));
  const bool any = GREFFE_TRY(rows.next());
  if (any && rows.text(0) == "ok") return ok();
  return fail(Errc::corrupt, std::string(sqlite3_db_filename(state_->db, "main")) + ": the database is damaged: " +
                                 (any ? rows.string(0) : std::string("no answer")));
}

Result<std::int64_t> Connection::version() {
  Rows rows = GREFFE_TRY(query("PRAGMA user_version"));
  GREFFE_TRY(rows.next());
  return rows.integer(0);
}

sqlite3* Connection::handle() const { return state_->db; }

Error Connection::last_error(std::string_view what) const {
  return error_of(state_->db, sqlite3_extended_errcode(state_->db), what);
}

// ---- Transaction -------------------------------------------------------------------------------------------------

Result<Transaction> Transaction::begin(Connection& db) {
  GREFFE_TRY(db.run("BEGIN IMMEDIATE"));
  return Transaction(db);
}

Transaction::~Transaction() {
  // A failed rollback leaves nothing behind either: closing the connection, or recovery at the next open, drops it.
  if (db_ != nullptr) static_cast<void>(db_->run("ROLLBACK"));
}

Status Transaction::commit() {
  GREFFE_TRY(db_->run("COMMIT"));
  db_ = nullptr;
  return ok();
}

}  // namespace greffe::catalogue
