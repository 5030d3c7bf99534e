#include <fmt/format.h>

#include "web/http/message.h"
#include "web/http/range.h"

namespace greffe::http {

Response file_response(const Request& request, std::shared_ptr<ReadableFile> file, std::uint64_t size,
                       std::string content_type, std::string etag) {
  Response response;
  if (!etag.empty()) response.set("ETag", etag);
  response.set("Accept-Ranges", "bytes");
  const std::string none_match = request.header("if-none-match");
  if (!none_match.empty() && !etag.empty() && names_etag(none_match, etag)) {
    response.status = 304;
    return response;
  }
  ByteRange range{RangeKind::whole, 0, size};
  const std::string range_header = request.header("range");
  const bool several = request.headers.count("range") > 1;
  if (!range_header.empty() && !several && request.method == "GET" &&
      if_range_holds(request.header("if-range"), etag)) {
    range = parse_range(range_header, size);
  }
  if (range.kind == RangeKind::unsatisfiable) {
    Response refused = problem(416, "range", fmt::format("The file has {} bytes; ask for a range within it.", size));
    refused.set("Content-Range", fmt::format("bytes */{}", size));
    return refused;
  }
  response.set("Content-Type", std::move(content_type));
  if (range.kind == RangeKind::part) {
    response.status = 206;
    response.set("Content-Range", fmt::format("bytes {}-{}/{}", range.first, range.first + range.size - 1, size));
  }
  response.body = FileBody{std::move(file), range.first, range.size};
  return response;
}

}  // namespace greffe::http
