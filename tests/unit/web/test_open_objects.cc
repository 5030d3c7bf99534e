// For how long, and for how many, what was opened stays open.
#include <catch2/catch.hpp>

#include "web/open_objects.h"

using greffe::web::kOpenForMs;
using greffe::web::kOpenObjectsMax;
using greffe::web::OpenObject;
using greffe::web::OpenObjects;

namespace {

class SetClock : public greffe::Clock {
 public:
  greffe::UtcTime utc_now() override { return {now_ms}; }
  std::int64_t monotonic_ms() override { return now_ms; }
  std::string boot_id() override { return "boot"; }
  std::int64_t now_ms = 1000;
};

greffe::Digest key(std::size_t number) { return greffe::sha256(greffe::as_bytes(std::to_string(number))); }

greffe::http::Request asking(const std::string& path, const std::string& header, const std::string& value) {
  greffe::http::Request request;
  request.path = path;
  request.headers.emplace(header, value);
  return request;
}

}  // namespace

TEST_CASE("an object is given at once for two seconds after its rights were looked at, however often it is asked for") {
  SetClock clock;
  OpenObjects open(clock);
  CHECK_FALSE(open.find(key(1)));
  open.keep(key(1), OpenObject{nullptr, 7, "video/mp4", "tag"});
  for (int i = 0; i < 4; ++i) {
    const auto found = open.find(key(1));
    REQUIRE(found);
    CHECK(found->size == 7);
    clock.now_ms += kOpenForMs / 4;
  }
  CHECK_FALSE(open.find(key(1)));
  open.keep(key(1), OpenObject{});
  CHECK(open.find(key(1)));
}

TEST_CASE("so many files are open at most; those that are over go first") {
  SetClock clock;
  OpenObjects open(clock);
  open.keep(key(0), OpenObject{});
  clock.now_ms += kOpenForMs;
  for (std::size_t i = 1; i <= kOpenObjectsMax; ++i) open.keep(key(i), OpenObject{});
  for (std::size_t i = 1; i <= kOpenObjectsMax; ++i) CHECK(open.find(key(i)));
  open.keep(key(kOpenObjectsMax + 1), OpenObject{});
  CHECK(open.find(key(kOpenObjectsMax + 1)));
  std::size_t kept = 0;
  for (std::size_t i = 1; i <= kOpenObjectsMax + 1; ++i) kept += open.find(key(i)).has_value() ? 1 : 0;
  CHECK(kept == kOpenObjectsMax);
}

TEST_CASE("the key of an open object holds who asks and for what") {
  const auto mine = OpenObjects::key_of(asking("/a", "cookie", "__Host-greffe=s1"));
  CHECK(mine == OpenObjects::key_of(asking("/a", "cookie", "other=x; __Host-greffe=s1")));
  CHECK(mine != OpenObjects::key_of(asking("/a", "cookie", "__Host-greffe=s2")));
  CHECK(mine != OpenObjects::key_of(asking("/b", "cookie", "__Host-greffe=s1")));
  CHECK(mine != OpenObjects::key_of(asking("/a", "x", "")));
  CHECK(OpenObjects::key_of(asking("/a", "authorization", "Bearer grf_1")) != OpenObjects::key_of(asking("/a", "authorization", "Bearer grf_2")));
}
