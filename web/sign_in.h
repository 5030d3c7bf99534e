// Who is asking: cookie sessions of people, tokens of programs, and the rule that a page of another site cannot act for
// them. Thread-safe.
#ifndef GREFFE_WEB_SIGN_IN_H
#define GREFFE_WEB_SIGN_IN_H

#include <functional>
#include <vector>

#include "archive/accounts/accounts.h"
#include "archive/base/clock.h"
#include "archive/catalogue/catalogue.h"
#include "archive/format/ed25519.h"
#include "web/http/message.h"
#include "web/http/server.h"

namespace greffe::web {

using SignedInHandler = std::function<Result<http::Response>(const http::Request&, const accounts::Session&)>;

class SignIn {
 public:
  // `server_key`: of this archive's machines, which may hand requests on to one another (forwarded_address.h).
  SignIn(accounts::Accounts& accounts, Clock& clock, const PublicKey& server_key);
  // The session of a cookie "__Host-greffe" or of "Authorization: Bearer grf_…". denied: none, or ended.
  Result<accounts::Session> who(const http::Request& request) const;
  // What who() judges a request by; empty: it brings nothing. A secret.
  static std::string credential(const http::Request& request);
  // Wraps a handler: 401 without a session; 403 when a request that changes something comes from another site's page
  // (Origin, or without it Sec-Fetch-Site; bearer tokens are exempt, a browser does not add them by itself).
  http::Handler guard(SignedInHandler handler) const;
  // POST, GET and DELETE /v1/session.
  std::vector<http::Route> routes() const;

 private:
  accounts::Accounts& accounts_;
  Clock& clock_;
  const PublicKey server_key_;
};

}  // namespace greffe::web

#endif
