// An archive on three volumes in a temporary directory, and a station that files hearings with it: real files, real
// signatures, no network.
#ifndef GREFFE_TESTS_UNIT_ARCHIVE_SAMPLE_ARCHIVE_H
#define GREFFE_TESTS_UNIT_ARCHIVE_SAMPLE_ARCHIVE_H

#include <catch2/catch.hpp>
#include <functional>
#include <memory>

#include "archive/archive_keys.h"
#include "archive/deposit.h"
#include "archive/epochs.h"
#include "archive/format/documents.h"
#include "archive/store/local_pool.h"
#include "tests/unit/support/temporary_folder.h"

namespace greffe::testing {

// Three volumes that were initialised once, which takes longer than copying them.
inline const TemporaryFolder& fresh_sample_volumes() {
  static const TemporaryFolder folder;
  static const bool once = [] {
    PosixFileSystem files;
    const std::string pool_id = store::make_pool_id();
    for (int i = 0; i < 3; ++i) {
      const std::string number = std::to_string(i);
      if (!store::init_volume(files, folder.path + "/v" + number, pool_id, "d" + number)) return false;
    }
    return true;
  }();
  REQUIRE(once);
  return folder;
}

class SampleArchive {
 public:
  // `prepare`: what is done to it at last.
  explicit SampleArchive(std::string role = "primary", const std::function<void(SampleArchive&)>& prepare = {}) : role_(std::move(role)) {
    std::filesystem::copy(fresh_sample_volumes().path, folder.path, std::filesystem::copy_options::recursive);
    REQUIRE(files.make_directories(folder.path + "/state"));
    REQUIRE(archive::make_archive_keys(files, folder.path + "/state"));
    start();
    if (prepare) prepare(*this);
  }

  // As after a crash of the process: everything in memory is gone.
  void restart() {
    stop();
    start();
  }
  void stop() {
    deposit.reset();
    ahead.reset();
    epochs.reset();
    unfiled.reset();
    hearings.reset();
    main_log.reset();
    pool.reset();
  }
  void start() {
    auto loaded = archive::load_archive_keys(files, folder.path + "/state");
    REQUIRE(loaded);
    keys = std::make_unique<archive::ArchiveKeys>(std::move(*loaded));
    store::PoolSettings settings;
    for (int i = 0; i < 3; ++i) settings.volumes.push_back(folder.path + "/v" + std::to_string(i));
    auto opened = store::LocalPool::open(disk ? *disk : files, clock, settings, store::PoolMode::writer, listeners);
    REQUIRE(opened);
    pool = std::move(*opened);
    const auto place = tlog::find_main_log(*pool, {name, epoch});
    REQUIRE(place);
    auto main = archive::MainLog::open(files, log, stores(), *place, folder.path + "/state",
                                       std::move(*PrivateKey::from_pem(keys->log.to_pem())), accept_head);
    if (!main) FAIL(main.error().message);
    main_log = std::move(*main);
    hearings = std::make_unique<archive::HearingLogs>(stores());
    auto counted = archive::UnfiledBytes::open(files, folder.path + "/state/unfiled", quota_bytes);
    REQUIRE(counted);
    unfiled = std::move(*counted);
    auto heard = archive::Epochs::open(files, folder.path + "/state");
    REQUIRE(heard);
    epochs = std::move(*heard);
    ahead = std::make_unique<archive::EntriesAhead>(log, stores(), archive::EntriesAhead::Limits{});
    deposit = std::make_unique<archive::Deposit>(clock, log, stores(), *hearings, *main_log, *unfiled, keys->holder, role_,
                                                 archive::Deposit::Limits{}, role_ == "replica" ? ahead.get() : nullptr);
    REQUIRE(deposit->catch_up());
  }
  archive::Stores stores() { return {*pool, *pool, *pool}; }
  VerifierKey holder() const { return archive::holder_verifier(main_log->place().origin(), keys->holder.public_key()); }

  const std::string name = "archive.court.example";
  TemporaryFolder folder;
  PosixFileSystem files;
  FileSystem* disk = nullptr;      // what the pool stands on from the next start() on; none: `files`
  store::PoolListeners listeners;  // of the pool, from the next start() on
  std::uint64_t quota_bytes = 1'000'000'000;  // of what is sent without entries, from the next start() on
  bool accept_head = false;                   // of the next start()
  std::uint64_t epoch = 1;                    // in which it is, from the next start() on
  SystemClock clock;
  Log log{"test"};
  std::unique_ptr<archive::ArchiveKeys> keys;
  std::unique_ptr<store::LocalPool> pool;
  std::unique_ptr<archive::MainLog> main_log;
  std::unique_ptr<archive::HearingLogs> hearings;
  std::unique_ptr<archive::UnfiledBytes> unfiled;
  std::unique_ptr<archive::Epochs> epochs;
  std::unique_ptr<archive::EntriesAhead> ahead;
  std::unique_ptr<archive::Deposit> deposit;

 private:
  const std::string role_;
};

// A station's side of one hearing.
class SampleHearing {
 public:
  explicit SampleHearing(const std::string& archive, UtcTime start = UtcTime{1'795'338'000'000},
                         std::optional<HearingId> continues = {})
      : id(make_hearing_id(start)), archive_(archive), start_(start) {
    Details details;
    details.cases = {"(2026)浙01民初1234号"};
    details.title = "Hearing";
    add_document(write_details(details));
    OpenEntry open;
    open.archive = archive;
    open.hearing = id;
    open.station = "station-1";
    open.station_key = key.public_key();
    open.court = "court-1";
    open.room = "room-3";
    open.streams = {{"mic-judge", "audio", "room"}};
    open.details = objects.back().first;
    open.main_root = empty_root();
    open.start = start;
    open.continues = continues;
    open.boot = "boot-1";
    entries.push_back(write_hearing_entry(open));
  }

