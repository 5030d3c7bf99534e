#include "archive/store/open_pool.h"

#include "archive/store/local_pool.h"
#include "archive/store/rados_store.h"
#include "archive/store/s3_store.h"

namespace greffe::store {
namespace {

constexpr std::uint64_t kSecretBytesMax = 64 * 1024;
constexpr std::string_view kRados = "rados:";
constexpr std::string_view kS3 = "s3:";

// The bucket with its secrets, which are read from their files only now.
Result<S3Settings> with_secrets(FileSystem& files, const S3Place& place) {
  S3Settings out;
  const Bytes text = GREFFE_TRY(files.read_file(place.credentials_path, kSecretBytesMax));
  auto keys = parse_s3_credentials(as_text(text));
  if (!keys) return std::move(keys).error().within(place.credentials_path);
  out.endpoint = place.endpoint;
  out.bucket = place.bucket;
  out.region = place.region;
  out.quoted_etags = place.quoted_etags;
  out.retention_days = place.retention_days;
  out.retention_mode = place.retention_mode;
  out.access_key = std::move(keys->access_key);
  out.secret_key = std::move(keys->secret_key);
  if (place.authorities_path.empty()) return out;
  const Bytes authorities = GREFFE_TRY(files.read_file(place.authorities_path, kSecretBytesMax));
  out.ca_pem = std::string(as_text(authorities));
  return out;
}

template <class Store>
Result<std::unique_ptr<WholePool>> whole(Result<std::unique_ptr<Store>> opened) {
  if (!opened) return std::move(opened).error();
  return std::unique_ptr<WholePool>(*std::move(opened));
}

PoolSettings local_settings(const PoolPlace& place) {
  PoolSettings out;
  out.volumes = place.volumes;
  out.replicas = place.replicas;
  out.write_quorum = place.write_quorum;
  out.min_free_bytes = static_cast<std::uint64_t>(place.min_free_bytes);
  return out;
}

Result<RadosSettings> read_rados(Config& config, std::string_view pool) {
  RadosSettings out;
  out.pool = pool;
  const std::string conf = GREFFE_TRY(config.string_or("ceph_conf", "/etc/ceph/ceph.conf"));
  out.conf_path = config.path_from_here(conf);
  out.user = GREFFE_TRY(config.string_or("ceph_user", out.user));
  return out;
}

Result<S3Place> read_s3(Config& config, std::string_view bucket) {
  S3Place out;
  out.bucket = bucket;
  out.endpoint = GREFFE_TRY(config.string("s3_endpoint"));
  if (!out.endpoint.starts_with("https://") && !out.endpoint.starts_with("http://127.0.0.1:")) {
    return fail(Errc::invalid, "s3_endpoint must begin with https:// (http:// is for a service on 127.0.0.1 alone)");
  }
  out.region = GREFFE_TRY(config.string_or("s3_region", "us-east-1"));
  const std::string credentials = GREFFE_TRY(config.string("s3_credentials"));
  out.credentials_path = config.path_from_here(credentials);
  const std::string authorities = GREFFE_TRY(config.string_or("s3_authorities", ""));
  if (!authorities.empty()) out.authorities_path = config.path_from_here(authorities);
  out.quoted_etags = GREFFE_TRY(config.boolean_or("s3_quoted_etags", true));
  out.retention_days = static_cast<unsigned>(GREFFE_TRY(config.integer_or("s3_retention_days", 3650, 0, 36'500)));
  const std::string mode = GREFFE_TRY(config.string_or("s3_retention_mode", "governance"));
  if (mode != "governance" && mode != "compliance") return fail(Errc::invalid, "s3_retention_mode must be \"governance\" or \"compliance\"");
  out.retention_mode = mode == "governance" ? "GOVERNANCE" : "COMPLIANCE";
  return out;
}

Status read_volumes(Config& config, const std::string& path, PoolPlace& s) {
  const std::vector<std::string> volumes = GREFFE_TRY(config.strings_or_none("volumes"));
  for (const std::string& volume : volumes) s.volumes.push_back(config.path_from_here(volume));
  if (s.volumes.empty()) return fail(Errc::invalid, path + ": volumes must name at least one directory");
  const std::int64_t replicas = GREFFE_TRY(config.integer_or("replicas", 3, 1, 16));
  const std::int64_t quorum = GREFFE_TRY(config.integer_or("write_quorum", 2, 1, 16));
  if (quorum > replicas) return fail(Errc::invalid, path + ": write_quorum must not be larger than replicas");
  if (static_cast<std::size_t>(quorum) > s.volumes.size()) {
    return fail(Errc::invalid, path + ": there are fewer volumes than write_quorum asks for");
  }
  s.replicas = static_cast<unsigned>(replicas);
  s.write_quorum = static_cast<unsigned>(quorum);
  s.min_free_bytes = GREFFE_TRY(config.integer_or("min_free_bytes", 1'000'000'000, 0, INT64_MAX));
  return ok();
}

}  // namespace

Result<PoolPlace> read_pool_place(Config& config, const std::string& path) {
  PoolPlace out;
  const std::string pool = GREFFE_TRY(config.string_or("pool", ""));
  if (pool.empty()) {
    GREFFE_TRY(read_volumes(config, path, out));
    return out;
  }
  if (pool.starts_with(kRados) && pool.size() > kRados.size()) {
    out.rados = GREFFE_TRY(read_rados(config, pool.substr(kRados.size())));
    return out;
  }
  if (pool.starts_with(kS3) && pool.size() > kS3.size()) {
    out.s3 = GREFFE_TRY(read_s3(config, pool.substr(kS3.size())));
    return out;
  }
  return fail(Errc::invalid, path + ": pool must be \"rados:POOL\" or \"s3:BUCKET\"; without it the pool is on the volumes");
}

// The reader itself says it, of one pool of each kind: there is no second list that could say something else.
std::set<std::string, std::less<>> pool_keys() {
  std::set<std::string, std::less<>> out;
  for (const char* const text : {"volumes = ['v', 'w']", "pool = 'rados:p'", "pool = 's3:b'\ns3_endpoint = 'https://s'\ns3_credentials = 'c'"}) {
    auto config = Config::parse(text, "pool");
    GREFFE_CHECK(config && read_pool_place(*config, "pool"));
    const std::vector<std::string> asked = config->asked();
    out.insert(asked.begin(), asked.end());
  }
  return out;
}

Result<std::unique_ptr<WholePool>> open_pool(FileSystem& files, Clock& clock, const PoolPlace& place, PoolMode mode, PoolListeners listeners) {
  if (place.rados) return whole(RadosStore::open(*place.rados, clock, mode, std::move(listeners)));
  if (place.s3) {
    const S3Settings s3 = GREFFE_TRY(with_secrets(files, *place.s3));
    return whole(S3Store::open(s3, clock, mode, std::move(listeners)));
  }
  return whole(LocalPool::open(files, clock, local_settings(place), mode, std::move(listeners)));
}

Result<std::string> init_remote_pool(FileSystem& files, const PoolPlace& place, const std::string& pool_id) {
  if (place.rados) {
    GREFFE_TRY(RadosStore::init(*place.rados, pool_id));
    return std::string();
  }
  if (!place.s3) return fail(Errc::invalid, "these settings name no remote pool");
  const S3Settings s3 = GREFFE_TRY(with_secrets(files, *place.s3));
  return S3Store::init(s3, pool_id);
}

}  // namespace greffe::store
