// What the courtroom's green lamp stands on, over a real pool in a temporary folder.
#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <thread>

#include "archive/damage_journal.h"
#include "archive/read_back.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/faulty_file_system.h"

using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::object_key;
using greffe::archive::ReadBack;
using greffe::testing::append_range;
using greffe::testing::deposit_object;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

// Sees every read from a medium; makes those below `failing` fail, and those of `held` wait until release().
class MediumSpy : public greffe::testing::FaultyFileSystem {
 public:
  using FaultyFileSystem::FaultyFileSystem;

  greffe::Status read_medium(const std::string& path, std::uint64_t limit,
                             const std::function<greffe::Status(greffe::ByteView)>& take) override {
    {
      std::unique_lock lock(mutex_);
      reads_.push_back(path);
      changed_.notify_all();
      changed_.wait(lock, [&] { return !held_.contains(path.substr(path.find_last_of('/') + 1)); });
      for (const std::string& failing : failing_) {
        if (path.starts_with(failing)) return greffe::fail(failure_, "injected: cannot read " + path);
      }
    }
    return FaultyFileSystem::read_medium(path, limit, take);
  }

  void fail_below(std::vector<std::string> paths, Errc failure = Errc::io_error) {
    const std::lock_guard lock(mutex_);
    failing_ = std::move(paths);
    failure_ = failure;
  }
  void hold(const Digest& digest) {
    const std::lock_guard lock(mutex_);
    held_.insert(digest.hex());
  }
  void release(const Digest& digest) {
    const std::lock_guard lock(mutex_);
    held_.erase(digest.hex());
    changed_.notify_all();
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_.clear();
    changed_.notify_all();
  }
  void wait_for_read(const Digest& digest) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count(digest) > 0; }));
  }
  // The volumes, by their paths in order, from which this object was read.
  std::vector<std::string> readers_of(const Digest& digest) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const std::string& path : reads_) {
      if (path.ends_with(object_key(digest))) out.push_back(path.substr(0, path.size() - object_key(digest).size()));
    }
    return out;
  }
  std::size_t reads() const {
    const std::lock_guard lock(mutex_);
    return reads_.size();
  }

 private:
  long count(const Digest& digest) const {
    return std::count_if(reads_.begin(), reads_.end(), [&](const std::string& path) { return path.ends_with(digest.hex()); });
  }
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> reads_;
  std::vector<std::string> failing_;
  Errc failure_ = Errc::io_error;
  std::set<std::string> held_;
};

// Entries that name no object.
void add_gaps(SampleHearing& hearing, int count) {
  for (int i = 0; i < count; ++i) {
    greffe::GapEntry gap;
    gap.streams = {"*"};
    gap.reason = "recess";
    gap.from = greffe::UtcTime{1'795'338'000'000 + i * 2000};
    gap.to = greffe::UtcTime{gap.from.ms + 1000};
    gap.boot = "boot-1";
    hearing.entries.push_back(greffe::write_hearing_entry(gap));
  }
}

