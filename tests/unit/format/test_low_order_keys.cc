#include <catch2/catch.hpp>

#include "archive/format/ed25519.h"

TEST_CASE("a key of low order signs nothing, although everybody can make its signatures") {
  // The neutral point as key and as R, with S = 0, satisfies the equation of RFC 8032 for every message.
  greffe::Signature forged{};
  forged[0] = 1;
  for (const char* hex : {"0100000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000080",
                          "0000000000000000000000000000000000000000000000000000000000000000",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"}) {
    INFO(hex);
    const auto key = greffe::public_key_from_hex(hex);
    REQUIRE(key);
    for (int i = 0; i < 32; ++i) {  // some of these points need a message whose hash fits their order
      const std::string message = "message " + std::to_string(i);
      CHECK_FALSE(greffe::verify_signature(*key, greffe::as_bytes(message), forged));
    }
  }
  const greffe::PrivateKey honest = greffe::PrivateKey::generate();
  CHECK(greffe::verify_signature(honest.public_key(), greffe::as_bytes("x"), honest.sign(greffe::as_bytes("x"))));
}
