// The TLS side of a listener: TLS 1.3 only, one certificate, optionally any client with an Ed25519 key. Thread-safe.
#ifndef GREFFE_WEB_HTTP_TLS_CONTEXT_H
#define GREFFE_WEB_HTTP_TLS_CONTEXT_H

#include <memory>

#include "archive/base/result.h"
#include "web/http/server.h"

struct ssl_ctx_st;

namespace greffe::http {

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
