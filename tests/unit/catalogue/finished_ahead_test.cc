// A rebuild that reads of finished hearings only what their `close` does not sum up gives the same catalogue.
#include <catch2/catch.hpp>

#include <atomic>
#include <random>

#include "archive/catalogue/catalogue_builder.h"
#include "archive/tlog/log_writer.h"
#include "tests/unit/catalogue/world.h"
#include "tests/unit/support/memory_store.h"

using greffe::Digest;
using greffe::Errc;
using greffe::fail;
using greffe::HearingId;
using greffe::Result;
using greffe::UtcTime;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::Sources;
using greffe::testing::details_of;
using greffe::testing::Directory;
using greffe::testing::NewHearing;
using greffe::testing::World;

namespace {

constexpr const char* kLogPath = "log/main";

struct Open {
  HearingId id;
  NewHearing about;
  std::map<std::string, greffe::StreamTotal> totals;
};

UtcTime minutes(const Open& one, std::int64_t n) { return {one.about.start.ms + n * 60'000}; }

void record(World& world, Open& one, const std::string& stream, std::int64_t minute) {
  greffe::StreamTotal& total = one.totals[stream];
  world.segment(one.id, stream, total.segments, minutes(one, minute));
  total = {stream, total.segments + 1, total.bytes + 1000, total.duration_90k + 900'000};
}

void close(World& world, const Open& one, bool truly) {
  std::vector<greffe::StreamTotal> totals;
  for (const auto& [name, total] : one.totals) totals.push_back(total);
  if (!truly && !totals.empty()) ++totals.back().bytes;
  world.close(one.id, minutes(one, 400), totals);
  world.checkpoint(one.id);
}

// Several hearings at once, with everything that may stand in a hearing's log and in the main log between its checkpoints.
World busy_world(unsigned seed) {
  World world;
  std::mt19937 random(seed);
  const auto below = [&random](unsigned n) { return static_cast<std::int64_t>(random() % n); };
  std::vector<Open> open;
  for (std::int64_t step = 0; step < 1500; ++step) {
    if (open.size() < 3 || below(60) == 0) {
      NewHearing about{.case_number = "RG 26/" + std::to_string(step), .start = {1'780'000'000'000 + below(20) * 1000}};
      const HearingId id = world.open(about);
      open.push_back({id, about, {}});
      const auto first = greffe::parse_hearing_entry(world.hearings.at(id).front());
      if (below(5) == 0) world.documents.erase(std::get<greffe::OpenEntry>(*first).details);
      continue;
    }
    Open& one = open[static_cast<std::size_t>(below(static_cast<unsigned>(open.size())))];
    const std::int64_t minute = below(300);
    switch (below(14)) {
      case 0: world.gap(one.id, below(2) == 0 ? "recess" : "fault", minutes(one, minute), minutes(one, 500)); break;
      case 1: world.mark(one.id, minutes(one, minute), "pièce " + std::to_string(step)); break;
      case 2: world.correct_in_room(one.id, details_of({.case_number = "RG 27/" + std::to_string(step)}), minutes(one, minute)); break;
      case 3: world.checkpoint(one.id); break;
      case 4:
        world.checkpoint(one.id);
        world.correct(one.id, details_of({.case_number = "RG 28/" + std::to_string(step)}), "faute de frappe");
        break;
      case 5:
        world.checkpoint(one.id);
        world.archive_mark(one.id, minutes(one, minute), "note " + std::to_string(step));
        break;
      case 6:
        if (!one.totals.contains("screen")) world.add(one.id, greffe::StreamEntry{{"screen", "video", "screen"}});
        record(world, one, "screen", minute);
        break;
      case 7:
        if (below(10) == 0) record(world, one, "unheard-of", minute);
        break;
      case 8:
        world.add(one.id, greffe::LostEntry{{greffe::sha256(greffe::as_bytes(std::to_string(step)))}, "unreadable"});
        break;
      case 9:
        if (below(4) == 0) world.add(one.id, greffe::MarkEntry{minutes(one, minute), {}, world.document("not a note"), "clerk"});
        break;
      case 10:
        if (below(3) != 0) break;
        close(world, one, below(4) != 0);
        open.erase(open.begin() + (&one - open.data()));
        break;
      default: record(world, one, below(2) == 0 ? "cam-bench" : "mic-judge", minute);
    }
  }
  return world;
}

void publish(World& world, greffe::testing::MemoryStore& store) {
  auto writer = greffe::tlog::LogWriter::open(store, store, store, kLogPath);
  REQUIRE(writer);
  REQUIRE(writer->append(world.main_log, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
    const greffe::Checkpoint checkpoint{"archive.court.example", size, root};
    greffe::SignedNote note;
    note.text = checkpoint.text();
    put_signature(note, sign_checkpoint(checkpoint, world.key));
    return note.write();
  }));
}

// Of the hearings' logs as they are at the end; the number of entries that were read one by one.
greffe::catalogue::FinishedSource finished_source(const World& world, std::atomic<std::uint64_t>& read) {
  return [&](const HearingId& id, const greffe::Checkpoint& end, std::span<const std::uint64_t> indices) -> Result<std::vector<std::string>> {
    const std::vector<std::string>& entries = world.hearings.at(id);
    if (end.size != entries.size()) return fail(Errc::not_found, "it was not finished there");
    std::vector<std::string> out;
    for (const std::uint64_t index : indices) out.push_back(entries.at(index));
    read += out.size();
    return out;
  };
}

std::string dump_rebuilt(const Directory& directory, const Sources& sources, greffe::testing::MemoryStore& store) {
  greffe::PosixFileSystem files;
  auto rebuilt = greffe::catalogue::rebuild(files, directory.file("rebuilt.sqlite"), sources, greffe::tlog::LogReader(store, store, kLogPath));
  if (!rebuilt) FAIL(rebuilt.error().message);
  REQUIRE(rebuilt->check_text_index());
  return *rebuilt->dump();
}

}  // namespace

TEST_CASE("a rebuild knows all that a catalogue knows which saw every entry") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    World world = busy_world(seed);
    greffe::testing::MemoryStore store;
    publish(world, store);
    const Directory directory;
    auto followed = CatalogueBuilder::create(directory.file("followed.sqlite"), world.sources());
    REQUIRE(world.apply_all(*followed, 7));
    const std::string dump = *followed->dump();
    REQUIRE(dump.find("is lost") != std::string::npos);

    Sources sources = world.sources();
    CHECK(dump_rebuilt(directory, sources, store) == dump);
    std::atomic<std::uint64_t> read{0};
    sources.finished = finished_source(world, read);
    CHECK(dump_rebuilt(directory, sources, store) == dump);
    CHECK(read > 0);
    sources.finished = [](const HearingId&, const greffe::Checkpoint&, std::span<const std::uint64_t>) -> Result<std::vector<std::string>> {
      return fail(Errc::corrupt, "damaged");
    };
    CHECK(dump_rebuilt(directory, sources, store) == dump);
  }
}