// An archive whose disk is watched, with what it says of damage and what it reads back.
struct Watched {
  Watched() {
    archive.disk = &spy;
    archive.listeners.on_damage = [this](const greffe::store::Damage& damage) {
      ++damage_told;
      journal->report(damage);
    };
    restart();
  }
  ~Watched() {
    stop();
    archive.stop();  // before the disk that it stands on
  }
  void stop() {
    spy.release();
    read_back.reset();
    journal.reset();
  }
  void restart() {
    stop();
    journal = std::make_unique<greffe::archive::DamageJournal>(archive.clock, archive.log);
    archive.restart();
    journal->start(*archive.main_log);
    read_back = std::make_unique<ReadBack>(archive.clock, archive.log, *archive.pool, *archive.hearings, archive.main_log->declared_lost());
    read_back->start();
  }
  // Deposits the objects that the hearing has and files entries up to `last`, as MachineRoutes does.
  void file(const SampleHearing& hearing, std::size_t first, std::size_t last) {
    for (const auto& [digest, bytes] : hearing.objects) REQUIRE(deposit_object(archive, hearing, digest, bytes));
    const auto answer = append_range(archive, hearing, first, last);
    if (!answer) FAIL(answer.error().message);
    REQUIRE(std::holds_alternative<greffe::archive::Receipt>(*answer));
  }
  void follow(const SampleHearing& hearing) { read_back->follow(hearing.id, hearing.entries.size()); }
  // Long enough for the slowest machine; it is over at once when it becomes true.
  template <class Condition>
  void await(const Condition& condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    REQUIRE(condition());
  }
  void await_size(const HearingId& id, std::uint64_t size) {
    await([&] { return read_back->size(id) == size; });
  }
  void await_held_back() {
    await([&] { return read_back->facts().held_back == 1; });
  }
  std::string path(unsigned volume, const Digest& digest) const {
    return archive.folder.path + "/v" + std::to_string(volume) + "/" + object_key(digest);
  }
  void flip_byte(unsigned volume, const Digest& digest) {
    const std::string file = path(volume, digest);
    greffe::Bytes bytes = *archive.files.read_file(file, 1 << 20);
    bytes[3] ^= 1;
    REQUIRE(archive.files.replace(file, bytes, 0440));
  }
  // The scrub entries of the main log about this object, as "volume finding action".
  std::vector<std::string> journaled(const Digest& digest) {
    std::vector<std::string> out;
    const std::uint64_t size = archive.main_log->head().checkpoint.size;
    const auto entries = archive.main_log->reader().entries(0, size);
    REQUIRE(entries);
    for (const std::string& text : *entries) {
      const auto entry = greffe::parse_main_entry(text);
      const auto* scrub = entry ? std::get_if<greffe::ScrubEntry>(&*entry) : nullptr;
      if (scrub != nullptr && scrub->key == object_key(digest)) out.push_back(scrub->finding + " " + scrub->action);
    }
    return out;
  }

  SampleArchive archive;
  MediumSpy spy{archive.files};
  std::atomic<unsigned> damage_told = 0;
  std::unique_ptr<greffe::archive::DamageJournal> journal;
  std::unique_ptr<ReadBack> read_back;
};

}  // namespace

TEST_CASE("the size rises to the whole hearing, each object read once from the media of two volumes") {
  Watched w;
  SampleHearing h(w.archive.name);
  for (int i = 0; i < 3; ++i) h.add_segment();
  w.file(h, 0, h.entries.size());
  CHECK(w.read_back->size(h.id) == 0);
  CHECK(w.spy.reads() == 0);
  w.follow(h);
  w.follow(h);  // one place, however often it is told
  w.await_size(h.id, h.entries.size());
  w.await([&] { return w.read_back->facts().lagging == 0; });
  for (const auto& [digest, bytes] : h.objects) {
    const std::vector<std::string> volumes = w.spy.readers_of(digest);
    REQUIRE(volumes.size() == 2);
    CHECK(volumes[0] != volumes[1]);
  }
  // What comes later is read alone.
  const std::size_t before = w.spy.reads();
  h.add_segment();
  h.close();
  w.file(h, 4, h.entries.size());
  w.follow(h);
  w.await_size(h.id, h.entries.size());
  CHECK(w.spy.reads() == before + 2);
  CHECK(w.read_back->facts().oldest_age_ms == 0);
  CHECK(w.damage_told == 0);
}

