// Many finished hearings of 1,600 entries on three volumes: how fast the catalogue is made anew, how fast `check` derives their trees and
// verifies their signatures. usage: bench_finished_hearings DIR rebuild|check HEARINGS
//
// The files are written as LogWriter leaves those of a finished log, but quickly: unsynced, with the bundles that say the same in every hearing
// as links of one file, and with the replicas as links of each other. Everything is in the page cache.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "archive/archive_keys.h"
#include "archive/format/documents.h"
#include "archive/format/finished_hearing.h"
#include "archive/main_log.h"
#include "archive/pool_check.h"
#include "archive/store/local_pool.h"
#include "archive/tlog/stored_tree.h"
#include "archive/tlog/tile_edge.h"

namespace {

using greffe::Digest;
using greffe::kTileWidth;
using greffe::Result;
using greffe::Status;
using greffe::TileName;
namespace tlog = greffe::tlog;

constexpr std::uint64_t kEntries = 1600;
constexpr std::uint64_t kLinksMost = 20'000;  // of one file, times three volumes: below what ext4 allows
constexpr double kTargetHearingsPerMinute = 100'000;
constexpr double kTargetCheckedPerSecond = 11e6 / 60;
constexpr const char* kArchive = "bench.example";

template <class T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench_finished_hearings: %s\n", result.error().message.c_str());
    std::exit(2);
  }
  return *std::move(result);
}
void need(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "bench_finished_hearings: %s\n", status.error().message.c_str());
  std::exit(2);
}
void need(bool good, const std::string& what) {
  if (good) return;
  std::perror(("bench_finished_hearings: " + what).c_str());
  std::exit(2);
}

