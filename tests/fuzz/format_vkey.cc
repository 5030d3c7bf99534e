// Verifier keys: one spelling for each. And private keys in PEM form.
#include <cstdint>

#include "archive/format/ed25519.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto key = greffe::parse_verifier_key(text);
  if (key) GREFFE_CHECK(key->text() == text && greffe::is_valid_key_name(key->name));
  const auto secret = greffe::PrivateKey::from_pem(text);
  if (!secret) return 0;
  const auto again = greffe::PrivateKey::from_pem(secret->to_pem());
  GREFFE_CHECK(again && again->public_key() == secret->public_key());
  return 0;
}
