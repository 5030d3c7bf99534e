// Requests and responses of the HTTP layer. Knows nothing of the archive.
#ifndef GREFFE_WEB_HTTP_MESSAGE_H
#define GREFFE_WEB_HTTP_MESSAGE_H

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "archive/base/bytes.h"
#include "archive/base/file_system.h"
#include "archive/base/result.h"

namespace greffe::http {

struct Request {
  std::string method;  // "GET", "PUT", …
  std::string target;  // path and query as they were sent, still encoded; checked as below
  std::string path;    // percent-decoded, starts with '/', no "..", valid UTF-8
  std::multimap<std::string, std::string> query;   // percent-decoded
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::map<std::string, std::string> parameters;    // of the route pattern: {"id": "0190…"}
  std::string body;                // of a buffered route; empty for a streamed one
  std::optional<std::uint64_t> content_length;
  std::string remote;              // "127.0.0.1:54321" or "unix"
  std::optional<std::array<std::uint8_t, 32>> peer_key;  // raw Ed25519 key of the peer's TLS certificate
  std::optional<std::uint32_t> peer_uid;                 // of a unix socket peer

  std::string header(std::string_view lower_case_name) const;  // empty when absent
  std::string query_value(std::string_view name) const;        // first one; empty when absent
  std::string parameter(std::string_view name) const;
  std::string cookie(std::string_view name) const;
};

// Part of a file, sent without copying where the transport can. Keeps the file open.
struct FileBody {
  std::shared_ptr<ReadableFile> file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // Content-Length is the layer's
  std::variant<std::string, FileBody> body;

  void set(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
};

Response text_response(int status, std::string body, std::string content_type = "text/plain; charset=utf-8");
Response json_response(int status, std::string body);
// application/problem+json (RFC 9457): "title" and "detail" are sentences for people; `code` is ours ("invalid", …).
Response problem(int status, std::string_view code, std::string_view detail, std::string_view extra_members = "");
Response problem(const Error& error);  // Errc -> status, in one place

// A file with Range (one range; several are answered whole), If-None-Match and If-Range against `etag`. 200, 206, 304 or 416.
Response file_response(const Request& request, std::shared_ptr<ReadableFile> file, std::uint64_t size,
                       std::string content_type, std::string etag);

// Takes a streamed body in pieces. Called on worker threads, one at a time, never after an error or finish().
class BodySink {
 public:
  virtual ~BodySink() = default;  // before finish(): the peer went away; nothing may count as received
  virtual Status write(ByteView piece) = 0;
  virtual Response finish() = 0;  // the body ended as announced
};

}  // namespace greffe::http

#endif
