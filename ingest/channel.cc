#include "ingest/channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace greffe::ingest {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

namespace {

// Aligned as the control messages of a socket must be.
union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

Error gone(std::string_view what) { return fail(Errc::unavailable, fmt::format("{}: {}", what, std::strerror(errno))); }

}  // namespace

// The kernel grants a read lease only on a file that nobody has open, or mapped, for writing.
Writers writers_of(int descriptor) {
  if (::fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0) return ::fcntl(descriptor, F_SETLEASE, F_UNLCK) == 0 ? Writers::none : Writers::unknown;
  return errno == EAGAIN ? Writers::some : Writers::unknown;
}

Result<std::pair<Channel, Channel>> Channel::pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return gone("cannot make a pair of sockets");
  return std::make_pair(Channel(Descriptor(ends[0])), Channel(Descriptor(ends[1])));
}

Status Channel::send(const Json& body, int descriptor_to_pass) {
  std::string text = write_json(body);
  if (text.size() > kMaxMessageBytes) return fail(Errc::invalid, "a message to or from the reader is too long");
  iovec piece{text.data(), text.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control{};
  if (descriptor_to_pass >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor_to_pass, sizeof(int));
  }
  ssize_t sent = -1;
  do {
    sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? Status(gone("cannot send to the reader's other end")) : ok();
}

Result<Message> Channel::receive() {
  char text[kMaxMessageBytes];  // not cleared: a reader says something several times a second
  iovec piece{text, sizeof text};
  Control control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t got = -1;
  do {
    got = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return gone("cannot receive");
  if (got == 0) return fail(Errc::unavailable, "the other end is gone");
  Message out;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    out.descriptor = Descriptor(fd);
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return fail(Errc::invalid, "a message was too long");
  out.body = GREFFE_TRY(parse_json({text, static_cast<std::size_t>(got)}));
  return out;
}

}  // namespace greffe::ingest
