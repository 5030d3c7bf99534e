// People who log in: accounts, passwords, sessions, tokens for programs, and what each may do. accounts.sqlite is
// authoritative; after each change the caller stores snapshot() as an object and logs an `account` entry.
// Thread-safe; at most two password hashes are computed at once (64 MiB each). Any method can return corrupt, io_error
// or unavailable of the database.
#ifndef GREFFE_ARCHIVE_ACCOUNTS_ACCOUNTS_H
#define GREFFE_ARCHIVE_ACCOUNTS_ACCOUNTS_H

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/result.h"

namespace greffe::accounts {

enum class Role { clerk, judge, auditor, operator_ };
std::string_view name_of(Role role);                    // "clerk", "judge", "auditor", "operator"
Result<Role> parse_role(std::string_view text);

struct Account {
  std::string name;          // [a-z0-9.-]{1,32}
  std::string display_name;  // 1 to 200 characters
  std::set<Role> roles;      // at least one; operator never together with another
  bool all_courts = false;
  // Sorted; empty when all_courts. The code of a court of this archive; of one whose copy is held here "<archive>/<code>", or
  // "<archive>/*" for all of its courts.
  std::vector<std::string> courts;
  std::string language;      // "en", "fr", "zh"
  std::string pseudonym;     // what the logs say instead of the name; random, given once, never changed
  bool disabled = false;
};
bool is_valid_account_name(std::string_view name);
constexpr std::string_view kAllCourts = "*";
bool is_valid_court(std::string_view court);  // as Account::courts has it
constexpr std::size_t kMinPasswordCharacters = 10;
constexpr std::size_t kMaxPasswordBytes = 1024;

// What a person may do. A disabled account may do nothing. `court` is the hearing's.
bool sees_court(const Account& account, std::string_view court);
bool may_find(const Account& account);  // clerk, judge, auditor; the search itself is limited to the account's courts
bool may_play(const Account& account, std::string_view court);     // clerk, judge, auditor
bool may_mark(const Account& account, std::string_view court);     // clerk, judge
bool may_correct(const Account& account, std::string_view court);  // clerk
bool may_export(const Account& account, std::string_view court);   // clerk, auditor
// clerk, of the hearing's own court: who answers for its details says who else may see them. Never a guest of it.
bool may_share(const Account& account, std::string_view court);
bool may_see_log(const Account& account);                          // auditor, operator
bool may_see_status(const Account& account);                       // auditor, operator

constexpr std::int64_t kSessionMaxMs = 8 * 3'600'000;
constexpr std::int64_t kSessionIdleMs = 30 * 60'000;

struct Session {
  std::string id;  // random and not secret: names the session in `access` entries
  Account account;
  UtcTime expires;  // the absolute end
};

struct LogIn {
  enum class Outcome {
    accepted,
    refused,  // the account, the password or both are wrong, or the account is disabled: not told which
    wait,     // too many failures: not even looked at; again after retry_after_s
  };
  Outcome outcome = Outcome::refused;
  std::int64_t retry_after_s = 0;
  std::string secret;  // accepted: goes into the cookie; only its SHA-256 is kept
  Session session;     // accepted
};

struct ApiToken {
  std::string id;  // names the token when it is listed or revoked; also its session id in `access` entries
  std::string account;
  std::string label;
  UtcTime created;
  UtcTime expires;
};

class Accounts {
 public:
  // Makes the file (mode 0600) when it is absent. corrupt: damaged or of another version: restore a snapshot into a
  // new file. The clock must outlive this object.
  static Result<Accounts> open(const std::string& path, Clock& clock);
  Accounts(Accounts&&) noexcept;
  Accounts& operator=(Accounts&&) noexcept;
  ~Accounts();

  // `account.pseudonym` and `disabled` are ignored; returns the account as it is kept. already_exists. invalid: with
  // the field and the rule.
  Result<Account> add(const Account& account, std::string_view password);
  // Replaces display name, roles, courts, language, disabled. Disabling ends sessions; its tokens stop working.
  Status change(const Account& account);  // not_found, invalid
  Status set_password(std::string_view name, std::string_view password);  // ends its sessions. not_found, invalid
  Result<Account> find(std::string_view name) const;                       // not_found
  Result<Account> find_by_pseudonym(std::string_view pseudonym) const;     // not_found
  Result<std::vector<Account>> list() const;                               // by name

  // `remote` is the address of the client. Takes about 0.2 s of CPU unless the answer is `wait`. Equal time whether
  // the account exists or not.
  Result<LogIn> log_in(std::string_view name, std::string_view password, std::string_view remote);
  // Who holds this cookie; counts as use. denied: unknown, ended, idle too long, too old, or the account is disabled.
  Result<Session> session(std::string_view secret);
  Status end_session(std::string_view secret);  // ok also when there is none
  Status end_sessions_of(std::string_view name);

  // The secret "grf_…", shown once; only its SHA-256 is kept. not_found: no such account. invalid: already expired.
  struct NewToken {
    std::string secret;
    ApiToken token;
  };
  Result<NewToken> add_token(std::string_view name, std::string_view label, UtcTime expires);
  Result<Session> token_session(std::string_view secret);  // denied: unknown, expired, revoked or account disabled
  Result<std::vector<ApiToken>> tokens() const;
  Status revoke_token(std::string_view id);                // not_found

  // Canonical JSON of all accounts with their password hashes and token hashes, and a fresh salt: an object to store,
  // never to serve. Sessions are not in it.
  Result<std::string> snapshot() const;
  // Puts a snapshot in the place of all accounts and tokens; sessions end. invalid: not a snapshot, and nothing is changed.
  Status restore(std::string_view snapshot);

 private:
  struct State;
  explicit Accounts(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace greffe::accounts

#endif
