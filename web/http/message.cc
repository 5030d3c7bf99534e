#include "web/http/message.h"

#include <fmt/format.h>

#include <array>

namespace greffe::http {
namespace {

std::string first_of(const std::multimap<std::string, std::string>& map, std::string_view name) {
  const auto found = map.find(std::string(name));
  return found == map.end() ? std::string() : found->second;
}

// What happened, as a sentence for people who did not read RFC 9110.
std::string_view title_of(int status) {
  switch (status) {
    case 400: return "The request is not understood.";
    case 401: return "Please log in first.";
    case 403: return "This is not allowed.";
    case 404: return "There is nothing at this address.";
    case 405: return "This address does not take that method.";
    case 408: return "The request took too long to arrive.";
    case 409: return "Somebody else was faster, or the state is another one.";
    case 411: return "The length of the body must be announced.";
    case 413: return "The body is too large.";
    case 416: return "The file does not have that range.";
    case 417: return "That expectation cannot be met.";
    case 422: return "The bytes are not what they claim to be.";
    case 429: return "Too many attempts; please wait.";
    case 431: return "The head of the request is too large.";
    case 500: return "The server failed.";
    case 501: return "The server cannot do that.";
    case 503: return "Not now; please try again later.";
    case 505: return "The server speaks HTTP/1.1.";
    case 507: return "There is no space left.";
    default: return status < 500 ? "The request is refused." : "The server failed.";
  }
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  // A message may quote bytes of the outside world; JSON must be UTF-8 all the same.
  const bool readable = is_valid_utf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else if (byte >= 0x80 && !readable) {
      out += '?';
    } else {
      out += c;
    }
  }
  return out + "\"";
}

int status_of(Errc code) {
  switch (code) {
    case Errc::not_found: return 404;
    case Errc::already_exists: return 409;
    case Errc::conflict: return 409;
    case Errc::corrupt: return 422;
    case Errc::io_error: return 500;
    case Errc::unavailable: return 503;
    case Errc::invalid: return 400;
    case Errc::denied: return 403;
    case Errc::no_space: return 507;
    case Errc::cancelled: return 503;
  }
  return 500;
}

}  // namespace

std::string Request::header(std::string_view lower_case_name) const { return first_of(headers, lower_case_name); }

std::string Request::query_value(std::string_view name) const { return first_of(query, name); }

std::string Request::parameter(std::string_view name) const {
  const auto found = parameters.find(std::string(name));
  return found == parameters.end() ? std::string() : found->second;
}

std::string Request::cookie(std::string_view name) const {
  const auto [first, last] = headers.equal_range("cookie");
  for (auto header = first; header != last; ++header) {
    std::string_view rest = header->second;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      std::string_view pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      while (pair.ends_with(' ')) pair.remove_suffix(1);
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
        return std::string(pair.substr(name.size() + 1));
      }
    }
  }
  return {};
}

Response text_response(int status, std::string body, std::string content_type) {
  Response response;
  response.status = status;
  response.set("Content-Type", std::move(content_type));
  response.body = std::move(body);
  return response;
}

Response json_response(int status, std::string body) {
  return text_response(status, std::move(body), "application/json");
}

Response problem(int status, std::string_view code, std::string_view detail, std::string_view extra_members) {
  std::string body =
      fmt::format(R"({{"code":{},"detail":{},"status":{},"title":{},"type":"about:blank")", json_text(code),
                  json_text(detail), status, json_text(title_of(status)));
  if (!extra_members.empty()) {
    body += ',';
    body += extra_members;
  }
  body += '}';
  Response response = text_response(status, std::move(body), "application/problem+json");
  response.set("Cache-Control", "no-store");
  return response;
}

Response problem(const Error& error) { return problem(status_of(error.code), name_of(error.code), error.message); }

}  // namespace greffe::http
