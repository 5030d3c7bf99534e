#include "archive/pool_migration.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "archive/base/log.h"
#include "archive/format/names.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kThreads = 4;
constexpr std::size_t kBatch = 256;
constexpr std::size_t kProblemsListed = 100;
constexpr std::string_view kCheckpoint = "/checkpoint";
constexpr std::string_view kCosigned = "/cosigned/";
constexpr std::string_view kOpenMarkers = "log/open/";

bool is_head(const std::string& key) { return key.ends_with(kCheckpoint) || key.find(kCosigned) != std::string::npos; }
bool comes_and_goes(const std::string& key) { return key.starts_with(kOpenMarkers) || key.find("/stage/") != std::string::npos; }

Result<std::vector<std::string>> keys_below(store::WholePool& pool, std::string_view prefix, const std::function<bool(const std::string&)>& wanted) {
  std::vector<std::string> out;
  GREFFE_TRY(pool.list(prefix, [&](const store::ObjectInfo& info) {
    if (wanted(info.key)) out.push_back(info.key);
    return true;
  }));
  return out;
}

}  // namespace

Status PoolMigration::copy_one(const Digest& digest, MigrationTotals& totals, const std::function<void(std::uint64_t)>& copied) {
  if (to_.has_all_replicas(digest)) return ok();  // a call that was killed may have left fewer
  const auto bytes = from_.read_object(digest);
  if (!bytes && (bytes.error().code == Errc::corrupt || bytes.error().code == Errc::not_found)) {
    const std::lock_guard lock(mutex_);
    ++totals.damaged;
    if (totals.problems.size() < kProblemsListed) totals.problems.push_back(bytes.error().message);
    return ok();
  }
  if (!bytes) return bytes.error();
  const auto writer = GREFFE_TRY(to_.begin_object(bytes->size()));
  GREFFE_TRY(writer->write(*bytes));
  GREFFE_TRY(writer->commit(digest));
  copied(bytes->size());
  const std::lock_guard lock(mutex_);
  ++totals.copied;
  totals.bytes += bytes->size();
  return ok();
}

Status PoolMigration::copy_batch(const std::vector<Digest>& batch, MigrationTotals& totals, const std::function<void(std::uint64_t)>& copied) {
  std::atomic<std::size_t> next{0};
  std::optional<Error> failed;
  const auto work = [&] {
    name_thread("gr-migrate");
    for (std::size_t i = next++; i < batch.size(); i = next++) {
      const Status done = copy_one(batch[i], totals, copied);
      if (done) continue;
      const std::lock_guard lock(mutex_);
      if (!failed) failed = done.error();
      next = batch.size();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min(kThreads, batch.size()); ++i) threads.emplace_back(work);
  }
  return failed ? Status(*failed) : ok();
}

Result<MigrationTotals> PoolMigration::copy_objects(const std::function<void(std::uint64_t)>& copied) {
  MigrationTotals totals;
  std::vector<Digest> batch;
  Status done = ok();
  GREFFE_TRY(from_.walk_objects([&](const Digest& digest) {
    ++totals.objects;
    batch.push_back(digest);
    if (batch.size() < kBatch) return true;
    done = copy_batch(batch, totals, copied);
    batch.clear();
    return done.has_value();
  }));
  GREFFE_TRY(std::move(done));
  GREFFE_TRY(copy_batch(batch, totals, copied));
  return totals;
}

Status PoolMigration::copy_log_file(const std::string& key, bool still) {
  const auto replicas = from_.get_all(key);
  if (!replicas && replicas.error().code == Errc::not_found && !still) return ok();  // it went while the archive worked
  if (!replicas) return replicas.error();
  if (replicas->size() != 1) {
    return fail(Errc::corrupt, fmt::format("the volumes hold different bytes as {}. Start the archive, run greffe-archive scrub, which mends it, "
                                           "and go on", key));
  }
  return to_.put(key, replicas->front());
}

Result<std::uint64_t> PoolMigration::copy_log_files(bool still) {
  const std::vector<std::string> keys =
      GREFFE_TRY(keys_below(from_, "log/", [still](const std::string& key) { return !is_head(key) && (still || !comes_and_goes(key)); }));
  for (const std::string& key : keys) GREFFE_TRY(copy_log_file(key, still));
  if (!still) return std::uint64_t{keys.size()};
  // Markers that an earlier attempt brought, of hearings that are closed now.
  const std::vector<std::string> markers = GREFFE_TRY(keys_below(to_, kOpenMarkers, [](const std::string&) { return true; }));
  for (const std::string& key : markers) {
    if (!std::binary_search(keys.begin(), keys.end(), key)) GREFFE_TRY(to_.remove_stage(key));
  }
  return std::uint64_t{keys.size()};
}

Status PoolMigration::copy_head(const std::string& key) {
  const std::string text = GREFFE_TRY(from_.read_head(key));
  const auto there = to_.read_head(key);
  if (!there && there.error().code != Errc::not_found) return there.error();
  if (there && *there == text) return ok();
  return to_.swap_head(key, there ? *there : std::string(), text);
}

// A crash here: some hearings are whole in the new pool and the main logs, which name them, are not there or are older.
Status PoolMigration::copy_heads() {
  const std::string main = main_log_path() + "/";
  const auto is_main = [&main](const std::string& key) { return key.starts_with(main) || key.starts_with("log/from/"); };
  const std::vector<std::string> heads = GREFFE_TRY(keys_below(from_, "log/", is_head));
  for (const bool of_main : {false, true}) {
    for (const std::string& key : heads) {
      if (is_main(key) == of_main) GREFFE_TRY(copy_head(key));
    }
  }
  return ok();
}

}  // namespace greffe::archive
