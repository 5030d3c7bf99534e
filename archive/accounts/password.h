// Password hashes: argon2id, t = 3, 64 MiB, one lane (0.2 s). Used by Accounts only.
#ifndef GREFFE_ARCHIVE_ACCOUNTS_PASSWORD_H
#define GREFFE_ARCHIVE_ACCOUNTS_PASSWORD_H

#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

#include "archive/base/result.h"

namespace greffe::accounts {

Status check_password_rules(std::string_view password);  // invalid with the rule
bool is_password_hash(std::string_view encoded);         // one that PasswordHasher could have written

// Thread-safe. At most two hashes are computed at once, so that many log-ins at a time cannot take all memory.
class PasswordHasher {
 public:
  std::string hash(std::string_view password);  // with a fresh salt; PHC string format. Waits for its turn
  // unavailable: too many wait already. An empty `encoded` takes as long as any other and is never right.
  Result<bool> is_right(std::string_view password, const std::string& encoded);

 private:
  bool enter(bool may_refuse);
  void leave();
  std::mutex mutex_;
  std::condition_variable left_;
  int running_ = 0;  // mutex_
  int waiting_ = 0;  // mutex_
};

}  // namespace greffe::accounts

#endif
