// What Accounts holds and how its rows are read; shared by its files.
#ifndef GREFFE_ARCHIVE_ACCOUNTS_ACCOUNTS_STATE_H
#define GREFFE_ARCHIVE_ACCOUNTS_ACCOUNTS_STATE_H

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "archive/accounts/accounts.h"
#include "archive/accounts/login_delay.h"
#include "archive/accounts/password.h"
#include "archive/catalogue/sqlite.h"

namespace greffe::accounts {

struct Accounts::State {
  State(catalogue::Connection connection, Clock& the_clock) : db(std::move(connection)), clock(the_clock) {}

  std::mutex mutex;           // for db; never held while a password is hashed
  catalogue::Connection db;
  Clock& clock;
  PasswordHasher hasher;
  LoginDelay delay;
};

constexpr std::string_view kAccountColumns =
    "a.name, a.display_name, a.roles, a.all_courts, a.courts, a.language, a.pseudonym, a.disabled";
constexpr int kAccountColumnCount = 8;
Result<Account> read_account(const catalogue::Rows& rows);  // its columns come first

// Texts without commas, joined by commas.
std::string join_list(const std::vector<std::string>& texts);
std::vector<std::string> split_list(std::string_view text);
std::vector<std::string> role_names(const Account& account);

Status check_account(const Account& account);  // invalid with the field and the rule
Status insert_account(catalogue::Connection& db, const Account& account, std::string_view password_hash);

std::string random_hex(std::size_t bytes);
std::string hash_secret(std::string_view secret);  // SHA-256, hex: what is kept of a secret of 256 random bits

}  // namespace greffe::accounts

#endif
