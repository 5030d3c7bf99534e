// Objects, log files and heads at a service whose answers get lost: RemoteStore and RemoteHeads.
#include <catch2/catch.hpp>

#include "archive/store/remote_store.h"
#include "tests/unit/store/conformance.h"
#include "tests/unit/support/manual_clock.h"
#include "tests/unit/support/memory_service.h"

using greffe::as_bytes;
using greffe::as_text;
using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::sha256;
using greffe::to_bytes;
using greffe::store::Damage;
using greffe::store::PoolMode;
using greffe::store::RemoteHeads;
using greffe::testing::Answer;
using greffe::testing::FixedTerm;
using greffe::testing::put_object;

namespace {

const greffe::store::RemotePlace kPlace{"the memory", "memory", "00112233445566778899aabbccddeeff"};

struct Remote {
  greffe::testing::MemoryService service;
  greffe::testing::ManualClock clock;
  std::vector<Damage> damage;
  FixedTerm term{1};
  RemoteHeads own_heads{service, &term};
  greffe::store::RemoteStore store{service, own_heads, clock, PoolMode::writer, {3, 2, true}, kPlace,
                                   [this](const Damage& d) { damage.push_back(d); }};
};

const std::string kKey = "log/main/checkpoint";

}  // namespace

TEST_CASE("an object whose writing was not answered is read before anything is said of it") {
  Remote remote;
  const Bytes bytes = to_bytes("what was said");
  const Digest digest = sha256(bytes);

  SECTION("it arrived") {
    remote.service.answer_next({Answer::lost_done});
    REQUIRE(put_object(remote.store, bytes, 100));
    REQUIRE(*remote.store.prove_object(digest));
  }
  SECTION("it did not arrive") {
    remote.service.answer_next({Answer::lost_not_done});
    REQUIRE(put_object(remote.store, bytes, 100).error().code == Errc::unavailable);
    REQUIRE_FALSE(*remote.store.prove_object(digest));
    REQUIRE(put_object(remote.store, bytes, 100));
  }
  SECTION("it arrives later and is whole") {
    remote.service.answer_next({Answer::lost_late});
    REQUIRE(put_object(remote.store, bytes, 100).error().code == Errc::unavailable);
    remote.service.deliver();
    REQUIRE(*remote.store.read_object(digest) == bytes);
  }
  SECTION("it arrived, but nobody vouches for it") {
    remote.service.answer_next({Answer::lost_done, Answer::lost_not_done});
    REQUIRE(put_object(remote.store, bytes, 100).error().code == Errc::unavailable);
  }
}

TEST_CASE("uploads together take no more memory than they may") {
  Remote remote;
  std::vector<std::unique_ptr<greffe::store::ObjectWriter>> writers;
  const std::uint64_t each = greffe::kMaxObjectBytes;
  for (std::uint64_t held = 0; held + each <= greffe::store::kUploadBytesMax; held += each) {
    auto writer = remote.store.begin_object(each);
    REQUIRE(writer);
    writers.push_back(*std::move(writer));
  }
  REQUIRE(remote.store.begin_object(each).error().code == Errc::unavailable);
  writers.pop_back();
  REQUIRE(remote.store.begin_object(each));
  REQUIRE(put_object(remote.store, to_bytes("what was said"), 100));
}

TEST_CASE("an object is proved by its bytes, once a day") {
  Remote remote;
  const Bytes bytes = to_bytes("what was said");
  const Digest digest = sha256(bytes);
  REQUIRE(put_object(remote.store, bytes, 100));
  const unsigned before = remote.service.reads();
  REQUIRE(*remote.store.prove_object(digest));
  REQUIRE(remote.service.reads() == before);  // this process wrote it
  remote.clock.pass_ms(greffe::store::kVerifiedForMs);
  REQUIRE(*remote.store.prove_object(digest));
  REQUIRE(remote.service.reads() == before + 1);
  REQUIRE(remote.store.open_object(digest));
  REQUIRE(remote.service.reads() == before + 1);  // it was hashed a moment ago
}

