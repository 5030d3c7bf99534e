// Fills the pool and the state folder of a second site that does not run with the copy of an archive that has many hearings: what
// tests/bench/promotion.py promotes.
//
//   bench_copied_archive SITE ARCHIVE LOG_KEY STATION_KEY OFFICER OFFICER HEARINGS OPEN
//
// SITE: as tests/system/world.py lays it out; keys: PEM files, officers: public keys. The main log and its catalogue are whole: two checkpoints of
// each finished hearing, which has four streams. What a promotion and a start do not read is not there: objects, and the logs of finished hearings. Those of OPEN
// more hearings are there, newer than the main log says, as they are when a site is lost. Nobody verifies stations' signatures
// on this way, so that one serves for all finished hearings.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "archive/archive_keys.h"
#include "archive/format/documents.h"
#include "archive/format/finished_hearing.h"
#include "archive/held_archives.h"
#include "archive/store/local_pool.h"
#include "archive/tlog/log_writer.h"

namespace {

using greffe::Digest;
using greffe::HearingId;
using greffe::Result;
using greffe::Status;
using greffe::UtcTime;
namespace tlog = greffe::tlog;

constexpr std::int64_t kFirstMs = 1'780'000'000'000;
constexpr std::int64_t kApartMs = 10'000;
constexpr std::size_t kBatch = 4096;
constexpr unsigned kThreads = 16;
constexpr int kOpenSegments = 30;
const std::vector<std::string> kStreams = {"cam-bench", "cam-hall", "mic-judge", "mic-witness"};

template <class T>
T need(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench_copied_archive: %s\n", result.error().message.c_str());
    std::exit(2);
  }
  return *std::move(result);
}
void need(const Status& status) {
  if (status) return;
  std::fprintf(stderr, "bench_copied_archive: %s\n", status.error().message.c_str());
  std::exit(2);
}

