#include "archive/tlog/finished_log.h"

#include "archive/tlog/stored_tree.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::Errc;
using greffe::testing::append_up_to;
using greffe::testing::entry_at;
using greffe::testing::kLogPath;
using greffe::testing::MemoryStore;
using greffe::testing::open_writer;
using greffe::testing::ReferenceRoots;
using greffe::testing::Signer;
using greffe::tlog::finished_entries;
using greffe::tlog::tile_key;

namespace {

void write_log(MemoryStore& store, std::uint64_t size) {
  auto writer = open_writer(store);
  REQUIRE(append_up_to(*writer, Signer(), size));
  REQUIRE(writer->finalise());
}

}  // namespace

TEST_CASE("single entries of a finished log are proved by its root") {
  const ReferenceRoots roots(2000);
  for (const std::uint64_t size : {1u, 2u, 255u, 256u, 257u, 511u, 512u, 1600u, 1792u}) {
    MemoryStore store;
    write_log(store, size);
    const std::vector<std::uint64_t> all = [&] {
      std::vector<std::uint64_t> out;
      for (std::uint64_t i = 0; i < size; ++i) out.push_back(i);
      return out;
    }();
    const auto entries = finished_entries(store, kLogPath, size, roots.at(size), all);
    REQUIRE(entries);
    REQUIRE(entries->size() == size);
    for (std::uint64_t i = 0; i < size; ++i) REQUIRE((*entries)[i] == entry_at(i));
    const std::vector<std::uint64_t> ends = size == 1 ? std::vector<std::uint64_t>{0} : std::vector<std::uint64_t>{0, size - 1};
    const auto both = finished_entries(store, kLogPath, size, roots.at(size), ends);
    REQUIRE(both);
    CHECK(both->back() == entry_at(size - 1));
    CHECK(finished_entries(store, kLogPath, size, roots.at(size), std::vector<std::uint64_t>{size}).error().code == Errc::invalid);
    CHECK(finished_entries(store, kLogPath, size, roots.at(size + 1), ends).error().code == Errc::corrupt);
  }
}

TEST_CASE("what was not finalised, is damaged or is too long is left to others") {
  const ReferenceRoots roots(1600);
  const std::vector<std::uint64_t> ends = {0, 1599};
  MemoryStore store;
  {
    auto writer = open_writer(store);
    REQUIRE(append_up_to(*writer, Signer(), 1600));
  }
  CHECK(finished_entries(store, kLogPath, 1600, roots.at(1600), ends).error().code == Errc::not_found);
  CHECK(finished_entries(store, kLogPath, 65'536, roots.at(1600), ends).error().code == Errc::invalid);
  REQUIRE(open_writer(store)->finalise());
  for (const greffe::TileName& name : {greffe::TileName{true, 0, 0, 0}, {true, 0, 6, 64}, {false, 1, 0, 6}}) {
    INFO(name.path());
    greffe::Bytes& held = store.files().at(tile_key(kLogPath, name));
    const greffe::Bytes good = held;
    REQUIRE(finished_entries(store, kLogPath, 1600, roots.at(1600), ends));
    held[40] ^= 1;
    CHECK(finished_entries(store, kLogPath, 1600, roots.at(1600), ends).error().code == Errc::corrupt);
    held = good;
    held.pop_back();
    CHECK(finished_entries(store, kLogPath, 1600, roots.at(1600), ends).error().code == Errc::corrupt);
    held.clear();
    CHECK(finished_entries(store, kLogPath, 1600, roots.at(1600), ends).error().code == Errc::corrupt);
    held = good;
  }
  // A bundle that is not asked for is not read.
  store.files().at(tile_key(kLogPath, {true, 0, 3, 0}))[40] ^= 1;
  CHECK(finished_entries(store, kLogPath, 1600, roots.at(1600), ends));
}
