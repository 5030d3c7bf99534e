// A second site that holds a copy of a SourcePool, and a pool in memory that is to be rebuilt from it: for tests of restore.
#ifndef GREFFE_TESTS_UNIT_REPLICATE_HOLDING_SITE_H
#define GREFFE_TESTS_UNIT_REPLICATE_HOLDING_SITE_H

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "archive/tlog/kept_checkpoints.h"
#include "archive/tlog/log_reader.h"
#include "replicate/restore.h"
#include "tests/unit/replicate/second_site.h"
#include "tests/unit/support/manual_clock.h"

namespace greffe::testing {

class HoldingSite : public replicate::RestoreSite {
 public:
  explicit HoldingSite(SourcePool& source) : source_(source) {}

  std::size_t piece_entries = 3;              // so that logs come in several pieces
  std::set<Digest> missing;                   // not there any more
  std::map<Digest, Bytes> damaged;            // other bytes than the name says, past every check on the way
  std::function<void(client::LogPiece&)> alter;  // what is sent of logs
  std::size_t calls_left = SIZE_MAX;          // then the site does not answer
  std::size_t calls = 0;
  std::size_t objects_given = 0;
  PrivateKey signs_with = PrivateKey::from_seed(Bytes(32, 9)).value();

  VerifierKey verifier() const { return {"dr.example/holder", KeyType::cosignature_v1, signs_with.public_key()}; }

  Result<client::LogPiece> read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) override {
    const std::lock_guard lock(mutex_);
    GREFFE_TRY(answers());
    const auto* id = std::get_if<HearingId>(&log.log);
    const std::string path = id != nullptr ? hearing_log_path(*id) : source_.path_of(std::get<std::string>(log.log));
    const tlog::LogReader reader(source_.store, source_.store, path);
    SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
    put_signature(head.note, cosign_checkpoint(head.checkpoint, "dr.example/holder", signs_with, UtcTime{1'790'000'000'000}));
    client::LogPiece piece;
    piece.note = head.note.write();
    piece.first = first;
    const std::uint64_t end = std::min({head.checkpoint.size, last.value_or(SIZE_MAX), first + piece_entries});
    if (first < end) piece.entries = GREFFE_TRY(reader.entries(first, end));
    for (std::uint64_t size = first + 1; size <= first + piece.entries.size(); ++size) {
      if (const auto note = source_.store.get(tlog::kept_checkpoint_path(path, size))) piece.kept.emplace_back(as_text(*note));
    }
    if (alter) alter(piece);
    return piece;
  }
  Result<std::vector<HearingId>> hearings_of_day(const std::string&, const std::string& day) override {
    const std::lock_guard lock(mutex_);
    GREFFE_TRY(answers());
    std::string folder = "log/hearing/" + day + "/";
    std::replace(folder.begin(), folder.end(), '-', '/');
    std::set<HearingId> ids;
    GREFFE_TRY(source_.store.list(folder, [&](const store::ObjectInfo& info) {
      ids.insert(parse_hearing_id(std::string_view(info.key).substr(folder.size(), 36)).value());
      return true;
    }));
    return std::vector<HearingId>(ids.begin(), ids.end());
  }
  Result<Bytes> get_object(const client::LogTarget&, const Digest& digest, std::uint64_t) override {
    const std::lock_guard lock(mutex_);
    GREFFE_TRY(answers());
    if (missing.contains(digest)) return fail(Errc::not_found, "no volume there has it");
    ++objects_given;
    if (const auto found = damaged.find(digest); found != damaged.end()) return found->second;
    return source_.store.read_object(digest);
  }

 private:
  Status answers() {
    ++calls;
    if (calls_left == 0) return fail(Errc::unavailable, "the second site does not answer");
    --calls_left;
    return ok();
  }

  SourcePool& source_;
  std::mutex mutex_;
};

struct RestoreRig {
  RestoreRig() {
    GenesisEntry genesis;
    genesis.archive = SourcePool::kArchive;
    genesis.log_key = source.log_key.public_key();
    genesis.role = "primary";
    genesis.holder = {std::string(SourcePool::kArchive) + "/holder", KeyType::cosignature_v1, source.log_key.public_key()};
    genesis.utc = UtcTime{clock.utc_now().ms - 86'400'000};
    KeyEntry station;
    station.action = "added";
    station.role = "station";
    station.name = "s1";
    station.key = source.station.public_key();
    station.court = "court";
    station.room = "room";
    station.since = genesis.utc;
    station.utc = genesis.utc;
    source.main({write_main_entry(genesis), write_main_entry(station)});
  }

  Result<replicate::RestoreReport> restore(const replicate::RestoreChoice& choice = {}, std::stop_token stop = {}) {
    const replicate::RestoreKeys keys{source.epoch, {epoch_origin(source.epoch), KeyType::ed25519, log_key.value_or(source.log_key.public_key())}, site.verifier()};
    replicate::Restore work({pool, pool, pool, pool}, site, keys, {connections, 2}, clock, [](std::uint64_t, std::uint64_t) {});
    return work.run(choice, stop);
  }
  bool has_log(const std::string& path) { return pool.files().contains(checkpoint_path(path)); }
  bool has(const Digest& digest) { return pool.files().contains(object_key(digest)); }
  Digest segment(const HearingId& id, int number) { return sha256(as_bytes("segment " + std::to_string(number) + " of " + id.text())); }
  // The pool has this log whole, and it can be written on. `at_source`: where it lies there, if elsewhere.
  bool same_log(const std::string& path, const std::string& at_source = {}) {
    const tlog::LogReader here(pool, pool, path);
    const tlog::LogReader there(source.store, source.store, at_source.empty() ? path : at_source);
    const auto head = here.checkpoint();
    const auto theirs = there.checkpoint();
    if (!head || !theirs || head->checkpoint != theirs->checkpoint) return false;
    const auto entries = here.entries(0, head->checkpoint.size);
    return entries && *entries == *there.entries(0, head->checkpoint.size) && tlog::LogWriter::open(pool, pool, pool, path);
  }

  ManualClock clock;
  SourcePool source;
  HoldingSite site{source};
  MemoryStore pool;
  unsigned connections = 1;
  std::optional<PublicKey> log_key;  // that the archive is thought to have; none: its own
};

}  // namespace greffe::testing

#endif
