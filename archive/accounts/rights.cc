// Roles, and what each may do.
#include <algorithm>

#include "archive/accounts/accounts.h"
#include "archive/format/names.h"

namespace greffe::accounts {

namespace {

bool has_any(const Account& account, std::initializer_list<Role> roles) {
  if (account.disabled) return false;
  return std::any_of(roles.begin(), roles.end(), [&account](Role role) { return account.roles.count(role) != 0; });
}

}  // namespace

std::string_view name_of(Role role) {
  switch (role) {
    case Role::clerk: return "clerk";
    case Role::judge: return "judge";
    case Role::auditor: return "auditor";
    case Role::operator_: return "operator";
  }
  return "unknown";
}

Result<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::clerk, Role::judge, Role::auditor, Role::operator_}) {
    if (text == name_of(role)) return role;
  }
  return fail(Errc::invalid, "\"" + std::string(text) + "\" is not a role: use clerk, judge, auditor or operator");
}

bool is_valid_account_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
  });
}

bool is_valid_court(std::string_view court) {
  const std::size_t slash = court.find('/');
  if (slash == std::string_view::npos) return is_valid_name(court);
  const std::string_view code = court.substr(slash + 1);
  return is_valid_archive_name(court.substr(0, slash)) && (code == kAllCourts || is_valid_name(code));
}

bool sees_court(const Account& account, std::string_view court) {
  if (account.disabled) return false;
  if (account.all_courts || std::find(account.courts.begin(), account.courts.end(), court) != account.courts.end()) return true;
  const std::size_t slash = court.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string all = std::string(court.substr(0, slash + 1)) + std::string(kAllCourts);
  return std::find(account.courts.begin(), account.courts.end(), all) != account.courts.end();
}

bool may_find(const Account& account) { return has_any(account, {Role::clerk, Role::judge, Role::auditor}); }

bool may_play(const Account& account, std::string_view court) { return may_find(account) && sees_court(account, court); }

bool may_mark(const Account& account, std::string_view court) {
  return has_any(account, {Role::clerk, Role::judge}) && sees_court(account, court);
}

bool may_correct(const Account& account, std::string_view court) {
  return has_any(account, {Role::clerk}) && sees_court(account, court);
}

bool may_export(const Account& account, std::string_view court) {
  return has_any(account, {Role::clerk, Role::auditor}) && sees_court(account, court);
}

bool may_share(const Account& account, std::string_view court) { return may_correct(account, court); }

bool may_see_log(const Account& account) { return has_any(account, {Role::auditor, Role::operator_}); }
bool may_see_status(const Account& account) { return has_any(account, {Role::auditor, Role::operator_}); }

}  // namespace greffe::accounts
