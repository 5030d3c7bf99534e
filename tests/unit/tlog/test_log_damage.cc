// Every kind of damage to the files of a log, on one, two and all volumes: a log is never opened shorter or other than it was, and what was
// refused is whole again when one good copy is brought back.
#include <catch2/catch.hpp>

#include "archive/tlog/log_check.h"
#include "tests/unit/support/damages.h"
#include "tests/unit/tlog/log_fixture.h"

using greffe::Bytes;
using greffe::Errc;
using greffe::testing::append_up_to;
using greffe::testing::Damage;
using greffe::testing::entries_between;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::kDamages;
using greffe::testing::kLogPath;
using greffe::testing::kOrigin;
using greffe::testing::open_writer;
using greffe::testing::ReferenceRoots;
using greffe::testing::Signer;
using greffe::testing::spoil;
using greffe::testing::TestPool;
using greffe::tlog::check_log;
using greffe::tlog::CheckMode;
using greffe::tlog::LogReader;

namespace {

constexpr std::uint64_t kSize = 530;  // two full bundles and a stage

bool is_signed(std::string_view, std::string_view text) {
  const auto note = greffe::parse_signed_checkpoint(text);
  return note && greffe::verify_note(note->note, {kOrigin, greffe::KeyType::ed25519, Signer().key.public_key()});
}

const ForgetfulFileSystem& image() {
  static const auto files = [] {
    TestPool test(3);
    auto writer = open_writer(*test.pool);
    REQUIRE(append_up_to(*writer, Signer(), 520));
    REQUIRE(append_up_to(*writer, Signer(), kSize));
    test.pool.reset();
    return test.files->clone();
  }();
  return *files;
}

void check_whole(TestPool& test, const greffe::Digest& root) {
  auto writer = open_writer(*test.pool);
  INFO((writer ? std::string() : writer.error().message));
  REQUIRE(writer);
  REQUIRE(writer->size() == kSize);
  REQUIRE(writer->root() == root);
  REQUIRE(*LogReader(*test.pool, *test.pool, kLogPath).entries(0, kSize) == entries_between(0, kSize));
}

}  // namespace

TEST_CASE("a log with damage of any kind on one, two and all volumes is right, or is not opened; it is never cut") {
  const auto root = ReferenceRoots(kSize).at(kSize);
  const std::string checkpoint = "log/main/checkpoint";
  const std::string stage = greffe::stage_path(kLogPath, {512, kSize, root});
  const std::vector<std::pair<std::string, std::string>> files = {{checkpoint, stage},
                                                                  {stage, "log/main/tile/entries/001"},
                                                                  {"log/main/tile/entries/001", "log/main/tile/entries/000"},
                                                                  {"log/main/tile/entries/000", "log/main/tile/entries/001"},
                                                                  {"log/main/tile/0/000", "log/main/tile/0/001"}};
  for (const auto& [key, other] : files) {
    for (const Damage damage : kDamages) {
      for (unsigned volumes = 1; volumes <= 3; ++volumes) {
        INFO(key << " " << name_of(damage) << " on " << volumes << " volumes");
        TestPool test(image().clone(), 3);
        test.head_is_good = is_signed;
        const Bytes good = *test.files->read_file(test.path(0, key), 1 << 20);
        for (unsigned i = 0; i < volumes; ++i) spoil(*test.files, test.path(i, key), damage, test.path(i, other), i + 1);
        test.open();
        {
          const auto writer = open_writer(*test.pool);
          // Without any head there is no log at this level: the guard file and the main log know that there was one.
          const bool unknown = key == checkpoint && damage == Damage::deleted && volumes == 3;
          if (writer && !unknown) REQUIRE(writer->size() == kSize);
          if (writer && !unknown) REQUIRE(writer->root() == root);
          if (!writer) REQUIRE((volumes == 3 || (volumes == 2 && key == checkpoint)));
          const auto entries = LogReader(*test.pool, *test.pool, kLogPath).entries(0, kSize);
          if (entries) REQUIRE(*entries == entries_between(0, kSize));
          if (writer && volumes < 3) REQUIRE(entries);
        }
        if (volumes == 3 || (volumes == 2 && key == checkpoint)) {
          test.pool.reset();
          REQUIRE(test.files->replace(test.path(1, key), good, 0440));
          if (key == checkpoint) REQUIRE(test.files->replace(test.path(2, key), good, 0440));
          test.open();
        }
        check_whole(test, root);
        REQUIRE(check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::repair));
        REQUIRE(check_log(*test.pool, *test.pool, *test.pool, kLogPath, CheckMode::report)->clean());
      }
    }
  }
}

// What is finished has no stage that could vouch for its head, and the volume that was away still has one for its own.
TEST_CASE("of a log that was finished while a volume was away, the newest head counts when that volume and one other are left") {
  for (const std::uint64_t size : {5, 256, 300, 65'540}) {
    INFO(size);
    const ReferenceRoots roots(size);
    TestPool test(3);
    {
      auto writer = open_writer(*test.pool);
      REQUIRE(append_up_to(*writer, Signer(), 3));
    }
    test.pool.reset();
    test.files->unmount("/disk2");
    test.open();
    {
      auto writer = open_writer(*test.pool);
      while (writer->size() < size) REQUIRE(append_up_to(*writer, Signer(), std::min<std::uint64_t>(size, writer->size() + 20'000)));
      REQUIRE(writer->finalise());
    }
    test.pool.reset();
    test.files->mount("/disk2");
    test.files->unmount("/disk0");
    test.open();
    const auto writer = open_writer(*test.pool);
    REQUIRE(writer);
    REQUIRE(writer->size() == size);
    REQUIRE(writer->root() == roots.at(size));
  }
}
