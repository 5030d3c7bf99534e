#include "ingest/backlog.h"

#include <algorithm>

namespace greffe::ingest {
namespace {

constexpr std::int64_t kWaitedUs = 5'000;           // what is in memory already comes in microseconds
constexpr std::int64_t kLongestUs = 30'000'000;     // a longer distance is a clock that was set
constexpr std::size_t kMostBytes = 8 * 1024 * 1024;
constexpr std::size_t kPacketOverheadBytes = 512;

}  // namespace

std::vector<Backlog::Arrival> Backlog::add(PacketPtr packet, AVRational time_base, std::int64_t asked_us, std::int64_t came_us) {
  bytes_ += static_cast<std::size_t>(packet->size) + kPacketOverheadBytes;
  waiting_.push_back(std::move(packet));
  over_ = over_ || came_us - asked_us >= kWaitedUs || bytes_ > kMostBytes;
  return over_ ? rest(time_base, came_us) : std::vector<Arrival>();
}

std::vector<Backlog::Arrival> Backlog::rest(AVRational time_base, std::int64_t now_us) {
  std::vector<Arrival> out;
  if (waiting_.empty()) return out;
  const std::int64_t newest = waiting_.back()->dts;
  for (PacketPtr& packet : waiting_) {
    const std::int64_t before_us = av_rescale_q(newest - packet->dts, time_base, kMicroseconds);
    out.push_back({std::move(packet), now_us - std::clamp<std::int64_t>(before_us, 0, kLongestUs)});
  }
  waiting_.clear();
  return out;
}

}  // namespace greffe::ingest
