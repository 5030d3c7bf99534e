// What leases of remote pools have in common: a thread "gr-lease" that renews them three times in their length.
#ifndef GREFFE_ARCHIVE_STORE_KEPT_LEASE_H
#define GREFFE_ARCHIVE_STORE_KEPT_LEASE_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "archive/base/clock.h"
#include "archive/store/remote_heads.h"

namespace greffe::store {

// Who wants a lease.
struct LeaseWish {
  std::function<void()> on_lost = {};  // called by the keeper, once, when the lease is lost for good; it must not end the lease itself
  std::string place = {};              // where this writer is reached, for those that wait; may be empty
  std::stop_token stop = {};           // taking ends with `cancelled`
};

class KeptLease : public TermLease {
 public:
  Status check() const override;
  std::uint64_t term() const override { return term_; }

 protected:
  // `pool`: its name, for words.
  KeptLease(Clock& clock, unsigned lease_s, std::string pool, LeaseWish wish)
      : clock_(clock), lease_ms_(std::int64_t{lease_s} * 1000), place_(std::move(wish.place)), pool_(std::move(pool)),
        on_lost_(std::move(wish.on_lost)) {}
  ~KeptLease() override = default;
  // The keeper calls renew() of the derived class: it is stopped in that one's destructor, first of all.
  void start_keeping();
  void stop_keeping() { keeper_ = std::jthread(); }
  // Sets valid_until_ms_, or lost_.
  virtual void renew() = 0;

  Clock& clock_;
  const std::int64_t lease_ms_;
  const std::string place_;
  std::atomic<std::uint64_t> term_{0};
  std::atomic<std::int64_t> valid_until_ms_{0};  // monotonic
  std::atomic<bool> lost_{false};                // for good

 private:
  void keep(std::stop_token stop);

  const std::string pool_;
  const std::function<void()> on_lost_;
  std::jthread keeper_;
};

}  // namespace greffe::store

#endif
