// The head of a response as bytes. Pure.
#ifndef GREFFE_WEB_HTTP_RESPONSE_HEAD_H
#define GREFFE_WEB_HTTP_RESPONSE_HEAD_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "web/http/message.h"

namespace greffe::http {

struct ResponseFrame {
  std::uint64_t body_bytes = 0;
  bool keep_alive = true;
  bool http_1_0 = false;
  std::int64_t utc_s = 0;  // for Date
};

// `common` are headers of the listener; a header of the response replaces one of the same name.
// A header that carries a line break is left out, and so is Content-Length: the layer writes it.
std::string write_response_head(const Response& response,
                                const std::vector<std::pair<std::string, std::string>>& common,
                                const ResponseFrame& frame);

std::string http_date(std::int64_t utc_s);  // "Sun, 22 Nov 2026 09:00:00 GMT"

std::uint64_t body_size(const Response& response);

// May a response with this status have a body (RFC 9110: not 1xx, 204, 304)?
bool may_have_body(int status);

}  // namespace greffe::http

#endif
