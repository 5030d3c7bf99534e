// Who may write to a pool in RADOS: an exclusive lock that must be renewed elects the writer, an attribute of the pool's
// label counts the terms.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_LEASE_H
#define GREFFE_ARCHIVE_STORE_RADOS_LEASE_H

#include <memory>

#include "archive/store/kept_lease.h"
#include "archive/store/rados_cluster.h"
#include "archive/store/writer_place.h"

namespace greffe::store {

inline constexpr const char* kRadosLabel = "greffe-pool.json";  // in the namespace "logs"

class RadosLease : public KeptLease {
 public:
  // unavailable: another process holds it; it lapses lease_s after that one's last renewal. not_found: the pool has no
  // label: it was never initialised. The cluster and the clock must outlive the lease. It comes back by itself after a standstill of
  // the cluster, when nobody took it meanwhile.
  static Result<std::unique_ptr<RadosLease>> take(RadosCluster& cluster, Clock& clock, unsigned lease_s, LeaseWish wish);
  // Who holds it now. unavailable: no answer.
  static Result<SeenWriter> look(RadosCluster& cluster);
  ~RadosLease() override;  // gives it up, so that another need not wait

 private:
  RadosLease(RadosCluster& cluster, Clock& clock, unsigned lease_s, LeaseWish wish);
  struct Locked {
    int code;               // librados's
    std::int64_t until_ms;  // monotonic; if it is ours
  };
  Locked lock(std::uint8_t flags);
  Status raise_term(std::uint64_t from);
  void renew() override;

  RadosCluster& cluster_;
  const std::string cookie_;
  bool lapsed_ = false;  // owned by the keeper
};

}  // namespace greffe::store

#endif
