// Who may write to a pool in RADOS: an exclusive lock that must be renewed elects the writer, an attribute of the pool's
// label counts the terms.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_LEASE_H
#define GREFFE_ARCHIVE_STORE_RADOS_LEASE_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "archive/base/clock.h"
#include "archive/store/rados_cluster.h"
#include "archive/store/remote_heads.h"

namespace greffe::store {

inline constexpr const char* kRadosLabel = "greffe-pool.json";  // in the namespace "logs"

class RadosLease : public TermLease {
 public:
  // unavailable: another process holds it; it lapses lease_s after that one's last renewal. not_found: the pool has no
  // label: it was never initialised. The cluster and the clock must outlive the lease.
  // `on_lost` is called by the keeper, once, when it is lost for good; it must not end the lease itself.
  static Result<std::unique_ptr<RadosLease>> take(RadosCluster& cluster, Clock& clock, unsigned lease_s,
                                                  std::function<void()> on_lost);
  ~RadosLease() override;  // gives it up, so that another need not wait

  // It comes back by itself after a standstill of the cluster, when nobody took it meanwhile.
  Status check() const override;
  std::uint64_t term() const override { return term_; }

 private:
  RadosLease(RadosCluster& cluster, Clock& clock, unsigned lease_s, std::function<void()> on_lost);
  struct Locked {
    int code;               // librados's
    std::int64_t until_ms;  // monotonic; if it is ours
  };
  Locked lock(std::uint8_t flags);
  Status raise_term(std::uint64_t from);
  void keep(std::stop_token stop);
  void renew_once();

  RadosCluster& cluster_;
  Clock& clock_;
  const std::int64_t lease_ms_;
  const std::string cookie_;
  const std::function<void()> on_lost_;
  std::atomic<std::uint64_t> term_{0};
  std::atomic<std::int64_t> valid_until_ms_{0};  // monotonic
  std::atomic<bool> lost_{false};                // for good
  bool lapsed_ = false;                          // owned by the keeper
  std::jthread keeper_;                          // last: it uses all of the above
};

}  // namespace greffe::store

#endif
