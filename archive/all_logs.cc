#include "archive/all_logs.h"

#include "archive/format/ahead_piece.h"

namespace greffe::archive {
namespace {

// Files of a log stand below one of these, directly inside the log's folder.
constexpr std::string_view kInside[] = {"/tile/", "/stage/", "/cosigned/"};

std::string_view log_of(std::string_view key) {
  if (key.starts_with(kAheadLogs)) return {};  // for check_ahead
  for (const std::string_view inside : kInside) {
    if (const std::size_t at = key.find(inside); at != std::string_view::npos) return key.substr(0, at);
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> all_logs(store::ObjectStore& objects) {
  std::vector<std::string> paths;
  GREFFE_TRY(walk_logs(objects, "", [&](const std::string& path) {
    paths.push_back(path);
    return true;
  }));
  return paths;
}

// No log's path is the beginning of another's: their keys stand in the order of their paths.
Status walk_logs(store::ObjectStore& objects, const std::string& after, const std::function<bool(const std::string& path)>& visit) {
  std::string last = after;
  return objects.list("log/", [&](const store::ObjectInfo& info) {
    const std::string_view path = log_of(info.key);
    if (path.empty() || path <= last) return true;
    last = path;
    return visit(last);
  });
}

}  // namespace greffe::archive
