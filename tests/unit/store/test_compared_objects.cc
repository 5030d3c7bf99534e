#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

#include "archive/store/compared_objects.h"
#include "tests/unit/support/faulty_file_system.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::as_bytes;
using greffe::ComparedItem;
using greffe::ComparedKind;
using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::sha256;
using greffe::store::ComparedObjects;
using greffe::store::ComparedSources;
using greffe::testing::TemporaryFolder;

namespace {

Digest id_of(int number) { return sha256(as_bytes("object " + std::to_string(number))); }
HearingId hearing_of(int number) {
  HearingId out;
  out.bytes[0] = static_cast<std::uint8_t>(1 + number % 200);
  return out;
}

// What logs name and what a pool has, as lists.
struct Side {
  std::vector<std::pair<ComparedItem, bool>> named;
  std::vector<Digest> stored;
  std::set<Digest> moved;  // that the walk does not show and that are there
  std::size_t asked = 0;

  void object(int number, bool is_stored = true) {
    named.push_back({{id_of(number), ComparedKind::object, hearing_of(number)}, false});
    if (is_stored) stored.push_back(id_of(number));
  }
  ComparedSources sources() {
    ComparedSources out;
    out.name_all = [this](const ComparedSources::Take& take) -> greffe::Status {
      for (const auto& [item, here] : named) GREFFE_TRY(take(item, here));
      return greffe::ok();
    };
    out.walk_stored = [this](const std::function<bool(const Digest&)>& visit) {
      for (const Digest& digest : stored) {
        if (!visit(digest)) break;
      }
      return greffe::ok();
    };
    out.is_stored = [this](const Digest& digest) -> greffe::Result<bool> {
      ++asked;
      return moved.contains(digest);
    };
    return out;
  }
};

struct Rig {
  TemporaryFolder folder;
  greffe::PosixFileSystem real;
  greffe::testing::FaultyFileSystem files{real};
  greffe::store::ComparedProgress progress;

  greffe::Result<std::unique_ptr<ComparedObjects>> build(Side& side, const std::stop_token& stop = {}) {
    return ComparedObjects::build(files, folder.path + "/comparison", side.sources(), progress, stop);
  }
  std::size_t files_left() const {
    std::size_t out = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path)) out += entry.is_regular_file() ? 1 : 0;
    return out;
  }
};

}  // namespace