TEST_CASE("a replica with a flipped byte is reported and repaired before the size rises") {
  Watched w;
  SampleHearing h(w.archive.name);
  h.add_segment();
  w.file(h, 0, 2);
  const Digest digest = h.objects.back().first;
  for (unsigned volume : {0u, 1u}) w.flip_byte(volume, digest);  // whichever two are read, one of them is bad
  w.spy.hold(digest);
  w.follow(h);
  w.spy.wait_for_read(digest);
  CHECK(w.read_back->size(h.id) == 1);
  CHECK(w.read_back->facts().lagging == 1);
  w.spy.release();
  w.await_size(h.id, 2);
  CHECK(w.damage_told == 2);
  CHECK(w.archive.pool->read_back(digest).enough());
  for (unsigned volume : {0u, 1u}) CHECK(greffe::sha256(*w.archive.files.read_file(w.path(volume, digest), 1 << 20)) == digest);
  w.await([&] { return w.journaled(digest).size() == 2; });
  CHECK(w.journaled(digest) == std::vector<std::string>(2, "damaged repaired"));
}

TEST_CASE("an object without a good replica holds the size back until it is restored, and is journaled once") {
  Watched w;
  SampleHearing h(w.archive.name);
  h.add_segment();
  h.add_segment();
  w.file(h, 0, 3);
  const Digest digest = h.objects[1].first;
  for (unsigned volume : {0u, 1u, 2u}) w.flip_byte(volume, digest);
  w.follow(h);
  w.await_held_back();
  CHECK(w.read_back->size(h.id) == 1);
  const greffe::archive::ReadBackFacts facts = w.read_back->facts();
  CHECK(facts.lagging == 1);
  CHECK(facts.problem.find(object_key(digest)) != std::string::npos);
  CHECK(facts.problem.find("other site") != std::string::npos);

  // Tried again and again, told once.
  const std::size_t seen = w.spy.readers_of(digest).size();
  w.await([&] { return w.spy.readers_of(digest).size() >= seen + 4; });
  CHECK(w.read_back->size(h.id) == 1);
  CHECK(w.damage_told == 3);
  w.await([&] { return w.journaled(digest).size() >= 3; });
  CHECK(w.journaled(digest) == std::vector<std::string>(3, "damaged not-repaired"));

  // One good replica is enough to make the others from.
  REQUIRE(w.archive.files.replace(w.path(1, digest), greffe::as_bytes(h.objects[1].second), 0440));
  w.await_size(h.id, 3);
  CHECK(w.read_back->facts().held_back == 0);
}

TEST_CASE("what a lost entry names is excused, whether it comes at once or when the size is held back by it") {
  Watched w;
  SampleHearing h(w.archive.name);
  h.add_segment();
  h.add_segment();
  h.lose_last_object();
  w.file(h, 0, 4);
  w.follow(h);
  w.await_size(h.id, 4);
  CHECK(w.damage_told == 0);

  h.add_segment();
  w.file(h, 4, 5);
  const Digest digest = h.objects.back().first;
  for (unsigned volume : {0u, 1u, 2u}) w.flip_byte(volume, digest);
  w.follow(h);
  w.await_held_back();
  CHECK(w.read_back->size(h.id) == 4);
  h.lose_last_object();
  w.file(h, 5, 6);
  w.follow(h);
  w.await_size(h.id, 6);
  CHECK(w.read_back->facts().lagging == 0);
}

TEST_CASE("with one volume missing the other two are read; with two missing the size waits until one is back") {
  Watched w;
  SampleHearing h(w.archive.name);
  h.add_segment();
  w.file(h, 0, 2);
  const auto move_away = [&](unsigned volume, bool away) {
    const std::string path = w.archive.folder.path + "/v" + std::to_string(volume);
    std::filesystem::rename(away ? path : path + ".away", away ? path + ".away" : path);
  };
  w.stop();
  w.archive.stop();
  move_away(0, true);
  w.restart();
  w.follow(h);
  w.await_size(h.id, 2);
  CHECK(w.archive.pool->volumes()[0].state == greffe::store::VolumeState::missing);

  w.restart();
  w.spy.fail_below({w.archive.folder.path + "/v1/"});
  w.follow(h);
  w.await_held_back();
  CHECK(w.read_back->size(h.id) == 0);
  move_away(0, false);
  w.await_size(h.id, 2);
}

