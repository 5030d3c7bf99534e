// A storage service in memory, as RADOS and S3 look to the store: whole values under keys, cells that compare and swap.
// A write can be answered with "unknown" and have happened, not have happened, or happen later. Thread-safe.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_MEMORY_SERVICE_H
#define GREFFE_TESTS_UNIT_SUPPORT_MEMORY_SERVICE_H

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "archive/store/remote_bytes.h"
#include "archive/store/remote_heads.h"

namespace greffe::testing {

enum class Answer {
  true_one,
  lost_not_done,  // unavailable; nothing happened
  lost_done,      // unavailable; it happened
  lost_late,      // unavailable; it happens at deliver()
};

class MemoryService : public store::RemoteBytes, public store::RemoteCells {
 public:
  // How the writes from here on are answered, one by one; then truly.
  void answer_next(std::vector<Answer> answers) {
    const std::lock_guard lock(mutex_);
    answers_ = std::move(answers);
  }
  // What was still on its way arrives.
  void deliver() {
    const std::lock_guard lock(mutex_);
    for (const auto& arrive : late_) arrive();
    late_.clear();
  }
  std::map<std::string, Bytes, std::less<>>& values() { return values_; }  // not while another thread uses it
  unsigned reads() const { return reads_; }                                // of whole values

  Result<store::Created> create(std::string_view key, ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    bool added = false;
    const std::string name(key);
    const Bytes value(bytes.begin(), bytes.end());
    const Status done = answered([this, name, value, &added] { added = values_.try_emplace(name, value).second; },
                                 [this, name, value] { values_.try_emplace(name, value); });
    if (!done) return done.error();
    return added ? store::Created::now : store::Created::before;
  }
  Result<Bytes> read(std::string_view key, std::uint64_t limit) override {
    const std::lock_guard lock(mutex_);
    ++reads_;
    const auto found = values_.find(key);
    if (found == values_.end()) return fail(Errc::not_found, "there is no " + std::string(key));
    if (found->second.size() > limit) return fail(Errc::invalid, std::string(key) + " is too large");
    return found->second;
  }
  Result<std::size_t> read_at(std::string_view key, std::uint64_t offset, std::span<std::uint8_t> out) override {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(key);
    if (found == values_.end()) return fail(Errc::not_found, "there is no " + std::string(key));
    if (offset >= found->second.size()) return std::size_t{0};
    const std::size_t n = std::min(out.size(), found->second.size() - static_cast<std::size_t>(offset));
    std::copy_n(found->second.begin() + static_cast<std::ptrdiff_t>(offset), n, out.begin());
    return n;
  }
  Result<std::uint64_t> size(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(key);
    if (found == values_.end()) return fail(Errc::not_found, "there is no " + std::string(key));
    return std::uint64_t{found->second.size()};
  }
  Status confirm(std::string_view) override {
    const std::lock_guard lock(mutex_);
    return answered([] {}, [] {});
  }
  Status overwrite(std::string_view key, ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    const std::string name(key);
    const Bytes value(bytes.begin(), bytes.end());
    const auto act = [this, name, value] { values_[name] = value; };
    return answered(act, act);
  }
  Status remove(std::string_view key) override {
    const std::lock_guard lock(mutex_);
    values_.erase(std::string(key));
    return ok();
  }
  Status walk_objects(const std::function<bool(const std::string& key)>& step) override {
    return list("sha256/", [&](const store::ObjectInfo& info) { return step(info.key); });
  }
  Result<Space> space() override { return Space{1000, 400}; }
  Status list(std::string_view prefix, const std::function<bool(const store::ObjectInfo&)>& visit) override {
    std::vector<store::ObjectInfo> found;
    {
      const std::lock_guard lock(mutex_);
      for (auto value = values_.lower_bound(prefix); value != values_.end() && value->first.starts_with(prefix); ++value) {
        found.push_back({value->first, value->second.size()});
      }
    }
    for (const store::ObjectInfo& info : found) {
      if (!visit(info)) break;
    }
    return ok();
  }

  Result<store::HeldCell> look(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = cells_.find(key);
    if (found == cells_.end()) return store::HeldCell{};
    return store::HeldCell{true, found->second.text, found->second.token, {}};
  }
  Status write(const std::string& key, const store::HeldCell& now, const std::string& text, const std::string& token) override {
    const std::lock_guard lock(mutex_);
    bool moved = false;
    const auto act = [this, key, now, text, token] {
      const auto found = cells_.find(key);
      const bool same = now.exists ? found != cells_.end() && found->second.token == now.token : found == cells_.end();
      if (same) cells_[key] = {text, token};
      return same;
    };
    GREFFE_TRY(answered([&] { moved = !act(); }, [act] { act(); }));
    return moved ? Status(fail(Errc::conflict, "the head is another one")) : ok();
  }

 private:
  struct Cell {
    std::string text;
    std::string token;
  };

  // mutex_ held. `later` must be able to outlive the call.
  Status answered(const std::function<void()>& now, std::function<void()> later) {
    Answer answer = Answer::true_one;
    if (!answers_.empty()) {
      answer = answers_.front();
      answers_.erase(answers_.begin());
    }
    if (answer == Answer::true_one || answer == Answer::lost_done) now();
    if (answer == Answer::lost_late) late_.push_back(std::move(later));
    return answer == Answer::true_one ? ok() : Status(fail(Errc::unavailable, "no answer"));
  }

  std::mutex mutex_;
  std::map<std::string, Bytes, std::less<>> values_;  // all guarded by mutex_
  std::map<std::string, Cell> cells_;
  std::vector<Answer> answers_;
  std::vector<std::function<void()>> late_;
  unsigned reads_ = 0;
};

// A term as the test wants it.
class FixedTerm : public store::TermLease {
 public:
  explicit FixedTerm(std::uint64_t term) : term_(term) {}
  Status check() const override { return state_; }
  std::uint64_t term() const override { return term_; }
  void set(Status state) { state_ = std::move(state); }

 private:
  const std::uint64_t term_;
  Status state_ = ok();
};

}  // namespace greffe::testing

#endif
