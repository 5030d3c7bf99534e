// A site that was promoted: it holds the first epoch of its archive up to a state, and writes the second one. And the site that was the archive
// before, whose log went on behind that state and which returns with it.
#ifndef GREFFE_TESTS_UNIT_ARCHIVE_PROMOTED_ARCHIVE_H
#define GREFFE_TESTS_UNIT_ARCHIVE_PROMOTED_ARCHIVE_H

#include <map>

#include "archive/epoch_end.h"
#include "archive/foreign_log.h"
#include "archive/grafts.h"
#include "archive/store_document.h"
#include "tests/unit/archive/sample_archive.h"

namespace greffe::testing {

// The old site's main log, as that wrote it.
struct OldLog {
  std::string origin;
  PrivateKey key = PrivateKey::generate();
  std::vector<std::string> entries = {};

  Checkpoint at(std::size_t size) const {
    TreeEdge edge;
    for (std::size_t i = 0; i < size; ++i) edge.append(leaf_hash(as_bytes(entries[i])));
    return {origin, size, edge.root()};
  }
  SignedCheckpoint signed_at(std::size_t size) const {
    const Checkpoint c = at(size);
    return {c, SignedNote{c.text(), {sign_checkpoint(c, key)}}};
  }
  std::string note(std::size_t size) const { return signed_at(size).note.write(); }
  void add(const MainEntry& entry) { entries.push_back(write_main_entry(entry)); }
};

inline KeyEntry key_entry(const std::string& role, const std::string& name, const PublicKey& key, const std::string& action = "added") {
  KeyEntry out;
  out.action = action;
  out.role = role;
  out.name = name;
  out.key = key;
  if (role == "station") out.court = "court-1";
  if (role == "station") out.room = "room-3";
  if (action == "revoked") out.why = "retired";
  return out;
}

inline void write_log(SampleArchive& site, const std::string& path, const std::vector<std::string>& entries, const std::string& note) {
  auto writer = tlog::LogWriter::open(*site.pool, *site.pool, *site.pool, path);
  REQUIRE(writer);
  REQUIRE(writer->append(entries, [&](std::uint64_t, const Digest&) -> Result<std::string> { return note; }));
}

// This site holds all of `old` as a second one does, and begins the next epoch.
inline void begin_second_epoch(SampleArchive& site, const OldLog& old, const std::map<std::string, PrivateKey>& officers) {
  const std::size_t pin = old.entries.size();
  write_log(site, foreign_log_path(site.name), old.entries, old.note(pin));
  OldLog second{epoch_origin({site.name, 2}), std::move(*PrivateKey::from_pem(site.keys->log.to_pem())), {}};
  PromotionEntry entry;
  entry.name = {site.name, 2};
  entry.previous = old.at(pin);
  entry.log_key = second.key.public_key();
  entry.holder = archive::holder_verifier(second.origin, site.keys->holder.public_key());
  entry.machine_url = "https://second.court.example:8444";
  entry.machine_key = second.key.public_key();
  for (const auto& [name, key] : officers) {
    entry.officers.push_back(name);
    entry.signatures.push_back(key.sign(as_bytes(promotion_statement(entry))));
  }
  second.entries.push_back(write_promotion(entry));
  const tlog::LogChain chain = *tlog::LogChain::open(*site.pool, *site.pool, site.name, foreign_log_path(site.name));
  REQUIRE(archive::keep_end_of_epoch(*site.pool, chain.newest(), old.signed_at(pin)));
  write_log(site, foreign_log_path(second.origin), second.entries, second.note(1));
  OldLog own{"second.court.example"};  // as a second site, from before
  own.add(key_entry("officer", "officer-1", own.key.public_key()));
  write_log(site, main_log_path(), own.entries, own.note(1));
  site.epoch = 2;
  site.restart();
}

inline GenesisEntry genesis_of(const OldLog& old) {
  GenesisEntry out;
  out.archive = old.origin;
  out.log_key = old.key.public_key();
  out.role = "primary";
  out.holder = {old.origin + "/holder", KeyType::cosignature_v1, old.key.public_key()};
  return out;
}

class PromotedArchive {
 public:
  // The state that the second epoch goes on from has two entries of `before`, an hour's hearing of station-1.
  PromotedArchive() {
    old.add(genesis_of(old));
    for (const char* name : {"officer-1", "officer-2"}) old.add(key_entry("officer", name, officer(name).public_key()));
    old.add(key_entry("station", "station-1", before.key.public_key()));
    before.add_segment();
    old.add(commit(before, 2));
    pin = old.entries.size();
    for (const auto& [digest, bytes] : before.objects) REQUIRE(archive::store_document(*site.pool, bytes));
    write_log(site, hearing_log_path(before.id), before.entries, before.checkpoint(2));
    REQUIRE(site.hearings->mark_begun(before.id));
    begin_second_epoch(site, old, officers_);
    serve();
  }
  void restart() {
    grafts.reset();
    foreign.reset();
    site.restart();
    serve();
  }
  void serve(archive::Grafts::Limits limits = {}) {
    grafts.reset();
    foreign = std::make_unique<archive::ForeignLogs>(site.clock, site.stores(), *site.hearings, *site.main_log, *site.epochs, site.keys->holder, site.ahead.get());
    grafts = std::make_unique<archive::Grafts>(site.clock, *site.hearings, *site.main_log, *site.deposit, *foreign, limits);
  }

