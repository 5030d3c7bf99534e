#include "web/http/response_head.h"

#include <algorithm>
#include <chrono>

namespace greffe::http {
namespace {

constexpr std::size_t kUsualHeadBytes = 1024;

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// fmt takes a tenth of what a small answer costs, most of it for the date.
void add_two_digits(std::string& out, std::int64_t value) {
  out += static_cast<char>('0' + value / 10 % 10);
  out += static_cast<char>('0' + value % 10);
}

void add_line(std::string& out, std::string_view name, std::string_view value) {
  if (name.empty() || !is_clean(name) || !is_clean(value) || same_name(name, "content-length")) return;
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::uint64_t body_size(const Response& response) {
  if (const auto* file = std::get_if<FileBody>(&response.body)) return file->size;
  return std::get<std::string>(response.body).size();
}

bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string http_date(std::int64_t utc_s) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds time{std::chrono::seconds(utc_s)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{days};
  const std::int64_t rest = (time - days).count();
  const int year = static_cast<int>(date.year());
  std::string out = kDays[std::chrono::weekday(days).c_encoding()];
  out += ", ";
  add_two_digits(out, static_cast<unsigned>(date.day()));
  out.append(" ").append(kMonths[static_cast<unsigned>(date.month()) - 1]).append(" ");
  add_two_digits(out, year / 100);
  add_two_digits(out, year);
  out += ' ';
  add_two_digits(out, rest / 3600);
  out += ':';
  add_two_digits(out, rest / 60 % 60);
  out += ':';
  add_two_digits(out, rest % 60);
  return out + " GMT";
}

std::string write_response_head(const Response& response,
                                const std::vector<std::pair<std::string, std::string>>& common,
                                const ResponseFrame& frame) {
  const int status = response.status;
  std::string out;
  out.reserve(kUsualHeadBytes);
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_of(status));
  out.append("\r\nDate: ").append(http_date(frame.utc_s)).append("\r\n");
  for (const auto& [name, value] : response.headers) add_line(out, name, value);
  for (const auto& header : common) {
    const bool replaced = std::any_of(response.headers.begin(), response.headers.end(),
                                      [&header](const auto& own) { return same_name(own.first, header.first); });
    if (!replaced) add_line(out, header.first, header.second);
  }
  if (may_have_body(status)) out.append("Content-Length: ").append(std::to_string(frame.body_bytes)).append("\r\n");
  if (!frame.keep_alive) {
    out += "Connection: close\r\n";
  } else if (frame.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

}  // namespace greffe::http
