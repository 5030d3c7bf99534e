#include "web/http/transport.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <cerrno>

#include "archive/base/result.h"

namespace greffe::http {
namespace {

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

class PlainTransport : public Transport {
 public:
  explicit PlainTransport(int descriptor) : descriptor_(descriptor) {}

  Io handshake() override { return Io::moved; }
  Moved read(std::span<std::uint8_t> out) override {
    for (;;) {
      const ssize_t count = ::recv(descriptor_, out.data(), out.size(), 0);
      if (count > 0) return {Io::moved, static_cast<std::size_t>(count)};
      if (count < 0 && errno == EINTR) continue;
      return {count < 0 && would_block() ? Io::want_read : Io::closed, 0};
    }
  }
  Moved write(ByteView bytes, bool more) override {
    for (;;) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0));
      if (count >= 0) return {Io::moved, static_cast<std::size_t>(count)};
      if (errno == EINTR) continue;
      return {would_block() ? Io::want_write : Io::closed, 0};
    }
  }
  Moved send_file(int file, std::uint64_t offset, std::size_t size) override {
    for (;;) {
      off_t at = static_cast<off_t>(offset);
      const ssize_t count = ::sendfile(descriptor_, file, &at, size);
      if (count > 0) return {Io::moved, static_cast<std::size_t>(count)};
      if (count < 0 && errno == EINTR) continue;
      return {count < 0 && would_block() ? Io::want_write : Io::closed, 0};  // 0: the file became shorter
    }
  }
  bool can_send_files() const override { return true; }
  bool has_pending() const override { return false; }
  void end_writing() override { ::shutdown(descriptor_, SHUT_WR); }
  std::optional<std::array<std::uint8_t, 32>> peer_key() const override { return std::nullopt; }

 private:
  const int descriptor_;
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// On the descriptor itself: no copies through memory BIOs, and several records per turn of the event loop.
class TlsTransport : public Transport {
 public:
  TlsTransport(int descriptor, SSL_CTX* context) : descriptor_(descriptor), ssl_(SSL_new(context)) {
    GREFFE_CHECK(ssl_ != nullptr);
    GREFFE_CHECK(SSL_set_fd(ssl_.get(), descriptor) == 1);
    SSL_set_accept_state(ssl_.get());
  }

  Io handshake() override {
    ERR_clear_error();  // the queue is the thread's: another connection's error would be taken for ours
    const int done = SSL_do_handshake(ssl_.get());
    if (done == 1) return Io::moved;
    return state_after(done);
  }
  Moved read(std::span<std::uint8_t> out) override {
    std::size_t have = 0;
    while (have < out.size()) {
      std::size_t count = 0;
      ERR_clear_error();
      const int done = SSL_read_ex(ssl_.get(), out.data() + have, out.size() - have, &count);
      if (done != 1) {
        if (have > 0) break;
        return {state_after(done), 0};
      }
      have += count;
      if (SSL_has_pending(ssl_.get()) == 0) break;  // all that had come is read; asking the socket again seldom gives more
    }
    return {Io::moved, have};
  }
  Moved write(ByteView bytes, bool) override {
    std::size_t have = 0;
    while (have < bytes.size()) {
      std::size_t count = 0;
      ERR_clear_error();
      const int done = SSL_write_ex(ssl_.get(), bytes.data() + have, bytes.size() - have, &count);
      if (done != 1) {
        if (have > 0) break;
        return {state_after(done), 0};
      }
      have += count;
    }
    return {Io::moved, have};
  }
  Moved send_file(int, std::uint64_t, std::size_t) override { return {Io::closed, 0}; }
  bool can_send_files() const override { return false; }
  bool has_pending() const override { return SSL_has_pending(ssl_.get()) == 1; }
  void end_writing() override {
    ERR_clear_error();
    if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());  // close_notify; nothing is waited for
    ::shutdown(descriptor_, SHUT_WR);
  }
  std::optional<std::array<std::uint8_t, 32>> peer_key() const override {
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
    if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519) return std::nullopt;
    std::array<std::uint8_t, 32> raw{};
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1 || size != raw.size()) return std::nullopt;
    return raw;
  }

 private:
  Io state_after(int done) {
    switch (SSL_get_error(ssl_.get(), done)) {
      case SSL_ERROR_WANT_READ: return Io::want_read;
      case SSL_ERROR_WANT_WRITE: return Io::want_write;
      case SSL_ERROR_ZERO_RETURN: return Io::closed;
      default: broken_ = true; return Io::closed;  // SSL_shutdown must not follow a fatal error
    }
  }

  const int descriptor_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport(int descriptor) { return std::make_unique<PlainTransport>(descriptor); }

std::unique_ptr<Transport> make_tls_transport(int descriptor, ssl_ctx_st* context) {
  return std::make_unique<TlsTransport>(descriptor, context);
}

}  // namespace greffe::http
