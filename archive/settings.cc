#include "archive/settings.h"

#include "archive/format/names.h"

namespace greffe::archive {
namespace {

constexpr std::string_view kRados = "rados:";
constexpr std::string_view kS3 = "s3:";

Result<store::RadosSettings> read_rados(Config& config, std::string_view pool) {
  store::RadosSettings out;
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
  return out;
}

Status read_volumes(Config& config, const std::string& path, Settings& s) {
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

// What the other kinds of pools need is then an unknown key, and refused.
Status read_pool(Config& config, const std::string& path, Settings& s) {
  const std::string pool = GREFFE_TRY(config.string_or("pool", ""));
  if (pool.empty()) return read_volumes(config, path, s);
  if (pool.starts_with(kRados) && pool.size() > kRados.size()) {
    s.rados = GREFFE_TRY(read_rados(config, pool.substr(kRados.size())));
    return ok();
  }
  if (pool.starts_with(kS3) && pool.size() > kS3.size()) {
    s.s3 = GREFFE_TRY(read_s3(config, pool.substr(kS3.size())));
    return ok();
  }
  return fail(Errc::invalid, path + ": pool must be \"rados:POOL\" or \"s3:BUCKET\"; without it the pool is on the volumes");
}

}  // namespace

Result<Settings> load_settings(FileSystem& files, const std::string& path) {
  Config config = GREFFE_TRY(Config::load(files, path));
  Settings s;
  s.name = GREFFE_TRY(config.string("name"));
  if (!is_valid_archive_name(s.name)) {
    return fail(Errc::invalid, path + ": name must look like archive.court.example (small letters, digits, '.', '-')");
  }
  s.role = GREFFE_TRY(config.string_or("role", "primary"));
  if (s.role != "primary" && s.role != "replica") {
    return fail(Errc::invalid, path + ": role must be \"primary\" or \"replica\"");
  }
  const std::string state = GREFFE_TRY(config.string("state_directory"));
  s.state_directory = config.path_from_here(state);
  GREFFE_TRY(read_pool(config, path, s));
  s.commit_interval_s = GREFFE_TRY(config.integer_or("commit_interval_s", 30, 1, 3600));
  s.machine_address = GREFFE_TRY(config.string_or("machine_address", "127.0.0.1:8444"));
  s.machine_url = GREFFE_TRY(config.string_or("machine_url", "https://" + s.machine_address));
  s.browser_address = GREFFE_TRY(config.string_or("browser_address", "127.0.0.1:8443"));
  const std::string certificate = GREFFE_TRY(config.string_or("tls_certificate", ""));
  const std::string key = GREFFE_TRY(config.string_or("tls_key", ""));
  if (certificate.empty() != key.empty()) {
    return fail(Errc::invalid, path + ": tls_certificate and tls_key belong together");
  }
  if (!certificate.empty()) {
    s.tls_certificate = config.path_from_here(certificate);
    s.tls_key = config.path_from_here(key);
  }
  s.metrics_address = GREFFE_TRY(config.string_or("metrics_address", ""));
  const std::string socket = GREFFE_TRY(config.string_or("control_socket", ""));
  s.control_socket = socket.empty() ? join(s.state_directory, "control.sock") : config.path_from_here(socket);
  const std::string ui = GREFFE_TRY(config.string_or("ui_directory", "/usr/share/greffe/ui"));
  s.ui_directory = config.path_from_here(ui);
  GREFFE_TRY(config.refuse_unknown());
  return s;
}

store::PoolSettings pool_settings(const Settings& settings) {
  store::PoolSettings out;
  out.volumes = settings.volumes;
  out.replicas = settings.replicas;
  out.write_quorum = settings.write_quorum;
  out.min_free_bytes = static_cast<std::uint64_t>(settings.min_free_bytes);
  return out;
}

}  // namespace greffe::archive
