#include "archive/tlog/log_import.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::Errc;
using greffe::kTileWidth;
using greffe::testing::append_up_to;
using greffe::testing::entries_between;
using greffe::testing::kLogPath;
using greffe::testing::MemoryStore;
using greffe::testing::ReferenceRoots;
using greffe::testing::Signer;
using greffe::testing::TestPool;
namespace tlog = greffe::tlog;

namespace {

const ReferenceRoots& roots() {
  static const ReferenceRoots all(1100);
  return all;
}

std::string note_of(std::uint64_t size) { return *Signer()(size, roots().at(size)); }

template <class Store>
greffe::Status import_up_to(Store& store, std::uint64_t size) {
  const auto bundle = [size](std::uint64_t index) -> greffe::Result<std::vector<std::string>> {
    return entries_between(index * kTileWidth, std::min(size, (index + 1) * kTileWidth));
  };
  return tlog::import_log({store, store, store, store}, kLogPath, note_of(size), bundle);
}

template <class Store>
void check_whole(Store& store, std::uint64_t size) {
  auto writer = greffe::testing::open_writer(store);
  REQUIRE(writer);
  REQUIRE(writer->size() == size);
  CHECK(writer->root() == roots().at(size));
  CHECK(*tlog::LogReader(store, store, kLogPath).entries(0, size) == entries_between(0, size));
}

}  // namespace

TEST_CASE("a log of any size is imported, can be read and written on") {
  const std::uint64_t size = GENERATE(1U, 2U, 255U, 256U, 257U, 511U, 512U, 1000U);
  MemoryStore store;
  REQUIRE(import_up_to(store, size));
  check_whole(store, size);
  REQUIRE(import_up_to(store, size));  // again
  auto writer = greffe::testing::open_writer(store);
  REQUIRE(writer);
  REQUIRE(append_up_to(*writer, Signer(), size + 100));
  check_whole(store, size + 100);
  REQUIRE(writer->finalise());
  check_whole(store, size + 100);
}

TEST_CASE("an import goes over an older state of the log, and mends it") {
  MemoryStore store;
  auto writer = greffe::testing::open_writer(store);
  REQUIRE(append_up_to(*writer, Signer(), 300));
  store.files()["log/main/tile/entries/000"][5] ^= 1;
  store.files().erase("log/main/tile/0/000");
  REQUIRE(import_up_to(store, 600));
  check_whole(store, 600);
}

TEST_CASE("an import never takes a head back, and never puts one over another log") {
  MemoryStore store;
  REQUIRE(import_up_to(store, 600));
  const auto before = store.files();
  const auto smaller = import_up_to(store, 500);
  REQUIRE_FALSE(smaller);
  CHECK(smaller.error().code == Errc::conflict);
  CHECK(store.files() == before);

  const auto other = tlog::import_log({store, store, store, store}, kLogPath, *Signer()(600, roots().at(599)), [](std::uint64_t index) {
    return greffe::Result<std::vector<std::string>>(entries_between(index * kTileWidth, std::min<std::uint64_t>(600, (index + 1) * kTileWidth)));
  });
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::conflict);
  CHECK(store.files() == before);
}

TEST_CASE("entries that do not lead to the signed root move no head") {
  MemoryStore store;
  const auto wrong = tlog::import_log({store, store, store, store}, kLogPath, note_of(300), [](std::uint64_t index) {
    auto entries = entries_between(index * kTileWidth, std::min<std::uint64_t>(300, (index + 1) * kTileWidth));
    if (index == 1) entries[3] += "!";
    return greffe::Result<std::vector<std::string>>(std::move(entries));
  });
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == Errc::corrupt);
  const auto few = tlog::import_log({store, store, store, store}, kLogPath, note_of(300), [](std::uint64_t index) {
    return greffe::Result<std::vector<std::string>>(entries_between(index * kTileWidth, index * kTileWidth + 10));
  });
  REQUIRE_FALSE(few);
  CHECK_FALSE(store.files().contains("log/main/checkpoint"));
}

TEST_CASE("signatures that the head has are kept when the tree is the same") {
  MemoryStore store;
  const auto key = greffe::PrivateKey::generate();
  REQUIRE(import_up_to(store, 10));
  auto note = greffe::parse_signed_checkpoint(note_of(10));
  greffe::put_signature(note->note, greffe::cosign_checkpoint(note->checkpoint, "holder", key, greffe::UtcTime{1'790'000'000'000}));
  REQUIRE(store.swap_head("log/main/checkpoint", note_of(10), note->note.write()));
  REQUIRE(import_up_to(store, 10));
  CHECK(*store.read_head("log/main/checkpoint") == note->note.write());
}

TEST_CASE("cut off by a power failure anywhere, an import leaves a log that opens or none, and the next one finishes it", "[every-step]") {
  constexpr std::uint64_t kSize = 600;
  const auto image = greffe::testing::fresh_volumes(3);
  std::uint64_t steps = 0;
  {
    TestPool whole(image->clone(), 3);
    whole.open();
    whole.files->faults().disarm();  // counts from here
    REQUIRE(import_up_to(*whole.pool, kSize));
    steps = whole.files->faults().counted();
  }
  REQUIRE(steps > 30);
  for (std::uint64_t step = 1; step <= steps; ++step) {
    INFO("power off at step " << step << " of " << steps);
    TestPool disk(image->clone(), 3);
    disk.open();
    disk.files->faults().arm(greffe::testing::Fault::power_off, step);
    static_cast<void>(import_up_to(*disk.pool, kSize).has_value());
    disk.pool.reset();
    disk.files->faults().disarm();
    disk.files->crash(step);
    disk.open();
    if (disk.pool->read_head("log/main/checkpoint")) check_whole(*disk.pool, kSize);
    REQUIRE(import_up_to(*disk.pool, kSize));
    check_whole(*disk.pool, kSize);
  }
}
