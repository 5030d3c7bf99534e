// A certificate for a browser listener that has none from an authority: browsers warn once, the connection is private.
#ifndef GREFFE_WEB_HTTP_SELF_SIGNED_H
#define GREFFE_WEB_HTTP_SELF_SIGNED_H

#include <string>

namespace greffe::http {

struct SelfSigned {
  std::string certificate_pem;
  std::string key_pem;  // ECDSA P-256: browsers refuse Ed25519 here
};

// For `host` and for this machine (localhost, 127.0.0.1, ::1); good for ten years.
SelfSigned make_self_signed(const std::string& host);

}  // namespace greffe::http

#endif
