// What the importing process and its sandboxed child say to each other: JSON messages over a pair of sockets, with a
// descriptor passed along where one is needed; and how to tell that a descriptor that was passed is closed again. One
// thread at each end.
#ifndef GREFFE_INGEST_CHANNEL_H
#define GREFFE_INGEST_CHANNEL_H

#include <utility>

#include "archive/base/result.h"
#include "archive/format/canonical_json.h"

namespace greffe::ingest {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Who has this file open for writing, by whatever process. `descriptor`: open for reading only.
enum class Writers { none, some, unknown };
Writers writers_of(int descriptor);

constexpr std::size_t kMaxMessageBytes = 64 * 1024;

struct Message {
  Json body;
  Descriptor descriptor;  // open only if one came along
};

class Channel {
 public:
  static Result<std::pair<Channel, Channel>> pair();
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}
  int descriptor() const { return socket_.get(); }
  // unavailable: the other end is gone.
  Status send(const Json& body, int descriptor_to_pass = -1);
  // unavailable: the other end is gone. invalid: what came is not a message.
  Result<Message> receive();

 private:
  Descriptor socket_;
};

}  // namespace greffe::ingest

#endif
