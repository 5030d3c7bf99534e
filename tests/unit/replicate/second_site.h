// A second site in memory that keeps to the machine protocol, and a source in memory: for tests of the replicator.
#ifndef GREFFE_TESTS_UNIT_REPLICATE_SECOND_SITE_H
#define GREFFE_TESTS_UNIT_REPLICATE_SECOND_SITE_H

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "archive/format/entries.h"
#include "archive/format/promotion.h"
#include "archive/tlog/log_reader.h"
#include "archive/tlog/log_writer.h"
#include "replicate/remote_sites.h"
#include "tests/unit/support/memory_store.h"

namespace greffe::testing {

// Takes entries only with their objects, recomputes the root, cosigns. Nothing goes back. Thread-safe while a pass runs.
class SecondSite : public replicate::CopySite {
 public:
  struct Held {
    std::vector<std::string> entries;
    std::string note;
  };
  std::map<std::string, Held> logs;            // by the path of the target
  std::map<std::string, std::set<Digest>> objects;
  std::map<std::string, std::vector<std::string>> ahead;  // all that is known of a log of which more is known than held
  bool takes_ahead = true;                                // false: as an older program
  bool ahead_is_full = false;
  std::vector<std::string> ahead_posts;                   // paths of the logs, in order
  std::size_t ahead_questions = 0;
  PrivateKey key = PrivateKey::generate();
  PrivateKey signs_with = PrivateKey::from_seed(Bytes(32, 9)).value();
  std::atomic<bool> reachable = true;
  std::size_t puts = 0;
  std::vector<Digest> order;                     // of the objects as they began to come
  std::vector<std::string> posts;                // paths of the logs whose entries came, in order
  std::function<Status(const Digest&)> on_put;   // before an object is taken; without the lock
  std::size_t largest_post = 0;
  std::size_t shown_entries = 0;
  std::size_t questions = 0;                     // about checkpoints
  std::optional<VerifierKey> main_key;     // of the first epoch, under which entries may be shown ahead; later ones with their promotions
  std::optional<VerifierKey> hearing_key;

  VerifierKey verifier() const { return {"dr.example/holder", KeyType::cosignature_v1, signs_with.public_key()}; }