// Three folders of which the second and third hold links of what the first holds.
class Volumes {
 public:
  explicit Volumes(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  void write(const std::string& key, std::string_view bytes) {
    const std::string first = path(0, key);
    const int fd = ::open(first.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    need(fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()), first);
    ::close(fd);
    for (std::size_t i = 1; i < paths_.size(); ++i) link(first, path(i, key));
  }
  // Another name for what stands under `key`.
  void again(const std::string& key, const std::string& other) {
    for (std::size_t i = 0; i < paths_.size(); ++i) link(path(i, key), path(i, other));
  }

 private:
  std::string path(std::size_t volume, const std::string& key) {
    std::string out = paths_[volume] + "/" + key;
    const std::string parent = out.substr(0, out.rfind('/'));
    // Folders come one after the other; only the last few are remembered.
    if (made_.size() > 4096) made_.clear();
    if (made_.insert(parent).second) std::filesystem::create_directories(parent);
    return out;
  }
  static void link(const std::string& from, const std::string& to) { need(::link(from.c_str(), to.c_str()) == 0, to); }

  const std::vector<std::string> paths_;
  std::set<std::string> made_;
};

// What is the same in all hearings: everything but the `open` entry.
struct Template {
  std::vector<std::string> entries;  // that of index 0 is empty
  std::vector<Digest> leaves;
  std::vector<Digest> roots;  // of the full bundles
};

Template make_template() {
  Template out;
  out.entries.emplace_back();
  const std::vector<std::string> streams = {"cam-bench", "cam-hall", "mic-judge", "mic-witness"};
  std::vector<greffe::StreamTotal> totals;
  for (const std::string& name : streams) totals.push_back({name, 0, 0, 0});
  for (std::uint64_t i = 1; i + 1 < kEntries; ++i) {
    greffe::StreamTotal& total = totals[i % streams.size()];
    greffe::SegmentEntry e;
    e.stream = total.stream;
    e.seq = total.segments++;
    e.sha256 = greffe::sha256(greffe::as_bytes("segment " + std::to_string(i)));
    e.bytes = 2'500'000;
    e.init_bytes = 1260;
    e.start_90k = 90'000 + static_cast<std::int64_t>(e.seq) * 900'000;
    e.duration_90k = 900'000;
    e.codecs = "avc1.64001f";
    e.utc = greffe::UtcTime{1'795'338'000'000 + static_cast<std::int64_t>(e.seq) * 10'000};
    e.boot = "6f1c2b8e-1111-4222-8333-444455556666";
    e.mono_ms = static_cast<std::int64_t>(e.seq) * 10'000;
    e.clock = {"locked", 2};
    total.bytes += e.bytes;
    total.duration_90k += e.duration_90k;
    out.entries.push_back(greffe::write_hearing_entry(e));
  }
  greffe::CloseEntry close;
  close.end = greffe::UtcTime{1'795'342'000'000};
  close.boot = "6f1c2b8e-1111-4222-8333-444455556666";
  close.mono_ms = 4'000'000;
  close.totals = totals;
  out.entries.push_back(greffe::write_hearing_entry(close));
  out.leaves = tlog::leaf_hashes(out.entries);
  for (std::uint64_t i = 0; i < kEntries / kTileWidth; ++i) out.roots.push_back(tlog::tree_hash(std::span(out.leaves).subspan(i * kTileWidth, kTileWidth)));
  return out;
}

// Finished hearings one after the other, with what the main log says of each.
class Maker {
 public:
  explicit Maker(Volumes& volumes) : volumes_(volumes), same_(make_template()), station_(greffe::PrivateKey::generate()) {}

  // Appends the entries of its first checkpoint and of its last one.
  void make(std::uint64_t number, std::vector<std::string>& main_log) {
    const greffe::UtcTime start{1'795'338'000'000 + static_cast<std::int64_t>(number) * 500};
    const greffe::HearingId id = greffe::make_hearing_id(start);
    const std::string log = greffe::hearing_log_path(id);
    const std::string open = open_entry(id, start, number);
    std::vector<std::string> entries(same_.entries.begin(), same_.entries.begin() + kTileWidth);
    std::vector<Digest> leaves(same_.leaves.begin(), same_.leaves.begin() + kTileWidth);
    entries[0] = open;
    leaves[0] = greffe::leaf_hash(greffe::as_bytes(open));
    std::vector<Digest> row = same_.roots;
    row[0] = tlog::tree_hash(leaves);
    volumes_.write(tlog::tile_key(log, {true, 0, 0, 0}), greffe::write_bundle(entries));
    volumes_.write(tlog::tile_key(log, {false, 0, 0, 0}), text_of(leaves));
    volumes_.write(tlog::tile_key(log, {false, 1, 0, static_cast<unsigned>(row.size())}), text_of(row));
    rest(log, number);
    const std::vector<Digest> tail(same_.leaves.begin() + static_cast<std::ptrdiff_t>(row.size() * kTileWidth), same_.leaves.end());
    const Digest root = tlog::TileEdge(kEntries, {tail, row}).root();
    const std::string head = checkpoint(id, kEntries, root);
    volumes_.write(greffe::checkpoint_path(log), head);

    greffe::HearingCheckpointEntry entry;
    entry.hearing = id;
    entry.note = checkpoint(id, 1, leaves[0]);
    entry.utc = start;
    main_log.push_back(greffe::write_main_entry(entry));
    entry.note = head;
    entry.closed = true;
    entry.utc = greffe::UtcTime{start.ms + 4'000'000};
    entry.beside = {0, kEntries - 1};
    main_log.push_back(greffe::write_main_entry(entry));
  }

 private:
  static std::string text_of(const std::vector<Digest>& hashes) {
    const greffe::Bytes bytes = greffe::write_tile(hashes);
    return std::string(greffe::as_text(bytes));
  }

  std::string open_entry(const greffe::HearingId& id, greffe::UtcTime start, std::uint64_t number) {
    greffe::Details details;
    details.cases = {"(2026)浙01民初" + std::to_string(number) + "号"};
    details.parties = {{"王伟", "plaintiff", {}}, {"Zoé Lefèvre", "defendant", {}}};
    details.judges = {"陈法官"};
    details.title = "房屋租赁合同纠纷";
    const std::string document = greffe::write_details(details);
    greffe::OpenEntry open;
    open.archive = kArchive;
    open.hearing = id;
    open.station = "station-1";
    open.station_key = station_.public_key();
    open.court = "court-" + std::to_string(number % 29);
    open.room = "room-" + std::to_string(number % 7);
    open.streams = {{"cam-bench", "video", "room"}, {"cam-hall", "video", "room"}, {"mic-judge", "audio", "room"}, {"mic-witness", "audio", "room"}};
    open.details = greffe::sha256(greffe::as_bytes(document));
    open.main_root = greffe::empty_root();
    open.start = start;
    open.boot = "6f1c2b8e-1111-4222-8333-444455556666";
    volumes_.write(greffe::object_key(open.details), document);
    return greffe::write_hearing_entry(open);
  }

  std::string checkpoint(const greffe::HearingId& id, std::uint64_t size, const Digest& root) {
    const greffe::Checkpoint about{greffe::hearing_origin(kArchive, id), size, root};
    const greffe::SignedNote note{about.text(), {sign_checkpoint(about, station_)}};
    return note.write();
  }

  // The bundles and tiles behind the first one.
  void rest(const std::string& log, std::uint64_t number) {
    const bool anew = number % kLinksMost == 0;
    if (anew) linked_ = log;
    for (std::uint64_t i = 1; i * kTileWidth < kEntries; ++i) {
      const std::uint64_t first = i * kTileWidth;
      const auto width = static_cast<unsigned>(std::min(kTileWidth, kEntries - first));
      const unsigned part = width == kTileWidth ? 0 : width;
      for (const TileName& name : {TileName{true, 0, i, part}, TileName{false, 0, i, part}}) {
        if (!anew) {
          volumes_.again(tlog::tile_key(linked_, name), tlog::tile_key(log, name));
        } else if (name.entries) {
          volumes_.write(tlog::tile_key(log, name), greffe::write_bundle(std::span(same_.entries).subspan(first, width)));
        } else {
          const std::vector<Digest> leaves(same_.leaves.begin() + static_cast<std::ptrdiff_t>(first),
                                           same_.leaves.begin() + static_cast<std::ptrdiff_t>(first + width));
          volumes_.write(tlog::tile_key(log, name), text_of(leaves));
        }
      }
    }
  }

  Volumes& volumes_;
  const Template same_;
  const greffe::PrivateKey station_;
  std::string linked_;  // the log whose files the next ones are links of
};

class Archive {
 public:
  Archive(const std::string& folder, std::uint64_t hearings) : catalogue(folder + "/catalogue.sqlite"), hearings_(hearings) {
    greffe::store::PoolSettings settings;
    const std::string pool_id = greffe::store::make_pool_id();
    for (const char* name : {"a", "b", "c"}) {
      settings.volumes.push_back(folder + "/" + name);
      need(greffe::store::init_volume(files, settings.volumes.back(), pool_id, name));
    }
    Volumes volumes(settings.volumes);
    std::vector<std::string> main_log = {genesis()};
    Maker maker(volumes);
    for (std::uint64_t i = 0; i < hearings; ++i) maker.make(i, main_log);
    pool = need(greffe::store::LocalPool::open(files, clock, settings, greffe::store::PoolMode::writer));
    auto writer = need(tlog::LogWriter::open(*pool, *pool, *pool, greffe::main_log_path()));
    constexpr std::size_t kBatch = 4096;
    for (std::size_t i = 0; i < main_log.size(); i += kBatch) {
      const auto batch = std::span(main_log).subspan(i, std::min(kBatch, main_log.size() - i));
      need(writer.append(batch, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
        const greffe::Checkpoint about{kArchive, size, root};
        const greffe::SignedNote note{about.text(), {sign_checkpoint(about, log_key)}};
        return note.write();
      }));
    }
  }

  // Hearings a minute.
  double rebuild() {
    const greffe::archive::Stores stores{*pool, *pool, *pool};
    const tlog::LogReader main_log(*pool, *pool, greffe::main_log_path());
    const auto begin = std::chrono::steady_clock::now();
    { const auto builder = need(greffe::catalogue::rebuild(files, catalogue, greffe::archive::catalogue_sources(stores), main_log)); }
    const double seconds = since(begin);
    const auto made = need(greffe::catalogue::Catalogue::open(catalogue));
    greffe::catalogue::HearingQuery all;
    all.closed = true;
    all.count_limit = hearings_ + 1;
    const auto page = need(made.find(all, greffe::catalogue::CourtSet::everything()));
    const bool whole = page.count == hearings_ && need(made.problems()).empty();
    const std::uint64_t segments = page.hearings.empty() ? 0 : page.hearings[0].streams[0].segments;
    if (!whole || segments != (kEntries - 2) / 4) {
      std::fprintf(stderr, "bench_finished_hearings: the catalogue does not know all hearings\n");
      std::exit(2);
    }
    return 60 * static_cast<double>(hearings_) / seconds;
  }

  double checked_per_second() {
    const auto begin = std::chrono::steady_clock::now();
    const auto found = need(greffe::archive::check_pool_logs(*pool));
    const double seconds = since(begin);
    if (!found.findings.empty() || found.logs != hearings_ + 1) {
      std::fprintf(stderr, "bench_finished_hearings: %s\n", found.findings.empty() ? "not all logs were checked" : found.findings[0].c_str());
      std::exit(2);
    }
    std::printf("%llu entries in %.1f s\n", static_cast<unsigned long long>(found.entries), seconds);
    return static_cast<double>(found.entries) / seconds;
  }

 private:
  static double since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
  }
  std::string genesis() const {
    greffe::GenesisEntry out;
    out.archive = kArchive;
    out.role = "primary";
    out.log_key = log_key.public_key();
    out.holder = greffe::archive::holder_verifier(kArchive, log_key.public_key());
    out.utc = greffe::UtcTime{1'795'000'000'000};
    return greffe::write_main_entry(out);
  }

