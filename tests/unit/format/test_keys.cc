#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "archive/format/ed25519.h"
#include "tests/unit/format/vectors.h"

using greffe::Json;
using greffe::PrivateKey;
using greffe::VerifierKey;
using greffe::testing::check_refused;
using greffe::testing::need;
using greffe::testing::vectors;

TEST_CASE("keys, ids and signatures equal those of another implementation") {
  for (const Json& one : need(vectors("keys.json").array("keys"))) {
    const auto seed = greffe::sha256(greffe::as_bytes(need(one.string("seed_is_sha256_of"))));
    const PrivateKey key = need(PrivateKey::from_seed(seed.bytes));
    CHECK(key.public_key().hex() == need(one.string("public")));
    const auto signature = key.sign(greffe::as_bytes("greffe"));
    CHECK(greffe::to_hex(signature) == need(one.string("signature_of_greffe")));
    const VerifierKey verifier{need(one.string("name")), static_cast<greffe::KeyType>(need(one.integer("type"))), key.public_key()};
    CHECK(verifier.text() == need(one.string("vkey")));
    CHECK(need(greffe::parse_verifier_key(verifier.text())) == verifier);
  }
}

TEST_CASE("RFC 8032 section 7.1, test 2") {
  const auto seed = need(greffe::from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  const PrivateKey key = need(PrivateKey::from_seed(seed));
  CHECK(key.public_key().hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  const greffe::Bytes message{0x72};
  CHECK(greffe::to_hex(key.sign(message)) ==
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST_CASE("a signature holds for one key, one message, and whole") {
  const PrivateKey key = PrivateKey::generate();
  const PrivateKey other = PrivateKey::generate();
  CHECK(key.public_key() != other.public_key());
  const greffe::Bytes message = greffe::to_bytes("message");
  const auto signature = key.sign(message);
  CHECK(greffe::verify_signature(key.public_key(), message, signature));
  CHECK_FALSE(greffe::verify_signature(other.public_key(), message, signature));
  CHECK_FALSE(greffe::verify_signature(key.public_key(), greffe::to_bytes("massage"), signature));
  CHECK_FALSE(greffe::verify_signature(key.public_key(), message, greffe::ByteView(signature).first(63)));
  CHECK_FALSE(greffe::verify_signature(key.public_key(), message, {}));
  auto longer = greffe::Bytes(signature.begin(), signature.end());
  longer.push_back(0);
  CHECK_FALSE(greffe::verify_signature(key.public_key(), message, longer));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    auto flipped = signature;
    flipped[i] ^= 1;
    CHECK_FALSE(greffe::verify_signature(key.public_key(), message, flipped));
  }
}

TEST_CASE("private keys in PEM form") {
  const PrivateKey key = PrivateKey::generate();
  const std::string pem = key.to_pem();
  CHECK(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
  CHECK(need(PrivateKey::from_pem(pem)).public_key() == key.public_key());
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"), EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(bio.get(), x25519.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  const std::string other_kind(data, static_cast<std::size_t>(size));
  for (const std::string& bad : {std::string(), std::string("x"), pem.substr(0, pem.size() / 2), other_kind, std::string(100'000, '-')}) {
    check_refused(PrivateKey::from_pem(bad), "not an Ed25519 private key in PEM form");
  }
  check_refused(PrivateKey::from_seed(greffe::Bytes(31)), "32 bytes");
}

TEST_CASE("a self-signed certificate carries the key") {
  const PrivateKey key = PrivateKey::generate();
  const std::string pem = key.self_signed_certificate();
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  REQUIRE(certificate);
  EVP_PKEY* inside = X509_get0_pubkey(certificate.get());
  greffe::PublicKey found;
  std::size_t size = found.bytes.size();
  REQUIRE(EVP_PKEY_get_raw_public_key(inside, found.bytes.data(), &size) == 1);
  CHECK(found == key.public_key());
  CHECK(X509_verify(certificate.get(), inside) == 1);
  CHECK(X509_cmp_current_time(X509_get0_notBefore(certificate.get())) < 0);
  std::time_t in_fifty_years = std::time(nullptr) + std::time_t{50} * 366 * 86'400;
  CHECK(X509_cmp_time(X509_get0_notAfter(certificate.get()), &in_fifty_years) > 0);
}

TEST_CASE("verifier keys in any other spelling are refused") {
  const std::string good = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
  CHECK(need(greffe::parse_verifier_key(good)).text() == good);
  check_refused(greffe::parse_verifier_key(""), "<name>+<8 hexadecimal digits>+<base64>");
  check_refused(greffe::parse_verifier_key("example.com/foo"), "<name>+<8 hexadecimal digits>+<base64>");
  check_refused(greffe::parse_verifier_key("example.com/foo+530d903+Aeky"), "<name>+<8 hexadecimal digits>+<base64>");
  check_refused(greffe::parse_verifier_key(good.substr(15)), "name has a space");
  check_refused(greffe::parse_verifier_key("example.com/bar" + good.substr(15)), "does not match");
  check_refused(greffe::parse_verifier_key("example.com/foo+530D903A" + good.substr(24)), "does not match");
  check_refused(greffe::parse_verifier_key("example.com/foo+530d903b" + good.substr(24)), "does not match");
  check_refused(greffe::parse_verifier_key(good + "="), "base64");
  check_refused(greffe::parse_verifier_key(good + "\n"), "base64");
  check_refused(greffe::parse_verifier_key(good.substr(0, good.size() - 4)), "type 01 (Ed25519) or 04");
  check_refused(greffe::parse_verifier_key("example.com/foo+530d903a+Bu" + good.substr(27)), "type 01 (Ed25519) or 04");
  check_refused(greffe::parse_verifier_key("a b" + good.substr(15)), "name has a space");
  for (const char* bad : {"", " ", "a b", "a\tb", "a\xC2\xA0", "a\xE3\x80\x80z", "a+b", "\xff", "a\n", "a\x7f"}) CHECK_FALSE(greffe::is_valid_key_name(bad));
  CHECK(greffe::is_valid_key_name("王/é"));
  CHECK(greffe::is_valid_key_name(std::string(255, 'a')));
  CHECK_FALSE(greffe::is_valid_key_name(std::string(256, 'a')));
}

TEST_CASE("the running hash can be looked at without ending it") {
  greffe::Sha256 hash;
  CHECK(hash.peek() == greffe::sha256({}));
  hash.update(greffe::as_bytes("ab"));
  CHECK(hash.peek() == greffe::sha256(greffe::as_bytes("ab")));
  hash.update(greffe::as_bytes("c"));
  CHECK(hash.finish().hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