  Result<client::HeldCheckpoint> checkpoint(const client::LogTarget& log) override {
    if (!reachable) return fail(Errc::unavailable, "the second site does not answer");
    const std::lock_guard lock(mutex_);
    ++questions;
    client::HeldCheckpoint out;
    out.note = logs[log.path()].note;
    out.size = logs[log.path()].entries.size();
    return out;
  }
  Result<client::HeldCheckpoint> checkpoint_from(const client::LogTarget& log, std::uint64_t from) override {
    client::HeldCheckpoint out = GREFFE_TRY(checkpoint(log));
    const std::vector<std::string>& entries = logs[log.path()].entries;
    const auto subtree = [&](unsigned level, std::uint64_t at) -> Result<Digest> {
      TreeEdge edge;
      for (std::uint64_t i = at << level; i < (at + 1) << level; ++i) edge.append(leaf_hash(as_bytes(entries[i])));
      return edge.root();
    };
    out.consistency = GREFFE_TRY(consistency_proof(from, out.size, subtree));
    return out;
  }
  Result<std::vector<Digest>> have(const client::LogTarget& log, const std::vector<Digest>& digests) override {
    const std::lock_guard lock(mutex_);
    std::vector<Digest> missing;
    for (const Digest& digest : digests) {
      if (!objects[log.path()].contains(digest)) missing.push_back(digest);
    }
    return missing;
  }
  Status put_object(const client::LogTarget& log, const Digest& digest, std::shared_ptr<ReadableFile> bytes, Pace pace) override {
    if (!reachable) return fail(Errc::unavailable, "the second site does not answer");
    {
      const std::lock_guard lock(mutex_);
      order.push_back(digest);
    }
    if (on_put) GREFFE_TRY(on_put(digest));
    Bytes buffer(bytes->size().value());
    for (std::size_t sent = 0; pace && sent < buffer.size();) sent += GREFFE_TRY(pace(buffer.size() - sent));
    if (!bytes->read_at(0, buffer) || sha256(buffer) != digest) return fail(Errc::corrupt, "other bytes than this digest names");
    const std::lock_guard lock(mutex_);
    objects[log.path()].insert(digest);
    ++puts;
    return ok();
  }
  Result<std::variant<std::string, client::EntriesRefused>> post_entries(const client::LogTarget& log, std::uint64_t first,
                                                                         const std::vector<std::string>& entries,
                                                                         std::string_view note, const std::vector<ShownEntry>& shown) override {
    using Answer = std::variant<std::string, client::EntriesRefused>;
    const std::lock_guard lock(mutex_);
    posts.push_back(log.path());
    Held& held = logs[log.path()];
    largest_post = std::max(largest_post, entries.size());
    if (first != held.entries.size()) return Answer(client::EntriesRefused{held.entries.size(), {}, "send from there"});
    std::vector<std::string> next = held.entries;
    next.insert(next.end(), entries.begin(), entries.end());
    TreeEdge edge;
    for (const std::string& entry : next) edge.append(leaf_hash(as_bytes(entry)));
    SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(note));
    if (wanted.checkpoint.size != next.size() || wanted.checkpoint.root != edge.root()) return fail(Errc::invalid, "not that tree");
    client::EntriesRefused refused;
    std::set<Digest> lost;
    for (const std::string& entry : entries) {
      const Json json = GREFFE_TRY(parse_json(entry));
      const std::vector<Digest> named = named_objects(json);
      if (json.string("kind").value() == "lost") lost.insert(named.begin(), named.end());
      for (const Digest& digest : named) {
        if (!objects[log.path()].contains(digest)) refused.missing.push_back(digest);
      }
    }
    std::vector<VerifierKey> known;
    for (const auto& one : {main_key, hearing_key}) {
      if (one) known.push_back(*one);
    }
    for (const ShownEntry& one : shown) {  // whether they are signed is asked in tests/unit/archive/test_excuses.cc
      const auto promotion = parse_promotion(one.entry);
      if (promotion && main_key) known.push_back(promotion->log_verifier());
      const bool proven = std::any_of(known.begin(), known.end(), [&](const VerifierKey& by) { return check_shown(one, by).has_value(); });
      const Json json = GREFFE_TRY(parse_json(one.entry));
      const std::vector<Digest> named = named_objects(json);
      if (!proven) return fail(Errc::denied, "shown without a proof");
      if (json.string("kind").value() == "lost") lost.insert(named.begin(), named.end());
      ++shown_entries;
    }
    std::erase_if(refused.missing, [&](const Digest& digest) { return lost.contains(digest); });
    if (!refused.missing.empty()) return Answer(refused);
    put_signature(wanted.note, cosign_checkpoint(wanted.checkpoint, "dr.example/holder", signs_with, UtcTime{1'790'000'000'000}));
    held = {next, wanted.note.write()};
    if (ahead[log.path()].size() <= next.size()) ahead.erase(log.path());
    return Answer(held.note);
  }
  Result<client::KnownThere> known_ahead(const client::LogTarget& log) override {
    if (!reachable) return fail(Errc::unavailable, "the second site does not answer");
    const std::lock_guard lock(mutex_);
    ++ahead_questions;
    if (!takes_ahead) return fail(Errc::not_found, "no such route");
    return known_of(log.path());
  }
  Result<std::variant<client::KnownThere, client::AheadRefused>> post_ahead(const client::LogTarget& log, std::uint64_t first,
                                                                            const std::vector<std::string>& entries, std::string_view note) override {
    using Answer = std::variant<client::KnownThere, client::AheadRefused>;
    if (!reachable) return fail(Errc::unavailable, "the second site does not answer");
    const std::lock_guard lock(mutex_);
    ahead_posts.push_back(log.path());
    if (ahead_is_full) return fail(Errc::no_space, "full");
    const client::KnownThere there = known_of(log.path());
    if (first != there.known_size) return Answer(client::AheadRefused{there.known_size, "send from there", false});
    std::vector<std::string> next = all_known(log.path());
    next.insert(next.end(), entries.begin(), entries.end());
    const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(note));
    if (wanted.checkpoint.size != next.size() || wanted.checkpoint.root != root_of(next)) return Answer(client::AheadRefused{0, "another log", true});
    ahead[log.path()] = std::move(next);
    return Answer(known_of(log.path()));
  }
  Result<std::uint64_t> echo(const std::string&) override {
    if (!reachable) return fail(Errc::unavailable, "the second site does not answer");
    return std::uint64_t{1};
  }
  Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest) override {
    const auto found = kept.find(digest);
    if (found == kept.end() || !objects[log.path()].contains(digest)) return fail(Errc::not_found, "it is not here");
    return found->second;
  }
  Result<std::vector<client::LostThere>> lost_objects() override { return lost_here; }
  Status return_object(const Digest& digest, ByteView bytes) override { return take_back(lost_here, returned, digest, bytes); }

  std::map<Digest, Bytes> kept;              // what get_object gives; put_object keeps names only
  std::vector<client::LostThere> lost_here;
  std::set<Digest> returned;

  // Of either site.
  static Status take_back(std::vector<client::LostThere>& lost, std::set<Digest>& returned, const Digest& digest, ByteView bytes) {
    if (sha256(bytes) != digest) return fail(Errc::corrupt, "other bytes than this digest names");
    if (std::erase_if(lost, [&](const client::LostThere& one) { return one.digest == digest; }) == 0) return fail(Errc::not_found, "not lost here");
    returned.insert(digest);
    return ok();
  }

 private:
  static Digest root_of(const std::vector<std::string>& entries) {
    TreeEdge edge;
    for (const std::string& entry : entries) edge.append(leaf_hash(as_bytes(entry)));
    return edge.root();
  }
  std::vector<std::string> all_known(const std::string& path) { return ahead.contains(path) ? ahead[path] : logs[path].entries; }
  client::KnownThere known_of(const std::string& path) {
    const std::vector<std::string> all = all_known(path);
    return {logs[path].entries.size(), all.size(), root_of(all)};
  }

  std::mutex mutex_;
};

