#include "ingest/picture_board.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kFreshMs = 10'000;

}  // namespace

void PictureBoard::put(const std::string& stream, Bytes jpeg) {
  Picture picture{clock_.monotonic_ms(), std::make_shared<const Bytes>(std::move(jpeg))};
  const std::lock_guard<std::mutex> guard(mutex_);
  pictures_[stream] = std::move(picture);
}

std::shared_ptr<const Bytes> PictureBoard::get(const std::string& stream) const {
  const std::int64_t now = clock_.monotonic_ms();
  const std::lock_guard<std::mutex> guard(mutex_);
  const auto found = pictures_.find(stream);
  if (found == pictures_.end() || now - found->second.mono_ms > kFreshMs) return nullptr;
  return found->second.jpeg;
}

}  // namespace greffe::ingest
