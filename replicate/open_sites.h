// Everything that a verb needs, opened in order: the pool, the replicator's own key, the archive, and each target.
#ifndef GREFFE_REPLICATE_OPEN_SITES_H
#define GREFFE_REPLICATE_OPEN_SITES_H

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/log.h"
#include "archive/store/open_pool.h"
#include "replicate/bandwidth.h"
#include "replicate/passive_site.h"
#include "replicate/remote_sites.h"
#include "replicate/replicator.h"
#include "replicate/settings.h"

namespace greffe::replicate {

struct OpenTarget {
  const TargetSettings* settings = nullptr;
  std::optional<Error> unready;  // not enrolled there, or its file cannot be read; then there is nothing else
  Site site = {};                // of a second site
  std::unique_ptr<PassivePool> pool = nullptr;  // of a copy that nobody answers for; it outlives what follows
  std::unique_ptr<CopySite> copies = nullptr;
  PassiveSite* passive = nullptr;               // the same as `copies`; null: a second site
  std::unique_ptr<Bandwidth> bandwidth = nullptr;
  client::ArchiveEndpoint endpoint(std::uint64_t epoch) const;  // of a second site, which is told of which epoch the copies are
  // Of a second site: with which it confirms.
  std::optional<VerifierKey> key() const { return passive != nullptr ? std::nullopt : std::optional(site.cosigners.front()); }
  // As LogCopier::Limits::connections. What a service takes in one operation is held in memory until then, and that is limited.
  unsigned connections(const Settings& all) const;
};

struct OpenSites {
  PosixFileSystem files;
  SystemClock clock;
  Log log{"greffe-replicate"};
  Settings settings;
  std::unique_ptr<store::WholePool> pool;
  std::optional<Source> from;  // what is in it
  std::optional<CopyOwner> owner;  // of copies that nobody answers for; none: there is no such target
  std::unique_ptr<PrivateKey> identity;
  Site source_site = {};
  EpochName epoch;  // of the archive, by its log key
  std::unique_ptr<ConfirmationSite> archive;
  std::vector<OpenTarget> targets;
  const Source& source() const { return *from; }
  Sites sites(OpenTarget& target) const { return {source(), *target.copies, *archive, target.key()}; }
};

// With `only` that target alone, else all. Calls to other sites end at the stop. A copy that nobody answers for is opened in `mode` when it is
// first needed; one writer at a time. invalid: the configuration; not_found: not enrolled at the archive, or at any target.
Result<std::unique_ptr<OpenSites>> open_sites(const std::string& config, const std::string& only, std::stop_token stop,
                                              store::PoolMode mode = store::PoolMode::writer);

// Whose copies those are. Errors as Source::log_keys.
Result<CopyOwner> owner_of_copies(const Source& source, const VerifierKey& newest);
// How such a copy is opened.
PassivePool::Open opener_of(FileSystem& files, Clock& clock, const store::PoolPlace& place);

}  // namespace greffe::replicate

#endif
