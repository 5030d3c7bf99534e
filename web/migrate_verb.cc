#include "web/migrate_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "archive/base/command_line.h"
#include "archive/base/progress.h"
#include "archive/format/names.h"
#include "archive/pool_check.h"
#include "archive/pool_migration.h"
#include "archive/settings.h"
#include "archive/store/volume_label.h"
#include "archive/tlog/log_chain.h"
#include "web/config_text.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kConfigBytesMax = 1024 * 1024;

std::string noted(const std::string& pool_id, const std::string& config) { return "# pool " + pool_id + "\n" + config; }

// The id for which an earlier call with the same options began to make a pool.
std::optional<std::string> noted_pool_id(FileSystem& files, const std::string& draft, const std::string& config) {
  const auto text = files.read_file(draft, kConfigBytesMax);
  if (!text) return std::nullopt;
  const std::string_view line = as_text(*text).substr(0, as_text(*text).find('\n'));
  const std::string id(line.substr(std::min(line.size(), std::string_view("# pool ").size())));
  if (!store::is_volume_id(id) || as_text(*text) != noted(id, config)) return std::nullopt;
  return id;
}

// The new configuration, and the pool that it names, made ready once.
Result<archive::Settings> settings_there(FileSystem& files, const MigrateOptions& options) {
  const std::string path = options.config + ".new";
  const bool asked = !options.to.volumes.empty() || !options.to.service.empty();
  if (files.stat(path)) {
    if (asked) return fail(Errc::already_exists, path + " says already where the pool goes: leave the options out to go on with that");
    return archive::load_settings(files, path);
  }
  const Bytes old = GREFFE_TRY(files.read_file(options.config, kConfigBytesMax));
  const std::string lines = GREFFE_TRY(pool_lines(options.to));
  const std::string config = with_other_pool(as_text(old), lines);
  const std::string draft = path + ".draft";
  // The id is noted before the pool is made: a crash in between, and the same call goes on with what was made.
  const std::string pool_id = noted_pool_id(files, draft, config).value_or(store::make_pool_id());
  GREFFE_TRY(files.replace(draft, as_bytes(noted(pool_id, config)), 0640));
  archive::Settings there = GREFFE_TRY(archive::load_settings(files, draft));
  const std::string directory = parent_of(options.config);
  const std::string of_pool = GREFFE_TRY(make_pool(files, options.to, there.pool, directory, pool_id));
  if (!options.json && !of_pool.empty()) fmt::print("{}\n", of_pool);
  GREFFE_TRY(files.replace(path, as_bytes(config), 0640));
  GREFFE_TRY(files.remove(draft));  // a crash before this: the draft is not looked at while that file is there
  return there;
}

Result<archive::MigrationTotals> copy(Clock& clock, archive::PoolMigration& migration, bool finish) {
  Progress bar(clock, "copying objects", 0, ProgressUnit::bytes);
  archive::MigrationTotals totals = GREFFE_TRY(migration.copy_objects([&bar](std::uint64_t bytes) { bar.add(bytes); }));
  totals.log_files = GREFFE_TRY(migration.copy_log_files(finish));
  return totals;
}

struct Outcome {
  archive::MigrationTotals totals;
  std::vector<std::string> findings;
  std::optional<Checkpoint> head;  // after `finish`
};

void print(const MigrateOptions& options, const Outcome& outcome) {
  const archive::MigrationTotals& t = outcome.totals;
  if (options.json) {
    Json::Array findings(outcome.findings.begin(), outcome.findings.end());
    Json out;
    out.set("bytes", t.bytes).set("copied", t.copied).set("damaged", t.damaged).set("findings", std::move(findings));
    out.set("log_files", t.log_files).set("objects", t.objects);
    if (outcome.head) out.set("root", outcome.head->root).set("size", outcome.head->size);
    fmt::print("{}\n", write_json(out));
    return;
  }
  for (const std::string& finding : outcome.findings) fmt::print("{}\n", finding);
  fmt::print("{} objects, of which {} ({}) were copied now; {} files of logs; {} objects without a good replica\n", t.objects, t.copied,
             human_bytes(t.bytes), t.log_files, t.damaged);
  if (outcome.head) {
    fmt::print("Both pools have the main log of {} entries with the root {}.\nPut {}.new in the place of {} and start the archive.\n",
               outcome.head->size, outcome.head->root.hex(), options.config, options.config);
  } else {
    fmt::print("The archive may go on. When the time has come, stop it and run this again with --finish: what came meanwhile is copied then, "
               "and the heads of the logs.\n");
  }
}

}  // namespace

std::string with_other_pool(std::string_view config, std::string_view lines) { return with_other_keys(config, store::pool_keys(), lines); }

Result<int> migrate(const MigrateOptions& options) {
  PosixFileSystem files;
  SystemClock clock;
  const archive::Settings here = GREFFE_TRY(archive::load_settings(files, options.config));
  const archive::Settings there = GREFFE_TRY(settings_there(files, options));
  // With the lease of the old pool in our hands nothing is added to it.
  auto from = store::open_pool(files, clock, here.pool, options.finish ? store::PoolMode::writer : store::PoolMode::reader);
  if (!from && options.finish && from.error().code == Errc::unavailable) {
    return fail(Errc::unavailable, "the archive still runs: stop it for --finish. " + from.error().message);
  }
  if (!from) return from.error();
  const auto to = GREFFE_TRY(store::open_pool(files, clock, there.pool, store::PoolMode::writer));
  archive::PoolMigration migration(**from, *to);
  Outcome outcome;
  outcome.totals = GREFFE_TRY(copy(clock, migration, options.finish));
  outcome.findings = outcome.totals.problems;
  if (options.finish) {
    GREFFE_TRY(migration.copy_heads());
    const tlog::MainLogPlace place = GREFFE_TRY(tlog::find_main_log(*to, {there.name, there.epoch}));
    outcome.head = GREFFE_TRY(tlog::LogReader(*to, *to, place.path).checkpoint()).checkpoint;
    const archive::PoolCheck found = GREFFE_TRY(archive::check_pool_logs(*to));  // every object was hashed on its way
    outcome.findings.insert(outcome.findings.end(), found.findings.begin(), found.findings.end());
  }
  print(options, outcome);
  return outcome.findings.empty() ? kExitDone : kExitFound;
}

}  // namespace greffe::web
