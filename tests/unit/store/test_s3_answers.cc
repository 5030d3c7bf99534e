// The XML and the credentials of S3, without a service.
#include <catch2/catch.hpp>

#include "archive/store/s3_client.h"

using greffe::Errc;
using greffe::store::parse_s3_credentials;
using greffe::store::parse_s3_fault;
using greffe::store::parse_s3_listing;

namespace {

std::string listing(const std::string& inside) { return "<ListBucketResult>" + inside + "</ListBucketResult>"; }
std::string object(const std::string& key, const std::string& size) {
  return "<Contents><Key>" + key + "</Key><ETag>&quot;ab&quot;</ETag><Size>" + size + "</Size></Contents>";
}
const std::string kWhole = "<IsTruncated>false</IsTruncated>";

}  // namespace

TEST_CASE("a listing is read with its keys in order") {
  const auto read = parse_s3_listing("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" +
                                     listing("<IsTruncated>true</IsTruncated>" + object("log/a&amp;b", "0") + object("log/b", "17")));
  REQUIRE(read);
  REQUIRE(read->truncated);
  REQUIRE(read->objects.size() == 2);
  REQUIRE(read->objects[0].key == "log/a&b");
  REQUIRE(read->objects[1].bytes == 17);
  REQUIRE(parse_s3_listing(listing(kWhole))->objects.empty());
}

TEST_CASE("what is not a listing is refused") {
  std::string many;
  for (int i = 0; i < 1001; ++i) many += object("k" + std::to_string(10'000 + i), "1");
  for (const std::string& text :
       {std::string(), std::string("no"), listing(""), listing(kWhole + kWhole), listing(kWhole + object("b", "1") + object("a", "1")),
        listing(kWhole + object("a", "1") + object("a", "1")), listing(kWhole + object("", "1")), listing(kWhole + object("a", "-1")),
        listing(kWhole + object("a", "1e3")), listing(kWhole + "<Contents><Key>a</Key></Contents>"),
        listing(kWhole + "<Contents><Key>a</Key><Key>b</Key><Size>1</Size></Contents>"), listing(kWhole + many),
        listing("<IsTruncated>true</IsTruncated>"), listing(kWhole + object(std::string(5000, 'k'), "1")),
        "<!DOCTYPE ListBucketResult>" + listing(kWhole), listing(kWhole) + listing(kWhole), listing(kWhole).substr(0, 40),
        "<x>" + listing(kWhole) + "</x>", listing(kWhole + object("\xc3\x28", "1"))}) {
    INFO(text.substr(0, 200));
    const auto read = parse_s3_listing(text);
    REQUIRE_FALSE(read);
    REQUIRE(read.error().code == Errc::invalid);
  }
  REQUIRE_FALSE(parse_s3_listing(listing(kWhole + std::string(greffe::store::kS3AnswerBytesMax, ' '))));
}

TEST_CASE("a bucket says whether it has Object Lock") {
  const auto answer = [](const std::string& inside) { return greffe::store::parse_s3_object_lock("<?xml version=\"1.0\"?><ObjectLockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + inside + "</ObjectLockConfiguration>"); };
  CHECK(*answer("<ObjectLockEnabled>Enabled</ObjectLockEnabled>"));
  CHECK(*answer("<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>"));
  CHECK_FALSE(*answer(""));
  CHECK_FALSE(*answer("<ObjectLockEnabled>Perhaps</ObjectLockEnabled>"));
  CHECK_FALSE(greffe::store::parse_s3_object_lock("<Error><Code>NoSuchBucket</Code></Error>"));
  CHECK_FALSE(greffe::store::parse_s3_object_lock("<ObjectLockConfiguration><ObjectLockEnabled>Enabled"));
}

TEST_CASE("an error has a code") {
  const auto fault = parse_s3_fault("<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>");
  REQUIRE(fault);
  REQUIRE(fault->code == "NoSuchKey");
  REQUIRE(fault->message == "gone");
  REQUIRE_FALSE(parse_s3_fault("<Error><Message>gone</Message></Error>"));
  REQUIRE_FALSE(parse_s3_fault("<html><Code>NoSuchKey</Code></html>"));
}

TEST_CASE("credentials are two lines") {
  const auto read = parse_s3_credentials("ACCESS\nse/cr+et\n");
  REQUIRE(read);
  REQUIRE(read->access_key == "ACCESS");
  REQUIRE(read->secret_key == "se/cr+et");
  REQUIRE(parse_s3_credentials("A\nb"));
  for (const char* text : {"", "A", "A\n", "\nb\n", "A\nb\nc\n", "A \nb\n", "A\r\nb\r\n"}) {
    INFO(text);
    REQUIRE_FALSE(parse_s3_credentials(text));
  }
}
