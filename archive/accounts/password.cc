#include "archive/accounts/password.h"

#include <argon2.h>

#include <array>

#include "archive/accounts/accounts.h"
#include "archive/base/bytes.h"

namespace greffe::accounts {

namespace {

constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kMemoryKib = 64 * 1024;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr int kMaxRunning = 2;
constexpr int kMaxWaiting = 20;  // about two seconds of work

// Compared with when there is no such account, so that the answer takes as long.
constexpr const char* kNobody =
    "$argon2id$v=19$m=65536,t=3,p=1$Z3JlZmZlbm9ib2R5cHc$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

}  // namespace

Status check_password_rules(std::string_view password) {
  if (!is_valid_utf8(password)) return fail(Errc::invalid, "the password is not valid UTF-8 text");
  std::size_t characters = 0;
  for (const char c : password) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  if (characters < kMinPasswordCharacters) {
    return fail(Errc::invalid, "the password is too short: use at least " + std::to_string(kMinPasswordCharacters) +
                                   " characters");
  }
  if (password.size() > kMaxPasswordBytes) {
    return fail(Errc::invalid, "the password is too long: use at most " + std::to_string(kMaxPasswordBytes) + " bytes");
  }
  return ok();
}

bool is_password_hash(std::string_view encoded) {
  // Parameters from elsewhere could ask for any amount of memory.
  constexpr std::string_view kPrefix = "$argon2id$v=19$m=65536,t=3,p=1$";
  return encoded.size() > kPrefix.size() && encoded.size() < 200 && encoded.substr(0, kPrefix.size()) == kPrefix;
}

bool PasswordHasher::enter(bool may_refuse) {
  std::unique_lock lock(mutex_);
  if (may_refuse && running_ == kMaxRunning && waiting_ >= kMaxWaiting) return false;
  ++waiting_;
  left_.wait(lock, [this] { return running_ < kMaxRunning; });
  --waiting_;
  ++running_;
  return true;
}

void PasswordHasher::leave() {
  {
    const std::lock_guard lock(mutex_);
    --running_;
  }
  left_.notify_one();
}

std::string PasswordHasher::hash(std::string_view password) {
  std::array<std::uint8_t, kSaltBytes> salt{};
  fill_random(salt);
  std::string encoded(argon2_encodedlen(kPasses, kMemoryKib, kLanes, kSaltBytes, kHashBytes, Argon2_id), '\0');
  enter(false);
  const int rc = argon2id_hash_encoded(kPasses, kMemoryKib, kLanes, password.data(), password.size(), salt.data(),
                                       salt.size(), kHashBytes, encoded.data(), encoded.size());
  leave();
  GREFFE_CHECK(rc == ARGON2_OK);
  encoded.resize(encoded.find('\0'));
  return encoded;
}

Result<bool> PasswordHasher::is_right(std::string_view password, const std::string& encoded) {
  if (!enter(true)) return fail(Errc::unavailable, "too many people are logging in at this moment: try again");
  const char* against = encoded.empty() ? kNobody : encoded.c_str();
  const int rc = argon2id_verify(against, password.data(), password.size());
  leave();
  return rc == ARGON2_OK && !encoded.empty();
}

}  // namespace greffe::accounts
