#include <unistd.h>

#include <utility>

#include "web/http/connection.h"

namespace greffe::http {

AcceptedSocket::AcceptedSocket(int descriptor, std::shared_ptr<Listener> listener, std::atomic<std::size_t>& loop_count)
    : descriptor_(descriptor), listener_(std::move(listener)), loop_count_(&loop_count) {
  ++listener_->open;
  ++*loop_count_;
}

AcceptedSocket::AcceptedSocket(AcceptedSocket&& other) noexcept
    : remote(std::move(other.remote)),
      peer_uid(other.peer_uid),
      descriptor_(std::exchange(other.descriptor_, -1)),
      listener_(std::move(other.listener_)),
      loop_count_(other.loop_count_) {}

AcceptedSocket::~AcceptedSocket() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  --listener_->open;
  --*loop_count_;
}

}  // namespace greffe::http
