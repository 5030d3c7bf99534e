#include "web/http/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>
#include <string_view>

namespace greffe::http {
namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

// A file of a service must not ask on a terminal for a password.
int no_password(char*, int, int, void*) { return -1; }

Bio bio_of(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string reason() {
  char text[256] = "no reason given";
  const unsigned long code = ERR_peek_last_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

// The peer has proved that it holds the key of this certificate, or will in the next message. That is all a
// self-signed certificate can say: its names and dates are not looked at, and which keys may do what is the handlers'
// business. A key of another type is refused, since Request::peer_key could not carry it.
int accept_any_ed25519(X509_STORE_CTX* store, void*) {
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  EVP_PKEY* key = leaf == nullptr ? nullptr : X509_get0_pubkey(leaf);
  if (key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

// HTTP/1.1 or, for a client that does not ask, nothing.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11 - 1, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Status use_certificate(SSL_CTX* context, const TlsSettings& settings) {
  const Bio certificates = bio_of(settings.certificate_pem);
  Certificate leaf(PEM_read_bio_X509(certificates.get(), nullptr, no_password, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) {
    return fail(Errc::invalid, "The TLS certificate is not a PEM certificate that can be used: " + reason() + ".");
  }
  for (;;) {  // the rest of the chain
    Certificate more(PEM_read_bio_X509(certificates.get(), nullptr, no_password, nullptr));
    if (!more) break;
    if (SSL_CTX_add0_chain_cert(context, more.get()) != 1) {
      return fail(Errc::invalid, "The chain of the TLS certificate cannot be used: " + reason() + ".");
    }
    more.release();  // the context owns it now
  }
  ERR_clear_error();
  const Bio key_text = bio_of(settings.key_pem);
  const Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_password, nullptr));
  if (!key) return fail(Errc::invalid, "The TLS key is not a PEM private key without a password: " + reason() + ".");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return fail(Errc::invalid, "The TLS key does not belong to the TLS certificate: " + reason() + ".");
  }
  return ok();
}

}  // namespace

Result<std::array<std::uint8_t, 32>> pinned_key_of(const std::string& certificate_pem) {
  const Bio text = bio_of(certificate_pem);
  const Certificate leaf(PEM_read_bio_X509(text.get(), nullptr, no_password, nullptr));
  unsigned char* spki = nullptr;
  const int size = leaf ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf.get()), &spki) : -1;
  if (size <= 0) return fail(Errc::invalid, "The TLS certificate is not a PEM certificate that can be used: " + reason() + ".");
  std::array<std::uint8_t, 32> out{};
  SHA256(spki, static_cast<std::size_t>(size), out.data());
  OPENSSL_free(spki);
  return out;
}

Result<TlsContext> TlsContext::make(const TlsSettings& settings) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return fail(Errc::invalid, "TLS is not available: " + reason() + ".");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  GREFFE_TRY(use_certificate(context.get(), settings));
  // RELEASE_BUFFERS keeps an idle connection at some 20 KiB; partial writes go on from another address after a wait.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);  // many records with one system call
  SSL_CTX_set_default_read_buffer_len(context.get(), 128 * 1024);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  if (settings.client_certificate) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), accept_any_ed25519, nullptr);
    // A resumed session would carry a key whose possession was proved earlier: prove it every time.
    SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context.get(), 0);
  }
  return TlsContext(std::move(context));
}

}  // namespace greffe::http
