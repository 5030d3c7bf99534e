#include "replicate/open_sites.h"

#include <algorithm>

namespace greffe::replicate {
namespace {

OpenTarget open_target(OpenSites& sites, const TargetSettings& settings, const std::stop_token& stop) {
  OpenTarget out;
  out.settings = &settings;
  auto site = load_target(sites.files, sites.settings, settings);
  if (!site) {
    out.unready = site.error();
    return out;
  }
  out.site = std::move(*site);
  if (out.site.cosigners.empty()) {
    out.unready = fail(Errc::invalid, "what is stored about the target " + settings.name + " names no key with which it confirms; enrol there again");
    return out;
  }
  out.copies = connect_copy_site(out.site.endpoint(), *sites.identity, stop);
  out.bandwidth = std::make_unique<Bandwidth>(sites.clock, settings.timetable, stop);
  return out;
}

}  // namespace

Result<std::unique_ptr<OpenSites>> open_sites(const std::string& config, const std::string& only, std::stop_token stop) {
  auto out = std::make_unique<OpenSites>();
  out->settings = GREFFE_TRY(load_settings(out->files, config));
  if (!only.empty()) GREFFE_TRY(find_target(out->settings, only));
  out->source_site = GREFFE_TRY(load_source(out->files, out->settings));
  PrivateKey identity = GREFFE_TRY(load_identity(out->files, out->settings));
  out->identity = std::make_unique<PrivateKey>(std::move(identity));
  for (const TargetSettings& target : out->settings.targets) {
    if (only.empty() || target.name == only) out->targets.push_back(open_target(*out, target, stop));
  }
  const bool none = std::all_of(out->targets.begin(), out->targets.end(), [](const OpenTarget& target) { return target.unready.has_value(); });
  if (none) return *out->targets.front().unready;
  out->pool = GREFFE_TRY(store::open_pool(out->files, out->clock, out->settings.source, store::PoolMode::reader));
  out->archive = connect_confirmation_site(out->source_site.endpoint(), *out->identity, stop);
  return out;
}

}  // namespace greffe::replicate
