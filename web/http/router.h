// The table of addresses: which handler serves a method and a path. Immutable after build(); thread-safe.
#ifndef GREFFE_WEB_HTTP_ROUTER_H
#define GREFFE_WEB_HTTP_ROUTER_H

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"
#include "web/http/server.h"

namespace greffe::http {

struct RouteMatch {
  const Route* route = nullptr;  // nullptr: no handler for this method
  std::map<std::string, std::string> parameters;
  std::string allowed;           // without a route: "GET, HEAD", the methods of this path; empty: there is no such path
};

class Router {
 public:
  // invalid: a pattern that is not one, or the same method and pattern twice.
  static Result<Router> build(std::vector<Route> routes);
  // The most specific pattern wins, segment by segment: a literal, then "name{id}.mp4", then "{id}", then "{path*}".
  // GET routes serve HEAD too unless there is a route for HEAD.
  RouteMatch find(std::string_view method, std::string_view path) const;

 private:
  struct Segment {
    enum class Kind { literal, affixed, parameter, rest };
    Kind kind = Kind::literal;
    std::string prefix;  // the whole text of a literal
    std::string name;
    std::string suffix;
    auto operator<=>(const Segment&) const = default;
  };
  struct Entry {
    Route route;
    std::vector<Segment> segments;
  };
  static Result<std::vector<Segment>> parse_pattern(std::string_view pattern);
  static bool fits(const std::vector<Segment>& segments, const std::vector<std::string_view>& path);
  static std::map<std::string, std::string> parameters_of(const std::vector<Segment>& segments,
                                                          const std::vector<std::string_view>& path);
  std::vector<Entry> entries_;  // the most specific first
};

}  // namespace greffe::http

#endif
