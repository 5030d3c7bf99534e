// Who may use the station's page. On this machine's own address whoever sits at it; elsewhere who knows the password.
// Never a page of another site that happens to be open in the same browser. Thread-safe.
#ifndef GREFFE_INGEST_PAGE_ACCESS_H
#define GREFFE_INGEST_PAGE_ACCESS_H

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/format/digest.h"
#include "web/http/server.h"

namespace greffe::ingest {

// Compares without keeping the password, and makes guessing slow: after five wrong ones an address waits half a minute,
// longer each time; and fifty wrong ones in a minute, from wherever, make everybody wait.
class PasswordGate {
 public:
  PasswordGate(Clock& clock, std::string_view password);

  struct Outcome {
    bool right = false;
    std::int64_t wait_s = 0;  // more than 0: it was not even looked at
  };
  Outcome attempt(const std::string& from, std::string_view password);

 private:
  struct Guesses {
    std::int64_t wrong = 0;
    std::int64_t last_ms = 0;
    std::int64_t wait_until_ms = 0;
  };
  Digest digest_of(std::string_view password) const;
  void count_wrong(Guesses& guesses, std::int64_t now);
  void forget_old(std::int64_t now);
  Clock& clock_;
  std::array<std::uint8_t, 32> salt_{};
  Digest digest_;
  std::mutex mutex_;                       // over what follows
  std::map<std::string, Guesses> guesses_; // by address
  std::int64_t minute_began_ms_ = 0;
  std::int64_t wrong_this_minute_ = 0;
};

// The password in the file. denied: others on this machine can read it. invalid: shorter than eight bytes.
Result<std::string> read_page_password(FileSystem& files, const std::string& path);

class PageAccess {
 public:
  // `local`: the listener is reached from this machine only. No password: only then.
  PageAccess(Clock& clock, bool local, bool tls, std::optional<std::string> password);

  bool has_password() const { return gate_.has_value(); }
  // 403: another site's page, or this machine under a name that it does not have. 401: not signed in.
  http::Handler guard(http::Handler handler);
  // The same for what never blocks.
  http::QuickHandler guard_quick(http::Handler handler);
  std::vector<http::Route> routes();  // POST and DELETE /station/session

 private:
  std::optional<http::Response> refuse_foreign(const http::Request& request) const;
  http::Response sign_in(const http::Request& request);
  http::Response sign_out(const http::Request& request);
  bool is_signed_in(const http::Request& request);
  std::string cookie(const std::string& secret, std::int64_t max_age_s) const;
  const char* cookie_name() const { return tls_ ? "__Host-greffe-station" : "greffe-station"; }

  Clock& clock_;
  const bool local_;
  const bool tls_;
  std::optional<PasswordGate> gate_;
  std::mutex mutex_;
  std::map<Digest, std::int64_t> sessions_;  // digest of the cookie -> when it ends; guarded by mutex_
};

}  // namespace greffe::ingest

#endif
