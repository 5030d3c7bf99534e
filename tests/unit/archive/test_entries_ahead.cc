// What a replica keeps of entries ahead of their objects: in order, durable before it is answered, bounded, gone once the log holds it.
#include <catch2/catch.hpp>

#include "archive/ahead_check.h"
#include "archive/ahead_report.h"
#include "archive/all_logs.h"
#include "archive/entries_ahead.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/test_pool.h"

using greffe::Errc;
using greffe::TreeEdge;
using greffe::archive::EntriesAhead;
using greffe::archive::KnownAhead;
using greffe::archive::NotAhead;
using greffe::testing::Fault;
using greffe::testing::SampleHearing;
using greffe::testing::TestPool;
namespace archive = greffe::archive;
namespace tlog = greffe::tlog;

namespace {

const std::string kPrimary = "primary.court.example";

SampleHearing hearing_of(int segments) {
  SampleHearing out(kPrimary);
  for (int i = 0; i < segments; ++i) out.add_segment();
  out.close();
  return out;
}

TreeEdge edge_of(const SampleHearing& hearing, std::size_t size) {
  TreeEdge edge;
  for (std::size_t i = 0; i < size; ++i) edge.append(greffe::leaf_hash(greffe::as_bytes(hearing.entries[i])));
  return edge;
}

std::vector<std::string> between(const SampleHearing& hearing, std::size_t first, std::size_t last) {
  return {hearing.entries.begin() + static_cast<std::ptrdiff_t>(first), hearing.entries.begin() + static_cast<std::ptrdiff_t>(last)};
}

// A replica's pool on disks in memory, and what it knows.
struct Rig {
  explicit Rig(EntriesAhead::Limits limit = {}) : limits(limit) { start(); }
  explicit Rig(std::unique_ptr<greffe::testing::ForgetfulFileSystem> disk) : pool(std::move(disk), 3) {
    pool.open();
    start();
  }
  void start() { ahead = std::make_unique<EntriesAhead>(log, archive::Stores{*pool.pool, *pool.pool, *pool.pool}, limits); }
  void restart() {
    ahead.reset();
    pool.open();
    start();
  }
  auto take(const SampleHearing& hearing, std::size_t first, std::size_t last, std::size_t held = 0) {
    return ahead->take(greffe::ahead_path(hearing.id), edge_of(hearing, held), first, between(hearing, first, last),
                       greffe::parse_signed_checkpoint(hearing.checkpoint(last)).value());
  }
  std::uint64_t known(const SampleHearing& hearing, std::size_t held = 0) {
    const auto out = ahead->known(greffe::ahead_path(hearing.id), edge_of(hearing, held));
    INFO((out ? std::string() : out.error().message));
    REQUIRE(out);
    CHECK(out->root == edge_of(hearing, out->size).root());
    return out->size;
  }
  std::vector<std::string> files(const SampleHearing& hearing) {
    std::vector<std::string> out;
    REQUIRE(pool.pool->list(greffe::ahead_path(hearing.id) + "/stage/", [&](const greffe::store::ObjectInfo& info) {
      out.push_back(info.key);
      return true;
    }));
    return out;
  }
  // The log itself, as the usual way makes it.
  void hold(const SampleHearing& hearing, std::size_t size) {
    auto writer = tlog::LogWriter::open(*pool.pool, *pool.pool, *pool.pool, greffe::hearing_log_path(hearing.id)).value();
    const std::vector<std::string> entries = between(hearing, writer.size(), size);
    REQUIRE(writer.append(entries, [&](std::uint64_t, const greffe::Digest&) -> greffe::Result<std::string> { return hearing.checkpoint(size); }));
  }

  greffe::Log log{"test"};
  TestPool pool;
  EntriesAhead::Limits limits;
  std::unique_ptr<EntriesAhead> ahead;
};

bool is_known(const greffe::Result<std::variant<KnownAhead, NotAhead>>& taken, std::uint64_t size) {
  INFO((taken ? std::string() : taken.error().message));
  REQUIRE(taken);
  const auto* known = std::get_if<KnownAhead>(&*taken);
  return known != nullptr && known->size == size;
}

NotAhead refused(const greffe::Result<std::variant<KnownAhead, NotAhead>>& taken) {
  INFO((taken ? std::string() : taken.error().message));
  REQUIRE(taken);
  REQUIRE(std::holds_alternative<NotAhead>(*taken));
  return std::get<NotAhead>(*taken);
}

}  // namespace

