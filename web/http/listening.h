// Listening sockets: addresses as text, and who is at the other end of a new connection.
#ifndef GREFFE_WEB_HTTP_LISTENING_H
#define GREFFE_WEB_HTTP_LISTENING_H

#include <cstdint>
#include <optional>
#include <string>

#include "archive/base/result.h"

namespace greffe::http {

struct ListeningSocket {
  int descriptor = -1;      // non-blocking, listening; the caller's to close
  std::string address;      // as bound: with the port that was chosen when 0 was asked for
  std::string unix_path;    // to be removed at the end; empty for TCP
};

// "127.0.0.1:8443", "[::1]:0", "unix:/run/greffe/archive.sock". invalid: not such an address. denied: plain (not TLS)
// on an address that other machines reach. unavailable: somebody listens there already, or it cannot be bound.
// The file of a dead unix socket is replaced; the new one has mode 0660.
Result<ListeningSocket> bind_listening(const std::string& address, bool tls);

// Whether only this machine reaches it. invalid: not such an address.
Result<bool> is_local(const std::string& address);

struct Peer {
  std::string text;                       // "127.0.0.1:54321" or "unix"
  std::optional<std::uint32_t> uid;       // of a unix socket
};
Peer peer_of(int descriptor);

}  // namespace greffe::http

#endif
