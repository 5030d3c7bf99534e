#include "web/http/head.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

namespace greffe::http {
namespace {

namespace beast = boost::beast::http;
using Parser = beast::request_parser<beast::empty_body>;

HeadFault fault(std::string detail, int status = 400) { return {status, std::move(detail)}; }

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// What Beast lets through but other programs read differently: folded lines, bare CR or LF, control characters.
std::optional<HeadFault> raw_fault(std::string_view bytes) {
  std::size_t lines = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte == '\r') {
      if (i + 1 >= bytes.size() || bytes[i + 1] != '\n') return fault("A line of the head ends in a bare CR.");
    } else if (byte == '\n') {
      if (i == 0 || bytes[i - 1] != '\r') return fault("A line of the head ends in a bare LF.");
      ++lines;
      if (i + 1 < bytes.size() && (bytes[i + 1] == ' ' || bytes[i + 1] == '\t')) {
        return fault("The head has a folded line.");
      }
    } else if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      return fault("The head has a control character.");
    }
  }
  if (lines > kMaxHeaderLines + 2) return fault("The head has more than 100 lines.", 431);
  return std::nullopt;
}

std::optional<HeadFault> read_version(std::string_view bytes, Head& head) {
  const std::string_view line = bytes.substr(0, bytes.find('\r'));
  const std::string_view version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
  if (version == "HTTP/1.1") return std::nullopt;
  if (version == "HTTP/1.0") {
    head.http_1_0 = true;
    return std::nullopt;
  }
  if (version.starts_with("HTTP/")) return fault("This server speaks HTTP/1.1.", 505);
  return fault("The first line is not a request line of HTTP.");
}

// Where the body ends must have one meaning: every other way to say it is refused (request smuggling).
std::optional<HeadFault> read_framing(Head& head) {
  const auto lengths = head.headers.count("content-length");
  const auto encodings = head.headers.count("transfer-encoding");
  if (lengths > 0 && encodings > 0) return fault("Content-Length and Transfer-Encoding exclude each other.");
  if (lengths > 1) return fault("Content-Length is given more than once.");
  if (encodings > 1) return fault("Transfer-Encoding is given more than once.");
  if (encodings == 1) {
    if (head.http_1_0) return fault("HTTP/1.0 has no Transfer-Encoding.");
    if (lower_case(head.headers.find("transfer-encoding")->second) != "chunked") {
      return fault("The only Transfer-Encoding that this server takes is chunked.", 501);
    }
    head.chunked = true;
  }
  if (lengths == 1) {
    const std::string& text = head.headers.find("content-length")->second;
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || text.size() > 19 || parsed.ec != std::errc{}) return fault("Content-Length is not a number.");
    head.content_length = value;
  }
  return std::nullopt;
}

std::optional<HeadFault> read_rest(Head& head) {
  const auto hosts = head.headers.count("host");
  if (hosts > 1) return fault("Host is given more than once.");
  if (hosts == 0 && !head.http_1_0) return fault("The Host header is missing.");
  const auto expect = head.headers.find("expect");
  if (expect != head.headers.end() && !head.http_1_0) {
    if (lower_case(expect->second) != "100-continue") {
      return fault("The only expectation that this server meets is 100-continue.", 417);
    }
    head.expects_continue = head.has_body();
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> end_of_head(std::string_view bytes, std::size_t searched) {
  const auto found = bytes.find("\r\n\r\n", searched > 3 ? searched - 3 : 0);
  if (found == std::string_view::npos) return std::nullopt;
  return found + 4;
}

bool is_hopeless(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != '\r' && byte != '\n' && byte != '\t') || byte == 0x7f;
  });
}

std::variant<Head, HeadFault> parse_head(std::string_view bytes) {
  if (auto found = raw_fault(bytes)) return *std::move(found);
  Head head;
  if (auto found = read_version(bytes, head)) return *std::move(found);
  Parser parser;
  parser.skip(true);
  parser.eager(false);
  parser.header_limit(kMaxHeadBytes + 1);
  parser.body_limit(boost::none);
  boost::system::error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error == beast::error::header_limit) return fault("The head is longer than 16 KiB.", 431);
  if (error || !parser.is_header_done() || used != bytes.size()) {
    return fault("The head is not well-formed HTTP" + (error ? ": " + error.message() + "." : std::string(".")));
  }
  const auto& request = parser.get();
  head.method = std::string(request.method_string());
  head.target = std::string(request.target());
  for (const auto& field : request) {
    head.headers.emplace(lower_case(std::string_view(field.name_string().data(), field.name_string().size())),
                         std::string(field.value()));
  }
  if (auto found = read_framing(head)) return *std::move(found);
  if (auto found = read_rest(head)) return *std::move(found);
  head.keep_alive = request.keep_alive();
  return head;
}

}  // namespace greffe::http
