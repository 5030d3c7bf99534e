// What comes over a connection of RTSP, told apart: packets between messages (RFC 2326, section 10.12). A buffer of fixed size and no
// connection of its own. One thread.
#ifndef GREFFE_INGEST_RTSP_STREAM_H
#define GREFFE_INGEST_RTSP_STREAM_H

#include <span>

#include "archive/base/bytes.h"
#include "ingest/rtsp_message.h"

namespace greffe::ingest {

class RtspStream {
 public:
  RtspStream();
  // Where the next bytes go, never empty while next() says `more`; received() says how many came. What packet() showed is gone then.
  std::span<std::uint8_t> room();
  void received(std::size_t size) { end_ += size; }

  enum class Next {
    more,     // nothing whole is there
    packet,   // packet() and channel(), until room() is called
    message,  // message(), until the next call
    garbage,  // neither; skipped up to where a packet may begin
  };
  Next next();
  ByteView packet() const { return packet_; }
  std::uint8_t channel() const { return channel_; }
  RtspMessage& message() { return message_; }

 private:
  Next next_packet();
  Next next_message();

  Bytes buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what has come and was not taken
  ByteView packet_;
  std::uint8_t channel_ = 0;
  RtspMessage message_;
};

}  // namespace greffe::ingest

#endif
