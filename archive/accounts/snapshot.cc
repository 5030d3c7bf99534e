// All accounts as one object, and back. See docs/formats/accounts-snapshot.md.
#include "archive/accounts/accounts.h"
#include "archive/accounts/accounts_state.h"
#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::accounts {

namespace {

using catalogue::Connection;
using catalogue::Rows;
using catalogue::Transaction;

Json json_list(const std::vector<std::string>& texts) {
  Json out{Json::Array{}};
  for (const std::string& text : texts) out.push(text);
  return out;
}

Result<Json> accounts_json(Connection& db) {
  Json out{Json::Array{}};
  Rows rows = GREFFE_TRY(
      db.query("SELECT " + std::string(kAccountColumns) + ", a.password FROM account a ORDER BY a.name"));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    const Account account = GREFFE_TRY(read_account(rows));
    Json one;
    one.set("name", account.name).set("display_name", account.display_name);
    one.set("roles", json_list(role_names(account))).set("all_courts", account.all_courts);
    one.set("courts", json_list(account.courts)).set("language", account.language);
    one.set("pseudonym", account.pseudonym).set("disabled", account.disabled);
    one.set("password", rows.string(kAccountColumnCount));
    out.push(std::move(one));
  }
}

Result<Json> tokens_json(Connection& db) {
  Json out{Json::Array{}};
  Rows rows = GREFFE_TRY(db.query("SELECT id, secret, account, label, created_ms, expires_ms FROM token ORDER BY id"));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    Json one;
    one.set("id", rows.string(0)).set("secret_digest", rows.string(1)).set("account", rows.string(2));
    one.set("label", rows.string(3)).set("created", rows.utc(4)).set("expires", rows.utc(5));
    out.push(std::move(one));
  }
}

Status restore_account(Connection& db, const Json& json) {
  Account account;
  account.name = GREFFE_TRY(json.string("name"));
  account.display_name = GREFFE_TRY(json.string("display_name"));
  const std::vector<std::string> roles = GREFFE_TRY(json.strings("roles"));
  for (const std::string& role : roles) account.roles.insert(GREFFE_TRY(parse_role(role)));
  account.all_courts = GREFFE_TRY(json.boolean("all_courts"));
  account.courts = GREFFE_TRY(json.strings("courts"));
  account.language = GREFFE_TRY(json.string("language"));
  account.pseudonym = GREFFE_TRY(json.string("pseudonym"));
  account.disabled = GREFFE_TRY(json.boolean("disabled"));
  const std::string password = GREFFE_TRY(json.string("password"));
  GREFFE_TRY(check_account(account));
  if (!is_valid_name(account.pseudonym)) return fail(Errc::invalid, "the pseudonym of " + account.name + " is no name");
  if (!is_password_hash(password)) return fail(Errc::invalid, "the password hash of " + account.name + " is none of ours");
  return insert_account(db, account, password);
}

Status restore_token(Connection& db, const Json& json) {
  const std::string id = GREFFE_TRY(json.string("id"));
  const Digest secret = GREFFE_TRY(json.digest("secret_digest"));
  const std::string account = GREFFE_TRY(json.string("account"));
  const std::string label = GREFFE_TRY(json.string("label"));
  const UtcTime created = GREFFE_TRY(json.utc("created"));
  const UtcTime expires = GREFFE_TRY(json.utc("expires"));
  return db.run("INSERT INTO token(id, secret, account, label, created_ms, expires_ms) VALUES(?, ?, ?, ?, ?, ?)", id,
                secret.hex(), account, label, created, expires);
}

Status restore_all(Connection& db, const Json& json) {
  const std::string kind = GREFFE_TRY(json.string("kind"));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (kind != "accounts" || version != 1) return fail(Errc::invalid, "not a snapshot of accounts of version 1");
  const Json::Array accounts = GREFFE_TRY(json.array("accounts"));
  const Json::Array tokens = GREFFE_TRY(json.array("tokens"));
  for (const Json& one : accounts) GREFFE_TRY(restore_account(db, one));
  for (const Json& one : tokens) GREFFE_TRY(restore_token(db, one));
  return ok();
}

}  // namespace

Result<std::string> Accounts::snapshot() const {
  const std::lock_guard lock(state_->mutex);
  GREFFE_TRY(state_->db.run("BEGIN"));
  auto accounts = accounts_json(state_->db);
  auto tokens = tokens_json(state_->db);
  GREFFE_TRY(state_->db.run("COMMIT"));
  if (!accounts) return std::move(accounts).error();
  if (!tokens) return std::move(tokens).error();
  Json out;
  out.set("kind", "accounts").set("v", 1).set("salt", random_hex(32));
  out.set("accounts", *std::move(accounts)).set("tokens", *std::move(tokens));
  return write_json(out);
}

Status Accounts::restore(std::string_view snapshot) {
  if (snapshot.size() > kMaxObjectBytes) return fail(Errc::invalid, "a snapshot of accounts has at most 16 MiB");
  const Json json = GREFFE_TRY(parse_canonical_json(snapshot));
  const std::lock_guard lock(state_->mutex);
  Transaction transaction = GREFFE_TRY(Transaction::begin(state_->db));
  GREFFE_TRY(state_->db.script("DELETE FROM session; DELETE FROM token; DELETE FROM account;"));
  const Status restored = restore_all(state_->db, json);
  if (!restored && restored.error().code == Errc::already_exists) {
    return fail(Errc::invalid, "the snapshot names an account or a token twice, or a token without its account");
  }
  GREFFE_TRY(restored);
  return transaction.commit();
}

}  // namespace greffe::accounts