std::string segment_entry(const std::string& stream, std::uint64_t seq) {
  greffe::SegmentEntry e;
  e.stream = stream;
  e.seq = seq;
  e.sha256 = greffe::sha256(greffe::as_bytes(stream + std::to_string(seq)));
  e.bytes = 2'500'000;
  e.init_bytes = 1260;
  e.start_90k = 90'000 + static_cast<std::int64_t>(seq) * 900'000;
  e.duration_90k = 900'000;
  e.codecs = "avc1.64001f";
  e.utc = UtcTime{kFirstMs + static_cast<std::int64_t>(seq) * 10'000};
  e.boot = "6f1c2b8e-1111-4222-8333-444455556666";
  e.mono_ms = static_cast<std::int64_t>(seq) * 10'000;
  e.clock = {"locked", 2};
  return greffe::write_hearing_entry(e);
}

// What a finished hearing says behind its `open`: a segment of each stream, and its end.
std::vector<std::string> common_entries() {
  std::vector<std::string> out;
  greffe::CloseEntry close;
  for (const std::string& stream : kStreams) {
    out.push_back(segment_entry(stream, 0));
    close.totals.push_back({stream, 1, 2'500'000, 900'000});
  }
  close.end = UtcTime{kFirstMs + 3'600'000};
  close.boot = "6f1c2b8e-1111-4222-8333-444455556666";
  close.mono_ms = 3'600'000;
  out.push_back(greffe::write_hearing_entry(close));
  return out;
}

// The hearings of the archive, all made from their number.
class Hearings {
 public:
  Hearings(std::string archive, const greffe::PublicKey& station, std::uint64_t count) : archive_(std::move(archive)), station_(station), common_(common_entries()) {
    greffe::Details details;
    details.cases = {"(2026)浙01民初N号"};
    details.parties = {{"王伟", "plaintiff", {}}, {"Zoé Lefèvre", "defendant", {}}};
    details.judges = {"陈法官"};
    details.title = "房屋租赁合同纠纷";
    const std::string text = greffe::write_details(details);
    const std::size_t at = text.find("民初N号") + std::string("民初").size();
    before_ = text.substr(0, at);
    after_ = text.substr(at + 1);
    for (std::uint64_t i = 0; i < count; ++i) {
      ids_.push_back(greffe::make_hearing_id(start(i)));
      by_document_.emplace_back(greffe::sha256(greffe::as_bytes(document(i))), i);
    }
    std::sort(by_document_.begin(), by_document_.end());
  }

  std::uint64_t count() const { return ids_.size(); }
  const HearingId& id(std::uint64_t i) const { return ids_[i]; }
  static UtcTime start(std::uint64_t i) { return {kFirstMs + static_cast<std::int64_t>(i) * kApartMs}; }
  std::string document(std::uint64_t i) const { return before_ + std::to_string(i) + after_; }

  std::string open_entry(std::uint64_t i) const {
    greffe::OpenEntry open;
    open.archive = archive_;
    open.hearing = ids_[i];
    open.station = "station-1";
    open.station_key = station_;
    open.court = "court-" + std::to_string(i % 29);
    open.room = "room-" + std::to_string(i % 7);
    for (const std::string& stream : kStreams) open.streams.push_back({stream, stream.starts_with("cam") ? "video" : "audio", "room"});
    open.details = greffe::sha256(greffe::as_bytes(document(i)));
    open.main_root = greffe::empty_root();
    open.start = start(i);
    open.boot = "6f1c2b8e-1111-4222-8333-444455556666";
    return greffe::write_hearing_entry(open);
  }
  std::vector<std::string> entries(std::uint64_t i) const {
    std::vector<std::string> out = {open_entry(i)};
    out.insert(out.end(), common_.begin(), common_.end());
    return out;
  }

  greffe::catalogue::Sources sources() const {
    greffe::catalogue::Sources out;
    out.document = [this](const Digest& digest) -> Result<std::string> {
      const auto found = std::lower_bound(by_document_.begin(), by_document_.end(), std::pair(digest, std::uint64_t{0}));
      if (found == by_document_.end() || found->first != digest) return greffe::fail(greffe::Errc::not_found, "no such document");
      return document(found->second);
    };
    out.hearing = [this](const HearingId& id, std::uint64_t first, std::uint64_t last, const std::function<bool(std::uint64_t, std::string_view)>& visit) -> Status {
      const auto found = std::lower_bound(ids_.begin(), ids_.end(), id);  // later ones have greater ids
      if (found == ids_.end() || *found != id) return greffe::fail(greffe::Errc::not_found, "no such hearing");
      const std::vector<std::string> all = entries(static_cast<std::uint64_t>(found - ids_.begin()));
      for (std::uint64_t at = first; at < std::min<std::uint64_t>(last, all.size()); ++at) {
        if (!visit(at, all[at])) break;
      }
      return greffe::ok();
    };
    return out;
  }

 private:
  const std::string archive_;
  const greffe::PublicKey station_;
  const std::vector<std::string> common_;
  std::string before_, after_;  // of a document, around its number
  std::vector<HearingId> ids_;
  std::vector<std::pair<Digest, std::uint64_t>> by_document_;
};

class Copy {
 public:
  Copy(const std::string& site, std::string archive, const std::string& log_key, const std::string& station_key, std::uint64_t finished, std::uint64_t open)
      : archive_(std::move(archive)), state_(site + "/state"), log_key_(key_in(log_key)), station_(key_in(station_key)),
        hearings_(archive_, station_.public_key(), finished + open), finished_(finished) {
    greffe::store::PoolSettings settings;
    for (const char* name : {"a", "b", "c"}) settings.volumes.push_back(site + "/volumes/" + name);
    pool_ = need(greffe::store::LocalPool::open(files_, clock_, settings, greffe::store::PoolMode::writer));
  }

  void write_main_log(const std::vector<std::string>& officers) {
    auto writer = need(tlog::LogWriter::open(*pool_, *pool_, *pool_, path()));
    std::vector<std::string> batch = first_entries(officers);
    const auto write_batch = [&] {
      need(writer.append(batch, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
        const greffe::Checkpoint about{archive_, size, root};
        const greffe::SignedNote note{about.text(), {sign_checkpoint(about, log_key_)}};
        return note.write();
      }));
      batch.clear();
    };
    const greffe::NoteSignature same = sign_checkpoint({greffe::hearing_origin(archive_, hearings_.id(0)), 1, greffe::empty_root()}, station_);
    for (std::uint64_t i = 0; i < hearings_.count(); ++i) {
      add_checkpoints(i, same, batch);
      if (batch.size() >= kBatch) write_batch();
    }
    if (!batch.empty()) write_batch();
  }

  void write_open_hearings() {
    std::atomic<std::uint64_t> next = finished_;
    std::vector<std::jthread> threads;
    for (unsigned n = 0; n < kThreads; ++n) {
      threads.emplace_back([this, &next] {
        for (std::uint64_t i = next++; i < hearings_.count(); i = next++) write_open_hearing(i);
      });
    }
  }

  void make_catalogue() {
    const auto chain = need(tlog::LogChain::open(*pool_, *pool_, archive_, path()));
    need(greffe::catalogue::rebuild(files_, greffe::archive::copied_catalogue_path(state_, archive_), hearings_.sources(), chain));
  }

 private:
  greffe::PrivateKey key_in(const std::string& file) {
    const greffe::Bytes text = need(files_.read_file(file, 4096));
    return need(greffe::PrivateKey::from_pem(greffe::as_text(text)));
  }
  std::string path() const { return greffe::foreign_log_path(archive_); }

  std::vector<std::string> first_entries(const std::vector<std::string>& officers) const {
    greffe::GenesisEntry genesis;
    genesis.archive = archive_;
    genesis.role = "primary";
    genesis.log_key = log_key_.public_key();
    genesis.holder = greffe::archive::holder_verifier(archive_, log_key_.public_key());
    genesis.utc = Hearings::start(0);
    std::vector<std::string> out = {greffe::write_main_entry(genesis)};
    greffe::KeyEntry key;
    key.action = "added";
    key.utc = key.since = genesis.utc;
    key.role = "officer";
    for (std::size_t i = 0; i < officers.size(); ++i) {
      key.name = "officer-" + std::to_string(i + 1);
      key.key = need(greffe::public_key_from_hex(officers[i]));
      out.push_back(greffe::write_main_entry(key));
    }
    key.role = "station";
    key.name = "station-1";
    key.key = station_.public_key();
    key.court = "court-1";
    key.room = "room-1";
    out.push_back(greffe::write_main_entry(key));
    return out;
  }

  // Of its beginning, and of its end where it has one.
  void add_checkpoints(std::uint64_t i, const greffe::NoteSignature& signature, std::vector<std::string>& out) const {
    greffe::TreeEdge edge;
    greffe::FinishedHearing said;
    greffe::HearingCheckpointEntry entry;
    entry.hearing = hearings_.id(i);
    const auto add = [&] {
      const greffe::Checkpoint about{greffe::hearing_origin(archive_, entry.hearing), edge.size(), edge.root()};
      entry.note = greffe::SignedNote{about.text(), {signature_of(signature, about.origin)}}.write();
      out.push_back(greffe::write_main_entry(entry));
    };
    entry.utc = Hearings::start(i);
    for (const std::string& text : hearings_.entries(i)) {
      said.take(edge.size(), need(greffe::parse_hearing_entry(text)));
      edge.append(greffe::leaf_hash(greffe::as_bytes(text)));
      if (edge.size() == 1) add();
      if (i >= finished_) return;
    }
    entry.closed = true;
    entry.beside = said.beside();
    entry.utc = UtcTime{entry.utc.ms + 3'600'000};
    add();
  }
  static greffe::NoteSignature signature_of(greffe::NoteSignature signature, const std::string& origin) {
    signature.name = origin;
    return signature;
  }

  void write_open_hearing(std::uint64_t i) {
    const HearingId& id = hearings_.id(i);
    need(pool_->put(greffe::open_marker_path(id), greffe::as_bytes(id.text() + "\n")));
    std::vector<std::string> entries = {hearings_.open_entry(i)};
    for (int n = 0; n < kOpenSegments; ++n) entries.push_back(segment_entry(kStreams[0], static_cast<std::uint64_t>(n)));
    auto writer = need(tlog::LogWriter::open(*pool_, *pool_, *pool_, greffe::hearing_log_path(id)));
    need(writer.append(entries, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
      const greffe::Checkpoint about{greffe::hearing_origin(archive_, id), size, root};
      const greffe::SignedNote note{about.text(), {sign_checkpoint(about, station_)}};
      return note.write();
    }));
  }

  greffe::PosixFileSystem files_;
  greffe::SystemClock clock_;
  const std::string archive_;
  const std::string state_;
  const greffe::PrivateKey log_key_;
  const greffe::PrivateKey station_;
  const Hearings hearings_;
  const std::uint64_t finished_;  // those behind are in progress
  std::unique_ptr<greffe::store::LocalPool> pool_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 9) {
    std::fprintf(stderr, "usage: bench_copied_archive SITE ARCHIVE LOG_KEY STATION_KEY OFFICER OFFICER HEARINGS OPEN\n");
    return 2;
  }
  Copy copy(arguments[1], arguments[2], arguments[3], arguments[4], static_cast<std::uint64_t>(std::atoll(arguments[7])), static_cast<std::uint64_t>(std::atoll(arguments[8])));
  copy.write_main_log({arguments[5], arguments[6]});
  copy.write_open_hearings();
  copy.make_catalogue();
  return 0;
}
