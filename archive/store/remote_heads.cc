#include "archive/store/remote_heads.h"

#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <thread>

#include "archive/format/signed_note.h"
#include "archive/store/log_files.h"

namespace greffe::store {
namespace {

constexpr std::size_t kTermDigits = 16;
constexpr std::chrono::milliseconds kLeaseLook(50);
constexpr int kOwnTries = 8;  // each lost try means that somebody else moved the head

Error moved(const std::string& key) {
  return fail(Errc::conflict, "the head " + key + " is another one: read it and decide anew");
}

}  // namespace

std::string write_term(std::uint64_t term) { return fmt::format("{:0{}}", term, kTermDigits); }

Result<std::uint64_t> parse_term(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.size() != kTermDigits || error != std::errc() || end != text.data() + text.size()) {
    return fail(Errc::corrupt, fmt::format("\"{}\" is not the number of a writer's term", text));
  }
  return out;
}

std::string make_token(std::uint64_t term) {
  std::uint8_t draw[16];
  fill_random(draw);
  return write_term(term) + "." + to_hex(draw);
}

std::uint64_t term_of_token(std::string_view token) {
  const auto term = parse_term(token.substr(0, token.find('.')));
  return term ? *term : 0;
}

std::mutex& RemoteHeads::mutex_of(std::string_view key) {
  return mutexes_[std::hash<std::string_view>{}(key) % mutexes_.size()];
}

bool RemoteHeads::is_unsure(const std::string& key) {
  const std::lock_guard lock(unsure_mutex_);
  return unsure_.contains(key);
}

void RemoteHeads::set_unsure(const std::string& key, bool unsure) {
  const std::lock_guard lock(unsure_mutex_);
  if (unsure) {
    unsure_.insert(key);
  } else {
    unsure_.erase(key);
  }
}

Status RemoteHeads::await_lease() const {
  const auto end = std::chrono::steady_clock::now() + patience_;
  for (;;) {
    const Status held = lease_->check();
    if (held || held.error().code != Errc::unavailable || std::chrono::steady_clock::now() >= end) return held;
    std::this_thread::sleep_for(kLeaseLook);
  }
}

Result<HeldCell> RemoteHeads::own(const std::string& key) {
  for (int i = 0; i < kOwnTries; ++i) {
    GREFFE_TRY(await_lease());
    HeldCell held = GREFFE_TRY(cells_.look(key));
    const std::uint64_t ours = lease_->term();
    const std::uint64_t term = held.exists ? term_of_token(held.token) : ours;
    if (term > ours) {
      return fail(Errc::denied, fmt::format("the head {} belongs to a later writer of this pool; this archive must be stopped", key));
    }
    if (term == ours && !is_unsure(key)) return held;
    const Status written = cells_.write(key, held, held.text, make_token(ours));
    if (written) set_unsure(key, false);  // the next round reads what we wrote
    if (!written && written.error().code != Errc::conflict) {
      set_unsure(key, true);
      return fail(Errc::unavailable, written.error().within("the head " + key + " cannot be made sure of").message);
    }
  }
  return fail(Errc::unavailable, "the head " + key + " moves faster than it can be read");
}

Status RemoteHeads::may_still_write() const {
  return lease_ != nullptr ? lease_->check() : Status(fail(Errc::denied, "this pool was opened for reading only"));
}

Result<std::string> RemoteHeads::read(std::string_view key_text) {
  GREFFE_TRY(check_log_key(key_text));
  const std::string key(key_text);
  const std::lock_guard lock(mutex_of(key));
  HeldCell held = lease_ == nullptr ? GREFFE_TRY(cells_.look(key)) : GREFFE_TRY(own(key));
  if (held.text.empty()) return fail(Errc::not_found, "there is no " + key);
  return std::move(held.text);
}

Status RemoteHeads::swap(std::string_view key_text, std::string_view expected, std::string_view next_text) {
  GREFFE_TRY(check_log_key(key_text));
  const std::string key(key_text);
  const std::string next(next_text);
  if (lease_ == nullptr) return fail(Errc::denied, "cannot change the head " + key + ": this pool was opened for reading only");
  if (next.empty() || next.size() > kMaxNoteBytes) return fail(Errc::invalid, "a head has 1 to 65,536 bytes");
  const std::lock_guard lock(mutex_of(key));
  const HeldCell now = GREFFE_TRY(own(key));
  if (now.text != expected) return moved(key);
  const Status written = cells_.write(key, now, next, make_token(lease_->term()));
  if (written) return ok();
  if (written.error().code == Errc::conflict) return moved(key);
  if (written.error().code != Errc::unavailable) return written;
  set_unsure(key, true);
  return settle(key, expected, next);
}

// The outcome of the last write is open: it is closed by a token of our own, which a late arrival of it does not know.
Status RemoteHeads::settle(const std::string& key, std::string_view expected, std::string_view next) {
  const auto now = own(key);
  if (!now) {
    return fail(Errc::unavailable, fmt::format("whether the new head {} holds shows when it is read again: {}", key, now.error().message));
  }
  if (now->text == next) return ok();
  if (now->text == expected) return fail(Errc::unavailable, "the new head " + key + " did not arrive; the old one stands");
  return moved(key);
}

}  // namespace greffe::store
