// Making a pool a copy's, on real disks: what is refused stays as it was. And the two documents of a copy.
#include <catch2/catch.hpp>

#include <filesystem>
#include <functional>

#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/store/volume_label.h"
#include "replicate/copy_grade.h"
#include "replicate/passive_pool.h"
#include "tests/unit/support/manual_clock.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::Errc;
namespace replicate = greffe::replicate;
namespace store = greffe::store;

namespace {

std::string head_of(const std::string& archive, const greffe::PrivateKey& key) {
  const greffe::Checkpoint checkpoint{archive, 1, greffe::sha256(greffe::as_bytes("an entry"))};
  greffe::SignedNote head{checkpoint.text(), {}};
  greffe::put_signature(head, greffe::sign_checkpoint(checkpoint, key));
  return head.write();
}

struct Disks {
  greffe::testing::TemporaryFolder folder;
  greffe::PosixFileSystem files;
  greffe::testing::ManualClock clock;
  greffe::PrivateKey key = greffe::PrivateKey::generate();
  replicate::CopyOwner owner{"archive.example", {"archive.example", greffe::KeyType::ed25519, key.public_key()}};

  std::string disk(const std::string& name) const { return folder.path + "/" + name; }
  store::PoolPlace place(std::vector<std::string> names) const {
    store::PoolPlace out;
    for (const std::string& name : names) out.volumes.push_back(disk(name));
    out.replicas = static_cast<unsigned>(names.size());
    out.write_quorum = out.replicas;
    return out;
  }
  greffe::Result<std::string> make(std::vector<std::string> names) { return replicate::make_passive_pool(files, clock, place(std::move(names)), owner); }
  greffe::Bytes roster(const std::string& name) {
    const auto bytes = files.read_file(disk(name) + "/greffe-pool.json", 100'000);
    REQUIRE(bytes);
    return *bytes;
  }
};

}  // namespace

TEST_CASE("a folder becomes a copy, once; a volume that is added later comes in") {
  Disks disks;
  REQUIRE(disks.make({"a"}));
  const auto label = disks.files.read_file(disks.disk("a") + "/" + std::string(replicate::kCopyLabelKey), 10'000);
  REQUIRE(label);
  const auto read = replicate::parse_copy_label(greffe::as_text(*label));
  REQUIRE(read);
  CHECK(read->archive == "archive.example");
  CHECK(read->log == disks.owner.log);
  CHECK(read->began == disks.clock.utc_now());

  disks.clock.pass_ms(1000);
  REQUIRE(disks.make({"a"}));
  CHECK(*disks.files.read_file(disks.disk("a") + "/" + std::string(replicate::kCopyLabelKey), 10'000) == *label);

  const auto both = disks.make({"a", "b"});
  INFO((both ? std::string() : both.error().message));
  REQUIRE(both);
  CHECK(disks.files.stat(disks.disk("b") + "/greffe-volume.json"));
  const auto pool = store::open_pool(disks.files, disks.clock, disks.place({"a", "b"}), store::PoolMode::reader);
  REQUIRE(pool);
  CHECK((*pool)->volumes().size() == 2);
  CHECK(replicate::is_passive_copy(**pool, "archive.example").value());
}

TEST_CASE("a mount point whose disk is away does not become another volume of the copy") {
  Disks disks;
  REQUIRE(disks.make({"a", "b"}));
  std::filesystem::rename(disks.disk("b"), disks.disk("elsewhere"));
  std::filesystem::create_directory(disks.disk("b"));
  const auto again = disks.make({"a", "b"});
  REQUIRE_FALSE(again);
  CHECK(again.error().message.find("mounted") != std::string::npos);
  CHECK(std::filesystem::is_empty(disks.disk("b")));
}

TEST_CASE("a pool with something else in it is refused and stays as it was") {
  Disks disks;
  REQUIRE(disks.make({"a"}));
  std::string words;
  std::string name = "a";
  SECTION("another archive's copy") {
    disks.owner.archive = "other.example";
    disks.owner.log.name = "other.example";
    words = "copy of archive.example";
  }
  SECTION("a copy of another archive of this name") {
    const greffe::PrivateKey other = greffe::PrivateKey::generate();
    disks.owner.log.key = other.public_key();
    words = "another log key";
  }
  const auto fill = [&](const std::function<void(store::WholePool&)>& with) {
    name = "b";
    REQUIRE(store::init_volume(disks.files, disks.disk("b"), store::make_pool_id(), "shelf"));
    const auto pool = store::open_pool(disks.files, disks.clock, disks.place({"b"}), store::PoolMode::writer);
    REQUIRE(pool);
    with(**pool);
  };
  SECTION("an archive") {
    fill([&](store::WholePool& pool) {
      REQUIRE(pool.swap_head("log/main/checkpoint", "", head_of("archive.example", disks.key)));
    });
    words = "holds an archive";
  }
  SECTION("objects that nobody has named") {
    fill([](store::WholePool& pool) {
      const auto writer = pool.begin_object(3);
      REQUIRE(writer);
      REQUIRE((*writer)->write(greffe::as_bytes("abc")));
      REQUIRE((*writer)->commit(greffe::sha256(greffe::as_bytes("abc"))));
    });
    words = "something in it";
  }
  SECTION("logs of somebody") {
    fill([](store::WholePool& pool) { REQUIRE(pool.put("log/open/x", greffe::as_bytes("x"))); });
    words = "something in it";
  }
  const greffe::Bytes before = disks.roster(name);
  const auto refused = disks.make({name});
  REQUIRE_FALSE(refused);
  INFO(refused.error().message);
  CHECK(refused.error().message.find(words) != std::string::npos);
  CHECK(disks.roster(name) == before);
}

TEST_CASE("a copy whose label is lost is labelled again when its main log is signed by our archive, and only then") {
  Disks disks;
  REQUIRE(disks.make({"a"}));
  const std::string label = disks.disk("a") + "/" + std::string(replicate::kCopyLabelKey);
  const greffe::Bytes first = *disks.files.read_file(label, 10'000);
  const auto put = [&](const std::string& key, const std::string& text, bool is_head) {
    const auto pool = store::open_pool(disks.files, disks.clock, disks.place({"a"}), store::PoolMode::writer);
    REQUIRE(pool);
    if (is_head) REQUIRE((*pool)->swap_head(key, "", text));
    else REQUIRE((*pool)->put(key, greffe::as_bytes(text)));
  };
  const std::string head = greffe::checkpoint_path(greffe::foreign_log_path("archive.example"));
  disks.clock.pass_ms(86'400'000);
  SECTION("lost") {
    put(head, head_of("archive.example", disks.key), true);
    std::filesystem::remove(label);
    REQUIRE(disks.make({"a"}));
    const auto again = replicate::parse_copy_label(greffe::as_text(*disks.files.read_file(label, 10'000)));
    REQUIRE(again);
    CHECK(again->log == disks.owner.log);
    CHECK(again->began == disks.clock.utc_now());  // nobody knows when; all of it is read back for a while
    return;
  }
  SECTION("damaged: it is kept aside") {
    put(head, head_of("archive.example", disks.key), true);
    std::filesystem::remove(label);
    REQUIRE(disks.files.write_new(label, greffe::as_bytes("nothing that could be read")));
    REQUIRE(disks.make({"a"}));
    CHECK(replicate::parse_copy_label(greffe::as_text(*disks.files.read_file(label, 10'000))));
    CHECK_FALSE(std::filesystem::is_empty(disks.disk("a") + "/quarantine"));
    return;
  }
  SECTION("the log that lies there is another archive's, under our name") {
    const greffe::PrivateKey other = greffe::PrivateKey::generate();
    put(head, head_of("archive.example", other), true);
  }
  SECTION("another archive's log, under its own name") {
    const greffe::PrivateKey other = greffe::PrivateKey::generate();
    put(greffe::checkpoint_path(greffe::foreign_log_path("other.example")), head_of("other.example", other), true);
  }
  SECTION("the pool of a second site of both, whose own head is lost") {
    put(head, head_of("archive.example", disks.key), true);
    SECTION("its own log's") { put("log/main/tile/entries/000", "entries", false); }
    SECTION("another archive's") { put(greffe::foreign_log_path("other.example") + "/tile/entries/000", "entries", false); }
  }
  std::filesystem::remove(label);
  const greffe::Bytes before = disks.roster("a");
  const auto refused = disks.make({"a"});
  REQUIRE_FALSE(refused);
  INFO(refused.error().message);
  CHECK(refused.error().code == Errc::denied);
  CHECK_FALSE(std::filesystem::exists(label));
  CHECK(disks.roster("a") == before);
}

TEST_CASE("a volume with the label of a copy that is away is waited for; nobody labels the rest") {
  Disks disks;
  REQUIRE(disks.make({"a", "b"}));
  {
    const auto pool = store::open_pool(disks.files, disks.clock, disks.place({"a", "b"}), store::PoolMode::writer);
    REQUIRE(pool);
    REQUIRE((*pool)->swap_head(greffe::checkpoint_path(greffe::foreign_log_path("archive.example")), "", head_of("archive.example", disks.key)));
  }
  std::filesystem::remove(disks.disk("a") + "/" + std::string(replicate::kCopyLabelKey));
  std::filesystem::rename(disks.disk("b"), disks.disk("elsewhere"));
  const auto refused = disks.make({"a", "b"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unavailable);
  std::filesystem::rename(disks.disk("elsewhere"), disks.disk("b"));
  REQUIRE(disks.make({"a", "b"}));
  CHECK(std::filesystem::exists(disks.disk("a") + "/" + std::string(replicate::kCopyLabelKey)));
}

TEST_CASE("a making that was cut short between volumes and label goes on") {
  Disks disks;
  REQUIRE(store::init_volume(disks.files, disks.disk("a"), store::make_pool_id(), "volume-1"));
  REQUIRE(disks.make({"a", "b"}));
  const auto pool = store::open_pool(disks.files, disks.clock, disks.place({"a", "b"}), store::PoolMode::reader);
  REQUIRE(pool);
  CHECK(replicate::is_passive_copy(**pool, "archive.example").value());
}

TEST_CASE("the label of a copy is read as it was written, and nothing else is") {
  const greffe::PrivateKey key = greffe::PrivateKey::from_seed(greffe::Bytes(32, 3)).value();
  const replicate::CopyLabel label{"archive.example", {"archive.example", greffe::KeyType::ed25519, key.public_key()}, greffe::UtcTime{1'795'600'000'000}};
  const std::string text = replicate::write_copy_label(label);
  const auto read = replicate::parse_copy_label(text);
  REQUIRE(read);
  CHECK(replicate::write_copy_label(*read) == text);
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    const std::size_t at = other.find(from);
    REQUIRE(at != std::string::npos);
    other.replace(at, from.size(), to);
    INFO(other);
    const auto parsed = replicate::parse_copy_label(other);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::invalid);
  };
  refused("\"v\":1", "\"v\":2");
  refused("\"archive\":\"archive.example\"", "\"archive\":\"other.example\"");
  refused("\"archive\":\"archive.example\"", "\"archive\":\"Not A Name\"");
  refused("{", "{\"also\":1,");
  refused("}\n", "}");
  CHECK_FALSE(replicate::parse_copy_label(""));
  CHECK_FALSE(replicate::parse_copy_label(text + text));
}

TEST_CASE("the grade of a copy is read as it was written, and nothing else is") {
  replicate::CopyGrade grade;
  grade.utc = greffe::UtcTime{1'795'600'000'000};
  grade.generation = 7;
  grade.written = {10, 9, 900};
  grade.going = replicate::Round{greffe::UtcTime{1'795'600'000'000}, std::nullopt, 3, 8, {4, 4, 400}, 1};
  grade.last = replicate::Round{greffe::UtcTime{1'793'000'000'000}, greffe::UtcTime{1'795'500'000'000}, 5, 5, {6, 6, 600}, 0};
  grade.bad.push_back({greffe::sha256(greffe::as_bytes("x")), greffe::make_hearing_id(greffe::UtcTime{1'795'600'000'000}), true, greffe::UtcTime{1'795'600'000'000}});
  grade.bad.push_back({greffe::sha256(greffe::as_bytes("y")), std::nullopt, false, greffe::UtcTime{1'795'600'000'000}});
  const std::string text = replicate::write_copy_grade(grade);
  const auto read = replicate::parse_copy_grade(text);
  REQUIRE(read);
  CHECK(replicate::write_copy_grade(*read) == text);
  CHECK(read->generation == 7);
  REQUIRE(read->bad.size() == 2);
  CHECK(read->bad[0].is_missing);
  CHECK(read->words().find("not cosigned") != std::string::npos);
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    const std::size_t at = other.find(from);
    REQUIRE(at != std::string::npos);
    other.replace(at, from.size(), to);
    INFO(other);
    const auto parsed = replicate::parse_copy_grade(other);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::invalid);
  };
  refused("\"v\":1", "\"v\":2");
  refused("copied-and-read-back", "cosigned");
  refused("\"found\":\"missing\"", "\"found\":\"eaten\"");
  refused("\"next\":3", "\"next\":9");
  refused("\n7\n", "\n07\n");
  refused("\n7\n", "\n7");
  refused("\n7\n", "\n");
  refused("\"ended\":\"2026", "\"also\":\"2026");
  // As many as it may name fit into a head, which is what it is stored as.
  grade.bad.assign(replicate::CopyGrade::kMostBad, grade.bad.front());
  CHECK(replicate::write_copy_grade(grade).size() < 64 * 1024);
  CHECK(replicate::parse_copy_grade(replicate::write_copy_grade(grade)));
  grade.bad.push_back(grade.bad.front());
  CHECK_FALSE(replicate::parse_copy_grade(replicate::write_copy_grade(grade)));
}
