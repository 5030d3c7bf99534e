// The target of a request: path and query, strictly decoded. Pure.
#ifndef GREFFE_WEB_HTTP_TARGET_H
#define GREFFE_WEB_HTTP_TARGET_H

#include <map>
#include <string>
#include <string_view>

#include "archive/base/result.h"

namespace greffe::http {

struct Target {
  std::string path;  // starts with '/'; its segments are neither "." nor ".." nor, but for the last one, empty
  std::multimap<std::string, std::string> query;
};

// invalid, with the reason: anything but an absolute path with an optional query; a slash, NUL or control character
// that hides behind a percent sign; dot segments; two slashes in a row; bytes that are not UTF-8.
Result<Target> parse_target(std::string_view target);

}  // namespace greffe::http

#endif
