#include "archive/other_sites.h"

#include <chrono>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxSiteFileBytes = 64 * 1024;
// A person waits for what is asked: a site that says nothing is given up soon, and one that is slow a little later.
constexpr unsigned kStallTimeoutS = 5;
constexpr std::chrono::seconds kWithin{20};

class RemoteSite : public OtherSite {
 public:
  RemoteSite(std::string name, std::string archive, client::ArchiveEndpoint endpoint, const PrivateKey& identity, std::stop_token stop)
      : name_(std::move(name)), archive_(std::move(archive)), client_(std::move(endpoint), identity, std::move(stop)) {}

  const std::string& name() const override { return name_; }
  Result<Bytes> get_object(const std::optional<HearingId>& hearing, const Digest& digest) override {
    return client_.get_object(hearing ? client::LogTarget{*hearing} : client::LogTarget{archive_}, digest, std::nullopt, kWithin);
  }
  Result<SharesTold> shares(const LookedAt& looked_at) override { return client_.shares(looked_at); }

 private:
  const std::string name_;
  const std::string archive_;
  client::ArchiveClient client_;
};

std::string write_site(const client::ArchiveEndpoint& endpoint, const std::string& name) {
  Json json;
  json.set("address", endpoint.address).set("epoch", endpoint.epoch).set("name", name).set("server_key", endpoint.server_spki);
  if (!endpoint.nodes.empty()) json.set("nodes", Json::Array(endpoint.nodes.begin(), endpoint.nodes.end()));
  return write_json(json) + "\n";
}

Result<client::ArchiveEndpoint> parse_site(std::string_view text, std::string_view name) {
  const Json json = GREFFE_TRY(parse_json(text));
  client::ArchiveEndpoint out;
  const std::string stored = GREFFE_TRY(json.string("name"));
  if (stored != name) return fail(Errc::invalid, "it is of another site, " + stored);
  out.address = GREFFE_TRY(json.string("address"));
  out.server_spki = GREFFE_TRY(json.digest("server_key"));
  out.epoch = GREFFE_TRY(json.size("epoch"));
  if (json.has("nodes")) out.nodes = GREFFE_TRY(json.strings("nodes"));
  out.stall_timeout_s = kStallTimeoutS;
  return out;
}

}  // namespace

OtherSites::OtherSites(FileSystem& files, const std::string& state_directory, std::string archive, const PrivateKey& identity)
    : files_(files), directory_(join(state_directory, "sites")), archive_(std::move(archive)), identity_(identity) {}

std::string OtherSites::path_of(const std::string& name) const { return join(directory_, name + ".json"); }

std::vector<std::string> OtherSites::load() {
  constexpr std::string_view kEnding = ".json";
  const auto names = files_.list(directory_);
  if (!names && names.error().code == Errc::not_found) return {};
  if (!names) return {names.error().message};
  std::vector<std::string> problems;
  for (const std::string& file : *names) {
    if (!file.ends_with(kEnding)) continue;  // one that was being written when the power went
    const std::string name = file.substr(0, file.size() - kEnding.size());
    const auto bytes = files_.read_file(path_of(name), kMaxSiteFileBytes);
    const auto endpoint = bytes ? parse_site(as_text(*bytes), name) : Result<client::ArchiveEndpoint>(bytes.error());
    if (endpoint) {
      keep(*endpoint, name);
    } else {
      problems.push_back(path_of(name) + " cannot be read, so that nothing is fetched from there; add the site again: " + endpoint.error().message);
    }
  }
  return problems;
}

void OtherSites::keep(const client::ArchiveEndpoint& endpoint, const std::string& name) {
  auto site = std::make_shared<RemoteSite>(name, archive_, endpoint, identity_, stop_.get_token());
  const std::lock_guard lock(mutex_);
  sites_[name] = Kept{{endpoint.address, endpoint.server_spki}, std::move(site)};
}

Result<std::string> OtherSites::add(std::string_view text) {
  const client::EnrolmentCode code = GREFFE_TRY(client::parse_enrolment_code(text));
  if (code.role != "reader") return fail(Errc::invalid, "this code is for a " + code.role + "; one for reading is made by `origin reader-code` at the other site");
  if (code.name != archive_) return fail(Errc::invalid, "this code is for reading copies of " + code.name + "; this archive is " + archive_);
  const std::string& name = code.log.name;
  if (!is_valid_archive_name(name)) return fail(Errc::invalid, "this code does not say which archive it is of");
  if (name == archive_) return fail(Errc::invalid, "this code is of this archive itself");
  client::ArchiveClient site({code.address, code.server_spki, 1}, identity_, stop_.get_token());
  GREFFE_TRY(site.enrol(code, identity_.public_key()));
  const client::ArchiveEndpoint endpoint{code.address, code.server_spki, site.server_epoch(), site.nodes(), kStallTimeoutS};
  GREFFE_TRY(files_.make_directories(directory_));
  GREFFE_TRY(files_.replace(path_of(name), as_bytes(write_site(endpoint, name)), 0600));
  keep(endpoint, name);
  return name;
}

Status OtherSites::remove(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    if (!sites_.contains(name)) return fail(Errc::not_found, "there is no site " + name + "; see greffe-archive site list");
  }
  const Status removed = files_.remove(path_of(name));
  if (!removed && removed.error().code != Errc::not_found) return removed;
  GREFFE_TRY(files_.sync_directory(directory_));
  const std::lock_guard lock(mutex_);
  sites_.erase(name);
  return ok();
}

Json OtherSites::report() const {
  const std::lock_guard lock(mutex_);
  Json::Array list;
  for (const auto& [name, kept] : sites_) {
    Json one;
    one.set("address", kept.place.address).set("name", name);
    list.push_back(std::move(one));
  }
  Json out;
  out.set("sites", std::move(list));
  return out;
}

std::vector<std::shared_ptr<OtherSite>> OtherSites::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<OtherSite>> out;
  for (const auto& [name, kept] : sites_) out.push_back(kept.site);
  return out;
}

std::vector<SuccessorSite> OtherSites::places() const {
  const std::lock_guard lock(mutex_);
  std::vector<SuccessorSite> out;
  for (const auto& [name, kept] : sites_) {
    if (out.size() < kSuccessorSitesMax) out.push_back(kept.place);
  }
  return out;
}

}  // namespace greffe::archive
