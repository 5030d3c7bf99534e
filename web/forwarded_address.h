// Who asks, when a waiting machine hands a request on to the one that writes: the header "Greffe-Forwarded", signed with the key
// that all machines of an archive share. Failed log-ins are counted by it, so nobody else may be able to write it. Pure.
#ifndef GREFFE_WEB_FORWARDED_ADDRESS_H
#define GREFFE_WEB_FORWARDED_ADDRESS_H

#include <string>
#include <string_view>

#include "archive/base/clock.h"
#include "archive/format/ed25519.h"
#include "web/http/message.h"

namespace greffe::web {

inline constexpr std::string_view kForwardedHeader = "greffe-forwarded";
// As far as the clocks of two machines may differ, the way included.
inline constexpr std::int64_t kForwardedForMs = 60'000;

// "127.0.0.1" of "127.0.0.1:54321".
std::string address_of(const http::Request& request);
// "<address> <UTC ms> <base64 of the signature>", over the address, `method`, the request's target and the time.
std::string write_forwarded(const PrivateKey& server_key, const http::Request& request, std::string_view method, UtcTime now);
// Whose request it is: the address in that header, or without one the peer's own. denied: the header was not written by a machine of
// this archive for this request, or too long ago.
Result<std::string> client_address(const PublicKey& server_key, const http::Request& request, UtcTime now);

}  // namespace greffe::web

#endif
