// Heads at a service that can compare and swap one value (RemoteCells). Thread-safe.
//
// Each head carries a token: the writer's term and a random number, new with every write. A write names the state that it
// found, so exactly one of two succeeds. Before a writer relies on a head it makes the token its own: then no write of an
// earlier term, and none of its own whose outcome nobody learned, can arrive any more.
#ifndef GREFFE_ARCHIVE_STORE_REMOTE_HEADS_H
#define GREFFE_ARCHIVE_STORE_REMOTE_HEADS_H

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "archive/store/object_store.h"

namespace greffe::store {

// One head as it was found.
struct HeldCell {
  bool exists = false;
  std::string text;   // empty: there is no head yet, only a token that keeps late writes out
  std::string token;
  std::string version;  // the service's own name of this state, where it has one
};

class RemoteCells {
 public:
  virtual ~RemoteCells() = default;
  // Absent is ok too. corrupt: what is there is no head.
  virtual Result<HeldCell> look(const std::string& key) = 0;
  // Puts text and token in the place of exactly `now` (not there: there must be none). ok: they are durable. conflict:
  // there is something else. unavailable: the outcome is unknown, and the write may still arrive.
  virtual Status write(const std::string& key, const HeldCell& now, const std::string& text, const std::string& token) = 0;
};

// Who may write: a lease that lapses without renewal, and a number that every holder raises. The lease cannot stop what a
// former holder has sent already; the term in the token does.
class TermLease : public WriterLease {
 public:
  // ok: nobody else can hold the lease now, by this machine's monotonic clock. unavailable: not renewed in time; it may
  // come back. denied: another process has it; this one must not write any more.
  virtual Status check() const = 0;
  virtual std::uint64_t term() const = 0;
};

std::string make_token(std::uint64_t term);
// Fixed width, so that terms compare as texts.
std::string write_term(std::uint64_t term);
Result<std::uint64_t> parse_term(std::string_view text);  // corrupt
// 0 when the token is none of ours.
std::uint64_t term_of_token(std::string_view token);

// As long as an operation waits for a service that stands still: a lease that lapsed meanwhile needs a moment more.
inline constexpr std::chrono::seconds kLeasePatience(30);

class RemoteHeads {
 public:
  // `lease` is null for a reader: it sees heads and changes nothing. Both must outlive this. A lapsed lease is waited for.
  RemoteHeads(RemoteCells& cells, const TermLease* lease, std::chrono::milliseconds patience = kLeasePatience)
      : cells_(cells), lease_(lease), patience_(patience) {}

  // As TermLease::check; denied for a reader.
  Status may_still_write() const;
  // See HeadStore. denied: a later writer has taken this head over.
  Result<std::string> read(std::string_view key);
  Status swap(std::string_view key, std::string_view expected, std::string_view next);

 private:
  Status await_lease() const;
  Result<HeldCell> own(const std::string& key) /* the key's mutex held */;
  Status settle(const std::string& key, std::string_view expected, std::string_view next);
  bool is_unsure(const std::string& key);
  void set_unsure(const std::string& key, bool unsure);
  std::mutex& mutex_of(std::string_view key);

  RemoteCells& cells_;
  const TermLease* const lease_;
  const std::chrono::milliseconds patience_;
  std::array<std::mutex, 64> mutexes_;       // by hash of the key
  std::mutex unsure_mutex_;                  // a leaf, taken under a key's mutex
  std::unordered_set<std::string> unsure_;  // guarded by unsure_mutex_; keys with a write whose outcome is open
};

}  // namespace greffe::store

#endif
