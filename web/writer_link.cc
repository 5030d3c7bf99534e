#include "web/writer_link.h"

#include <algorithm>
#include <array>

#include "web/forwarded_address.h"

namespace greffe::web {
namespace {

// What the pages ask with. All else ends here, what belongs to one connection and what only we may say alike.
constexpr std::array<std::string_view, 11> kPassedOn = {"accept",   "accept-language", "authorization", "content-type", "cookie",        "host",
                                                        "if-range", "if-none-match",   "origin",        "range",        "sec-fetch-site"};
constexpr std::array<std::string_view, 2> kCredentials = {"authorization", "cookie"};
constexpr unsigned kConnectS = 3;
constexpr unsigned kSilentS = 20;

template <std::size_t N>
void add_headers(HttpRequest& out, const http::Request& request, const std::array<std::string_view, N>& names) {
  for (const auto& [name, value] : request.headers) {
    if (std::find(names.begin(), names.end(), name) != names.end()) out.headers.emplace_back(name, value);
  }
}

HttpClientSettings pages_of(const store::WriterPlace& place, std::stop_token stop) {
  HttpClientSettings out;
  out.base_url = place.pages_url;
  out.server_spki_sha256 = Bytes(place.pages_key.bytes.begin(), place.pages_key.bytes.end());
  out.connect_timeout_s = kConnectS;
  out.stall_timeout_s = kSilentS;
  out.stop = std::move(stop);
  return out;
}

}  // namespace

void WriterLink::set(const std::optional<store::WriterPlace>& place) {
  std::shared_ptr<Known> old;  // its connections are closed after the lock
  const std::lock_guard lock(mutex_);
  if (known_ && place && known_->place == *place) return;
  old = std::move(known_);
  if (place) known_ = std::make_shared<Known>(*place, pages_of(*place, stop_.get_token()));
}

std::optional<store::WriterPlace> WriterLink::place() const {
  const std::lock_guard lock(mutex_);
  return known_ ? std::optional(known_->place) : std::nullopt;
}

Result<HttpResponse> WriterLink::ask(const http::Request& request, HttpRequest out) {
  std::shared_ptr<Known> known;
  {
    const std::lock_guard lock(mutex_);
    known = known_;
  }
  if (!known) return fail(Errc::unavailable, "No machine of this archive writes at the moment; another takes over within half a minute.");
  out.path = request.target;
  out.max_response_bytes = kForwardedBytesMax;
  out.headers.emplace_back(kForwardedHeader, write_forwarded(server_key_, request, out.method, clock_.utc_now()));
  return known->pages.send(out);
}

Result<HttpResponse> WriterLink::forward(const http::Request& request) {
  HttpRequest out;
  out.method = request.method;
  out.body = request.body;
  add_headers(out, request, kPassedOn);
  return ask(request, std::move(out));
}

Result<HttpResponse> WriterLink::look(const http::Request& request) {
  HttpRequest out;
  out.method = "HEAD";
  add_headers(out, request, kCredentials);
  return ask(request, std::move(out));
}

}  // namespace greffe::web
