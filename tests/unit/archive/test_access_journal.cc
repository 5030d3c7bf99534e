// Who plays what while the main log is not continued: durable before it is answered for, and once in the log when that goes on.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "archive/access_journal.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/forgetful_file_system.h"

using greffe::Errc;
using greffe::archive::AccessJournal;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;
using greffe::testing::SampleArchive;

namespace {

const std::string kState = "/state";
const std::string kFile = kState + "/accesses";

std::unique_ptr<ForgetfulFileSystem> state_folder() {
  auto files = std::make_unique<ForgetfulFileSystem>();
  REQUIRE(files->make_directories(kState));
  return files;
}

struct Held {
  SampleArchive archive;
  std::unique_ptr<ForgetfulFileSystem> files = state_folder();
  greffe::HearingId hearing = greffe::make_hearing_id(greffe::UtcTime{1'795'338'000'000});

  Held() { archive.main_log->hold("because of a test"); }
  greffe::AccessEntry access(const std::string& session) const {
    greffe::AccessEntry out;
    out.hearing = hearing;
    out.account = "u-17";
    out.purpose = "play";
    out.session = session;
    out.utc = greffe::UtcTime{1'795'338'000'000};
    return out;
  }
  AccessJournal journal(std::size_t most = AccessJournal::kMost) { return {*files, archive.log, *archive.main_log, kState, most}; }
  std::vector<std::string> logged() const {
    std::vector<std::string> out;
    const auto reader = archive.main_log->reader();
    REQUIRE(reader.entries(0, archive.main_log->head().checkpoint.size, [&](std::uint64_t, std::string_view text) {
      const auto entry = greffe::parse_main_entry(text);
      const auto* access = entry ? std::get_if<greffe::AccessEntry>(&*entry) : nullptr;
      if (access != nullptr) out.push_back(access->session);
      return true;
    }));
    return out;
  }
  std::string text() const {
    const auto bytes = files->read_file(kFile, 1'000'000);
    return bytes ? std::string(greffe::as_text(*bytes)) : std::string();
  }
  bool has_file() const { return files->stat(kFile).has_value(); }
};

using Sessions = std::vector<std::string>;

}  // namespace

TEST_CASE("while the log goes on an access is in it at once, and nowhere else") {
  Held held;
  held.archive.main_log->release();
  AccessJournal journal = held.journal();
  REQUIRE(journal.load());
  REQUIRE(journal.record(held.access("s1")));
  CHECK(held.logged() == Sessions{"s1"});
  CHECK_FALSE(held.has_file());
  CHECK(journal.waiting().count == 0);
}

TEST_CASE("while nothing is signed accesses survive a power cut, and are in the log once it goes on, each once") {
  Held held;
  {
    AccessJournal journal = held.journal();
    REQUIRE(journal.load());
    for (const char* session : {"s1", "s2", "s3"}) REQUIRE(journal.record(held.access(session)));
    CHECK(journal.settle().error().code == Errc::unavailable);
    CHECK(held.logged().empty());
  }
  held.files->crash();
  AccessJournal journal = held.journal();
  REQUIRE(journal.load());
  CHECK(journal.waiting().count == 3);
  REQUIRE(journal.record(held.access("s4")));
  const auto before = held.files->clone();
  held.archive.main_log->release();
  REQUIRE(journal.settle());
  CHECK(held.logged() == Sessions{"s1", "s2", "s3", "s4"});
  CHECK(journal.waiting().count == 0);
  CHECK_FALSE(held.has_file());

  // Killed between the log and the file: it is still there, and nothing is doubled.
  AccessJournal again(*before, held.archive.log, *held.archive.main_log, kState);
  REQUIRE(again.load());
  CHECK(again.waiting().count == 4);
  REQUIRE(again.settle());
  CHECK(held.logged() == Sessions{"s1", "s2", "s3", "s4"});
  CHECK_FALSE(before->stat(kFile));
}

TEST_CASE("killed after some of what waited was appended, the rest follows") {
  Held held;
  AccessJournal journal = held.journal();
  for (const char* session : {"s1", "s2", "s3"}) REQUIRE(journal.record(held.access(session)));
  held.archive.main_log->release();
  REQUIRE(held.archive.main_log->append(held.access("s2")));
  REQUIRE(journal.settle());
  CHECK(held.logged() == Sessions{"s2", "s1", "s3"});
}