TEST_CASE("damaged bytes are never given out, and make room for good ones") {
  Remote remote;
  const Bytes bytes = to_bytes("what was said");
  const Digest digest = sha256(bytes);
  REQUIRE(put_object(remote.store, bytes, 100));
  remote.service.values()[greffe::object_key(digest)] = to_bytes("what was not");
  remote.clock.pass_ms(greffe::store::kVerifiedForMs);
  REQUIRE(remote.store.read_object(digest).error().code == Errc::corrupt);
  REQUIRE(remote.store.open_object(digest).error().code == Errc::corrupt);
  REQUIRE_FALSE(*remote.store.prove_object(digest));
  REQUIRE(remote.damage.size() == 3);
  REQUIRE_FALSE(remote.damage.back().repaired);
  REQUIRE(put_object(remote.store, bytes, 100));
  REQUIRE(remote.damage.back().repaired);
  REQUIRE(*remote.store.read_object(digest) == bytes);
  unsigned kept = 0;
  for (const auto& [key, value] : remote.service.values()) {
    kept += key.starts_with("quarantine/") && as_text(value) == "what was not" ? 1 : 0;
  }
  REQUIRE(kept == 1);
}

TEST_CASE("a reader writes nothing") {
  Remote remote;
  RemoteHeads heads(remote.service, nullptr);
  greffe::store::RemoteStore reader(remote.service, heads, remote.clock, PoolMode::reader, {3, 2, true}, kPlace, {});
  REQUIRE(reader.begin_object(1).error().code == Errc::denied);
  REQUIRE(reader.put("log/main/tile/0/000", as_bytes("x")).error().code == Errc::denied);
  REQUIRE(reader.remove_stage("log/open/x").error().code == Errc::denied);
  REQUIRE(reader.restore("log/main/tile/0/000", as_bytes("x")).error().code == Errc::denied);
  REQUIRE(reader.swap_head(kKey, "", "x\n1\n").error().code == Errc::denied);
  REQUIRE(remote.service.values().empty());
}

TEST_CASE("a head whose writing was not answered is settled before it is used") {
  Remote remote;
  const FixedTerm lease(7);
  RemoteHeads heads(remote.service, &lease);
  RemoteHeads others(remote.service, &lease);  // looks with other eyes
  const bool is_first = GENERATE(true, false);
  const std::string old = is_first ? "" : "x\n1\n";
  if (!is_first) REQUIRE(heads.swap(kKey, "", old));
  const auto stands = [&](const std::string& text) {
    const auto head = others.read(kKey);
    return text.empty() ? !head && head.error().code == Errc::not_found : head && *head == text;
  };

  SECTION("it arrived") {
    remote.service.answer_next({Answer::lost_done});
    REQUIRE(heads.swap(kKey, old, "x\n2\n"));
    REQUIRE(stands("x\n2\n"));
  }
  SECTION("it did not arrive") {
    remote.service.answer_next({Answer::lost_not_done});
    REQUIRE(heads.swap(kKey, old, "x\n2\n").error().code == Errc::unavailable);
    REQUIRE(stands(old));
    REQUIRE(heads.swap(kKey, old, "x\n3\n"));
  }
  SECTION("it cannot arrive after it was said that it did not") {
    remote.service.answer_next({Answer::lost_late});
    REQUIRE(heads.swap(kKey, old, "x\n2\n").error().code == Errc::unavailable);
    remote.service.deliver();
    REQUIRE(stands(old));
    REQUIRE(heads.swap(kKey, old, "x\n3\n"));
    REQUIRE(stands("x\n3\n"));
  }
  SECTION("as long as it cannot be settled, nothing is said of the head") {
    remote.service.answer_next({Answer::lost_late, Answer::lost_not_done, Answer::lost_not_done});
    REQUIRE(heads.swap(kKey, old, "x\n2\n").error().code == Errc::unavailable);
    REQUIRE(heads.read(kKey).error().code == Errc::unavailable);
    remote.service.deliver();
    REQUIRE(*heads.read(kKey) == "x\n2\n");
    REQUIRE(heads.swap(kKey, "x\n2\n", "x\n3\n"));
  }
  SECTION("settling itself may be answered late") {
    remote.service.answer_next({Answer::lost_late, Answer::lost_late});
    REQUIRE(heads.swap(kKey, old, "x\n2\n").error().code == Errc::unavailable);
    remote.service.deliver();  // the first of the two wins; the second finds another head
    REQUIRE(*heads.read(kKey) == "x\n2\n");
  }
}

