#include "replicate/open_sites.h"

#include <algorithm>

#include "archive/format/names.h"
#include "archive/store/remote_store.h"

namespace greffe::replicate {
namespace {

// Of kUploadBytesMax, each of the largest objects, and two documents beside them.
constexpr unsigned kMostToService = static_cast<unsigned>(store::kUploadBytesMax / kMaxObjectBytes) - 3;

OpenTarget open_copy(OpenSites& sites, const TargetSettings& settings, const std::stop_token& stop, store::PoolMode mode) {
  OpenTarget out;
  out.settings = &settings;
  out.pool = std::make_unique<PassivePool>(opener_of(sites.files, sites.clock, *settings.copy), settings.name, *sites.owner, mode, sites.clock, sites.log, stop);
  auto site = std::make_unique<PassiveSite>(*out.pool, sites.source(), *sites.owner, sites.clock, sites.log, stop);
  out.passive = site.get();
  out.copies = std::move(site);
  out.bandwidth = std::make_unique<Bandwidth>(sites.clock, settings.timetable, stop);
  return out;
}

// Where this replicator is not enrolled at the archive: copies that nobody answers for need nothing of it, and give it nothing back.
class NoArchive : public ConfirmationSite {
 public:
  Status post_cosignatures(std::optional<HearingId>, std::string_view) override { return nobody(); }
  Result<std::vector<client::LostThere>> lost_objects() override { return nobody().error(); }
  Status return_object(const Digest&, ByteView) override { return nobody(); }

 private:
  static Status nobody() { return fail(Errc::unavailable, "this replicator is not enrolled at the archive"); }
};

OpenTarget unready(const TargetSettings& settings, Error why) {
  OpenTarget out;
  out.settings = &settings;
  out.unready = std::move(why);
  return out;
}

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
  out.copies = connect_copy_site(out.endpoint(sites.epoch.epoch), *sites.identity, stop);
  out.bandwidth = std::make_unique<Bandwidth>(sites.clock, settings.timetable, stop);
  return out;
}

}  // namespace

client::ArchiveEndpoint OpenTarget::endpoint(std::uint64_t epoch) const {
  client::ArchiveEndpoint out = site.endpoint();
  out.copies_epoch = epoch;
  return out;
}

unsigned OpenTarget::connections(const Settings& all) const {
  const bool is_service = settings->copy && settings->copy->volumes.empty();
  return is_service ? std::min(all.connections, kMostToService) : all.connections;
}

Result<CopyOwner> owner_of_copies(const Source& source, const VerifierKey& newest) {
  const std::vector<VerifierKey> keys = GREFFE_TRY(source.log_keys(newest));
  return CopyOwner{source.archive, keys.front(), std::vector<VerifierKey>(keys.begin() + 1, keys.end())};
}

PassivePool::Open opener_of(FileSystem& files, Clock& clock, const store::PoolPlace& place) {
  return [&files, &clock, place](store::PoolMode mode, store::PoolListeners listeners) { return store::open_pool(files, clock, place, mode, std::move(listeners)); };
}

Result<std::unique_ptr<OpenSites>> open_sites(const std::string& config, const std::string& only, std::stop_token stop, store::PoolMode mode) {
  auto out = std::make_unique<OpenSites>();
  out->settings = GREFFE_TRY(load_settings(out->files, config));
  if (!only.empty()) GREFFE_TRY(find_target(out->settings, only));
  out->source_site.log = GREFFE_TRY(archive_log_key(out->files, out->settings));
  out->epoch = GREFFE_TRY(parse_epoch_origin(out->source_site.log.name));
  auto source = load_source(out->files, out->settings);
  if (!source && source.error().code != Errc::not_found) return source.error();
  if (source) {
    out->source_site = *source;
    PrivateKey identity = GREFFE_TRY(load_identity(out->files, out->settings));
    out->identity = std::make_unique<PrivateKey>(std::move(identity));
  }
  const auto wanted = [&](const TargetSettings& target) { return only.empty() || target.name == only; };
  for (const TargetSettings& target : out->settings.targets) {
    if (!wanted(target) || target.copy) continue;
    if (source) out->targets.push_back(open_target(*out, target, stop));
    else out->targets.push_back(unready(target, source.error()));
  }
  const bool none = std::all_of(out->targets.begin(), out->targets.end(), [](const OpenTarget& target) { return target.unready.has_value(); });
  const bool copies = std::any_of(out->settings.targets.begin(), out->settings.targets.end(), [&](const TargetSettings& target) { return wanted(target) && target.copy; });
  if (none && !copies) return *out->targets.front().unready;
  out->pool = GREFFE_TRY(store::open_pool(out->files, out->clock, out->settings.source, store::PoolMode::reader));
  Source from = GREFFE_TRY(Source::open(*out->pool, *out->pool, out->epoch));
  out->from.emplace(std::move(from));
  if (copies) out->owner = GREFFE_TRY(owner_of_copies(out->source(), out->source_site.log));
  for (const TargetSettings& target : out->settings.targets) {
    if (wanted(target) && target.copy) out->targets.push_back(open_copy(*out, target, stop, mode));
  }
  // As the configuration has them.
  std::sort(out->targets.begin(), out->targets.end(), [](const OpenTarget& a, const OpenTarget& b) { return a.settings < b.settings; });
  if (source) out->archive = connect_confirmation_site(out->source_site.endpoint(), *out->identity, stop);
  else out->archive = std::make_unique<NoArchive>();
  return out;
}

}  // namespace greffe::replicate