TEST_CASE("an access that cannot be kept is not answered for, and one that was is there after a power cut", "[every-step]") {
  Held held;
  std::uint64_t steps = 0;
  for (const Fault fault : {Fault::none, Fault::fails_before, Fault::fails_after, Fault::fails_half, Fault::power_off}) {
    for (std::uint64_t step = 1; step <= std::max<std::uint64_t>(steps, 1); ++step) {
      INFO("fault " << static_cast<int>(fault) << " at step " << step << " of " << steps);
      held.files = state_folder();
      held.files->faults().arm(fault, step);
      std::set<std::string> answered;
      {
        AccessJournal journal = held.journal();
        for (const char* session : {"s1", "s2", "s3"}) {
          const bool kept = journal.record(held.access(session)).has_value();
          if (kept) answered.insert(session);
          REQUIRE((kept || fault != Fault::none));
        }
        if (fault == Fault::none) steps = held.files->faults().counted();
        if (fault != Fault::power_off) REQUIRE(answered.size() >= 2);  // one failure is one access at most
      }
      held.files->crash(step);
      held.files->faults().disarm();
      AccessJournal journal = held.journal();
      REQUIRE(journal.load());
      for (const std::string& session : answered) REQUIRE(held.text().find(session) != std::string::npos);
      REQUIRE(journal.waiting().count >= answered.size());
      REQUIRE(journal.record(held.access("s9")));
      AccessJournal after = held.journal();
      REQUIRE(after.load());
      REQUIRE(after.waiting().count == journal.waiting().count);
    }
  }
  CHECK(steps > 4);
}

TEST_CASE("the torn end of the file is no access, and a line that rotted is named and kept aside") {
  Held held;
  {
    AccessJournal journal = held.journal();
    for (const char* session : {"s1", "s2", "s3"}) REQUIRE(journal.record(held.access(session)));
  }
  std::size_t whole = 3;
  SECTION("torn") {
    REQUIRE(held.files->damage(kFile, [](greffe::Bytes& bytes) { bytes.resize(bytes.size() - 9); }));
    whole = 2;
  }
  SECTION("rotten") {
    REQUIRE(held.files->damage(kFile, [](greffe::Bytes& bytes) {
      const std::string mark = "s2";
      const auto at = std::search(bytes.begin(), bytes.end(), mark.begin(), mark.end());
      *(at - 1) = 0;
    }));
    whole = 2;
  }
  SECTION("without its first line: the whole log is looked at") {
    REQUIRE(held.files->damage(kFile, [](greffe::Bytes& bytes) { bytes[0] = 'x'; }));
    held.archive.main_log->release();
    REQUIRE(held.archive.main_log->append(held.access("s1")));
    held.archive.main_log->hold("because of a test");
  }
  AccessJournal journal = held.journal();
  REQUIRE(journal.load());
  CHECK(journal.waiting().count == whole);
  REQUIRE(journal.record(held.access("s4")));
  held.archive.main_log->release();
  REQUIRE(journal.settle());
  CHECK(held.logged().size() == whole + 1);
}

TEST_CASE("too many that wait are not taken") {
  Held held;
  AccessJournal journal = held.journal(2);
  REQUIRE(journal.record(held.access("s1")));
  REQUIRE(journal.record(held.access("s2")));
  const auto refused = journal.record(held.access("s3"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::unavailable);
}

TEST_CASE("how many wait and since when is known at once, also after a start") {
  Held held;
  greffe::AccessEntry first = held.access("s1");
  first.utc = greffe::UtcTime{1'795'337'000'000};
  {
    AccessJournal journal = held.journal();
    CHECK_FALSE(journal.waiting().since);
    REQUIRE(journal.record(first));
    REQUIRE(journal.record(held.access("s2")));
    CHECK(journal.waiting().count == 2);
    CHECK(journal.waiting().since == first.utc);
  }
  AccessJournal again = held.journal();
  REQUIRE(again.load());
  CHECK(again.waiting().count == 2);
  CHECK(again.waiting().since == first.utc);
  held.archive.main_log->release();
  REQUIRE(again.settle());
  CHECK_FALSE(again.waiting().since);
}

TEST_CASE("its thread appends as soon as the log goes on") {
  Held held;
  AccessJournal journal = held.journal();
  journal.start();
  REQUIRE(journal.record(held.access("s1")));
  held.archive.main_log->release();
  for (int i = 0; i < 1000 && journal.waiting().count > 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(journal.waiting().count == 0);
  journal.stop();
  CHECK(held.logged() == Sessions{"s1"});
}