TEST_CASE("the segments of a finished hearing are not read") {
  World world;
  std::vector<Open> hearings;
  for (int i = 0; i < 600; ++i) {  // more than are read ahead
    Open one{world.open({.case_number = "RG 26/1"}), {}, {}};
    world.checkpoint(one.id);
    for (int n = 0; n < 40; ++n) record(world, one, "cam-bench", n);
    world.checkpoint(one.id);
    close(world, one, true);
    hearings.push_back(one);
  }
  greffe::testing::MemoryStore store;
  publish(world, store);
  Sources sources = world.sources();
  std::atomic<std::uint64_t> read{0};
  sources.finished = finished_source(world, read);
  sources.hearing = [](const HearingId&, std::uint64_t, std::uint64_t, const auto&) -> greffe::Status {
    return fail(Errc::io_error, "nobody should ask for the whole log");
  };
  const Directory directory;
  const std::string rebuilt = dump_rebuilt(directory, sources, store);
  CHECK(read == 2 * hearings.size());
  auto followed = CatalogueBuilder::create(directory.file("followed.sqlite"), world.sources());
  REQUIRE(world.apply_all(*followed));
  CHECK(rebuilt == *followed->dump());
}

TEST_CASE("a rebuild that breaks off stops reading ahead") {
  World world;
  for (int i = 0; i < 50; ++i) world.file({"RG 26/" + std::to_string(i)});
  greffe::testing::MemoryStore store;
  publish(world, store);
  Sources sources = world.sources();
  std::atomic<std::uint64_t> read{0};
  sources.finished = finished_source(world, read);
  sources.document = [](const Digest&) -> Result<std::string> { return fail(Errc::unavailable, "the volumes are away"); };
  const Directory directory;
  greffe::PosixFileSystem files;
  const auto rebuilt = greffe::catalogue::rebuild(files, directory.file("rebuilt.sqlite"), sources, greffe::tlog::LogReader(store, store, kLogPath));
  REQUIRE_FALSE(rebuilt);
  CHECK(rebuilt.error().code == Errc::unavailable);
}
