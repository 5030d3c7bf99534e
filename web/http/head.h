// The head of a request: read strictly, so that no two programs can see different requests in the same bytes. Pure.
#ifndef GREFFE_WEB_HTTP_HEAD_H
#define GREFFE_WEB_HTTP_HEAD_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace greffe::http {

constexpr std::size_t kMaxHeadBytes = 16 * 1024;
constexpr std::size_t kMaxHeaderLines = 100;

struct Head {
  std::string method;
  std::string target;  // as sent
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

// Why a head is refused. The connection must end: where the next request begins is not known.
struct HeadFault {
  int status = 400;
  std::string detail;
};

// How many bytes the head at the front of `bytes` takes, with its empty line. nullopt: it is not complete yet.
// `searched`: how many bytes were looked at before, so that a head that drips in is not searched again and again.
std::optional<std::size_t> end_of_head(std::string_view bytes, std::size_t searched = 0);

// A head that is not complete yet but can never become one: binary bytes, such as TLS spoken to a plain listener.
bool is_hopeless(std::string_view bytes);

// `bytes` is exactly one head, as end_of_head measured it.
std::variant<Head, HeadFault> parse_head(std::string_view bytes);

}  // namespace greffe::http

#endif
