#include "archive/format/digest.h"

#include <openssl/evp.h>

#include <algorithm>

namespace greffe {

namespace {

// Looked up once: the lookup by name costs more than hashing a node of a tree.
const EVP_MD* algorithm() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  GREFFE_CHECK(found != nullptr);
  return found;
}

struct HashContext {
  HashContext() : context(EVP_MD_CTX_new()) { GREFFE_CHECK(context != nullptr); }
  ~HashContext() { EVP_MD_CTX_free(context); }
  HashContext(const HashContext&) = delete;
  HashContext& operator=(const HashContext&) = delete;
  EVP_MD_CTX* context;
};

}  // namespace

struct Sha256::State : HashContext {};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  GREFFE_CHECK(EVP_DigestInit_ex2(state_->context, algorithm(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  GREFFE_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

Digest Sha256::peek() const {
  State copy;
  GREFFE_CHECK(EVP_MD_CTX_copy_ex(copy.context, state_->context) == 1);
  Digest out;
  GREFFE_CHECK(EVP_DigestFinal_ex(copy.context, out.bytes.data(), nullptr) == 1);
  return out;
}

Digest Sha256::finish() {
  Digest out;
  GREFFE_CHECK(EVP_DigestFinal_ex(state_->context, out.bytes.data(), nullptr) == 1);
  return out;
}

// For a node of a tree making and freeing a context costs more than the hash: each thread keeps one.
Digest sha256(ByteView bytes) {
  static thread_local const HashContext kept;
  Digest out;
  GREFFE_CHECK(EVP_DigestInit_ex2(kept.context, algorithm(), nullptr) == 1);
  GREFFE_CHECK(EVP_DigestUpdate(kept.context, bytes.data(), bytes.size()) == 1);
  GREFFE_CHECK(EVP_DigestFinal_ex(kept.context, out.bytes.data(), nullptr) == 1);
  return out;
}

Result<Digest> digest_from_bytes(ByteView bytes) {
  Digest out;
  if (bytes.size() != out.bytes.size()) return fail(Errc::invalid, "a SHA-256 digest has 32 bytes");
  std::copy(bytes.begin(), bytes.end(), out.bytes.begin());
  return out;
}

Result<Digest> digest_from_hex(std::string_view hex) {
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 32) {
    return fail(Errc::invalid, "a SHA-256 digest is written as 64 lower-case hexadecimal digits");
  }
  return digest_from_bytes(*bytes);
}

}  // namespace greffe
