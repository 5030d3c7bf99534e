#include "web/http/router.h"

#include <algorithm>
#include <set>

namespace greffe::http {
namespace {

// "/a/b" -> {"a","b"}; "/" -> {""}.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> out;
  path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    out.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return out;
    path.remove_prefix(slash + 1);
  }
}

Error bad_pattern(std::string_view pattern, std::string_view why) {
  return fail(Errc::invalid, "The route " + std::string(pattern) + " is not a pattern: " + std::string(why) + ".");
}

}  // namespace

Result<std::vector<Router::Segment>> Router::parse_pattern(std::string_view pattern) {
  if (pattern.empty() || pattern.front() != '/') return bad_pattern(pattern, "it must start with a slash");
  std::vector<Segment> out;
  std::set<std::string> names;
  const auto parts = segments_of(pattern);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    const auto open = part.find('{');
    Segment segment;
    if (open == std::string_view::npos) {
      segment.prefix = std::string(part);
      out.push_back(std::move(segment));
      continue;
    }
    const auto close = part.find('}', open);
    if (close == std::string_view::npos || part.find('{', close) != std::string_view::npos) {
      return bad_pattern(pattern, "a segment takes one {name}");
    }
    segment.prefix = std::string(part.substr(0, open));
    segment.name = std::string(part.substr(open + 1, close - open - 1));
    segment.suffix = std::string(part.substr(close + 1));
    segment.kind = segment.prefix.empty() && segment.suffix.empty() ? Segment::Kind::parameter : Segment::Kind::affixed;
    if (segment.name.ends_with('*')) {
      if (i + 1 != parts.size() || segment.kind == Segment::Kind::affixed) {
        return bad_pattern(pattern, "{name*} must be the whole last segment");
      }
      segment.name.pop_back();
      segment.kind = Segment::Kind::rest;
    }
    if (segment.name.empty() || !names.insert(segment.name).second) {
      return bad_pattern(pattern, "each {name} must have a name of its own");
    }
    out.push_back(std::move(segment));
  }
  return out;
}

Result<Router> Router::build(std::vector<Route> routes) {
  Router router;
  std::set<std::string> seen;
  for (Route& route : routes) {
    std::vector<Segment> segments = GREFFE_TRY(parse_pattern(route.pattern));
    if (!seen.insert(route.method + " " + route.pattern).second) {
      return fail(Errc::invalid, "The route " + route.method + " " + route.pattern + " is given twice.");
    }
    router.entries_.push_back({std::move(route), std::move(segments)});
  }
  // Kind comes first in a Segment, so this order is "most specific first"; a longer affix before a shorter one.
  std::stable_sort(router.entries_.begin(), router.entries_.end(), [](const Entry& a, const Entry& b) {
    const auto less = [](const Segment& x, const Segment& y) {
      if (x.kind != y.kind) return x.kind < y.kind;
      return x.prefix.size() + x.suffix.size() > y.prefix.size() + y.suffix.size();
    };
    return std::lexicographical_compare(a.segments.begin(), a.segments.end(), b.segments.begin(), b.segments.end(),
                                        less);
  });
  return router;
}

bool Router::fits(const std::vector<Segment>& segments, const std::vector<std::string_view>& path) {
  const bool takes_rest = !segments.empty() && segments.back().kind == Segment::Kind::rest;
  if (takes_rest ? path.size() < segments.size() : path.size() != segments.size()) return false;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    const std::string_view part = path[i];
    if (segment.kind == Segment::Kind::rest) return true;
    if (segment.kind == Segment::Kind::literal) {
      if (part != segment.prefix) return false;
      continue;
    }
    const std::size_t affixes = segment.prefix.size() + segment.suffix.size();
    if (part.size() <= affixes || !part.starts_with(segment.prefix) || !part.ends_with(segment.suffix)) return false;
  }
  return true;
}

std::map<std::string, std::string> Router::parameters_of(const std::vector<Segment>& segments,
                                                         const std::vector<std::string_view>& path) {
  std::map<std::string, std::string> out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    const std::string_view part = path[i];
    if (segment.kind == Segment::Kind::literal) continue;
    if (segment.kind == Segment::Kind::rest) {
      out[segment.name] = std::string(part.data(), path.back().data() + path.back().size() - part.data());
    } else {
      const std::size_t affixes = segment.prefix.size() + segment.suffix.size();
      out[segment.name] = std::string(part.substr(segment.prefix.size(), part.size() - affixes));
    }
  }
  return out;
}

RouteMatch Router::find(std::string_view method, std::string_view path) const {
  const auto parts = segments_of(path);
  const Entry* get = nullptr;
  std::set<std::string> allowed;
  for (const Entry& entry : entries_) {
    if (!fits(entry.segments, parts)) continue;
    if (entry.route.method == method) return {&entry.route, parameters_of(entry.segments, parts), ""};
    allowed.insert(entry.route.method);
    if (entry.route.method == "GET") allowed.insert("HEAD");
    if (get == nullptr && entry.route.method == "GET") get = &entry;
  }
  if (method == "HEAD" && get != nullptr) return {&get->route, parameters_of(get->segments, parts), ""};
  RouteMatch none;
  for (const std::string& name : allowed) none.allowed += (none.allowed.empty() ? "" : ", ") + name;
  return none;
}

}  // namespace greffe::http
