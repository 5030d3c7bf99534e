// A copy of a SourcePool on one disk in memory, with nobody behind it, and a replicator that keeps it: for tests of passive targets.
#ifndef GREFFE_TESTS_UNIT_REPLICATE_COPY_RIG_H
#define GREFFE_TESTS_UNIT_REPLICATE_COPY_RIG_H

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "archive/tlog/copied_main_log.h"
#include "replicate/copy_round.h"
#include "replicate/lag.h"
#include "replicate/replicator.h"
#include "tests/unit/replicate/second_site.h"
#include "tests/unit/support/test_pool.h"

namespace greffe::testing {

constexpr std::int64_t kDayMs = 86'400'000;

struct CopyRig {
  // `disk`: as some other rig left it; null: a fresh one that is labelled as the source's copy.
  explicit CopyRig(SourcePool& pool, std::unique_ptr<ForgetfulFileSystem> disk = nullptr) : source(pool), files(std::move(disk)) {
    settings.volumes = test_volume_paths(1);
    settings.pool_id = kTestPoolId;
    settings.replicas = 1;
    settings.write_quorum = 1;
    if (files) return;
    files = fresh_volumes(1);
    label({SourcePool::kArchive, owner().log, clock.utc_now()});
  }

  replicate::CopyOwner owner() {
    std::vector<PublicKey> keys = source.ended_log_keys;
    keys.push_back(source.log_key.public_key());
    replicate::CopyOwner out{SourcePool::kArchive, VerifierKey{SourcePool::kArchive, KeyType::ed25519, keys.front()}};
    for (std::size_t i = 1; i < keys.size(); ++i) out.later.push_back({epoch_origin({SourcePool::kArchive, i + 1}), KeyType::ed25519, keys[i]});
    return out;
  }
  void label(const replicate::CopyLabel& what) {
    const auto made = store::LocalPool::open(*files, clock, settings, store::PoolMode::writer);
    REQUIRE(made);
    REQUIRE((*made)->put(replicate::kCopyLabelKey, as_bytes(replicate::write_copy_label(what))));
  }

  // A replicator's process.
  struct Process {
    explicit Process(CopyRig& rig, store::PoolMode mode = store::PoolMode::writer, std::stop_token stop = {})
        : source(replicate::Source::open(rig.source.store, rig.source.store, rig.source.epoch).value()), pool(rig.open, "nas", rig.owner(), mode, rig.clock, rig.log, stop),
          site(pool, source, rig.owner(), rig.clock, rig.log, stop), line(rig.clock, replicate::Timetable()),
          replicator({source, site, rig.archive, std::nullopt}, line, rig.clock, {.limits = {.connections = 1}, .poll_interval_ms = 20}, rig.log),
          round(site, source, rig.clock, rig.log) {}
    Result<replicate::PassReport> pass() {
      auto done = replicator.pass({});
      if (done) REQUIRE(site.save_grade());
      return done;
    }
    replicate::Source source;
    replicate::PassivePool pool;
    replicate::PassiveSite site;
    replicate::Bandwidth line;
    replicate::Replicator replicator;
    replicate::CopyRound round;
  };
  // By a process that remembers nothing.
  Result<replicate::PassReport> pass() { return Process(*this).pass(); }
  // Of everything, also after faults.
  void pass_to_the_end() {
    Process process(*this);
    const auto report = process.pass();
    INFO((report ? report->words() : report.error().message));
    REQUIRE(report);
    REQUIRE(report->caught_up());
    check(true);
  }

  // What is at the copy, read by somebody who is not its replicator: whatever a log there commits to is there; `all`: it is the source's.
  void check(bool all) {
    const auto seen = store::LocalPool::open(*files, clock, settings, store::PoolMode::reader);
    REQUIRE(seen);
    store::LocalPool& pool = **seen;
    REQUIRE_FALSE(pool.read_head(checkpoint_path(main_log_path())));
    // As whoever restores reads it: each epoch goes on from the one before.
    const auto main = tlog::open_copied_log(pool, pool, SourcePool::kArchive);
    if (!main) REQUIRE(main.error().code == Errc::not_found);
    if (!main) REQUIRE_FALSE(all);
    const auto source_main = replicate::Source::open(source.store, source.store, source.epoch).value().main;
    const std::uint64_t main_size = main ? main->size().value() : 0;
    if (all) REQUIRE(main->checkpoint()->checkpoint == source_main.checkpoint()->checkpoint);
    if (main) REQUIRE(*main->entries(0, main_size) == *source_main.entries(0, main_size));
    std::set<HearingId> ids;
    REQUIRE(pool.list("log/hearing/", [&](const store::ObjectInfo& info) {
      if (info.key.ends_with("/checkpoint")) ids.insert(parse_hearing_id(std::string_view(info.key).substr(info.key.size() - 47, 36)).value());
      return true;
    }));
    for (const HearingId& id : ids) {
      const tlog::LogReader kept(pool, pool, hearing_log_path(id));
      const auto size = kept.checkpoint()->checkpoint.size;
      const auto entries = kept.entries(0, size);
      REQUIRE(entries);
      REQUIRE(*entries == *tlog::LogReader(source.store, source.store, hearing_log_path(id)).entries(0, size));
      for (const std::string& text : *entries) {
        for (const Digest& digest : named_objects(*parse_json(text))) REQUIRE(pool.read_object(digest));
      }
    }
    for (const std::string& text : main ? *main->entries(0, main_size) : std::vector<std::string>()) {
      const auto entry = parse_main_entry(text);
      const auto* commit = std::get_if<HearingCheckpointEntry>(&*entry);
      if (commit == nullptr) continue;
      const auto stated = parse_signed_checkpoint(commit->note);
      REQUIRE(*tlog::LogReader(pool, pool, hearing_log_path(commit->hearing)).root_at(stated->checkpoint.size) == stated->checkpoint.root);
    }
  }

  replicate::Lag lag() {
    Process process(*this, store::PoolMode::reader);
    auto out = replicate::measure_lag(process.source, process.site, std::nullopt, "nas");
    REQUIRE(out);
    const auto grade = process.site.grade();
    if (grade) out->grade = *grade;
    return *out;
  }
  std::string path(std::string_view key) const { return join(settings.volumes.front(), key); }
  std::string path(const Digest& digest) const { return path(object_key(digest)); }
  Digest segment(const HearingId& id, int number) const { return sha256(as_bytes("segment " + std::to_string(number) + " of " + id.text())); }
  bool is_good(const Digest& digest) {
    const auto bytes = files->read_file(path(digest), kMaxObjectBytes);
    return bytes && sha256(*bytes) == digest;
  }
  void flip(const std::string& file) {
    REQUIRE(files->damage(file, [](Bytes& bytes) { bytes[bytes.size() / 2] ^= 1; }));
  }

  SourcePool& source;
  std::unique_ptr<ForgetfulFileSystem> files;
  ManualClock clock;
  Log log{"test"};
  store::PoolSettings settings;
  Confirmations archive{source.store, VerifierKey{"dr.example/holder", KeyType::cosignature_v1, source.log_key.public_key()}};
  replicate::PassivePool::Open open = [this](store::PoolMode mode, store::PoolListeners listeners) -> Result<std::unique_ptr<store::WholePool>> {
    auto opened = store::LocalPool::open(*files, clock, settings, mode, std::move(listeners));
    if (!opened) return opened.error();
    return std::unique_ptr<store::WholePool>(*std::move(opened));
  };
};

}  // namespace greffe::testing

#endif