TEST_CASE("a side has what is named and stored, each once, in order, with the hearing that names it") {
  Rig rig;
  Side side;
  for (int i = 0; i < 20'000; ++i) side.object(i, i % 100 != 7);
  side.object(3);                            // named by two hearings, stored on two volumes
  side.stored.push_back(id_of(1'000'000));  // named by nothing
  side.moved = {id_of(107)};
  const ComparedItem whole{sha256(as_bytes("whole")), ComparedKind::hearing_log, hearing_of(1)};
  const ComparedItem broken{sha256(as_bytes("broken")), ComparedKind::hearing_log, hearing_of(2)};
  side.named.push_back({whole, true});
  side.named.push_back({broken, false});
  side.stored.push_back(whole.id);  // an object that happens to be stored under the name of a log changes nothing

  const auto built = rig.build(side);
  REQUIRE(built);
  const ComparedObjects& own = **built;
  CHECK(own.tree().size() == 20'000 - 200 + 1 + 1);
  CHECK(own.absent_count() == 199 + 1);
  REQUIRE(own.absent().size() == 200);
  CHECK(std::is_sorted(own.absent().begin(), own.absent().end()));
  CHECK(std::count(own.absent().begin(), own.absent().end(), broken) == 1);
  CHECK(side.asked == 200);  // of objects that the walk did not show, and of no log
  CHECK(rig.files_left() == 0);
  CHECK(rig.progress.done == greffe::store::ComparedProgress::kTotal);

  CHECK(own.find(id_of(3)).value().value().hearing == hearing_of(3));
  CHECK(own.find(whole.id).value() == whole);
  CHECK_FALSE(own.find(id_of(7)).value());
  CHECK_FALSE(own.find(id_of(1'000'000)).value());
  // The tree is over exactly what the leaves give.
  greffe::ComparisonTreeBuilder again;
  for (std::uint32_t leaf = 0; leaf < greffe::kComparisonLeaves; ++leaf) {
    if (own.tree().begin(leaf) == own.tree().end(leaf)) continue;
    const auto items = own.leaf(leaf);
    REQUIRE(items);
    for (const ComparedItem& item : *items) again.add(item.id);
  }
  CHECK(std::move(again).finish().root() == own.tree().root());

  const auto sample = own.sample(50);
  REQUIRE(sample);
  CHECK(sample->size() == 50);
  for (const ComparedItem& item : *sample) CHECK((item.kind == ComparedKind::object && own.find(item.id).value() == item));
}

TEST_CASE("the same names in another order give the same tree") {
  Rig rig;
  Side side;
  for (int i = 0; i < 500; ++i) side.object(i);
  const Digest root = (*rig.build(side))->tree().root();
  std::reverse(side.named.begin(), side.named.end());
  std::rotate(side.stored.begin(), side.stored.begin() + 77, side.stored.end());
  CHECK((*rig.build(side))->tree().root() == root);
  side.stored.pop_back();
  CHECK((*rig.build(side))->tree().root() != root);
  Side empty;
  const auto nothing = rig.build(empty);
  REQUIRE(nothing);
  CHECK((*nothing)->tree().size() == 0);
  CHECK((*nothing)->sample(10)->empty());
}

TEST_CASE("what is excused afterwards is not absent") {
  Rig rig;
  Side side;
  for (int i = 0; i < 10; ++i) side.object(i, i > 3);
  auto built = rig.build(side);
  REQUIRE(built);
  CHECK((*built)->absent_count() == 4);
  (*built)->excuse([](const ComparedItem& item) { return item.id == id_of(2); });
  CHECK((*built)->absent_count() == 3);
  for (const ComparedItem& item : (*built)->absent()) CHECK(item.id != id_of(2));
}

TEST_CASE("ids of leaves are answered in order and in pieces") {
  Rig rig;
  Side side;
  // Far more in one leaf than an answer holds.
  const int many = static_cast<int>(2 * greffe::kComparisonIdsMax + 10);
  for (int i = 0; i < many; ++i) {
    Digest id = id_of(i);
    id.bytes[0] = id.bytes[1] = id.bytes[2] = 0;
    side.named.push_back({{id, ComparedKind::object, std::nullopt}, false});
    side.stored.push_back(id);
  }
  side.object(1);
  side.object(2);
  const auto built = rig.build(side);
  REQUIRE(built);
  greffe::IdsQuestion question{"00112233445566778899aabbccddeeff", {0, greffe::comparison_leaf(id_of(1)), greffe::comparison_leaf(id_of(2))}, std::nullopt};
  std::sort(question.leaves.begin(), question.leaves.end());
  std::vector<Digest> all;
  greffe::IdsAnswer answer;
  int answers = 0;
  do {
    const auto got = (*built)->answer(question);
    REQUIRE(got);
    answer = *greffe::parse_ids_answer(greffe::write_ids_answer(*got), question);
    all.insert(all.end(), answer.ids.begin(), answer.ids.end());
    if (!all.empty()) question.after = all.back();
    REQUIRE(++answers < 10);
  } while (answer.more);
  CHECK(answers == 3);
  CHECK(all.size() == static_cast<std::size_t>(many) + 2);
  CHECK(std::is_sorted(all.begin(), all.end()));
  const greffe::NodesQuestion root{question.name, 0, {0}};
  const std::vector<Digest> children = (*built)->answer(root);
  CHECK(greffe::comparison_node_hash(children) == (*built)->tree().root());
}

TEST_CASE("what fails while a side is built ends it, and nothing is left in the directory") {
  Rig rig;
  Side side;
  for (int i = 0; i < 400'000; ++i) side.object(i % 60'000 + (i % 2 == 0 ? 0 : 1'000'000 + i));
  REQUIRE(rig.build(side));
  rig.files.faults().arm(greffe::testing::Fault::none, 0);
  std::uint64_t steps = 0;
  {
    rig.files.faults().arm(greffe::testing::Fault::fails_before, 1'000'000);
    REQUIRE(rig.build(side));
    steps = rig.files.faults().counted();
  }
  REQUIRE(steps > 100);  // parts were written to files
  for (const std::uint64_t step : {std::uint64_t{1}, std::uint64_t{3}, steps / 4, steps / 2, steps - 1, steps}) {
    rig.files.faults().arm(greffe::testing::Fault::fails_half, step, true, Errc::no_space);
    const auto failed = rig.build(side);
    INFO("step " << step << " of " << steps);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == Errc::no_space);
    rig.files.faults().disarm();
    REQUIRE(rig.build(side));  // removes what could not be removed then
    CHECK(rig.files_left() == 0);
  }

  std::stop_source stop;
  stop.request_stop();
  const auto stopped = rig.build(side, stop.get_token());
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Errc::cancelled);
  CHECK(rig.files_left() == 0);

  ComparedSources sources = side.sources();
  sources.walk_stored = [](const std::function<bool(const Digest&)>&) -> greffe::Status { return greffe::fail(Errc::io_error, "no volume can list"); };
  const auto unlisted = ComparedObjects::build(rig.files, rig.folder.path + "/comparison", sources, rig.progress, {});
  REQUIRE_FALSE(unlisted);
  CHECK(unlisted.error().code == Errc::io_error);
  CHECK(rig.files_left() == 0);
}