  greffe::PosixFileSystem files;
  greffe::SystemClock clock;
  const greffe::PrivateKey log_key = greffe::PrivateKey::generate();
  std::unique_ptr<greffe::store::LocalPool> pool;
  const std::string catalogue;
  const std::uint64_t hearings_;
};

double cpu_seconds() {
  ::rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count == 4 ? arguments[2] : "";
  const auto hearings = static_cast<std::uint64_t>(count == 4 ? std::atoll(arguments[3]) : 0);
  if ((what != "rebuild" && what != "check") || hearings == 0) {
    std::fprintf(stderr, "usage: bench_finished_hearings DIR rebuild|check HEARINGS\n");
    return 2;
  }
  std::string folder = std::string(arguments[1]) + "/greffe-hearings-XXXXXX";
  need(::mkdtemp(folder.data()) != nullptr, folder);
  {
    Archive archive(folder, hearings);
    ::sync();  // what is still to be written would be written meanwhile
    const double begun = cpu_seconds();
    if (what == "rebuild") {
      const double rate = archive.rebuild();
      std::printf("ROW {\"row\":\"catalogue made anew, %llu hearings of 1,600 entries\",\"peer\":\"\",\"to_reach\":\">= 100000 hearings a minute\","
                  "\"measured\":\"%.0f hearings a minute, %.2f ms of CPU each\",\"reached\":%s}\n",
                  static_cast<unsigned long long>(hearings), rate, 1000 * (cpu_seconds() - begun) / static_cast<double>(hearings),
                  rate >= kTargetHearingsPerMinute ? "true" : "false");
    } else {
      const double rate = archive.checked_per_second();
      std::printf("ROW {\"row\":\"check of logs, %llu hearings of 1,600 entries, signatures, three replicas\",\"peer\":\"\","
                  "\"to_reach\":\"11 million entries in 60 s\",\"measured\":\"11 million in %.0f s, %.2f us of CPU each\",\"reached\":%s}\n",
                  static_cast<unsigned long long>(hearings), 11e6 / rate, 1e6 * (cpu_seconds() - begun) / static_cast<double>(hearings * kEntries),
                  rate >= kTargetCheckedPerSecond ? "true" : "false");
    }
  }
  std::filesystem::remove_all(folder);
  return 0;
}
