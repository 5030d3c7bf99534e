#include <catch2/catch.hpp>

#include "archive/base/bytes.h"

using greffe::as_bytes;
using greffe::as_text;

TEST_CASE("base64 accepts only the one canonical form") {
  CHECK(greffe::to_base64(as_bytes("")) == "");
  CHECK(greffe::to_base64(as_bytes("f")) == "Zg==");
  CHECK(greffe::to_base64(as_bytes("fo")) == "Zm8=");
  CHECK(greffe::to_base64(as_bytes("foobar")) == "Zm9vYmFy");
  CHECK(as_text(*greffe::from_base64("Zm8=")) == "fo");
  for (const char* wrong : {"Zm8", "Zm8==", "Zh==", "====", "Zg==Zg==", " Zm8=", "Zm8=\n", "Z", "Zm9v Ym", "Zm-v"}) {
    INFO(wrong);
    CHECK_FALSE(greffe::from_base64(wrong));
  }
}

TEST_CASE("base64url is not padded") {
  const greffe::Bytes bytes{0xfb, 0xff, 0xbf};
  CHECK(greffe::to_base64url(bytes) == "-_-_");
  CHECK(*greffe::from_base64url("-_-_") == bytes);
  CHECK_FALSE(greffe::from_base64url("Zg=="));
  CHECK_FALSE(greffe::from_base64url("Zh"));
}

TEST_CASE("hexadecimal is lower case") {
  CHECK(greffe::to_hex(greffe::Bytes{0x00, 0xab}) == "00ab");
  CHECK(*greffe::from_hex("00ab") == greffe::Bytes{0x00, 0xab});
  CHECK_FALSE(greffe::from_hex("00AB"));
  CHECK_FALSE(greffe::from_hex("0"));
}

TEST_CASE("UTF-8 is checked as Unicode defines it") {
  CHECK(greffe::is_valid_utf8("abc é 王伟 \xF0\x9F\x8E\xA5"));
  for (const char* wrong : {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE7\x8E", "\x80", "\xFF"}) {
    CHECK_FALSE(greffe::is_valid_utf8(wrong));
  }
}

TEST_CASE("decimals of logs are strict") {
  CHECK(*greffe::parse_decimal("0") == 0);
  CHECK(*greffe::parse_decimal("9223372036854775807") == 9223372036854775807ull);
  for (const char* wrong : {"", "00", "01", "-1", "+1", "9223372036854775808", "1e3", " 1", "99999999999999999999"}) {
    INFO(wrong);
    CHECK_FALSE(greffe::parse_decimal(wrong));
  }
}