  void add_segment(std::size_t more_bytes = 0) {
    const std::string bytes = "segment " + std::to_string(seq_) + " of " + id.text() + std::string(more_bytes, '.');
    SegmentEntry e;
    e.stream = "mic-judge";
    e.seq = seq_;
    e.sha256 = add_document(bytes);
    e.bytes = bytes.size();
    e.init_bytes = 7;
    e.start_90k = 90'000 + static_cast<std::int64_t>(seq_) * 900'000;
    e.duration_90k = 900'000;
    e.codecs = "mp4a.40.2";
    e.utc = now();
    e.boot = "boot-1";
    e.mono_ms = e.utc.ms - start_.ms;
    e.clock = {"locked", 2};
    entries.push_back(write_hearing_entry(e));
    bytes_ += e.bytes;
    ++seq_;
  }
  // The newest object can no longer be delivered: it is declared, and never sent.
  void lose_last_object() {
    LostEntry e;
    e.objects = {objects.back().first};
    e.reason = "unreadable";
    objects.pop_back();
    entries.push_back(write_hearing_entry(e));
  }
  void close() {
    CloseEntry e;
    e.end = now();
    e.boot = "boot-1";
    e.mono_ms = e.end.ms - start_.ms;
    e.totals = {{"mic-judge", seq_, bytes_, static_cast<std::int64_t>(seq_) * 900'000}};
    entries.push_back(write_hearing_entry(e));
  }
  // Nothing was recorded for so long; the index of the gap.
  std::uint64_t add_gap(std::int64_t length_ms, const std::string& reason) {
    GapEntry e;
    e.streams = {"*"};
    e.from = now();
    e.boot = "boot-1";
    e.mono_ms = {e.from.ms - start_.ms, e.from.ms - start_.ms + length_ms};
    missing_ms_ += length_ms;
    e.to = now();
    e.reason = reason;
    entries.push_back(write_hearing_entry(e));
    return entries.size() - 1;
  }
  void explain(std::uint64_t gap, const std::string& text) {
    entries.push_back(write_hearing_entry(ExplanationEntry{gap, add_document(write_note("explanation", text)), "u-17", "power"}));
  }
  void correct(const std::string& case_number, bool is_public) {
    Details details;
    details.cases = {case_number};
    details.is_public = is_public;
    entries.push_back(write_hearing_entry(CorrectionEntry{add_document(write_details(details)), now(), "g-07"}));
  }
  // The signed checkpoint over the first `size` entries.
  std::string checkpoint(std::size_t size) const {
    TreeEdge edge;
    for (std::size_t i = 0; i < size; ++i) edge.append(leaf_hash(as_bytes(entries[i])));
    const Checkpoint c{hearing_origin(archive_, id), size, edge.root()};
    SignedNote note{c.text(), {sign_checkpoint(c, key)}};
    return note.write();
  }
  archive::Peer peer() const {
    archive::Peer out;
    out.key.role = "station";
    out.key.name = "station-1";
    out.key.key = key.public_key();
    out.key.court = "court-1";
    out.key.room = "room-3";
    return out;
  }
  Digest add_document(const std::string& bytes) {
    objects.emplace_back(sha256(as_bytes(bytes)), bytes);
    return objects.back().first;
  }

  HearingId id;
  PrivateKey key = PrivateKey::generate();
  std::vector<std::string> entries;
  std::vector<std::pair<Digest, std::string>> objects;

 private:
  UtcTime now() const { return UtcTime{start_.ms + static_cast<std::int64_t>(seq_) * 10'000 + missing_ms_}; }

  std::string archive_;
  UtcTime start_;
  std::int64_t missing_ms_ = 0;
  std::uint64_t seq_ = 0;
  std::uint64_t bytes_ = 0;  // of segments
};

inline Status deposit_object(SampleArchive& a, const SampleHearing& h, const Digest& digest, const std::string& bytes) {
  auto writer = a.deposit->begin_object(h.peer(), h.id, digest, bytes.size());
  if (!writer) return writer.error();
  const Status written = (*writer)->write(as_bytes(bytes));
  if (!written) return written.error();
  const Status stored = (*writer)->commit(digest);
  if (!stored) return stored.error();
  a.deposit->deposited(h.peer(), h.id, digest, bytes.size());
  return ok();
}

inline void deposit_all_objects(SampleArchive& a, const SampleHearing& h) {
  for (const auto& [digest, bytes] : h.objects) REQUIRE(deposit_object(a, h, digest, bytes));
}

inline Result<std::variant<archive::Receipt, archive::Unready>> append_range(SampleArchive& a, const SampleHearing& h,
                                                                             std::size_t first, std::size_t last) {
  const std::vector<std::string> range(h.entries.begin() + static_cast<std::ptrdiff_t>(first),
                                       h.entries.begin() + static_cast<std::ptrdiff_t>(last));
  return a.deposit->append(h.peer(), h.id, first, range, h.checkpoint(last));
}

}  // namespace greffe::testing

#endif
