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

class KeptLease : public TermLease {
 public:
  Status check() const override;
  std::uint64_t term() const override { return term_; }

 protected:
  // `pool`: its name, for words. `on_lost` is called by the keeper, once, when the lease is lost for good; it must not end the lease itself.
  KeptLease(Clock& clock, unsigned lease_s, std::string pool, std::function<void()> on_lost)
      : clock_(clock), lease_ms_(std::int64_t{lease_s} * 1000), pool_(std::move(pool)), on_lost_(std::move(on_lost)) {}
  ~KeptLease() override = default;
  // The keeper calls renew() of the derived class: it is stopped in that one's destructor, first of all.
  void start_keeping();
  void stop_keeping() { keeper_ = std::jthread(); }
  // Sets valid_until_ms_, or lost_.
  virtual void renew() = 0;

  Clock& clock_;
  const std::int64_t lease_ms_;
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
