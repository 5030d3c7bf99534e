#include "web/forwarded_address.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::web {
namespace {

constexpr std::size_t kHeaderBytesMax = 256;
constexpr std::size_t kAddressBytesMax = 64;

// The first line keeps it apart from everything else that this key signs.
std::string signed_text(std::string_view address, std::string_view method, std::string_view target, std::string_view time_ms) {
  return fmt::format("greffe-forwarded\n{}\n{}\n{}\n{}\n", address, method, target, time_ms);
}

bool is_address(std::string_view text) {
  return !text.empty() && text.size() <= kAddressBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '.' || c == ':' || c == '[' || c == ']';
  });
}

Error not_ours() { return fail(Errc::denied, "This request says that another machine of the archive sent it on, but none did."); }

}  // namespace

std::string address_of(const http::Request& request) { return request.remote.substr(0, request.remote.rfind(':')); }

std::string write_forwarded(const PrivateKey& server_key, const http::Request& request, std::string_view method, UtcTime now) {
  const std::string address = address_of(request);
  const std::string time_ms = std::to_string(now.ms);
  const Signature signature = server_key.sign(as_bytes(signed_text(address, method, request.target, time_ms)));
  return fmt::format("{} {} {}", address, time_ms, to_base64(signature));
}

Result<std::string> client_address(const PublicKey& server_key, const http::Request& request, UtcTime now) {
  const auto count = request.headers.count(std::string(kForwardedHeader));
  if (count == 0) return address_of(request);
  const std::string header = request.header(kForwardedHeader);
  const std::size_t first = header.find(' ');
  const std::size_t second = first == std::string::npos ? first : header.find(' ', first + 1);
  if (count > 1 || header.size() > kHeaderBytesMax || second == std::string::npos) return not_ours();
  const std::string address = header.substr(0, first);
  const std::string time_text = header.substr(first + 1, second - first - 1);
  const auto time_ms = parse_decimal(time_text);
  const auto signature = from_base64(header.substr(second + 1));
  if (!is_address(address) || !time_ms || !signature) return not_ours();
  if (!verify_signature(server_key, as_bytes(signed_text(address, request.method, request.target, time_text)), *signature)) return not_ours();
  const std::int64_t age_ms = now.ms - static_cast<std::int64_t>(*time_ms);
  if (age_ms < -kForwardedForMs || age_ms > kForwardedForMs) {
    return fail(Errc::denied, "This request was sent on by another machine of the archive more than a minute ago, or their clocks differ by as much.");
  }
  return address;
}

}  // namespace greffe::web
