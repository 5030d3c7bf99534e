#include "ingest/rtsp_stream.h"

#include <algorithm>

namespace greffe::ingest {
namespace {

constexpr std::size_t kHead = 4;  // '$', the channel, and a length of two bytes
constexpr std::size_t kMostInPacket = 65'535;
constexpr std::size_t kBufferBytes = 2 * (kHead + kMostInPacket);
static_assert(kBufferBytes >= 2 * (kMaxRtspHeadBytes + kMaxRtspBodyBytes));

}  // namespace

RtspStream::RtspStream() : buffer_(kBufferBytes) {}

std::span<std::uint8_t> RtspStream::room() {
  if (begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span(buffer_).subspan(end_);
}

RtspStream::Next RtspStream::next() {
  if (begin_ == end_) return Next::more;
  return buffer_[begin_] == '$' ? next_packet() : next_message();
}

RtspStream::Next RtspStream::next_packet() {
  if (end_ - begin_ < kHead) return Next::more;
  const std::size_t size = std::size_t{buffer_[begin_ + 2]} << 8 | buffer_[begin_ + 3];
  if (end_ - begin_ < kHead + size) return Next::more;
  channel_ = buffer_[begin_ + 1];
  packet_ = ByteView(buffer_).subspan(begin_ + kHead, size);
  begin_ += kHead + size;
  return Next::packet;
}

RtspStream::Next RtspStream::next_message() {
  const std::string_view text = as_text(ByteView(buffer_).subspan(begin_, end_ - begin_));
  const bool letter = text[0] >= 'A' && text[0] <= 'Z';
  auto read = letter ? read_rtsp_message(text) : Result<std::optional<RtspMessageRead>>(fail(Errc::invalid, "no message begins so"));
  if (!read) {
    begin_ += std::min(text.find('$'), text.size());
    return Next::garbage;
  }
  if (!*read) return Next::more;
  begin_ += (*read)->size;
  message_ = std::move((*read)->message);
  return Next::message;
}

}  // namespace greffe::ingest
