#include "web/new_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "archive/store/volume_label.h"

namespace greffe::web {
namespace {

std::string volumes_text(const std::vector<std::string>& volumes) {
  std::string list;
  for (const std::string& volume : volumes) list += (list.empty() ? "" : ", ") + toml_string(volume.substr(0, volume.rfind('=')));
  const std::size_t replicas = std::min<std::size_t>(3, volumes.size());
  return "volumes = [" + list + "]\n" +
         fmt::format("replicas = {}\nwrite_quorum = {}\n", replicas, std::min<std::size_t>(2, replicas)) + "min_free_bytes = 1000000000\n";
}

// Paths as whoever types them means them: from where they stand.
std::string service_text(const NewPool& pool) {
  const auto path = [](const std::string& typed) { return toml_string(std::filesystem::absolute(typed).string()); };
  std::string out = "pool = " + toml_string(pool.service) + "\n";
  if (pool.service.starts_with("rados:")) return out + "ceph_conf = " + path(pool.ceph_conf) + "\nceph_user = " + toml_string(pool.ceph_user) + "\n";
  out += "s3_endpoint = " + toml_string(pool.s3_endpoint) + "\ns3_region = " + toml_string(pool.s3_region) + "\n";
  out += "s3_credentials = " + path(pool.s3_credentials) + "\n";
  out += fmt::format("s3_retention_days = {}\ns3_retention_mode = {}\n", pool.s3_retention_days, toml_string(pool.s3_retention_mode));
  return pool.s3_plain_etags ? out + "s3_quoted_etags = false\n" : out;
}

// One that a call before has made for this very pool is as good as a new one.
Status make_volume(FileSystem& files, const std::string& path, const std::string& domain, const std::string& pool_id) {
  const auto made = store::init_volume(files, path, pool_id, domain);
  if (made) return ok();
  if (made.error().code != Errc::already_exists) return made.error();
  const store::VolumeLabel there = GREFFE_TRY(store::read_volume_label(files, path));
  return there.pool == pool_id && there.domain == domain ? ok() : Status(made.error());
}

}  // namespace

// A TOML basic string.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

Result<std::string> pool_lines(const NewPool& pool) {
  if (pool.volumes.empty() == pool.service.empty()) {
    return fail(Errc::invalid, "say where the pool is: --volume PATH=DOMAIN for each disk, or --pool rados:POOL, or --pool s3:BUCKET");
  }
  for (const std::string& text : pool.volumes) GREFFE_TRY(store::parse_new_volume(text));
  return pool.service.empty() ? volumes_text(pool.volumes) : service_text(pool);
}

Result<std::string> make_pool(FileSystem& files, const NewPool& pool, const store::PoolPlace& place, const std::string& directory,
                              const std::string& pool_id) {
  if (pool.volumes.empty()) return store::init_remote_pool(files, place, pool_id);
  std::map<std::string, std::string> domains;  // by path; nothing is made where one of them cannot be
  for (const std::string& text : pool.volumes) {
    const store::NewVolume volume = GREFFE_TRY(store::parse_new_volume(text));
    const std::string path = volume.path.starts_with("/") ? volume.path : join(directory, volume.path);
    if (!domains.emplace(path, volume.domain).second) return fail(Errc::invalid, path + " is named twice: each volume is a disk of its own");
  }
  for (const auto& [path, domain] : domains) GREFFE_TRY(make_volume(files, path, domain, pool_id));
  return std::string();
}

}  // namespace greffe::web