TEST_CASE("a head that a later writer has read takes nothing from an earlier one") {
  Remote remote;
  const FixedTerm first(1);
  const FixedTerm second(2);
  RemoteHeads before(remote.service, &first);
  RemoteHeads after(remote.service, &second);
  REQUIRE(before.swap(kKey, "", "x\n1\n"));

  SECTION("not what it sends afterwards") {
    REQUIRE(*after.read(kKey) == "x\n1\n");
    REQUIRE(before.swap(kKey, "x\n1\n", "x\n2\n").error().code == Errc::denied);
    REQUIRE(before.read(kKey).error().code == Errc::denied);
    REQUIRE(after.swap(kKey, "x\n1\n", "x\n3\n"));
  }
  SECTION("not what it had sent before") {
    remote.service.answer_next({Answer::lost_late, Answer::lost_not_done});
    REQUIRE(before.swap(kKey, "x\n1\n", "x\n2\n").error().code == Errc::unavailable);
    REQUIRE(*after.read(kKey) == "x\n1\n");
    remote.service.deliver();
    REQUIRE(*after.read(kKey) == "x\n1\n");
    REQUIRE(after.swap(kKey, "x\n1\n", "x\n3\n"));
  }
  SECTION("a reader changes nothing") {
    RemoteHeads reader(remote.service, nullptr);
    REQUIRE(*reader.read(kKey) == "x\n1\n");
    REQUIRE(before.swap(kKey, "x\n1\n", "x\n2\n"));
    REQUIRE(*reader.read(kKey) == "x\n2\n");
  }
}

TEST_CASE("without the lease no head moves") {
  Remote remote;
  FixedTerm lease(1);
  RemoteHeads heads(remote.service, &lease, std::chrono::milliseconds(10));
  REQUIRE(heads.swap(kKey, "", "x\n1\n"));
  lease.set(greffe::fail(Errc::unavailable, "lapsed"));
  REQUIRE(heads.swap(kKey, "x\n1\n", "x\n2\n").error().code == Errc::unavailable);
  REQUIRE(heads.read(kKey).error().code == Errc::unavailable);
  lease.set(greffe::fail(Errc::denied, "lost"));
  REQUIRE(heads.swap(kKey, "x\n1\n", "x\n2\n").error().code == Errc::denied);
  lease.set(greffe::ok());
  REQUIRE(*heads.read(kKey) == "x\n1\n");
}

TEST_CASE("a scrub hashes every object and names the bad ones") {
  Remote remote;
  std::vector<Digest> digests;
  for (int i = 0; i < 3; ++i) {
    const Bytes bytes = to_bytes("object " + std::to_string(i));
    REQUIRE(put_object(remote.store, bytes, 100));
    digests.push_back(sha256(bytes));
  }
  const std::string bad = greffe::object_key(digests[1]);
  remote.service.values()[bad][0] ^= 1;
  remote.service.values()["sha256/zz"] = to_bytes("no object");
  std::vector<std::string> problems;
  const auto totals = remote.store.scrub({}, [&](const greffe::store::ScrubbedObject& object) {
    if (!object.problem.empty()) problems.push_back(object.key);
    return true;
  });
  REQUIRE(totals);
  REQUIRE(totals->finished);
  REQUIRE(totals->objects == 4);
  REQUIRE(totals->failures == 2);
  std::sort(problems.begin(), problems.end());
  std::vector<std::string> expected = {bad, "sha256/zz"};
  std::sort(expected.begin(), expected.end());
  REQUIRE(problems == expected);
  REQUIRE(remote.store.scrub({0, bad}, [](const auto&) { return true; }).error().code == Errc::invalid);
  REQUIRE(remote.store.read_back(digests[0]).enough());
  REQUIRE(remote.store.read_back(digests[1]).damaged);
  REQUIRE(remote.store.repair_object(digests[0])->healthy());
  REQUIRE(remote.store.repair_object(digests[1]).error().code == Errc::corrupt);
}

TEST_CASE("the place is missing while nothing may be written") {
  Remote remote;
  REQUIRE(remote.store.volumes().size() == 1);
  REQUIRE(remote.store.volumes()[0].state == greffe::store::VolumeState::active);
  remote.term.set(greffe::fail(Errc::unavailable, "lapsed"));
  REQUIRE(remote.store.volumes()[0].state == greffe::store::VolumeState::missing);
  REQUIRE(remote.store.volumes()[0].reason == "lapsed");
}

TEST_CASE("a lease that lapsed in a standstill is waited for") {
  struct Lapsed : greffe::store::TermLease {
    greffe::Status check() const override {
      return ++asked < 4 ? greffe::Status(greffe::fail(Errc::unavailable, "lapsed")) : greffe::ok();
    }
    std::uint64_t term() const override { return 1; }
    mutable int asked = 0;
  };
  Remote remote;
  const Lapsed lease;
  RemoteHeads heads(remote.service, &lease);
  REQUIRE(heads.swap(kKey, "", "x\n1\n"));
  REQUIRE(lease.asked >= 4);
}