// What is brought back to the archive: kept in the source's heads, as the archive would.
class Confirmations : public replicate::ConfirmationSite {
 public:
  explicit Confirmations(MemoryStore& source, VerifierKey key) : source_(source), key_(std::move(key)) {}
  std::string main_path = main_log_path();  // of the archive's main log
  std::atomic<bool> reachable = true;
  std::size_t delivered = 0;
  Status post_cosignatures(std::optional<HearingId> hearing, std::string_view note) override {
    const std::lock_guard lock(mutex_);
    if (!reachable) return fail(Errc::unavailable, "the archive does not answer");
    ++delivered;
    const std::string path = hearing ? hearing_log_path(*hearing) : main_path;
    const SignedCheckpoint cosigned = GREFFE_TRY(parse_signed_checkpoint(note));
    const std::string kept = cosigned_path(path, key_.id());
    const auto old = source_.read_head(kept);
    GREFFE_TRY(source_.swap_head(kept, old ? *old : std::string(), note));
    if (!hearing) return ok();
    // A line of the head, unless it is of an earlier size.
    const std::string head = GREFFE_TRY(source_.read_head(checkpoint_path(path)));
    SignedCheckpoint merged = GREFFE_TRY(parse_signed_checkpoint(head));
    if (merged.checkpoint != cosigned.checkpoint) return ok();
    for (const NoteSignature& line : cosigned.note.signatures) {
      if (line.key_id == key_.id()) put_signature(merged.note, line);
    }
    return source_.swap_head(checkpoint_path(path), head, merged.note.write());
  }
  Result<std::vector<client::LostThere>> lost_objects() override { return lost_here; }
  Status return_object(const Digest& digest, ByteView bytes) override { return SecondSite::take_back(lost_here, returned, digest, bytes); }
  std::vector<client::LostThere> lost_here;
  std::set<Digest> returned;

