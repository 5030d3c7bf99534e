// An archive's main log through its epochs: one numbering over several logs.
#include "archive/tlog/log_chain.h"

#include "archive/format/names.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::Digest;
using greffe::epoch_origin;
using greffe::EpochName;
using greffe::Errc;
using greffe::PromotionEntry;
using greffe::Result;
using greffe::tlog::LogChain;
using greffe::tlog::LogReader;
using greffe::tlog::LogWriter;
using greffe::testing::entries_between;
using greffe::testing::kLogPath;
using greffe::testing::kOrigin;
using greffe::testing::MemoryStore;

namespace {

void append(MemoryStore& store, const std::string& path, const std::string& origin, const std::vector<std::string>& entries) {
  auto writer = LogWriter::open(store, store, store, path);
  REQUIRE(writer);
  REQUIRE(writer->append(entries, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
    const greffe::Checkpoint about{origin, size, root};
    const greffe::SignedNote note{about.text(), {sign_checkpoint(about, *greffe::PrivateKey::from_seed(greffe::Bytes(32, 7)))}};
    return note.write();
  }));
}

// The first entry of an epoch behind this state of the one before.
PromotionEntry promotion_to(std::uint64_t epoch, std::uint64_t size, const Digest& root) {
  const greffe::PublicKey key = greffe::PrivateKey::from_seed(greffe::Bytes(32, 7))->public_key();
  PromotionEntry out;
  out.name = {kOrigin, epoch};
  out.previous = {epoch_origin({kOrigin, epoch - 1}), size, root};
  out.log_key = key;
  out.holder = {"dr.example/holder", greffe::KeyType::cosignature_v1, key};
  out.machine_url = "https://dr.example:8444";
  out.machine_key = key;
  return out;
}

std::string path_of(std::uint64_t epoch) { return epoch == 1 ? kLogPath : greffe::foreign_log_path(epoch_origin({kOrigin, epoch})); }

// Promotes behind `size` entries of the newest epoch, and adds `more` entries.
void promote(MemoryStore& store, std::uint64_t epoch, std::uint64_t size, std::uint64_t first, std::uint64_t more) {
  const auto root = LogReader(store, store, path_of(epoch - 1)).root_at(size);
  REQUIRE(root);
  std::vector<std::string> entries = {greffe::write_promotion(promotion_to(epoch, size, *root))};
  for (const std::string& entry : entries_between(first, first + more)) entries.push_back(entry);
  append(store, path_of(epoch), epoch_origin({kOrigin, epoch}), entries);
}

Result<LogChain> open(MemoryStore& store) { return LogChain::open(store, store, kOrigin, kLogPath); }

}  // namespace

TEST_CASE("an archive that was never promoted has one epoch") {
  MemoryStore store;
  CHECK(open(store).error().code == Errc::not_found);
  append(store, kLogPath, kOrigin, entries_between(0, 300));
  const auto chain = open(store);
  REQUIRE(chain);
  CHECK(chain->links().size() == 1);
  CHECK(*chain->size() == 300);
  CHECK(*chain->entries(0, 300) == entries_between(0, 300));
  CHECK(*chain->root_at(0) == greffe::empty_root());
  CHECK(*chain->root_at(257) == *LogReader(store, store, kLogPath).root_at(257));
  CHECK(chain->entries(0, 301).error().code == Errc::invalid);
}

TEST_CASE("entries are numbered through all epochs, up to where each is pinned") {
  MemoryStore store;
  append(store, kLogPath, kOrigin, entries_between(0, 300));
  promote(store, 2, 280, 1000, 9);  // 20 entries were not replicated when the site was lost, and came back later
  promote(store, 3, 10, 2000, 2);
  const auto chain = open(store);
  REQUIRE(chain);
  REQUIRE(chain->links().size() == 3);
  CHECK(chain->newest().name == EpochName{kOrigin, 3});
  CHECK(*chain->size() == 280 + 10 + 3);
  const auto all = chain->entries(0, 293);
  REQUIRE(all);
  REQUIRE(all->size() == 293);
  CHECK((*all)[279] == "entry 279 of the log");
  CHECK(greffe::parse_promotion((*all)[280])->name.epoch == 2);
  CHECK((*all)[289] == "entry 1008 of the log");
  CHECK(greffe::parse_promotion((*all)[290])->name.epoch == 3);
  CHECK((*all)[292] == "entry 2001 of the log");
  // Any stretch, and what a visit that stops sees.
  for (std::uint64_t first = 270; first < 293; ++first) {
    for (std::uint64_t last = first; last <= 293; ++last) {
      const auto some = chain->entries(first, last);
      REQUIRE(some);
      REQUIRE(*some == std::vector<std::string>(all->begin() + static_cast<std::ptrdiff_t>(first), all->begin() + static_cast<std::ptrdiff_t>(last)));
    }
  }
  std::vector<std::uint64_t> seen;
  REQUIRE(chain->entries(278, 293, [&](std::uint64_t number, std::string_view) {
    seen.push_back(number);
    return number < 281;
  }));
  CHECK(seen == std::vector<std::uint64_t>{278, 279, 280, 281});
  // Roots are those of the epoch in which the last entry stands.
  CHECK(*chain->root_at(280) == *LogReader(store, store, kLogPath).root_at(280));
  CHECK(*chain->root_at(281) == *LogReader(store, store, path_of(2)).root_at(1));
  CHECK(*chain->root_at(293) == *LogReader(store, store, path_of(3)).root_at(3));
  CHECK(chain->place_of(285).index == 5);
  CHECK(chain->place_of(285).link->path == path_of(2));
  CHECK(chain->entries(0, 294).error().code == Errc::invalid);
}

TEST_CASE("an epoch that does not go on from the one before is refused") {
  MemoryStore store;
  append(store, kLogPath, kOrigin, entries_between(0, 20));
  const Digest root = *LogReader(store, store, kLogPath).root_at(20);
  const auto refused = [&](const std::string& first_entry) {
    MemoryStore copy;
    append(copy, kLogPath, kOrigin, entries_between(0, 20));
    append(copy, path_of(2), epoch_origin({kOrigin, 2}), {first_entry});
    const auto chain = open(copy);
    REQUIRE_FALSE(chain);
    return chain.error().code;
  };
  CHECK(refused("entry 0 of the log") == Errc::corrupt);
  CHECK(refused(write_promotion(promotion_to(3, 20, root))) == Errc::corrupt);
  CHECK(refused(write_promotion(promotion_to(2, 19, root))) == Errc::conflict);  // another root
  CHECK(refused(write_promotion(promotion_to(2, 21, root))) == Errc::conflict);  // more than there is
}
