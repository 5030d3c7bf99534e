// Bytes over a connected, non-blocking socket, plain or TLS. Nothing here waits. One thread.
#ifndef GREFFE_WEB_HTTP_TRANSPORT_H
#define GREFFE_WEB_HTTP_TRANSPORT_H

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "archive/base/bytes.h"

struct ssl_ctx_st;

namespace greffe::http {

enum class Io {
  moved,       // `bytes` went through (for a handshake: it is complete)
  want_read,   // wait until the socket is readable, then call again
  want_write,  // wait until it is writable
  closed,      // the peer ended its side, or the connection broke
};
struct Moved {
  Io state = Io::closed;
  std::size_t bytes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Io handshake() = 0;
  // As much as is there, up to `out`.
  virtual Moved read(std::span<std::uint8_t> out) = 0;
  // `more`: other bytes follow at once, so that the kernel may fill its packets.
  virtual Moved write(ByteView bytes, bool more) = 0;
  // From a file without copying; only when can_send_files(). closed: also when the file is shorter than that.
  virtual Moved send_file(int file, std::uint64_t offset, std::size_t size) = 0;
  virtual bool can_send_files() const = 0;
  // Bytes have arrived that read() would give without the socket being readable.
  virtual bool has_pending() const = 0;
  // Says that nothing follows. The socket stays open for reading.
  virtual void end_writing() = 0;
  virtual std::optional<std::array<std::uint8_t, 32>> peer_key() const = 0;  // after the handshake
};

// The descriptor stays the caller's.
std::unique_ptr<Transport> make_plain_transport(int descriptor);
std::unique_ptr<Transport> make_tls_transport(int descriptor, ssl_ctx_st* context);

}  // namespace greffe::http

#endif
