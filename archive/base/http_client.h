// HTTP requests through libcurl: TLS 1.3, pinned server key, client certificate, streamed bodies, one connection pool.
#ifndef GREFFE_ARCHIVE_BASE_HTTP_CLIENT_H
#define GREFFE_ARCHIVE_BASE_HTTP_CLIENT_H

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/bytes.h"
#include "archive/base/file_system.h"
#include "archive/base/result.h"

namespace greffe {

// AWS signature version 4, as S3 services ask for it. The caller brings the header x-amz-content-sha256 of each request,
// writes its names of headers in lower case, and sorts and encodes the query (libcurl 7.88 signs what it is given).
struct RequestSigning {
  std::string region;
  std::string access_key;
  std::string secret_key;
};

struct HttpClientSettings {
  std::string base_url;            // "https://archive:8444" or "http+unix:///run/greffe/archive.sock"
  // SHA-256 of the server's SubjectPublicKeyInfo: the only server that is trusted, names and dates are ignored.
  // Empty: the system's certificate authorities decide.
  Bytes server_spki_sha256;
  std::string ca_pem;              // further authorities, contents; only without a pin
  std::string certificate_pem;     // of this client; contents, empty: none
  std::string key_pem;
  unsigned connect_timeout_s = 5;
  unsigned stall_timeout_s = 30;   // no byte for so long: unavailable
  // What was sent, or a probe of a silent connection, stays unconfirmed by the other machine for so long: unavailable. A slow
  // server or a slow line confirms; a line that is gone does not, and is noticed long before a stall.
  unsigned dead_line_timeout_s = 10;
  std::optional<RequestSigning> signing;
  std::stop_token stop;            // requested: calls end with `cancelled` at once, wherever they are
};

struct HttpRequest {
  std::string method = "GET";
  std::string path;                // with query, already encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                              // or
  std::shared_ptr<ReadableFile> body_file;       // streamed from the file
  // Asked before each piece of the file: how many of so many bytes may go now, at least one. May block. Its error ends the call.
  std::function<Result<std::size_t>(std::size_t)> pace;
  std::uint64_t max_response_bytes = 32 * 1024 * 1024;
  // When set, the response body of a 2xx goes here piece by piece instead of into HttpResponse::body.
  std::function<Status(ByteView)> on_body;
};

struct HttpResponse {
  int status = 0;
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string header(std::string_view lower_case_name) const;
};

// Thread-safe: each thread that calls at the same time uses a connection of its own, kept alive.
class HttpClient {
 public:
  explicit HttpClient(HttpClientSettings settings);
  ~HttpClient();
  // Any HTTP status is ok. unavailable: no connection, stalled, broken off. denied: the server's key is not the pinned
  // one, or it refused our certificate. invalid: the response is larger than allowed or is not HTTP. cancelled: the stop.
  Result<HttpResponse> send(const HttpRequest& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe

#endif