TEST_CASE("entries ahead are known in order, once, and over a restart") {
  Rig rig;
  const SampleHearing hearing = hearing_of(8);
  CHECK(rig.known(hearing) == 0);
  CHECK(refused(rig.take(hearing, 3, 5)).known_size == 0);
  CHECK(is_known(rig.take(hearing, 0, 3), 3));
  CHECK(refused(rig.take(hearing, 5, 6)).known_size == 3);
  CHECK(is_known(rig.take(hearing, 3, 7), 7));
  CHECK(is_known(rig.take(hearing, 0, 3), 7));  // an answer was lost: the same again
  CHECK(is_known(rig.take(hearing, 0, 5), 7));  // in another cut
  rig.restart();
  CHECK(rig.known(hearing) == 7);
  CHECK(is_known(rig.take(hearing, 7, 10), 10));
  CHECK(rig.files(hearing).size() == 1);  // little pieces are kept together
  const auto end = rig.ahead->end(greffe::ahead_path(hearing.id), 0);
  REQUIRE(end);
  CHECK((end->size == 10 && end->closed && end->opening == hearing.entries.front()));
  // No log is made of it.
  CHECK(archive::all_logs(*rig.pool.pool)->empty());
}

TEST_CASE("what the log holds is no longer kept ahead of it; the rest stays") {
  Rig rig;
  const SampleHearing hearing = hearing_of(8);
  REQUIRE(is_known(rig.take(hearing, 0, 8), 8));
  rig.hold(hearing, 5);
  rig.ahead->covered(greffe::ahead_path(hearing.id), 5);
  CHECK(rig.known(hearing, 5) == 8);
  CHECK(is_known(rig.take(hearing, 8, 10, 5), 10));
  rig.hold(hearing, 10);
  SECTION("at once") { rig.ahead->covered(greffe::ahead_path(hearing.id), 10); }
  SECTION("when the power went before that") { rig.restart(); }
  CHECK(rig.known(hearing, 10) == 10);
  CHECK(rig.files(hearing).empty());
  CHECK(rig.ahead->facts()->empty());
  CHECK(is_known(rig.take(hearing, 0, 10, 10), 10));
  CHECK(rig.files(hearing).empty());
}

TEST_CASE("another tree is refused, whether it is shorter or longer than what is known or held") {
  Rig rig;
  const SampleHearing hearing = hearing_of(6);
  SampleHearing other = hearing_of(7);  // the same id and key would be needed to deceive; here the trees alone count
  other.id = hearing.id;
  REQUIRE(is_known(rig.take(hearing, 0, 6), 6));
  CHECK(refused(rig.take(other, 0, 4)).diverged);
  CHECK(refused(rig.take(other, 6, 8)).diverged);
  CHECK(is_known(rig.take(hearing, 6, 8), 8));
  const std::string folder = greffe::ahead_path(hearing.id);
  // The log must not grow into another story either.
  for (const std::size_t size : {std::size_t{2}, std::size_t{4}, std::size_t{9}}) {
    const auto good = rig.ahead->contradiction(folder, edge_of(hearing, 1), between(hearing, 1, std::min<std::size_t>(size, 8)),
                                               greffe::parse_signed_checkpoint(hearing.checkpoint(std::min<std::size_t>(size, 8)))->checkpoint);
    REQUIRE(good);
    CHECK_FALSE(good->has_value());
    const auto bad = rig.ahead->contradiction(folder, edge_of(other, 1), between(other, 1, size), greffe::parse_signed_checkpoint(other.checkpoint(size))->checkpoint);
    REQUIRE(bad);
    CHECK(bad->has_value());
  }
  // It did all the same, say with an older program: what is known is evidence and stays.
  rig.hold(other, 9);
  rig.restart();
  CHECK(rig.ahead->known(folder, edge_of(other, 9))->size == 9);
  CHECK(rig.files(hearing).size() == 1);
}