  PrivateKey& officer(const std::string& name) { return officers_.try_emplace(name, PrivateKey::generate()).first->second; }
  static HearingCheckpointEntry commit(const SampleHearing& hearing, std::size_t size, bool closed = false) {
    HearingCheckpointEntry out;
    out.hearing = hearing.id;
    out.note = hearing.checkpoint(size);
    out.closed = closed;
    return out;
  }

  // ---- what returns ----
  archive::Peer returning() const {
    archive::Peer out;
    out.kind = archive::Peer::Kind::returning;
    out.key.name = old.origin;
    return out;
  }
  void bring_objects(const SampleHearing& hearing) {
    for (const auto& [digest, bytes] : hearing.objects) {
      auto writer = site.deposit->begin_object(returning(), hearing.id, digest, bytes.size());
      REQUIRE(writer);
      REQUIRE(((*writer)->write(as_bytes(bytes)) && (*writer)->commit(digest)));
      site.deposit->deposited(returning(), hearing.id, digest, bytes.size());
    }
  }
  Result<std::variant<archive::Receipt, archive::Unready>> post(const SampleHearing& hearing, std::size_t from, std::size_t to,
                                                                const std::vector<ShownEntry>& shown = {}) {
    const std::vector<std::string> range(hearing.entries.begin() + static_cast<std::ptrdiff_t>(from), hearing.entries.begin() + static_cast<std::ptrdiff_t>(to));
    return site.deposit->append(returning(), hearing.id, from, range, hearing.checkpoint(to), shown);
  }
  void bring(const SampleHearing& hearing, std::size_t from) {
    bring_objects(hearing);
    const auto done = post(hearing, from, hearing.entries.size());
    REQUIRE(done);
    REQUIRE(std::holds_alternative<archive::Receipt>(*done));
    CHECK(verify_cosignature(std::get<archive::Receipt>(*done).checkpoint.note, site.holder()));
  }
  Digest bring_document(const std::string& bytes) {
    const Digest digest = sha256(as_bytes(bytes));
    auto writer = foreign->begin_object(returning(), old.origin, bytes.size());
    REQUIRE(writer);
    REQUIRE(((*writer)->write(as_bytes(bytes)) && (*writer)->commit(digest)));
    REQUIRE(foreign->deposited(old.origin, digest, bytes.size()));
    return digest;
  }
  Result<std::variant<archive::Receipt, archive::Unready>> post_main(std::size_t from, std::size_t to, const std::vector<ShownEntry>& shown = {}) {
    const std::vector<std::string> range(old.entries.begin() + static_cast<std::ptrdiff_t>(from), old.entries.begin() + static_cast<std::ptrdiff_t>(to));
    return foreign->append(returning(), old.origin, from, range, old.note(to), shown);
  }
  // All that is behind what is held.
  void bring_main() {
    const std::size_t from = foreign->held(returning(), old.origin)->size();
    const auto done = post_main(from, old.entries.size());
    INFO((done ? std::string() : done.error().message));
    REQUIRE(done);
    REQUIRE(std::holds_alternative<archive::Receipt>(*done));
  }
  Result<std::variant<archive::Grafts::Done, archive::Unready>> graft() { return grafts->make(returning(), old.origin, old.note(old.entries.size())); }
  archive::Grafts::Done grafted() {
    const auto made = graft();
    INFO((made ? std::string() : made.error().message));
    REQUIRE(made);
    REQUIRE(std::holds_alternative<archive::Grafts::Done>(*made));
    return std::get<archive::Grafts::Done>(*made);
  }

  // ---- what the archive has ----
  std::vector<std::string> main_entries() const { return *site.main_log->reader().entries(0, site.main_log->head().checkpoint.size); }
  std::size_t count(const std::string& text) const {
    const std::vector<std::string> all = main_entries();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), text));
  }
  std::size_t count_kind(const std::string& kind) const {
    const std::vector<std::string> all = main_entries();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const std::string& one) { return one.find("\"kind\":\"" + kind + "\"") != std::string::npos; }));
  }
  Result<catalogue::HearingRecord> found(const SampleHearing& hearing) const { return site.main_log->catalogue().hearing(hearing.id, catalogue::CourtSet::everything()); }

  SampleArchive site;
  OldLog old{site.name};
  SampleHearing before{site.name};
  std::size_t pin = 0;
  std::unique_ptr<archive::ForeignLogs> foreign;
  std::unique_ptr<archive::Grafts> grafts;

 private:
  std::map<std::string, PrivateKey> officers_;
};

}  // namespace greffe::testing

#endif
