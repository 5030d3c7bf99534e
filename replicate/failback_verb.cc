#include "replicate/failback_verb.h"

#include <cstdio>
#include <memory>
#include <optional>

#include "archive/base/command_line.h"
#include "archive/base/progress.h"
#include "archive/store/open_pool.h"
#include "replicate/failback.h"
#include "replicate/settings.h"

namespace greffe::replicate {
namespace {

// This site is the archive no more: nobody here waits for confirmations, and what it has lost it gets as a second site.
class NobodyWaits : public ConfirmationSite {
 public:
  Status post_cosignatures(std::optional<HearingId>, std::string_view) override { return ok(); }
  Result<std::vector<client::LostThere>> lost_objects() override { return std::vector<client::LostThere>(); }
  Status return_object(const Digest&, ByteView) override { return fail(Errc::not_found, "nothing is asked for"); }
};

struct Opened {
  Settings settings;
  EpochName epoch;  // that was written here
  Site site;        // that was promoted
};

Result<Opened> open(FileSystem& files, const FailbackOptions& options) {
  Opened out;
  out.settings = GREFFE_TRY(load_settings(files, options.config));
  const VerifierKey log = GREFFE_TRY(archive_log_key(files, out.settings));
  out.epoch = GREFFE_TRY(parse_epoch_origin(log.name));
  const TargetSettings* const target = GREFFE_TRY(find_target(out.settings, options.target));
  out.site = GREFFE_TRY(load_target(files, out.settings, *target));
  const auto there = parse_epoch_origin(out.site.log.name);
  const bool follows = there && there->archive == out.epoch.archive && there->epoch > out.epoch.epoch;
  if (follows && out.site.name == log.name && !out.site.cosigners.empty()) return out;
  return fail(Errc::invalid, "the target " + target->name + " (" + out.site.log.name + ") is not enrolled at as the archive that goes on from " + log.name +
                                 ": make a code there with `greffe-archive returning add`, and enrol with `greffe-replicate enrol-target` here");
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

Result<int> run_failback(const FailbackOptions& options, std::stop_token stop) {
  PosixFileSystem files;
  SystemClock clock;
  Log log("greffe-replicate");
  const Opened opened = GREFFE_TRY(open(files, options));
  const PrivateKey identity = GREFFE_TRY(load_returning_identity(files, opened.settings));
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, opened.settings.source, store::PoolMode::reader));
  const Source source = GREFFE_TRY(Source::open(*pool, *pool, opened.epoch));
  const auto copies = connect_copy_site(opened.site.endpoint(), identity, stop);
  client::ArchiveClient archive(opened.site.endpoint(), identity, stop);
  NobodyWaits nobody;
  const TargetSettings* const target = GREFFE_TRY(find_target(opened.settings, options.target));
  Bandwidth bandwidth(clock, target->timetable, stop);
  std::optional<Progress> bar(std::in_place, clock, "looking at hearings", 0, ProgressUnit::items);
  FailbackParts parts{{source, *copies, nobody, opened.site.cosigners.front(), true}, bandwidth, clock, log};
  parts.limits.connections = opened.settings.connections;
  parts.on_looked = [&bar] { bar->add(1); };
  parts.on_sent = [&bar](std::uint64_t bytes) { bar->add(bytes); };
  parts.graft = [&archive](const std::string& origin, const std::string& note) { return archive.graft(origin, note); };
  parts.on_found = [&](const WhatReturns& found) {
    bar.reset();
    if (!options.json) print(found.words());
    bar.emplace(clock, "bringing back", found.bytes, ProgressUnit::bytes);
  };
  if (options.dry_run) {
    const WhatReturns found = GREFFE_TRY(look_at_failback(parts, stop));
    bar.reset();
    print(options.json ? write_json(found.json()) + "\n" : found.words());
    return found.apart_found == 0 ? kExitDone : kExitFound;
  }
  const FailbackReport report = GREFFE_TRY(fail_back(parts, stop));
  bar.reset();
  print(options.json ? write_json(report.json()) + "\n" : report.words());
  return report.is_whole() ? kExitDone : kExitFound;
}

}  // namespace greffe::replicate