TEST_CASE("entries that do not lead to the checkpoint, or none, are no entries ahead") {
  Rig rig;
  const SampleHearing hearing = hearing_of(4);
  const auto post = [&](std::size_t first, std::vector<std::string> entries, std::size_t size) {
    return rig.ahead->take(greffe::ahead_path(hearing.id), TreeEdge(), first, entries, greffe::parse_signed_checkpoint(hearing.checkpoint(size)).value());
  };
  for (const auto& taken : {post(0, between(hearing, 0, 3), 4), post(0, {}, 3), post(0, between(hearing, 1, 4), 3)}) {
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::invalid);
  }
  CHECK(rig.known(hearing) == 0);
  CHECK(rig.files(hearing).empty());
}

TEST_CASE("at its limit nothing more is known ahead, and what is covered makes room") {
  EntriesAhead::Limits limits;
  SECTION("of a log") { limits.hearing_bytes = 40'000; }
  SECTION("of all") { limits.all_bytes = 40'000; }
  Rig rig(limits);
  const SampleHearing hearing = hearing_of(200);
  std::size_t known = 0;
  for (std::size_t size = 1; size <= hearing.entries.size(); ++size) {
    const auto taken = rig.take(hearing, known, size);
    if (!taken) {
      CHECK(taken.error().code == Errc::no_space);
      break;
    }
    known = size;
  }
  REQUIRE(known > 3);
  REQUIRE(known < hearing.entries.size());
  CHECK(rig.known(hearing) == known);
  rig.restart();  // counted again
  const auto taken = rig.take(hearing, known, known + 1);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == Errc::no_space);
  rig.hold(hearing, known);
  rig.ahead->covered(greffe::ahead_path(hearing.id), known);
  CHECK(is_known(rig.take(hearing, known, known + 3, known), known + 3));
}

TEST_CASE("long logs lie in several pieces, each of which can be read alone") {
  Rig rig;
  const SampleHearing hearing = hearing_of(700);
  for (std::size_t at = 0; at < 700;) {
    const std::size_t next = std::min<std::size_t>(at + 37, 700);
    REQUIRE(is_known(rig.take(hearing, at, next), next));
    at = next;
  }
  CHECK(rig.files(hearing).size() > 2);
  rig.restart();
  CHECK(rig.known(hearing) == 700);
  rig.hold(hearing, 300);
  rig.ahead->covered(greffe::ahead_path(hearing.id), 300);
  CHECK(rig.known(hearing, 300) == 700);
  for (const std::string& key : rig.files(hearing)) CHECK(greffe::parse_ahead_key(key)->name.size > 300);
}

TEST_CASE("a rotten piece is mended from another volume, and one that is rotten everywhere is sent again") {
  Rig rig;
  const SampleHearing hearing = hearing_of(700);
  REQUIRE(is_known(rig.take(hearing, 0, 300), 300));
  REQUIRE(is_known(rig.take(hearing, 300, 600), 600));
  REQUIRE(is_known(rig.take(hearing, 600, 650), 650));
  const std::vector<std::string> keys = rig.files(hearing);
  REQUIRE(keys.size() == 3);
  const auto spoil = [&](unsigned volume, const std::string& key) {
    REQUIRE(rig.pool.files->damage(rig.pool.path(volume, key), [](greffe::Bytes& bytes) { bytes[bytes.size() / 2] ^= 1; }));
  };
  const auto check = [&](tlog::CheckMode mode) {
    auto out = archive::check_ahead(*rig.pool.pool, *rig.pool.pool, rig.pool.pool.get(), mode);
    REQUIRE(out);
    return *std::move(out);
  };
  CHECK(check(tlog::CheckMode::report).findings.empty());
  spoil(0, keys[1]);
  REQUIRE(check(tlog::CheckMode::report).findings.size() == 1);
  const archive::AheadCheck mended = check(tlog::CheckMode::repair);
  REQUIRE(mended.findings.size() == 1);
  CHECK((mended.findings[0].repaired == 1 && !mended.findings[0].lost));
  CHECK(check(tlog::CheckMode::report).findings.empty());

  std::string middle;
  for (const std::string& key : keys) middle = greffe::parse_ahead_key(key)->name.first == 300 ? key : middle;
  for (unsigned volume = 0; volume < 3; ++volume) spoil(volume, middle);
  const archive::AheadCheck found = check(tlog::CheckMode::repair);
  REQUIRE(found.findings.size() == 1);
  CHECK(found.findings[0].lost);
  rig.ahead->read_again(greffe::ahead_path(hearing.id));
  CHECK(rig.known(hearing) == 300);  // what lies behind the hole does not count, though it is kept
  CHECK(rig.files(hearing).size() == 2);
  CHECK(is_known(rig.take(hearing, 300, 640), 640));
  CHECK(is_known(rig.take(hearing, 640, 702), 702));
}

TEST_CASE("a last piece that is rotten everywhere does not count after a start") {
  Rig rig;
  const SampleHearing hearing = hearing_of(400);
  REQUIRE(is_known(rig.take(hearing, 0, 300), 300));
  REQUIRE(is_known(rig.take(hearing, 300, 400), 400));
  for (const std::string& key : rig.files(hearing)) {
    if (greffe::parse_ahead_key(key)->name.first == 0) continue;
    for (unsigned volume = 0; volume < 3; ++volume) {
      REQUIRE(rig.pool.files->damage(rig.pool.path(volume, key), [](greffe::Bytes& bytes) { bytes.resize(bytes.size() / 2); }));
    }
  }
  rig.restart();
  CHECK(rig.known(hearing) == 300);
  CHECK(is_known(rig.take(hearing, 300, 400), 400));  // under the name of the rotten one
  CHECK(archive::check_ahead(*rig.pool.pool, *rig.pool.pool, nullptr, tlog::CheckMode::report)->findings.empty());
}

TEST_CASE("the facts say what is known and not held, by archive") {
  Rig rig;
  const SampleHearing hearing = hearing_of(4);
  std::uint64_t bytes = 0;
  for (std::size_t i = 1; i < hearing.objects.size(); ++i) bytes += hearing.objects[i].second.size();
  REQUIRE(is_known(rig.take(hearing, 0, 3), 3));
  REQUIRE(is_known(rig.take(hearing, 3, 6), 6));
  const auto check = [&](std::uint64_t entries, std::uint64_t objects) {
    const auto facts = rig.ahead->facts();
    REQUIRE(facts);
    REQUIRE(facts->size() == 1);
    const archive::AheadFacts& one = facts->front();
    CHECK(one.archive == kPrimary);
    CHECK(one.hearings == 1);
    CHECK(one.entries == entries);
    CHECK(one.objects == objects);
    CHECK(one.counted);
    return one.bytes;
  };
  CHECK(check(6, 5) == bytes);  // the details, and four segments
  rig.restart();
  CHECK(check(6, 5) == bytes);
  rig.hold(hearing, 4);
  rig.ahead->covered(greffe::ahead_path(hearing.id), 4);
  CHECK(check(2, 1) == hearing.objects.back().second.size());

  // The same by name, from the pool alone.
  const auto report = archive::report_ahead(*rig.pool.pool, hearing.id);
  REQUIRE(report);
  CHECK(report->problems.empty());
  REQUIRE(report->logs.size() == 1);
  const archive::LackingLog& lacks = report->logs.front();
  CHECK((lacks.held == 4 && lacks.known == 6 && lacks.objects == 1 && lacks.archive == kPrimary));
  REQUIRE(lacks.lacks.size() == 1);
  CHECK(lacks.lacks.front().object == hearing.objects.back().first);
  CHECK(lacks.lacks.front().stream == "mic-judge");
  greffe::Bytes object(hearing.objects.back().second.begin(), hearing.objects.back().second.end());
  REQUIRE(rig.pool.put_object(object));
  CHECK(archive::report_ahead(*rig.pool.pool, hearing.id)->logs.front().objects == 0);
}

TEST_CASE("a hearing that the main log names and of which nothing is known is reported") {
  Rig rig;
  const SampleHearing hearing = hearing_of(3);
  greffe::HearingCheckpointEntry commit;
  commit.hearing = hearing.id;
  commit.note = hearing.checkpoint(4);
  commit.utc = greffe::UtcTime{1'795'338'000'000};
  const std::vector<std::string> entries = {greffe::write_main_entry(commit)};
  TreeEdge edge;
  edge.append(greffe::leaf_hash(greffe::as_bytes(entries.front())));
  const auto key = greffe::PrivateKey::generate();
  const greffe::Checkpoint checkpoint{kPrimary, 1, edge.root()};
  const greffe::SignedCheckpoint wanted{checkpoint, {checkpoint.text(), {greffe::sign_checkpoint(checkpoint, key)}}};
  CHECK(is_known(rig.ahead->take(greffe::ahead_path_of_main_log(kPrimary), TreeEdge(), 0, entries, wanted), 1));
  const auto facts = rig.ahead->facts();
  REQUIRE((facts && facts->size() == 1));
  CHECK((facts->front().main_entries == 1 && facts->front().hearings == 0));
  const auto report = archive::report_ahead(*rig.pool.pool, std::nullopt);
  REQUIRE(report);
  REQUIRE(report->logs.size() == 2);
  CHECK((!report->logs[0].hearing && report->logs[0].known == 1));
  CHECK((report->logs[1].hearing == hearing.id && report->logs[1].known == 0 && report->logs[1].named == 4));
  CHECK(report->words().find(hearing.id.text()) != std::string::npos);
}

TEST_CASE("power loss at any step of taking entries ahead loses nothing that was answered, and what follows goes on", "[every-step]") {
  const SampleHearing hearing = hearing_of(40);
  const auto image = greffe::testing::fresh_volumes(3);
  // Three posts, then the log holds some of it.
  const auto story = [&](Rig& rig) {
    std::uint64_t answered = 0;
    for (const auto& [first, last] : {std::pair{0, 10}, std::pair{10, 20}, std::pair{20, 30}}) {
      const auto taken = rig.take(hearing, static_cast<std::size_t>(first), static_cast<std::size_t>(last));
      if (!taken) return answered;
      answered = static_cast<std::uint64_t>(last);
    }
    return answered;
  };
  std::uint64_t steps = 0;
  {
    Rig whole(image->clone());
    whole.pool.files->faults().disarm();  // counts from here
    REQUIRE(story(whole) == 30);
    steps = whole.pool.files->faults().counted();
  }
  REQUIRE(steps > 10);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("power off at step " << step << " of " << steps);
    Rig rig(image->clone());
    rig.pool.files->faults().arm(Fault::power_off, step);
    const std::uint64_t answered = story(rig);
    rig.ahead.reset();
    rig.pool.pool.reset();
    rig.pool.files->faults().disarm();
    rig.pool.files->crash(step);
    rig.restart();
    const std::uint64_t known = rig.known(hearing);
    REQUIRE(known >= answered);
    REQUIRE((known == 0 || known % 10 == 0));
    REQUIRE(is_known(rig.take(hearing, known, 41), 41));
    const auto checked = archive::check_ahead(*rig.pool.pool, *rig.pool.pool, nullptr, tlog::CheckMode::report);
    REQUIRE(checked);
    for (const tlog::LogFinding& one : checked->findings) REQUIRE_FALSE(one.lost);
    for (const std::string& key : rig.files(hearing)) REQUIRE(rig.pool.copies(key) >= 2);
  }
}

TEST_CASE("any step of taking entries ahead may fail: what was answered stays known, and the next try goes on", "[every-step]") {
  const SampleHearing hearing = hearing_of(40);
  const auto image = greffe::testing::fresh_volumes(3);
  const Fault fault = GENERATE(Fault::fails_before, Fault::fails_after, Fault::fails_half);
  std::uint64_t steps = 0;
  {
    Rig whole(image->clone());
    REQUIRE(is_known(whole.take(hearing, 0, 10), 10));
    whole.pool.files->faults().disarm();
    REQUIRE(is_known(whole.take(hearing, 10, 20), 20));
    steps = whole.pool.files->faults().counted();
  }
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("fails at step " << step << " of " << steps);
    Rig rig(image->clone());
    REQUIRE(is_known(rig.take(hearing, 0, 10), 10));
    rig.pool.files->faults().arm(fault, step);
    const auto taken = rig.take(hearing, 10, 20);
    rig.pool.files->faults().disarm();
    const std::uint64_t known = rig.known(hearing);
    REQUIRE(known == (taken ? 20 : 10));
    rig.restart();
    REQUIRE(rig.known(hearing) >= known);
    REQUIRE(is_known(rig.take(hearing, rig.known(hearing), 30), 30));
  }
}
