// Who asks through another machine of the archive: nobody else can say it.
#include <catch2/catch.hpp>

#include "web/forwarded_address.h"

using greffe::Errc;
using greffe::PrivateKey;
using greffe::UtcTime;
using greffe::web::client_address;
using greffe::web::kForwardedForMs;
using greffe::web::kForwardedHeader;
using greffe::web::write_forwarded;

namespace {

constexpr UtcTime kNow{1'795'600'000'000};

greffe::http::Request request_from(const std::string& remote) {
  greffe::http::Request out;
  out.method = "POST";
  out.target = "/v1/session";
  out.remote = remote;
  return out;
}

// As it arrives at the machine that writes.
greffe::http::Request forwarded(const std::string& header) {
  greffe::http::Request out = request_from("10.0.0.6:40000");
  out.headers.emplace(kForwardedHeader, header);
  return out;
}

}  // namespace

TEST_CASE("the address of a request that was handed on is the one of who asked") {
  const PrivateKey key = PrivateKey::generate();
  for (const auto& [remote, address] : {std::pair("10.1.2.3:5000", "10.1.2.3"), std::pair("[::1]:5000", "[::1]")}) {
    const std::string header = write_forwarded(key, request_from(remote), "POST", kNow);
    CHECK(*client_address(key.public_key(), forwarded(header), kNow) == address);
    CHECK(*client_address(key.public_key(), forwarded(header), UtcTime{kNow.ms + kForwardedForMs}) == address);
  }
  CHECK(*client_address(key.public_key(), request_from("10.0.0.6:40000"), kNow) == "10.0.0.6");  // nobody handed it on
}

TEST_CASE("a header that no machine of the archive wrote for this request is refused") {
  const PrivateKey key = PrivateKey::generate();
  const PrivateKey other = PrivateKey::generate();
  const auto asked = request_from("10.1.2.3:5000");
  const std::string good = write_forwarded(key, asked, "POST", kNow);
  const auto refused = [&](const greffe::http::Request& request, UtcTime now = kNow) {
    const auto address = client_address(key.public_key(), request, now);
    return !address && address.error().code == Errc::denied;
  };
  REQUIRE_FALSE(refused(forwarded(good)));
  CHECK(refused(forwarded(write_forwarded(other, asked, "POST", kNow))));
  CHECK(refused(forwarded("10.9.9.9" + good.substr(good.find(' ')))));  // another address
  CHECK(refused(forwarded(write_forwarded(key, asked, "GET", kNow))));
  CHECK(refused(forwarded(good), UtcTime{kNow.ms + kForwardedForMs + 1}));
  CHECK(refused(forwarded(good), UtcTime{kNow.ms - kForwardedForMs - 1}));
  auto elsewhere = asked;
  elsewhere.target = "/v1/session?x";
  CHECK(refused(forwarded(write_forwarded(key, elsewhere, "POST", kNow))));
  auto twice = forwarded(good);
  twice.headers.emplace(kForwardedHeader, good);
  CHECK(refused(twice));
  for (const std::string& bad : {std::string(), std::string("10.1.2.3"), std::string("10.1.2.3 5"), good + " ", good.substr(0, good.size() - 4), good + std::string(300, 'A')}) {
    INFO(bad);
    CHECK(refused(forwarded(bad)));
  }
}
