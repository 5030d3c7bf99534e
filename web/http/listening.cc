#include "web/http/listening.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace greffe::http {
namespace {

constexpr int kBacklog = 4096;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Error cannot(const std::string& address, std::string_view what) {
  return fail(Errc::unavailable, fmt::format("Cannot listen on {}: {}: {}.", address, what, std::strerror(errno)));
}

std::string text_of(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
    return fmt::format("{}:{}", text, ntohs(in.sin_port));
  }
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address.storage, sizeof in);
    ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
    return fmt::format("[{}]:{}", text, ntohs(in.sin6_port));
  }
  return "unix";
}

bool is_loopback(const SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof in);
    return (ntohl(in.sin_addr.s_addr) >> 24) == 127;
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &address.storage, sizeof in);
  return IN6_IS_ADDR_LOOPBACK(&in.sin6_addr);
}

Result<SocketAddress> parse_address(const std::string& text) {
  const Error bad = fail(Errc::invalid, fmt::format("\"{}\" is not an address to listen on; write 127.0.0.1:8443, "
                                                    "[::1]:8443 or unix:/path.", text));
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return bad;
  std::string host = text.substr(0, colon);
  const std::string_view port_text = std::string_view(text).substr(colon + 1);
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (port_text.empty() || parsed.ec != std::errc{} || parsed.ptr != port_text.data() + port_text.size()) return bad;
  SocketAddress out;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, host.c_str(), &in.sin6_addr) != 1) return bad;
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
    return out;
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1) return bad;
  std::memcpy(&out.storage, &in, sizeof in);
  out.size = sizeof in;
  return out;
}

Result<ListeningSocket> bind_tcp(const std::string& text, bool tls) {
  SocketAddress address = GREFFE_TRY(parse_address(text));
  if (!tls && !is_loopback(address)) {
    return fail(Errc::denied, fmt::format("Refusing to listen on {} without TLS: other machines reach it. Give a "
                                          "certificate and key, or a loopback address.", text));
  }
  Descriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return cannot(text, "no socket");
  const int one = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(socket.get(), address.get(), address.size) != 0) return cannot(text, "the address is not free");
  if (::listen(socket.get(), kBacklog) != 0) return cannot(text, "listen");
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(socket.get(), bound.get(), &bound.size) != 0) return cannot(text, "its name");
  ListeningSocket out;
  out.address = text_of(bound);
  out.descriptor = socket.release();
  return out;
}

Result<ListeningSocket> bind_unix(const std::string& text, const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path || path.find('\0') != std::string::npos) {
    return fail(Errc::invalid, fmt::format("The path of the unix socket {} is empty or longer than {} characters.",
                                           text, sizeof name.sun_path - 1));
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  const auto* address = reinterpret_cast<const sockaddr*>(&name);
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) {
      return fail(Errc::unavailable, fmt::format("Cannot listen on {}: a file that is not a socket has that name.", text));
    }
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (probe.get() < 0) return cannot(text, "no socket");
    if (::connect(probe.get(), address, sizeof name) == 0 || errno != ECONNREFUSED) {
      return fail(Errc::unavailable, fmt::format("Cannot listen on {}: another process does.", text));
    }
    ::unlink(path.c_str());  // of a process that is gone
  }
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return cannot(text, "no socket");
  if (::bind(socket.get(), address, sizeof name) != 0) return cannot(text, "bind");
  // Before listen(): nobody can connect under the mode that the umask gave.
  if (::chmod(path.c_str(), 0660) != 0) return cannot(text, "chmod");
  if (::listen(socket.get(), kBacklog) != 0) return cannot(text, "listen");
  ListeningSocket out;
  out.address = text;
  out.unix_path = path;
  out.descriptor = socket.release();
  return out;
}

}  // namespace

Result<ListeningSocket> bind_listening(const std::string& address, bool tls) {
  constexpr std::string_view kUnix = "unix:";
  if (address.starts_with(kUnix)) return bind_unix(address, address.substr(kUnix.size()));
  return bind_tcp(address, tls);
}

Result<bool> is_local(const std::string& address) {
  const SocketAddress parsed = GREFFE_TRY(parse_address(address));
  return is_loopback(parsed);
}

Peer peer_of(int descriptor) {
  SocketAddress address;
  address.size = sizeof address.storage;
  Peer peer;
  if (::getpeername(descriptor, address.get(), &address.size) != 0) return peer;
  peer.text = text_of(address);
  if (address.storage.ss_family == AF_UNIX) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) peer.uid = credentials.uid;
  } else {
    const int one = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  return peer;
}

}  // namespace greffe::http