 private:
  MemoryStore& source_;
  const VerifierKey key_;
  std::mutex mutex_;
};

// The archive's pool, filled entry by entry.
class SourcePool {
 public:
  static constexpr const char* kArchive = "archive.example";
  MemoryStore store;
  PrivateKey log_key = PrivateKey::generate();  // of the newest epoch
  std::vector<PublicKey> ended_log_keys;        // of those before it, in order
  PrivateKey station = PrivateKey::generate();

  Digest object(const std::string& text) {
    const Digest digest = sha256(as_bytes(text));
    store.files()[object_key(digest)] = to_bytes(text);
    return digest;
  }
  // Appends to a log and signs it. The note that was published.
  std::string append(const std::string& path, const std::string& origin, const PrivateKey& key, const std::vector<std::string>& entries) {
    auto writer = tlog::LogWriter::open(store, store, store, path).value();
    std::string published;
    const Status done = writer.append(entries, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
      const Checkpoint checkpoint{origin, size, root};
      SignedNote note{checkpoint.text(), {}};
      put_signature(note, sign_checkpoint(checkpoint, key));
      published = note.write();
      return published;
    });
    GREFFE_CHECK(done.has_value());
    return published;
  }
  EpochName epoch{kArchive, 1};
  std::string main_path() const { return epoch.epoch == 1 ? main_log_path() : foreign_log_path(epoch_origin(epoch)); }
  // Where the main log of this origin lies.
  std::string path_of(const std::string& origin) const { return epoch.epoch == 1 && origin == kArchive ? main_log_path() : foreign_log_path(origin); }
  std::string main(const std::vector<std::string>& entries) { return append(main_path(), epoch_origin(epoch), log_key, entries); }
  std::map<std::string, PrivateKey> officers;  // that the main log names
  void name_officers() {
    for (const std::string name : {"officer-1", "officer-2"}) {
      KeyEntry entry;
      entry.action = "added";
      entry.role = "officer";
      entry.name = name;
      entry.key = officers.emplace(name, PrivateKey::generate()).first->second.public_key();
      main({write_main_entry(entry)});
    }
  }
  // It goes on as a site does that held a copy and was promoted; whether officers signed is asked in tests/unit/archive/test_later_epochs.cc.
  void promote() {
    if (epoch.epoch == 1) {
      std::map<std::string, Bytes, std::less<>> moved;
      for (const auto& [key, bytes] : store.files()) {
        const bool of_main = key.starts_with(main_log_path() + "/");
        moved[of_main ? foreign_log_path(kArchive) + key.substr(main_log_path().size()) : key] = bytes;
      }
      store.files() = std::move(moved);
    }
    const std::string before = epoch.epoch == 1 ? foreign_log_path(kArchive) : main_path();
    PromotionEntry promotion;
    promotion.previous = tlog::LogReader(store, store, before).checkpoint().value().checkpoint;
    ++epoch.epoch;
    ended_log_keys.push_back(log_key.public_key());
    log_key = PrivateKey::generate();
    promotion.name = epoch;
    promotion.log_key = log_key.public_key();
    promotion.holder = {"dr.example/holder", KeyType::cosignature_v1, log_key.public_key()};
    promotion.machine_url = "https://dr.example:8444";
    promotion.machine_key = log_key.public_key();
    promotion.utc = UtcTime{1'790'000'000'000};
    for (const auto& [name, officer] : officers) {
      promotion.officers.push_back(name);
      promotion.signatures.push_back(officer.sign(as_bytes(promotion_statement(promotion))));
    }
    main({write_promotion(promotion)});
  }
  // Two officers, and their order that these objects are lost.
  std::vector<std::string> declared_lost(const std::optional<HearingId>& hearing, const std::vector<Digest>& objects) {
    std::vector<std::string> out;
    MainLostEntry lost;
    lost.hearing = hearing;
    lost.objects = objects;
    const std::string statement = lost_statement(kArchive, hearing, objects);
    for (const std::string name : {"officer-1", "officer-2"}) {
      const PrivateKey officer = PrivateKey::generate();
      KeyEntry entry;
      entry.action = "added";
      entry.role = "officer";
      entry.name = name;
      entry.key = officer.public_key();
      out.push_back(write_main_entry(entry));
      lost.officers.push_back(name);
      lost.signatures.push_back(officer.sign(as_bytes(statement)));
    }
    out.push_back(write_main_entry(lost));
    return out;
  }
  std::string scrub(std::uint64_t objects) {
    ScrubEntry entry;
    entry.finding = "pass";
    entry.volume = "v";
    entry.objects = objects;
    entry.utc = UtcTime{1'790'000'000'000};
    return write_main_entry(entry);
  }
  // A hearing with `segments` objects; files its checkpoint in the main log. Finished ones lose their marker.
  // `lose_last`: the last segment is gone, and declared. `sound`: as many segments of a microphone beside those of the camera.
  HearingId hearing(std::size_t segments, bool finished, std::int64_t at_ms = 1'790'000'000'000, bool lose_last = false, bool sound = false) {
    const HearingId id = make_hearing_id(UtcTime{at_ms});
    const std::string origin = hearing_origin(kArchive, id);
    std::vector<std::string> entries;
    OpenEntry open;
    open.archive = kArchive;
    open.hearing = id;
    open.station = "s1";
    open.station_key = station.public_key();
    open.court = "court";
    open.room = "room";
    open.details = object("details of " + id.text());
    open.streams.push_back({"cam", "video", "room"});
    if (sound) open.streams.push_back({"mic", "audio", "room"});
    open.start = UtcTime{at_ms};
    open.boot = "b";
    entries.push_back(write_hearing_entry(open));
    for (std::size_t i = 0; i < segments; ++i) {
      SegmentEntry segment;
      segment.stream = "cam";
      segment.seq = i;
      segment.bytes = 40;
      segment.init_bytes = 10;
      segment.start_90k = 90'000;
      segment.duration_90k = 900'000;
      segment.codecs = "avc1";
      segment.utc = UtcTime{at_ms};
      segment.boot = "b";
      segment.clock.state = "locked";
      segment.sha256 = object("segment " + std::to_string(i) + " of " + id.text());
      entries.push_back(write_hearing_entry(segment));
      if (!sound) continue;
      segment.stream = "mic";
      segment.codecs = "mp4a.40.2";
      segment.sha256 = object("sound " + std::to_string(i) + " of " + id.text());
      entries.push_back(write_hearing_entry(segment));
    }
    if (lose_last) {
      LostEntry lost;
      lost.objects = {sha256(as_bytes("segment " + std::to_string(segments - 1) + " of " + id.text()))};
      lost.reason = "unreadable";
      store.files().erase(object_key(lost.objects.front()));
      entries.push_back(write_hearing_entry(lost));
    }
    if (finished) {
      CloseEntry close;
      close.end = UtcTime{at_ms};
      close.boot = "b";
      entries.push_back(write_hearing_entry(close));
    } else {
      store.files()[open_marker_path(id)] = to_bytes(id.text());
    }
    HearingCheckpointEntry commit;
    commit.hearing = id;
    commit.note = append(hearing_log_path(id), origin, station, entries);
    commit.closed = finished;
    commit.utc = UtcTime{at_ms};
    main({write_main_entry(commit)});
    return id;
  }
};

}  // namespace greffe::testing

#endif
