// How much may go over a line that has a limit: what the limit gives, and a little that was saved up while nothing went. One thread at a time.
#ifndef GREFFE_ARCHIVE_BASE_TOKEN_BUCKET_H
#define GREFFE_ARCHIVE_BASE_TOKEN_BUCKET_H

#include <cstddef>
#include <cstdint>

namespace greffe {

class TokenBucket {
 public:
  static constexpr std::size_t kPieceBytes = 16 * 1024;  // at most at once, so that connections share the line evenly

  // How many of `wanted` bytes may go at this monotonic time; 0: none yet. At a slow limit a piece is what it gives in half a second, or
  // the other side would wait too long for the next one.
  std::size_t take(std::size_t wanted, std::uint64_t bytes_per_second, std::int64_t now_ms);
  // After take() gave 0: when to ask again, in a tenth of a second at the latest. The limit may be another one by then.
  std::int64_t wait_ms(std::size_t wanted, std::uint64_t bytes_per_second) const;

 private:
  double bytes_ = 0;             // that may go at once
  std::int64_t filled_ms_ = -1;  // monotonic; -1: never
};

}  // namespace greffe

#endif
