#include <catch2/catch.hpp>

#include <map>
#include <set>

#include "archive/format/entries.h"
#include "archive/tlog/log_writer.h"
#include "archive/tlog/named_items.h"
#include "tests/unit/support/memory_store.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::as_bytes;
using greffe::ComparedItem;
using greffe::ComparedKind;
using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::sha256;
using greffe::testing::MemoryStore;
using greffe::tlog::NamedItems;

namespace {

constexpr const char* kArchive = "archive.example";

Digest object(const std::string& text) { return sha256(as_bytes(text)); }

// A main log and hearings, entry by entry.
class Logs {
 public:
  MemoryStore store;
  greffe::testing::TemporaryFolder folder;
  greffe::PosixFileSystem files;
  greffe::PrivateKey key = greffe::PrivateKey::generate();
  std::atomic<std::uint64_t> done{0};

  std::string append(const std::string& path, const std::string& origin, const std::vector<std::string>& entries) {
    auto writer = greffe::tlog::LogWriter::open(store, store, store, path).value();
    std::string published;
    REQUIRE(writer.append(entries, [&](std::uint64_t size, const Digest& root) -> greffe::Result<std::string> {
      const greffe::Checkpoint checkpoint{origin, size, root};
      greffe::SignedNote note{checkpoint.text(), {}};
      greffe::put_signature(note, greffe::sign_checkpoint(checkpoint, key));
      published = note.write();
      return published;
    }));
    return published;
  }
  std::string hearing(const HearingId& id, const std::vector<greffe::HearingEntry>& entries) {
    std::vector<std::string> texts;
    for (const greffe::HearingEntry& entry : entries) texts.push_back(greffe::write_hearing_entry(entry));
    return append(greffe::hearing_log_path(id), greffe::hearing_origin(kArchive, id), texts);
  }
  void main(const greffe::MainEntry& entry) { append(greffe::main_log_path(), kArchive, {greffe::write_main_entry(entry)}); }
  void commit(const HearingId& id, const std::string& note) {
    greffe::HearingCheckpointEntry entry;
    entry.hearing = id;
    entry.note = note;
    main(entry);
  }

  NamedItems::Bound bound(std::uint64_t size) {
    const greffe::tlog::LogReader reader(store, store, greffe::main_log_path());
    return {kArchive, reader, size, reader.root_at(size).value()};
  }
  // What is named, with whether a log is whole.
  greffe::Result<std::map<ComparedItem, bool>> walk(NamedItems::Bound bound) {
    std::map<ComparedItem, bool> out;
    NamedItems named(files, store, store, std::move(bound), folder.path);
    GREFFE_TRY(named.walk([&](const ComparedItem& item, bool here) {
      out.emplace(item, here);
      return greffe::ok();
    }, done, {}));
    return out;
  }
  std::set<Digest> objects(std::uint64_t size) {
    std::set<Digest> out;
    const std::map<ComparedItem, bool> all = walk(bound(size)).value();
    for (const auto& [item, here] : all) {
      if (item.kind == ComparedKind::object) out.insert(item.id);
    }
    return out;
  }
};

greffe::SegmentEntry segment(const std::string& text) {
  greffe::SegmentEntry out;
  out.stream = "cam";
  out.sha256 = object(text);
  out.bytes = 10;
  out.codecs = "avc1";
  out.clock.state = "locked";
  return out;
}

const HearingId kFirst = greffe::make_hearing_id(greffe::UtcTime{1'790'000'000'000});
const HearingId kSecond = greffe::make_hearing_id(greffe::UtcTime{1'790'000'100'000});

}  // namespace

TEST_CASE("what logs name is named up to the size that is compared, and no further") {
  Logs logs;
  logs.commit(kFirst, logs.hearing(kFirst, {segment("a"), segment("b")}));                     // 1
  logs.commit(kSecond, logs.hearing(kSecond, {segment("b"), segment("c")}));                   // 2
  logs.commit(kFirst, logs.hearing(kFirst, {segment("d")}));                                   // 3
  greffe::DetailsEntry correction{kSecond, object("details"), object("reason"), "u-1", {}};
  logs.main(correction);                                                                       // 4
  logs.hearing(kFirst, {segment("not committed to")});

  CHECK(logs.objects(1) == std::set{object("a"), object("b")});
  CHECK(logs.objects(2) == std::set{object("a"), object("b"), object("c")});
  CHECK(logs.objects(3) == std::set{object("a"), object("b"), object("c"), object("d")});
  CHECK(logs.objects(4) == std::set{object("a"), object("b"), object("c"), object("d"), object("details"), object("reason")});
  CHECK(logs.done == 256);

  const auto all = logs.walk(logs.bound(4)).value();
  const greffe::tlog::LogReader first(logs.store, logs.store, greffe::hearing_log_path(kFirst));
  const ComparedItem log{greffe::log_item_id(greffe::hearing_origin(kArchive, kFirst), 3, first.root_at(3).value()), ComparedKind::hearing_log, kFirst};
  REQUIRE(all.contains(log));
  CHECK(all.at(log));
  CHECK(all.contains({object("details"), ComparedKind::object, kSecond}));
  CHECK(all.contains({greffe::log_item_id(kArchive, 4, logs.bound(4).root), ComparedKind::main_log, std::nullopt}));
  CHECK(std::count_if(all.begin(), all.end(), [](const auto& one) { return one.first.kind == ComparedKind::hearing_log; }) == 2);
}

