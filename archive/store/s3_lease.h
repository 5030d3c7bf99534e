// Who may write to a bucket: S3 knows no locks, so the lease is a small object that its holder replaces again and again.
// Whoever wants it watches for a whole lease that nothing moves, by its own clock, and then replaces it itself, on the
// condition that it still is what was watched: no two clocks are ever compared.
#ifndef GREFFE_ARCHIVE_STORE_S3_LEASE_H
#define GREFFE_ARCHIVE_STORE_S3_LEASE_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "archive/base/clock.h"
#include "archive/store/remote_heads.h"

namespace greffe::store {

inline constexpr const char* kS3Lease = "greffe-writer";

class S3Lease : public TermLease {
 public:
  // Takes as long as a lease when the last holder gave no sign of its end. unavailable: another process holds it.
  // Both must outlive the lease.
  // `on_lost` is called by the keeper, once, when it is lost for good; it must not end the lease itself.
  static Result<std::unique_ptr<S3Lease>> take(RemoteCells& cells, Clock& clock, unsigned lease_s, std::function<void()> on_lost);
  ~S3Lease() override;  // gives it up, so that another need not wait

  Status check() const override;
  std::uint64_t term() const override { return term_; }

 private:
  S3Lease(RemoteCells& cells, Clock& clock, unsigned lease_s, std::uint64_t term, std::function<void()> on_lost);
  Status write(const HeldCell& now, const std::string& text);
  void keep(std::stop_token stop);
  void renew_once();

  RemoteCells& cells_;
  Clock& clock_;
  const std::int64_t lease_ms_;
  const std::uint64_t term_;
  const std::function<void()> on_lost_;
  std::string last_token_;                       // of our last write; owned by the keeper, once it runs
  std::atomic<std::int64_t> valid_until_ms_{0};  // monotonic
  std::atomic<bool> lost_{false};                // for good
  std::jthread keeper_;                          // last: it uses all of the above
};

}  // namespace greffe::store

#endif
