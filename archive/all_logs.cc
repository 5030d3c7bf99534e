#include "archive/all_logs.h"

#include <set>

namespace greffe::archive {
namespace {

// Files of a log stand below one of these, directly inside the log's folder.
constexpr std::string_view kInside[] = {"/tile/", "/stage/", "/cosigned/"};

}  // namespace

Result<std::vector<std::string>> all_logs(store::ObjectStore& objects) {
  std::set<std::string> paths;
  GREFFE_TRY(objects.list("log/", [&](const store::ObjectInfo& info) {
    for (const std::string_view inside : kInside) {
      const std::size_t at = info.key.find(inside);
      if (at != std::string::npos) paths.insert(info.key.substr(0, at));
    }
    return true;
  }));
  return std::vector<std::string>(paths.begin(), paths.end());
}

}  // namespace greffe::archive
