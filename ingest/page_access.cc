#include "ingest/page_access.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>

#include "archive/format/canonical_json.h"
#include "web/http/listening.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kFreeGuesses = 5;
constexpr std::int64_t kFirstWaitMs = 30'000;
constexpr std::int64_t kLongestWaitMs = 15 * 60'000;
constexpr std::int64_t kMostWrongPerMinute = 50;
constexpr std::size_t kMostAddresses = 1000;
constexpr std::int64_t kSessionMs = 16 * 3'600'000;  // a court day
constexpr std::size_t kMostSessions = 64;
constexpr std::uint64_t kMaxPasswordBytes = 1024;
constexpr std::size_t kLeastPasswordBytes = 8;

// As long for equal digests as for different ones.
bool same(const Digest& a, const Digest& b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.bytes.size(); ++i) difference |= static_cast<unsigned>(a.bytes[i] ^ b.bytes[i]);
  return difference == 0;
}

// "[::1]:8450" -> "[::1]"
std::string without_port(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  return colon == std::string::npos || address.find(']', colon) != std::string::npos ? address : address.substr(0, colon);
}

// A name of elsewhere that was made to point to this machine (DNS rebinding) is not one of these.
bool is_name_of_this_machine(const std::string& host) {
  const std::string name = without_port(host);
  const auto loopback = http::is_local(name + ":0");
  return name == "localhost" || (loopback && *loopback);
}

bool changes_something(const http::Request& request) { return request.method != "GET" && request.method != "HEAD"; }

http::Response refused(std::string_view words) { return http::problem(403, "denied", words); }

}  // namespace

// ---- PasswordGate ----

PasswordGate::PasswordGate(Clock& clock, std::string_view password) : clock_(clock) {
  fill_random(salt_);
  digest_ = digest_of(password);
}

Digest PasswordGate::digest_of(std::string_view password) const {
  Sha256 hash;
  hash.update(salt_);
  hash.update(as_bytes(password));
  return hash.finish();
}

