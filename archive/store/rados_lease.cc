#include "archive/store/rados_lease.h"

#include <fmt/format.h>

#include <cerrno>
#include <list>

namespace greffe::store {
namespace {

constexpr const char* kLock = "writer";
constexpr const char* kTerm = "term";      // attributes of the label
constexpr const char* kWriter = "writer";

std::string make_cookie() {
  std::uint8_t draw[16];
  fill_random(draw);
  return to_hex(draw);
}

Result<std::uint64_t> read_term(RadosCluster& cluster) {
  librados::bufferlist text;
  int code_of_term = 0;
  librados::ObjectReadOperation operation;
  operation.getxattr(kTerm, &text, &code_of_term);
  const int code = send_read(cluster.logs(), kRadosLabel, operation).wait();
  if (code == -ENOENT) {
    return fail(Errc::not_found, fmt::format("the Ceph pool {} holds no archive; make one with greffe-archive init", cluster.pool()));
  }
  if (code < 0) return error_of_rados(code, "the label of the Ceph pool " + cluster.pool() + " cannot be read");
  return parse_term(text.to_str());
}

}  // namespace

RadosLease::RadosLease(RadosCluster& cluster, Clock& clock, unsigned lease_s, LeaseWish wish)
    : KeptLease(clock, lease_s, "the Ceph pool " + cluster.pool(), std::move(wish)), cluster_(cluster), cookie_(make_cookie()) {}

Result<std::unique_ptr<RadosLease>> RadosLease::take(RadosCluster& cluster, Clock& clock, unsigned lease_s, LeaseWish wish) {
  const std::uint64_t before = GREFFE_TRY(read_term(cluster));
  std::unique_ptr<RadosLease> out(new RadosLease(cluster, clock, lease_s, std::move(wish)));
  const Locked locked = out->lock(0);
  if (locked.code == -EBUSY) {
    return fail(Errc::unavailable, fmt::format("another archive is writing to the Ceph pool {}; stop it, or wait {} s after its end",
                                               cluster.pool(), lease_s));
  }
  if (locked.code < 0) {
    return error_of_rados(locked.code, "the writer's lock of the Ceph pool " + cluster.pool() + " cannot be taken");
  }
  GREFFE_TRY(out->raise_term(before));
  out->valid_until_ms_ = locked.until_ms;
  out->start_keeping();
  return out;
}

RadosLease::~RadosLease() {
  stop_keeping();
  if (!lost_) cluster_.logs().unlock(kRadosLabel, kLock, cookie_);
}

// The OSD leaves lapsed locks out of what it lists.
Result<SeenWriter> RadosLease::look(RadosCluster& cluster) {
  int exclusive = 0;
  std::string tag;
  std::list<librados::locker_t> lockers;
  const int holders = cluster.logs().list_lockers(kRadosLabel, kLock, &exclusive, &tag, &lockers);
  if (holders < 0) return error_of_rados(holders, "who writes to the Ceph pool " + cluster.pool() + " cannot be seen");
  if (holders == 0) return SeenWriter{Holding::free, {}};
  librados::bufferlist text;
  int code_of_read = 0;
  librados::ObjectReadOperation operation;
  operation.getxattr(kWriter, &text, &code_of_read);
  const int code = send_read(cluster.logs(), kRadosLabel, operation).wait();
  if (code == -ENODATA) return SeenWriter{Holding::held, {}};
  if (code < 0) return error_of_rados(code, "where the writer of the Ceph pool " + cluster.pool() + " is cannot be read");
  return SeenWriter{Holding::held, text.to_str()};
}

// The lease counts from before the question: the cluster's clock started later.
RadosLease::Locked RadosLease::lock(std::uint8_t flags) {
  const std::int64_t start_ms = clock_.monotonic_ms();
  timeval duration{};
  duration.tv_sec = static_cast<time_t>(lease_ms_ / 1000);
  const int code = cluster_.logs().lock_exclusive(kRadosLabel, kLock, cookie_, "the writing archive", &duration, flags);
  return {code, start_ms + lease_ms_};
}

// conflict: somebody raised it first.
Status RadosLease::raise_term(std::uint64_t from) {
  librados::ObjectWriteOperation operation;
  operation.cmpxattr(kTerm, LIBRADOS_CMPXATTR_OP_EQ, to_buffer(write_term(from)));
  operation.setxattr(kTerm, to_buffer(write_term(from + 1)));
  operation.setxattr(kWriter, to_buffer(place_));
  const int code = send_write(cluster_.logs(), kRadosLabel, operation).wait();
  if (code < 0) return error_of_rados(code, "the writer's term cannot be raised");
  term_ = from + 1;
  return ok();
}

void RadosLease::renew() {
  if (!lapsed_) {
    const Locked renewed = lock(LIBRADOS_LOCK_FLAG_MUST_RENEW);
    if (renewed.code >= 0) valid_until_ms_ = renewed.until_ms;
    if (renewed.code == -EBUSY) lost_ = true;
    lapsed_ = renewed.code == -ENOENT;
    if (!lapsed_) return;  // renewed or lost; or no answer, and the next round asks again
    valid_until_ms_ = 0;
  }
  // Perhaps because the whole cluster stood still. Whoever took it since has raised the term: then it is not ours any more.
  const Locked again = lock(LIBRADOS_LOCK_FLAG_MAY_RENEW);
  if (again.code == -EBUSY) lost_ = true;
  if (again.code < 0) return;
  const Status raised = raise_term(term_);
  if (raised) {
    lapsed_ = false;
    valid_until_ms_ = again.until_ms;
  } else if (raised.error().code == Errc::conflict) {
    lost_ = true;
    cluster_.logs().unlock(kRadosLabel, kLock, cookie_);
  }
}

}  // namespace greffe::store
