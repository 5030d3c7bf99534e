// Who may write to a bucket: S3 knows no locks, so the lease is a small object that its holder replaces again and again.
// Whoever wants it watches for a whole lease that nothing moves, by its own clock, and then replaces it itself, on the
// condition that it still is what was watched: no two clocks are ever compared.
#ifndef GREFFE_ARCHIVE_STORE_S3_LEASE_H
#define GREFFE_ARCHIVE_STORE_S3_LEASE_H

#include <memory>

#include "archive/store/kept_lease.h"
#include "archive/store/writer_place.h"

namespace greffe::store {

inline constexpr const char* kS3Lease = "greffe-writer";

class S3Lease : public KeptLease {
 public:
  // Takes as long as a lease when the last holder gave no sign of its end. unavailable: another process holds it. cancelled: the wish's
  // stop. Both must outlive the lease.
  static Result<std::unique_ptr<S3Lease>> take(RemoteCells& cells, Clock& clock, unsigned lease_s, LeaseWish wish);
  // Who held it last. Whether that one lives, only taking shows.
  static Result<SeenWriter> look(RemoteCells& cells);
  ~S3Lease() override;  // gives it up, so that another need not wait

 private:
  S3Lease(RemoteCells& cells, Clock& clock, unsigned lease_s, std::uint64_t term, LeaseWish wish);
  Status write(const HeldCell& now, const std::string& text);
  std::string held_text() const;
  void renew() override;

  RemoteCells& cells_;
  std::string last_token_;  // of our last write; owned by the keeper, once it runs
};

}  // namespace greffe::store

#endif
