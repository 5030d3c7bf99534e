#include "archive/store/key_walk.h"

#include <map>

namespace greffe::store {
namespace {

constexpr int kDepthMax = 16;  // deeper than any key

struct Found {
  std::uint64_t bytes = 0;
  unsigned kept = 0;
};
using Names = std::map<std::string, Found>;

// The names of one directory over all volumes; directories end in '/', so that names sort as whole keys do.
Status merged_names(Pool& pool, const std::string& directory, Names& out) {
  std::string trouble;
  bool any = false;
  for (const auto& volume : pool.volumes) {
    if (!volume->readable()) continue;
    const std::string path = volume->file(directory.substr(0, directory.size() - 1));
    const auto names = pool.files.list(path);
    any = any || names || names.error().code == Errc::not_found;
    if (!names) {
      if (names.error().code != Errc::not_found) trouble += names.error().message + "; ";
      continue;
    }
    for (const std::string& name : *names) {
      const auto info = pool.files.stat(join(path, name));
      if (!info) continue;  // removed meanwhile (a stage)
      if (info->is_directory) out.try_emplace(name + "/");
      if (!info->is_regular) continue;
      Found& found = out.try_emplace(name, Found{info->size, 0}).first->second;
      if (found.bytes == info->size && volume->keeps()) ++found.kept;
    }
  }
  if (!any) return fail(Errc::io_error, "no volume can list " + directory + ": " + trouble);
  return ok();
}

// Whether this key, or every key in this directory, comes at or before `after`.
bool is_passed(const std::string& name, const std::string& after) { return name <= after && !(name.ends_with('/') && after.starts_with(name)); }

Result<bool> walk(Pool& pool, const std::string& directory, int depth, const std::string& after,
                  const std::function<bool(const WalkedKey&)>& visit) {
  if (depth > kDepthMax) return true;
  Names names;
  GREFFE_TRY(merged_names(pool, directory, names));
  for (const auto& [name, found] : names) {
    if (is_passed(directory + name, after)) continue;
    if (!name.ends_with('/')) {
      if (!visit({directory + name, found.bytes, found.kept})) return false;
      continue;
    }
    const bool go_on = GREFFE_TRY(walk(pool, directory + name, depth + 1, after, visit));
    if (!go_on) return false;
  }
  return true;
}

}  // namespace

Status walk_keys(Pool& pool, const std::string& prefix, const std::function<bool(const WalkedKey&)>& visit, const std::string& after) {
  GREFFE_TRY(walk(pool, prefix, 0, after, visit));
  return ok();
}

}  // namespace greffe::store
