#include "archive/accounts/accounts.h"

#include <algorithm>

#include "archive/accounts/accounts_state.h"
#include "archive/base/bytes.h"
#include "archive/format/digest.h"
#include "archive/format/names.h"

namespace greffe::accounts {

namespace {

using catalogue::Connection;
using catalogue::Rows;
using catalogue::Transaction;

constexpr std::int64_t kSchemaVersion = 1;
constexpr const char* kSchema = R"sql(
CREATE TABLE account(
  name         TEXT PRIMARY KEY,
  display_name TEXT NOT NULL,
  roles        TEXT NOT NULL,            -- joined by commas
  all_courts   INTEGER NOT NULL,
  courts       TEXT NOT NULL,            -- joined by commas
  language     TEXT NOT NULL,
  pseudonym    TEXT NOT NULL UNIQUE,     -- stands in the logs for ever: never reused, never changed
  disabled     INTEGER NOT NULL,
  password     TEXT NOT NULL             -- argon2id, PHC string format
);
CREATE TABLE session(
  secret     TEXT PRIMARY KEY,           -- SHA-256 of the cookie's value, hex
  id         TEXT NOT NULL,
  account    TEXT NOT NULL REFERENCES account(name),
  created_ms INTEGER NOT NULL,           -- UTC
  used_ms    INTEGER NOT NULL            -- UTC, at most a minute behind
);
CREATE INDEX session_by_account ON session(account);
CREATE TABLE token(
  id         TEXT PRIMARY KEY,
  secret     TEXT NOT NULL UNIQUE,       -- SHA-256 of the whole token, hex
  account    TEXT NOT NULL REFERENCES account(name),
  label      TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
);
)sql";

Status make_schema(Connection& db) {
  Transaction transaction = GREFFE_TRY(Transaction::begin(db));
  GREFFE_TRY(db.script(kSchema));
  GREFFE_TRY(db.script("PRAGMA user_version=" + std::to_string(kSchemaVersion)));
  return transaction.commit();
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Error no_such_account(std::string_view name) {
  return fail(Errc::not_found, "there is no account \"" + std::string(name) + "\"");
}

}  // namespace

// ---- rows --------------------------------------------------------------------------------------------------------

std::string join_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    if (!out.empty()) out += ',';
    out += text;
  }
  return out;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    out.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return out;
}

std::vector<std::string> role_names(const Account& account) {
  std::vector<std::string> out;
  for (const Role role : account.roles) out.emplace_back(name_of(role));
  return out;
}

Result<Account> read_account(const Rows& rows) {
  Account out;
  out.name = rows.string(0);
  out.display_name = rows.string(1);
  for (const std::string& role : split_list(rows.text(2))) out.roles.insert(GREFFE_TRY(parse_role(role)));
  out.all_courts = rows.integer(3) != 0;
  out.courts = split_list(rows.text(4));
  out.language = rows.string(5);
  out.pseudonym = rows.string(6);
  out.disabled = rows.integer(7) != 0;
  return out;
}

Status check_account(const Account& account) {
  if (!is_valid_account_name(account.name)) {
    return fail(Errc::invalid, "an account name has 1 to 32 characters of a-z, 0-9, dot and hyphen");
  }
  const std::string& shown = account.display_name;
  if (!is_valid_utf8(shown) || shown.empty() || count_characters(shown) > 200 || has_control_character(shown)) {
    return fail(Errc::invalid, "the display name of an account has 1 to 200 characters, none of them a control character");
  }
  if (account.roles.empty()) return fail(Errc::invalid, "an account needs a role: clerk, judge, auditor or operator");
  if (account.roles.count(Role::operator_) != 0 && account.roles.size() > 1) {
    return fail(Errc::invalid, "an operator sees no content, so the role goes with no other: make a second account");
  }
  if (account.all_courts && !account.courts.empty()) {
    return fail(Errc::invalid, "an account is for all courts or for those listed, not both");
  }
  for (const std::string& court : account.courts) {
    if (!is_valid_court(court)) {
      return fail(Errc::invalid, "\"" + court + "\" is not a court code: a-z, 0-9 and hyphen, at most 32 characters; of an archive whose copy is held "
                                 "here ARCHIVE/CODE, or ARCHIVE/* for all of its courts");
    }
  }
  if (account.language != "en" && account.language != "fr" && account.language != "zh") {
    return fail(Errc::invalid, "the language of an account is en, fr or zh");
  }
  return ok();
}

Status insert_account(Connection& db, const Account& account, std::string_view password_hash) {
  return db.run("INSERT INTO account(name, display_name, roles, all_courts, courts, language, pseudonym, disabled,"
                " password) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                account.name, account.display_name, join_list(role_names(account)), account.all_courts,
                join_list(account.courts), account.language, account.pseudonym, account.disabled, password_hash);
}

