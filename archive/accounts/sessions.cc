// Logging in, sessions of browsers, tokens of programs.
#include <algorithm>
#include <array>

#include "archive/accounts/accounts.h"
#include "archive/accounts/accounts_state.h"
#include "archive/base/bytes.h"

namespace greffe::accounts {

namespace {

using catalogue::Rows;

constexpr std::int64_t kUseNotedEveryMs = 60'000;  // a commit to disk per request would be too much
constexpr std::string_view kTokenPrefix = "grf_";

std::string new_secret() {
  std::array<std::uint8_t, 32> bytes{};
  fill_random(bytes);
  return to_base64url(bytes);
}

Error no_session() { return fail(Errc::denied, "you are not logged in, or your session has ended: log in again"); }

Error bad_token() {
  return fail(Errc::denied, "this token is not known, has expired or was revoked: ask the operator for a new one");
}

LogIn wait_for(std::int64_t wait_ms) {
  LogIn out;
  out.outcome = LogIn::Outcome::wait;
  out.retry_after_s = std::max<std::int64_t>(1, (wait_ms + 999) / 1000);
  return out;
}

}  // namespace

Result<LogIn> Accounts::log_in(std::string_view name, std::string_view password, std::string_view remote) {
  const std::string key(is_valid_account_name(name) ? name : std::string_view("?"));
  const std::string from(remote.substr(0, 64));
  const std::int64_t wait = state_->delay.begin(key, from, state_->clock.monotonic_ms());
  if (wait > 0) return wait_for(wait);

  Account account;
  std::string hash;
  {
    const std::lock_guard lock(state_->mutex);
    Rows rows = GREFFE_TRY(state_->db.query(
        "SELECT " + std::string(kAccountColumns) + ", a.password FROM account a WHERE a.name = ?", name));
    const bool found = GREFFE_TRY(rows.next());
    if (found) {
      account = GREFFE_TRY(read_account(rows));
      hash = rows.string(kAccountColumnCount);
    }
  }
  const auto right = state_->hasher.is_right(password.substr(0, kMaxPasswordBytes + 1), hash);
  if (!right) {
    state_->delay.withdrawn(key, from);
    return wait_for(2000);
  }
  if (!*right || account.disabled) return LogIn{};
  state_->delay.succeeded(key, from);

  LogIn out;
  out.outcome = LogIn::Outcome::accepted;
  out.secret = new_secret();
  const UtcTime now = state_->clock.utc_now();
  out.session = {random_hex(16), account, UtcTime{now.ms + kSessionMaxMs}};
  const std::lock_guard lock(state_->mutex);
  GREFFE_TRY(state_->db.run("DELETE FROM session WHERE created_ms < ? OR used_ms < ?", now.ms - kSessionMaxMs,
                            now.ms - kSessionIdleMs));
  // The account may have been disabled or its password changed while the hash was computed: then there is no session.
  GREFFE_TRY(state_->db.run("INSERT INTO session(secret, id, account, created_ms, used_ms)"
                            " SELECT ?, ?, name, ?, ? FROM account WHERE name = ? AND disabled = 0 AND password = ?",
                            hash_secret(out.secret), out.session.id, now, now, account.name, hash));
  if (state_->db.changes() == 0) return LogIn{};
  return out;
}

Result<Session> Accounts::session(std::string_view secret) {
  const UtcTime now = state_->clock.utc_now();
  const std::string hash = hash_secret(secret);
  const std::lock_guard lock(state_->mutex);
  Session out;
  std::int64_t used_ms = 0;
  {
    Rows rows = GREFFE_TRY(state_->db.query("SELECT " + std::string(kAccountColumns) +
                                                ", s.id, s.created_ms, s.used_ms FROM session s"
                                                " JOIN account a ON a.name = s.account WHERE s.secret = ?",
                                            hash));
    const bool found = GREFFE_TRY(rows.next());
    if (!found) return no_session();
    out.account = GREFFE_TRY(read_account(rows));
    out.id = rows.string(kAccountColumnCount);
    out.expires = UtcTime{rows.integer(kAccountColumnCount + 1) + kSessionMaxMs};
    used_ms = rows.integer(kAccountColumnCount + 2);
  }
  if (now >= out.expires || now.ms - used_ms >= kSessionIdleMs || out.account.disabled) {
    GREFFE_TRY(state_->db.run("DELETE FROM session WHERE secret = ?", hash));
    return no_session();
  }
  if (now.ms - used_ms >= kUseNotedEveryMs) {
    GREFFE_TRY(state_->db.run("UPDATE session SET used_ms = ? WHERE secret = ?", now, hash));
  }
  return out;
}

Status Accounts::end_session(std::string_view secret) {
  const std::lock_guard lock(state_->mutex);
  return state_->db.run("DELETE FROM session WHERE secret = ?", hash_secret(secret));
}

Status Accounts::end_sessions_of(std::string_view name) {
  const std::lock_guard lock(state_->mutex);
  return state_->db.run("DELETE FROM session WHERE account = ?", name);
}

// ---- tokens ------------------------------------------------------------------------------------------------------

Result<Accounts::NewToken> Accounts::add_token(std::string_view name, std::string_view label, UtcTime expires) {
  if (!is_valid_utf8(label) || label.size() > 200) {
    return fail(Errc::invalid, "the label of a token is text of at most 200 bytes");
  }
  const UtcTime now = state_->clock.utc_now();
  if (expires <= now) return fail(Errc::invalid, "the token would have expired already: give a later time");
  NewToken out;
  out.secret = std::string(kTokenPrefix) + new_secret();
  out.token = {"t-" + random_hex(8), std::string(name), std::string(label), now, expires};
  const std::lock_guard lock(state_->mutex);
  GREFFE_TRY(state_->db.run("INSERT INTO token(id, secret, account, label, created_ms, expires_ms)"
                            " SELECT ?, ?, name, ?, ?, ? FROM account WHERE name = ?",
                            out.token.id, hash_secret(out.secret), label, now, expires, name));
  if (state_->db.changes() == 0) {
    return fail(Errc::not_found, "there is no account \"" + std::string(name) + "\"");
  }
  return out;
}

Result<Session> Accounts::token_session(std::string_view secret) {
  if (secret.substr(0, kTokenPrefix.size()) != kTokenPrefix) return bad_token();
  const std::lock_guard lock(state_->mutex);
  Rows rows = GREFFE_TRY(state_->db.query("SELECT " + std::string(kAccountColumns) +
                                              ", t.id, t.expires_ms FROM token t"
                                              " JOIN account a ON a.name = t.account WHERE t.secret = ?",
                                          hash_secret(secret)));
  const bool found = GREFFE_TRY(rows.next());
  if (!found) return bad_token();
  Session out;
  out.account = GREFFE_TRY(read_account(rows));
  out.id = rows.string(kAccountColumnCount);
  out.expires = rows.utc(kAccountColumnCount + 1);
  if (state_->clock.utc_now() >= out.expires || out.account.disabled) return bad_token();
  return out;
}

Result<std::vector<ApiToken>> Accounts::tokens() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<ApiToken> out;
  Rows rows = GREFFE_TRY(
      state_->db.query("SELECT id, account, label, created_ms, expires_ms FROM token ORDER BY account, created_ms, id"));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return out;
    out.push_back({rows.string(0), rows.string(1), rows.string(2), rows.utc(3), rows.utc(4)});
  }
}

Status Accounts::revoke_token(std::string_view id) {
  const std::lock_guard lock(state_->mutex);
  GREFFE_TRY(state_->db.run("DELETE FROM token WHERE id = ?", id));
  if (state_->db.changes() == 0) return fail(Errc::not_found, "there is no token \"" + std::string(id) + "\"");
  return ok();
}

}  // namespace greffe::accounts