TEST_CASE("what is declared lost is not named, from the declaration on") {
  Logs logs;
  greffe::LostEntry lost;
  lost.objects = {object("b")};
  lost.reason = "unreadable";
  const std::string before = logs.hearing(kFirst, {segment("a"), segment("b")});
  logs.commit(kFirst, before);                                 // 1
  const std::string after = logs.hearing(kFirst, {lost});
  CHECK(logs.objects(1) == std::set{object("a"), object("b")});  // both sites name it then
  NamedItems then(logs.files, logs.store, logs.store, logs.bound(1), logs.folder.path);
  REQUIRE(then.walk([](const ComparedItem&, bool) { return greffe::ok(); }, logs.done, {}));
  CHECK(then.is_excused_by_now({object("b"), ComparedKind::object, kFirst}).value());  // and none of them misses it
  CHECK_FALSE(then.is_excused_by_now({object("a"), ComparedKind::object, kFirst}).value());
  logs.commit(kFirst, after);                                  // 2
  CHECK(logs.objects(2) == std::set{object("a")});

  // By two officers.
  greffe::MainLostEntry order;
  order.hearing = kFirst;
  order.objects = {object("a")};
  const std::string statement = greffe::lost_statement(kArchive, kFirst, order.objects);
  logs.main(order);                                            // 3: signed by nobody
  CHECK(logs.objects(3) == std::set{object("a")});
  for (const std::string name : {"officer-1", "officer-2"}) {
    const greffe::PrivateKey officer = greffe::PrivateKey::generate();
    greffe::KeyEntry entry;
    entry.action = "added";
    entry.role = "officer";
    entry.name = name;
    entry.key = officer.public_key();
    logs.main(entry);                                          // 4, 5
    order.officers.push_back(name);
    order.signatures.push_back(officer.sign(as_bytes(statement)));
  }
  logs.main(order);                                            // 6
  CHECK(logs.objects(5) == std::set{object("a")});
  CHECK(logs.objects(6).empty());
  NamedItems five(logs.files, logs.store, logs.store, logs.bound(5), logs.folder.path);
  CHECK(five.is_excused_by_now({object("a"), ComparedKind::object, kFirst}).value());
  CHECK_FALSE(five.is_excused_by_now({object("a"), ComparedKind::object, kSecond}).value());
}

TEST_CASE("a hearing's log that is gone or altered is not here, and names nothing") {
  Logs logs;
  logs.commit(kFirst, logs.hearing(kFirst, {segment("a")}));
  logs.commit(kSecond, logs.hearing(kSecond, {segment("b")}));
  const auto without = [&](const HearingId& id) {
    const auto all = logs.walk(logs.bound(2)).value();
    std::set<Digest> objects;
    for (const auto& [item, here] : all) {
      if (item.kind == ComparedKind::object) objects.insert(item.id);
      if (item.kind == ComparedKind::hearing_log) CHECK(here == (item.hearing != id));
    }
    return objects;
  };
  auto& files = logs.store.files();
  const std::string head = greffe::checkpoint_path(greffe::hearing_log_path(kFirst));
  const greffe::Bytes kept = files[head];
  files.erase(head);
  CHECK(without(kFirst) == std::set{object("b")});
  files[head] = kept;
  // Another log of the same hearing, signed by the same station and as long.
  Logs other;
  const std::string note = other.hearing(kFirst, {segment("z")});
  for (const auto& [key, bytes] : other.store.files()) {
    if (key.starts_with(greffe::hearing_log_path(kFirst))) files[key] = bytes;
  }
  CHECK(without(kFirst) == std::set{object("b")});
}

TEST_CASE("a later epoch names what those before it do, up to where it goes on from") {
  Logs logs;
  logs.commit(kFirst, logs.hearing(kFirst, {segment("a")}));
  const std::string origin = greffe::epoch_origin({kArchive, 2});
  greffe::PromotionEntry promotion;
  promotion.name = {kArchive, 2};
  promotion.previous = greffe::tlog::LogReader(logs.store, logs.store, greffe::main_log_path()).checkpoint()->checkpoint;
  promotion.holder = {"dr.example/holder", greffe::KeyType::cosignature_v1, {}};
  promotion.machine_url = "https://dr.example:8444";
  logs.commit(kSecond, logs.hearing(kSecond, {segment("lost with the first site")}));  // behind the pin
  const HearingId third = greffe::make_hearing_id(greffe::UtcTime{1'795'338'900'000});
  greffe::HearingCheckpointEntry commit;
  commit.hearing = third;
  commit.note = logs.hearing(third, {segment("c")});
  const std::string path = greffe::foreign_log_path(origin);
  logs.append(path, origin, {write_promotion(promotion), greffe::write_main_entry(commit)});
  const auto chain = greffe::tlog::LogChain::open(logs.store, logs.store, kArchive, greffe::main_log_path());
  REQUIRE(chain);
  const auto all = logs.walk({kArchive, *chain, 2, chain->newest().reader.root_at(2).value()});
  REQUIRE(all);
  std::set<Digest> objects;
  for (const auto& [item, here] : *all) objects.insert(item.id);
  CHECK(objects.contains(object("a")));
  CHECK(objects.contains(object("c")));
  CHECK_FALSE(objects.contains(object("lost with the first site")));
}

TEST_CASE("a main log that is another one, or too short, is not compared") {
  Logs logs;
  logs.commit(kFirst, logs.hearing(kFirst, {segment("a")}));
  NamedItems::Bound bound = logs.bound(1);
  bound.root = object("another root");
  auto refused = logs.walk(bound);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::conflict);
  NamedItems::Bound longer = logs.bound(1);
  longer.size = 2;
  refused = logs.walk(longer);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unavailable);
  std::stop_source stop;
  stop.request_stop();
  NamedItems named(logs.files, logs.store, logs.store, logs.bound(1), logs.folder.path);
  CHECK_FALSE(named.walk([](const ComparedItem&, bool) { return greffe::ok(); }, logs.done, stop.get_token()));
}
