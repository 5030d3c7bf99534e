// Where the writer of a remote pool is: the text itself, and S3's lease, which keeps it.
#include <catch2/catch.hpp>

#include <thread>

#include "archive/store/s3_lease.h"
#include "tests/unit/support/memory_service.h"

using greffe::Errc;
using greffe::store::HeldCell;
using greffe::store::Holding;
using greffe::store::LeaseWish;
using greffe::store::make_token;
using greffe::store::parse_writer_place;
using greffe::store::S3Lease;
using greffe::store::WriterPlace;
using greffe::store::write_writer_place;

namespace {

WriterPlace place_of(const std::string& name) {
  return {"https://" + name + ":8444", "https://" + name + ":8443", greffe::sha256(greffe::as_bytes(name))};
}

const greffe::PrivateKey& server_key() {
  static const greffe::PrivateKey key = greffe::PrivateKey::generate();
  return key;
}
std::string text_of(const std::string& name) { return write_writer_place(place_of(name), server_key()); }

constexpr unsigned kLeaseS = 2;

}  // namespace

TEST_CASE("where a writer is: what is written is read, and nothing else") {
  const greffe::PublicKey key = server_key().public_key();
  const std::string good = text_of("a1.court.example");
  REQUIRE(parse_writer_place(good, key));
  CHECK(*parse_writer_place(good, key) == place_of("a1.court.example"));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string out = good;
    const std::size_t at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
  };
  for (const std::string& bad : {std::string(), std::string("{}"), good + " ", good.substr(1), with("\"v\":1", "\"v\":2"), with("https://a1", "http://a1"),
                                 with(":8444", ":8444/path"), with("\"pages_key\":\"", "\"pages_key\":\"0"), with("a1", std::string(2000, 'a'))}) {
    INFO(bad);
    const auto parsed = parse_writer_place(bad, key);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::corrupt);
  }
  // Somebody who can write to the pool, but has not the archive's key.
  for (const std::string& forged : {with("https://a1", "https://b1"), with(":8443", ":9443"), with("\"pages_key\":\"", "\"pages_key\":\"ab").erase(good.find("pages_url") - 4, 2),
                                    write_writer_place(place_of("a1.court.example"), greffe::PrivateKey::generate())}) {
    INFO(forged);
    const auto parsed = parse_writer_place(forged, key);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::denied);
  }
}

TEST_CASE("s3's lease says where its holder is, and that it is free") {
  greffe::testing::MemoryService service;
  greffe::SystemClock clock;
  CHECK(S3Lease::look(service)->holding == Holding::free);
  {
    const auto lease = S3Lease::take(service, clock, kLeaseS, {{}, text_of("a1"), {}});
    REQUIRE(lease);
    for (const int look : {0, 1}) {  // renewed in between
      const auto seen = S3Lease::look(service);
      REQUIRE(seen);
      CHECK(seen->holding == Holding::unknown);
      CHECK(seen->place == text_of("a1"));
      if (look == 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    CHECK(S3Lease::take(service, clock, kLeaseS, {}).error().code == Errc::unavailable);
  }
  CHECK(S3Lease::look(service)->holding == Holding::free);
  const auto next = S3Lease::take(service, clock, kLeaseS, {{}, text_of("a2"), {}});  // at once
  REQUIRE(next);
  CHECK(S3Lease::look(service)->place == text_of("a2"));
}

TEST_CASE("s3's lease of a holder that died is taken after a whole lease, and waiting for it can be broken off") {
  greffe::testing::MemoryService service;
  greffe::SystemClock clock;
  const std::string held = "held\n" + text_of("a1");
  REQUIRE(service.write(greffe::store::kS3Lease, HeldCell{}, held, make_token(4)));
  CHECK(S3Lease::look(service)->place == text_of("a1"));

  std::stop_source stop;
  {
    const std::jthread other([&] { stop.request_stop(); });
    CHECK(S3Lease::take(service, clock, 600, {{}, "", stop.get_token()}).error().code == Errc::cancelled);
  }
  const std::int64_t began_ms = clock.monotonic_ms();
  const auto lease = S3Lease::take(service, clock, kLeaseS, {{}, text_of("a2"), {}});
  REQUIRE(lease);
  CHECK(clock.monotonic_ms() - began_ms >= 2000);
  CHECK((*lease)->term() == 5);
  CHECK(S3Lease::look(service)->place == text_of("a2"));

  const auto now = service.look(greffe::store::kS3Lease);
  REQUIRE(service.write(greffe::store::kS3Lease, *now, "held", make_token(6)));  // by a program that says no more
  CHECK(S3Lease::look(service)->place.empty());
}
