// The TLS side of a listener: TLS 1.3 only, one certificate, optionally any client with an Ed25519 key. Thread-safe.
#ifndef GREFFE_WEB_HTTP_TLS_CONTEXT_H
#define GREFFE_WEB_HTTP_TLS_CONTEXT_H

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "archive/base/result.h"
#include "web/http/server.h"

struct ssl_ctx_st;

namespace greffe::http {

// SHA-256 of the SubjectPublicKeyInfo of the first certificate in this PEM: what a client pins. invalid: there is none.
Result<std::array<std::uint8_t, 32>> pinned_key_of(const std::string& certificate_pem);

class TlsContext {
 public:
  // invalid: the certificate or the key is not readable, or they do not belong together.
  static Result<TlsContext> make(const TlsSettings& settings);
  ssl_ctx_st* get() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace greffe::http

#endif