PasswordGate::Outcome PasswordGate::attempt(const std::string& from, std::string_view password) {
  const std::int64_t now = clock_.monotonic_ms();
  const std::lock_guard<std::mutex> guard(mutex_);
  if (now - minute_began_ms_ >= 60'000) {
    minute_began_ms_ = now;
    wrong_this_minute_ = 0;
  }
  if (wrong_this_minute_ >= kMostWrongPerMinute) return {false, (minute_began_ms_ + 60'000 - now + 999) / 1000};
  Guesses& guesses = guesses_[from];
  if (now < guesses.wait_until_ms) return {false, (guesses.wait_until_ms - now + 999) / 1000};
  if (!same(digest_of(password), digest_)) {
    count_wrong(guesses, now);
    forget_old(now);
    return {};
  }
  guesses_.erase(from);
  return {true, 0};
}

void PasswordGate::count_wrong(Guesses& guesses, std::int64_t now) {
  ++wrong_this_minute_;
  ++guesses.wrong;
  guesses.last_ms = now;
  if (guesses.wrong < kFreeGuesses) return;
  const std::int64_t doublings = std::min<std::int64_t>(guesses.wrong - kFreeGuesses, 10);
  guesses.wait_until_ms = now + std::min(kFirstWaitMs << doublings, kLongestWaitMs);
}

void PasswordGate::forget_old(std::int64_t now) {
  std::erase_if(guesses_, [now](const auto& one) { return now - one.second.last_ms > 2 * kLongestWaitMs; });
  if (guesses_.size() <= kMostAddresses) return;
  const auto earlier = [](const auto& a, const auto& b) { return a.second.last_ms < b.second.last_ms; };
  guesses_.erase(std::min_element(guesses_.begin(), guesses_.end(), earlier));
}

Result<std::string> read_page_password(FileSystem& files, const std::string& path) {
  const FileStat info = GREFFE_TRY(files.stat(path));
  if (!info.is_regular) return fail(Errc::invalid, path + " is not a file; the password of the station's page stands in one line of it");
  if ((info.mode & 077) != 0) {
    return fail(Errc::denied, fmt::format("{} can be read by other users of this machine; make it private with: chmod 600 {}", path, path));
  }
  Bytes bytes = GREFFE_TRY(files.read_file(path, kMaxPasswordBytes));
  std::string out(as_text(bytes));
  ::explicit_bzero(bytes.data(), bytes.size());
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  if (out.size() < kLeastPasswordBytes) {
    ::explicit_bzero(out.data(), out.size());
    return fail(Errc::invalid, fmt::format("the password in {} is shorter than {} bytes", path, kLeastPasswordBytes));
  }
  return out;
}

// ---- PageAccess ----

PageAccess::PageAccess(Clock& clock, bool local, bool tls, std::optional<std::string> password) : clock_(clock), local_(local), tls_(tls) {
  if (!password) return;
  gate_.emplace(clock, *password);
  ::explicit_bzero(password->data(), password->size());
}

std::optional<http::Response> PageAccess::refuse_foreign(const http::Request& request) const {
  const std::string host = request.header("host");
  if (local_ && !is_name_of_this_machine(host)) return refused("This page answers only to the names of this machine: 127.0.0.1 or localhost.");
  const std::string site = request.header("sec-fetch-site");
  const std::string origin = request.header("origin");
  const bool foreign = (!site.empty() && site != "same-origin" && site != "none") ||
                       (!origin.empty() && origin != (tls_ ? "https://" : "http://") + host);
  if (foreign) return refused("This request came from a page of another site and was not carried out.");
  if (!changes_something(request)) return std::nullopt;
  // A form of another site can send neither; a script of one asks first and is told nothing.
  if (origin.empty()) return refused("The header Origin is missing: nothing was done.");
  if (!request.header("content-type").starts_with("application/json")) return http::problem(415, "invalid", "The body must be application/json.");
  return std::nullopt;
}

http::Handler PageAccess::guard(http::Handler handler) {
  return [this, handler = std::move(handler)](const http::Request& request) -> http::Response {
    auto foreign = refuse_foreign(request);
    if (foreign) return std::move(*foreign);
    if (gate_ && !is_signed_in(request)) return http::problem(401, "denied", "You are not signed in, or your session has ended. Sign in again.");
    auto response = handler(request);
    response.set("Cache-Control", "no-store");
    return response;
  };
}

http::QuickHandler PageAccess::guard_quick(http::Handler handler) {
  return [guarded = guard(std::move(handler))](const http::Request& request) { return std::optional(guarded(request)); };
}

std::vector<http::Route> PageAccess::routes() {
  return {{"POST", "/station/session", http::Handler([this](const http::Request& request) { return sign_in(request); }), 4096},
          {"DELETE", "/station/session", http::Handler([this](const http::Request& request) { return sign_out(request); }), 4096}};
}

http::Response PageAccess::sign_in(const http::Request& request) {
  auto foreign = refuse_foreign(request);
  if (foreign) return std::move(*foreign);
  if (!gate_) return http::text_response(204, "");
  const auto json = parse_json(request.body);
  auto password = json ? json->string("password") : Result<std::string>(json.error());
  if (!password) return http::problem(400, "invalid", "Give a password.");
  const PasswordGate::Outcome outcome = gate_->attempt(without_port(request.remote), *password);
  ::explicit_bzero(password->data(), password->size());
  if (outcome.wait_s > 0) {
    auto wait = http::problem(429, "unavailable", fmt::format("Too many wrong passwords. Try again in {} seconds.", outcome.wait_s));
    wait.set("Retry-After", std::to_string(outcome.wait_s));
    return wait;
  }
  if (!outcome.right) return http::problem(401, "denied", "The password is wrong.");
  std::array<std::uint8_t, 32> secret{};
  fill_random(secret);
  const std::string text = to_hex(secret);
  const std::int64_t now = clock_.monotonic_ms();
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    std::erase_if(sessions_, [now](const auto& one) { return one.second <= now; });
    const auto sooner = [](const auto& a, const auto& b) { return a.second < b.second; };
    if (sessions_.size() >= kMostSessions) sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), sooner));
    sessions_[sha256(as_bytes(text))] = now + kSessionMs;
  }
  auto response = http::text_response(204, "");
  response.set("Set-Cookie", cookie(text, kSessionMs / 1000));
  return response;
}

http::Response PageAccess::sign_out(const http::Request& request) {
  auto foreign = refuse_foreign(request);
  if (foreign) return std::move(*foreign);
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    sessions_.erase(sha256(as_bytes(request.cookie(cookie_name()))));
  }
  auto response = http::text_response(204, "");
  response.set("Set-Cookie", cookie("", 0));
  return response;
}

bool PageAccess::is_signed_in(const http::Request& request) {
  const std::string secret = request.cookie(cookie_name());
  if (secret.empty()) return false;
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto found = sessions_.find(sha256(as_bytes(secret)));
  return found != sessions_.end() && clock_.monotonic_ms() < found->second;
}

std::string PageAccess::cookie(const std::string& secret, std::int64_t max_age_s) const {
  return fmt::format("{}={}; Path=/; {}HttpOnly; SameSite=Strict; Max-Age={}", cookie_name(), secret, tls_ ? "Secure; " : "", max_age_s);
}

}  // namespace greffe::ingest