TEST_CASE("a volume that cannot be read directly does not count, and the reading goes to the others") {
  Watched w;
  SampleHearing h(w.archive.name);
  h.add_segment();
  w.file(h, 0, 2);
  const std::string first = w.archive.folder.path + "/v0/";
  const std::string second = w.archive.folder.path + "/v1/";

  SECTION("one of three") {
    w.spy.fail_below({first});
    w.follow(h);
    w.await_size(h.id, 2);
  }
  SECTION("one of three, for want of a descriptor: that is no damage") {
    w.spy.fail_below({first}, Errc::unavailable);
    w.follow(h);
    w.await_size(h.id, 2);
    CHECK(w.damage_told == 0);
  }
  SECTION("two of three, and later one of three") {
    w.spy.fail_below({first, second});
    w.follow(h);
    w.await_held_back();
    CHECK(w.read_back->size(h.id) == 0);
    // What was moved aside and written anew for it is not so again at every try.
    const unsigned told = w.damage_told;
    const std::size_t seen = w.spy.reads();
    w.await([&] { return w.spy.reads() >= seen + 4; });
    CHECK(w.damage_told == told);
    w.spy.fail_below({first});
    w.await_size(h.id, 2);
  }
}

TEST_CASE("a new process begins at nothing and reads again when it is asked") {
  Watched w;
  SampleHearing h(w.archive.name);
  for (int i = 0; i < 2; ++i) h.add_segment();
  w.file(h, 0, 3);
  w.follow(h);
  w.await_size(h.id, 3);
  const std::size_t before = w.spy.reads();
  w.restart();
  CHECK(w.read_back->size(h.id) == 0);
  CHECK(w.read_back->facts().lagging == 0);
  w.follow(h);
  w.await_size(h.id, 3);
  CHECK(w.spy.reads() == 2 * before);
}

TEST_CASE("a recording in progress does not wait behind the backlogs of others") {
  Watched w;
  std::vector<std::unique_ptr<SampleHearing>> backlogs;
  for (int i = 0; i < 5; ++i) {
    backlogs.push_back(std::make_unique<SampleHearing>(w.archive.name));
    add_gaps(*backlogs.back(), 80);
    w.file(*backlogs.back(), 0, 81);
    w.spy.hold(backlogs.back()->objects.front().first);
  }
  SampleHearing live(w.archive.name);
  live.add_segment();
  w.file(live, 0, 2);

  for (const auto& backlog : backlogs) w.follow(*backlog);
  w.spy.wait_for_read(backlogs.front()->objects.front().first);  // its turn has begun, and lasts
  w.follow(live);
  w.await_size(live.id, 2);
  for (const auto& backlog : backlogs) CHECK(w.read_back->size(backlog->id) == 0);
  CHECK(w.read_back->facts().lagging == 5);
  w.spy.release();
  for (const auto& backlog : backlogs) w.await_size(backlog->id, 81);
}

TEST_CASE("backlogs take turns at the thread that reads them") {
  Watched w;
  // Of the two threads that read backlogs one is kept busy.
  SampleHearing other(w.archive.name);
  add_gaps(other, 80);
  w.file(other, 0, 81);
  w.spy.hold(other.objects.front().first);
  w.follow(other);
  w.spy.wait_for_read(other.objects.front().first);

  SampleHearing first(w.archive.name);
  first.add_segment(9 * 1024 * 1024);  // from two volumes: all that may be read in one turn
  first.add_segment();
  add_gaps(first, 80);
  w.file(first, 0, 83);
  SampleHearing second(w.archive.name);
  add_gaps(second, 80);
  w.file(second, 0, 81);

  const Digest details = first.objects.front().first;
  w.spy.hold(details);
  w.spy.hold(first.objects.back().first);
  w.follow(first);
  w.spy.wait_for_read(details);
  w.follow(second);
  w.spy.release(details);
  w.await_size(second.id, 81);
  CHECK(w.read_back->size(first.id) == 2);
  CHECK(w.read_back->size(other.id) == 0);
  w.spy.release();
  w.await_size(first.id, 83);
  w.await_size(other.id, 81);
}