std::string random_hex(std::size_t bytes) {
  Bytes out(bytes);
  fill_random(out);
  return to_hex(out);
}

std::string hash_secret(std::string_view secret) { return sha256(as_bytes(secret)).hex(); }

// ---- accounts ----------------------------------------------------------------------------------------------------

Accounts::Accounts(std::unique_ptr<State> state) : state_(std::move(state)) {}
Accounts::Accounts(Accounts&&) noexcept = default;
Accounts& Accounts::operator=(Accounts&&) noexcept = default;
Accounts::~Accounts() = default;

Result<Accounts> Accounts::open(const std::string& path, Clock& clock) {
  Connection db = GREFFE_TRY(Connection::open(path, Connection::Mode::create, true));
  const std::int64_t version = GREFFE_TRY(db.version());
  if (version == 0) {
    const Status made = make_schema(db);
    if (!made) return made.error().within(path);
  } else if (version != kSchemaVersion) {
    return fail(Errc::corrupt, path + ": not an accounts file of version " + std::to_string(kSchemaVersion) +
                                   ": use the program that wrote it, or restore a snapshot");
  }
  GREFFE_TRY(db.quick_check());
  return Accounts(std::make_unique<State>(std::move(db), clock));
}

Result<Account> Accounts::add(const Account& account, std::string_view password) {
  Account kept = account;
  std::sort(kept.courts.begin(), kept.courts.end());
  kept.courts.erase(std::unique(kept.courts.begin(), kept.courts.end()), kept.courts.end());
  kept.disabled = false;
  kept.pseudonym = "u-" + random_hex(8);
  GREFFE_TRY(check_account(kept));
  GREFFE_TRY(check_password_rules(password));
  const std::string hash = state_->hasher.hash(password);
  const std::lock_guard lock(state_->mutex);
  const Status inserted = insert_account(state_->db, kept, hash);
  if (inserted) return kept;
  if (inserted.error().code != Errc::already_exists) return inserted.error();
  return fail(Errc::already_exists, "there is an account \"" + kept.name + "\" already");
}

Status Accounts::change(const Account& account) {
  Account kept = account;
  std::sort(kept.courts.begin(), kept.courts.end());
  kept.courts.erase(std::unique(kept.courts.begin(), kept.courts.end()), kept.courts.end());
  GREFFE_TRY(check_account(kept));
  const std::lock_guard lock(state_->mutex);
  Transaction transaction = GREFFE_TRY(Transaction::begin(state_->db));
  GREFFE_TRY(state_->db.run("UPDATE account SET display_name = ?, roles = ?, all_courts = ?, courts = ?, language = ?,"
                            " disabled = ? WHERE name = ?",
                            kept.display_name, join_list(role_names(kept)), kept.all_courts, join_list(kept.courts),
                            kept.language, kept.disabled, kept.name));
  if (state_->db.changes() == 0) return no_such_account(kept.name);
  if (kept.disabled) GREFFE_TRY(state_->db.run("DELETE FROM session WHERE account = ?", kept.name));
  return transaction.commit();
}

Status Accounts::set_password(std::string_view name, std::string_view password) {
  GREFFE_TRY(check_password_rules(password));
  const std::string hash = state_->hasher.hash(password);
  const std::lock_guard lock(state_->mutex);
  Transaction transaction = GREFFE_TRY(Transaction::begin(state_->db));
  GREFFE_TRY(state_->db.run("UPDATE account SET password = ? WHERE name = ?", hash, name));
  if (state_->db.changes() == 0) return no_such_account(name);
  GREFFE_TRY(state_->db.run("DELETE FROM session WHERE account = ?", name));
  return transaction.commit();
}

Result<Account> Accounts::find(std::string_view name) const {
  const std::lock_guard lock(state_->mutex);
  Rows rows = GREFFE_TRY(
      state_->db.query("SELECT " + std::string(kAccountColumns) + " FROM account a WHERE a.name = ?", name));
  const bool found = GREFFE_TRY(rows.next());
  if (!found) return no_such_account(name);
  return read_account(rows);
}

Result<Account> Accounts::find_by_pseudonym(std::string_view pseudonym) const {
  const std::lock_guard lock(state_->mutex);
  Rows rows = GREFFE_TRY(
      state_->db.query("SELECT " + std::string(kAccountColumns) + " FROM account a WHERE a.pseudonym = ?", pseudonym));
  const bool found = GREFFE_TRY(rows.next());
  if (!found) return no_such_account(pseudonym);
  return read_account(rows);
}

Result<std::vector<Account>> Accounts::list() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<Account> out;
  Rows rows =
      GREFFE_TRY(state_->db.query("SELECT " + std::string(kAccountColumns) + " FROM account a ORDER BY a.name"));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back(GREFFE_TRY(read_account(rows)));
  }
}

}  // namespace greffe::accounts
