// Slows down guessing: after some failures each further try must wait, and ever longer. Kept in memory: a restart
// forgives, which costs an attacker more than it gives. Thread-safe.
#ifndef GREFFE_ARCHIVE_ACCOUNTS_LOGIN_DELAY_H
#define GREFFE_ARCHIVE_ACCOUNTS_LOGIN_DELAY_H

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace greffe::accounts {

class LoginDelay {
 public:
  // Counts a try, as a failure until succeeded() says otherwise: tries made side by side count as well.
  // 0: go on. Otherwise the milliseconds to wait; the try is then not counted.
  std::int64_t begin(const std::string& account, const std::string& remote, std::int64_t now_ms);
  void succeeded(const std::string& account, const std::string& remote);
  void withdrawn(const std::string& account, const std::string& remote);  // it was not judged

 private:
  struct Record {
    int failures = 0;
    std::int64_t open_at_ms = 0;  // monotonic: no try before
    std::int64_t last_ms = 0;
  };
  using Records = std::map<std::string, Record, std::less<>>;
  static void count(Records& records, const std::string& key, int free, std::int64_t longest_ms, std::int64_t now_ms);
  static void take_back(Records& records, const std::string& key);

  std::mutex mutex_;
  Records accounts_;  // mutex_
  Records remotes_;   // mutex_
};

}  // namespace greffe::accounts

#endif
