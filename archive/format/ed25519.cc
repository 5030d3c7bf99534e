#include "archive/format/ed25519.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>

#include "archive/format/digest.h"
#include "archive/format/characters.h"

namespace greffe {
namespace {

constexpr std::size_t kMaxKeyNameBytes = 255;
constexpr std::size_t kMaxPemBytes = 16 * 1024;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using MemoryBio = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Result<PublicKey> public_key_from_bytes(ByteView bytes) {
  PublicKey key;
  if (bytes.size() != key.bytes.size()) return fail(Errc::invalid, "an Ed25519 public key has 32 bytes");
  std::copy(bytes.begin(), bytes.end(), key.bytes.begin());
  return key;
}

Result<PublicKey> public_key_from_hex(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 32) {
    return fail(Errc::invalid, "an Ed25519 public key is written as 64 lower-case hexadecimal digits");
  }
  return public_key_from_bytes(*bytes);
}

namespace {

// The points of order 1, 2, 4 and 8 in every encoding, without the sign bit (RFC 7748 and 8032, cofactor 8). For such a
// "key" anybody can make signatures, and OpenSSL accepts them.
constexpr std::string_view kLowOrder[] = {"0000000000000000000000000000000000000000000000000000000000000000",
                                          "0100000000000000000000000000000000000000000000000000000000000000",
                                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};

bool has_low_order(PublicKey key) {
  key.bytes[31] &= 0x7f;
  const std::string hex = key.hex();
  return std::find(std::begin(kLowOrder), std::end(kLowOrder), hex) != std::end(kLowOrder);
}

}  // namespace

bool verify_signature(const PublicKey& key, ByteView message, ByteView signature) {
  if (has_low_order(key)) return false;
  const Key pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(), key.bytes.size()),
                 EVP_PKEY_free);
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return pkey && context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

struct PrivateKey::State {
  Key pkey{nullptr, EVP_PKEY_free};  // OpenSSL wipes it when it is freed
};

PrivateKey::PrivateKey() : state_(std::make_unique<State>()) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

Result<PrivateKey> PrivateKey::from_seed(ByteView seed) {
  if (seed.size() != 32) return fail(Errc::invalid, "an Ed25519 seed has 32 bytes");
  PrivateKey key;
  key.state_->pkey.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  std::size_t size = key.public_key_.bytes.size();
  GREFFE_CHECK(key.state_->pkey &&
               EVP_PKEY_get_raw_public_key(key.state_->pkey.get(), key.public_key_.bytes.data(), &size) == 1);
  return key;
}

PrivateKey PrivateKey::generate() {
  std::array<std::uint8_t, 32> seed{};
  fill_random(seed);
  auto key = from_seed(seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return std::move(*key);
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  const Error not_a_key = fail(Errc::invalid, "not an Ed25519 private key in PEM form (PKCS #8, not encrypted)");
  if (pem.size() > kMaxPemBytes) return not_a_key;
  const MemoryBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  // The empty password keeps OpenSSL from asking on the terminal.
  char no_password[] = "";
  const Key pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, no_password), EVP_PKEY_free);
  if (!pkey || EVP_PKEY_get_id(pkey.get()) != EVP_PKEY_ED25519) {
    return not_a_key;
  }
  std::array<std::uint8_t, 32> seed{};
  std::size_t size = seed.size();
  GREFFE_CHECK(EVP_PKEY_get_raw_private_key(pkey.get(), seed.data(), &size) == 1 && size == seed.size());
  auto key = from_seed(seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return key;
}

Signature PrivateKey::sign(ByteView message) const {
  Signature out{};
  std::size_t size = out.size();
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  GREFFE_CHECK(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->pkey.get()) == 1 &&
               EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1);
  return out;
}

std::string PrivateKey::to_pem() const {
  const MemoryBio bio(BIO_new(BIO_s_secmem()), BIO_free);
  GREFFE_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), state_->pkey.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(bio.get());
}

std::string PrivateKey::self_signed_certificate() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  std::array<std::uint8_t, 8> serial{};
  fill_random(serial);
  serial[0] &= 0x7f;
  std::uint64_t number = 0;
  for (const std::uint8_t b : serial) number = number << 8 | b;
  bool good = X509_set_version(x, X509_VERSION_3) == 1 && ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), number) == 1;
  // Dates and names are ignored by design: trust begins and ends by log entry.
  good = good && ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "20200101000000Z") == 1;
  good = good && ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z") == 1;
  X509_NAME* name = X509_get_subject_name(x);
  const auto* text = reinterpret_cast<const unsigned char*>("greffe");
  good = good && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1;
  good = good && X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, state_->pkey.get()) == 1;
  good = good && X509_sign(x, state_->pkey.get(), nullptr) > 0;
  const MemoryBio bio(BIO_new(BIO_s_mem()), BIO_free);
  good = good && PEM_write_bio_X509(bio.get(), x) == 1;
  GREFFE_CHECK(good);
  return text_of(bio.get());
}

bool is_valid_key_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxKeyNameBytes || !is_valid_utf8(name)) return false;
  if (name.find('+') != std::string_view::npos) return false;
  if (std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; })) {
    return false;
  }
  return std::none_of(std::begin(kWideSpaces), std::end(kWideSpaces),
                      [&](std::string_view space) { return name.find(space) != std::string_view::npos; });
}

std::uint32_t VerifierKey::id() const {
  Sha256 hash;
  hash.update(as_bytes(name));
  const std::uint8_t tail[] = {0x0A, static_cast<std::uint8_t>(type)};
  hash.update(tail);
  hash.update(key.bytes);
  const Digest digest = hash.finish();
  return std::uint32_t{digest.bytes[0]} << 24 | std::uint32_t{digest.bytes[1]} << 16 |
         std::uint32_t{digest.bytes[2]} << 8 | std::uint32_t{digest.bytes[3]};
}

std::string VerifierKey::text() const {
  const std::uint32_t number = id();
  const std::uint8_t id_bytes[] = {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
                                   static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
  Bytes material{static_cast<std::uint8_t>(type)};
  material.insert(material.end(), key.bytes.begin(), key.bytes.end());
  return name + "+" + to_hex(id_bytes) + "+" + to_base64(material);
}

Result<VerifierKey> parse_verifier_key(std::string_view text) {
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos || text.size() < first + 10 || text[first + 9] != '+') {
    return fail(Errc::invalid, "a verifier key is written as <name>+<8 hexadecimal digits>+<base64>");
  }
  VerifierKey out;
  out.name = text.substr(0, first);
  if (!is_valid_key_name(out.name)) return fail(Errc::invalid, "a verifier key's name has a space, a '+' or is too long");
  const Bytes material = GREFFE_TRY(from_base64(text.substr(first + 10)));
  if (material.size() != 33 || (material[0] != 0x01 && material[0] != 0x04)) {
    return fail(Errc::invalid, "a verifier key must be of type 01 (Ed25519) or 04 (Ed25519 cosignature)");
  }
  out.type = static_cast<KeyType>(material[0]);
  out.key = GREFFE_TRY(public_key_from_bytes(ByteView(material).subspan(1)));
  if (out.text() != text) return fail(Errc::invalid, "a verifier key's id does not match its name and key");
  return out;
}

}  // namespace greffe
