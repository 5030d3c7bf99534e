#include "archive/settings.h"

#include <algorithm>

#include "archive/client/archive_client.h"
#include "archive/client/control_client.h"
#include "archive/format/names.h"

namespace greffe::archive {
namespace {

constexpr std::int64_t kYearS = 366LL * 24 * 3600;

Status check_nodes(const Settings& s, const std::string& path) {
  if (!s.pool.volumes.empty()) {
    return s.nodes.empty() ? ok() : Status(fail(Errc::invalid, path + ": nodes: several machines need a pool in Ceph or S3; this one is on volumes"));
  }
  for (const std::string* url : {&s.machine_url, &s.pages_url}) {
    if (!is_https_origin(*url)) return fail(Errc::invalid, path + ": \"" + *url + "\" must look like https://archive.court.example:8444");
  }
  if (s.nodes.empty()) return ok();
  if (s.nodes.size() > client::kNodesMax) return fail(Errc::invalid, path + ": nodes may name at most 8 machines");
  for (const std::string& url : s.nodes) {
    if (!is_https_origin(url)) return fail(Errc::invalid, path + ": nodes: \"" + url + "\" must look like https://archive-2.court.example:8444");
  }
  if (std::find(s.nodes.begin(), s.nodes.end(), s.machine_url) != s.nodes.end()) return ok();
  return fail(Errc::invalid, path + ": nodes must name this machine too, as its machine_url: " + s.machine_url);
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
  s.epoch = static_cast<std::uint64_t>(GREFFE_TRY(config.integer_or("epoch", 1, 1, static_cast<std::int64_t>(kEpochMax))));
  const std::string state = GREFFE_TRY(config.string("state_directory"));
  s.state_directory = config.path_from_here(state);
  s.pool = GREFFE_TRY(store::read_pool_place(config, path));
  s.scrub_period_s = GREFFE_TRY(config.integer_or("scrub_period_s", s.scrub_period_s, 10, kYearS));
  s.scrub_bytes_per_second = GREFFE_TRY(config.integer_or("scrub_bytes_per_second", s.scrub_bytes_per_second, 100'000, 10'000'000'000));
  s.commit_interval_s = GREFFE_TRY(config.integer_or("commit_interval_s", 30, 1, 3600));
  s.station_unfiled_bytes = GREFFE_TRY(config.integer_or("station_unfiled_bytes", 16'000'000'000, kMaxObjectBytes, INT64_MAX));
  s.rebalance_bytes_per_second = GREFFE_TRY(config.integer_or("rebalance_bytes_per_second", 50'000'000, 0, INT64_MAX));
  s.alarm_after_s = GREFFE_TRY(config.integer_or("alarm_after_s", s.alarm_after_s, 2, kYearS));
  s.witness_hold_s = GREFFE_TRY(config.integer_or("witness_hold_s", s.witness_hold_s, 0, 24 * 3600));
  s.drill_every_s = GREFFE_TRY(config.integer_or("drill_every_s", s.drill_every_s, 0, kYearS));
  s.drill_bytes_per_second = GREFFE_TRY(config.integer_or("drill_bytes_per_second", s.drill_bytes_per_second, 0, 10'000'000'000));
  const std::string checker = GREFFE_TRY(config.string_or("media_checker", ""));
  if (!checker.empty()) s.media_checker = config.path_from_here(checker);
  s.machine_address = GREFFE_TRY(config.string_or("machine_address", "127.0.0.1:8444"));
  s.machine_url = GREFFE_TRY(config.string_or("machine_url", "https://" + s.machine_address));
  s.nodes = GREFFE_TRY(config.strings_or_none("nodes"));
  s.browser_address = GREFFE_TRY(config.string_or("browser_address", "127.0.0.1:8443"));
  s.pages_url = GREFFE_TRY(config.string_or("pages_url", "https://" + s.browser_address));
  GREFFE_TRY(check_nodes(s, path));
  const std::string certificate = GREFFE_TRY(config.string_or("tls_certificate", ""));
  const std::string key = GREFFE_TRY(config.string_or("tls_key", ""));
  if (certificate.empty() != key.empty()) {
    return fail(Errc::invalid, path + ": tls_certificate and tls_key belong together");
  }
  if (!certificate.empty()) {
    s.tls_certificate = config.path_from_here(certificate);
    s.tls_key = config.path_from_here(key);
  }
  s.witness_address = GREFFE_TRY(config.string_or("witness_address", ""));
  s.metrics_address = GREFFE_TRY(config.string_or("metrics_address", ""));
  s.control_socket = GREFFE_TRY(client::read_control_socket(config));
  const std::string ui = GREFFE_TRY(config.string_or("ui_directory", "/usr/share/greffe/ui"));
  s.ui_directory = config.path_from_here(ui);
  GREFFE_TRY(config.refuse_unknown());
  return s;
}

}  // namespace greffe::archive
