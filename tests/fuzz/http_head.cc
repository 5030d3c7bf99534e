// Any bytes as the beginning of a connection: the head is found, refused or read, and what is read has one meaning.
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/base/result.h"
#include "web/http/exchange.h"
#include "web/http/head.h"

using greffe::http::end_of_head;
using greffe::http::Head;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  greffe::http::is_hopeless(text);
  const auto end = end_of_head(text);
  if (!end) return 0;
  GREFFE_CHECK(*end <= size);
  for (std::size_t cut = 0; cut < *end; cut += 7) GREFFE_CHECK(end_of_head(text, cut) == end);
  const auto parsed = greffe::http::parse_head(text.substr(0, *end));
  if (const auto* fault = std::get_if<greffe::http::HeadFault>(&parsed)) {
    GREFFE_CHECK(fault->status >= 400 && fault->status < 600 && !fault->detail.empty());
    return 0;
  }
  Head head = std::get<Head>(parsed);
  GREFFE_CHECK(!head.method.empty() && !head.target.empty());
  GREFFE_CHECK(!(head.chunked && head.content_length));
  GREFFE_CHECK(head.headers.count("content-length") == (head.content_length ? 1U : 0U));
  GREFFE_CHECK(head.headers.count("transfer-encoding") == (head.chunked ? 1U : 0U));
  for (const auto& [name, value] : head.headers) {
    GREFFE_CHECK(!name.empty() && value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  // The same fields written out plainly are the same head: nothing hides in white space or case.
  std::string plain = head.method + " " + head.target + (head.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (const auto& [name, value] : head.headers) plain += name + ": " + value + "\r\n";
  plain += "\r\n";
  const auto again = greffe::http::parse_head(plain);
  const auto* same = std::get_if<Head>(&again);
  if (plain.size() <= greffe::http::kMaxHeadBytes) {
    GREFFE_CHECK(same != nullptr);
    GREFFE_CHECK(same->headers == head.headers && same->content_length == head.content_length);
    GREFFE_CHECK(same->chunked == head.chunked && same->keep_alive == head.keep_alive);
  }
  greffe::http::Request request;
  const auto router = greffe::http::Router::build({});
  GREFFE_CHECK(router.has_value());
  const auto decision = greffe::http::look_up(*router, head, request);
  GREFFE_CHECK(std::holds_alternative<greffe::http::Response>(decision));
  return 0;
}
