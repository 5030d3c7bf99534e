// Ed25519 keys and signatures (RFC 8032), and the note-style names of keys. See docs/formats/keys.md.
#ifndef GREFFE_ARCHIVE_FORMAT_ED25519_H
#define GREFFE_ARCHIVE_FORMAT_ED25519_H

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "archive/base/bytes.h"
#include "archive/base/result.h"

namespace greffe {

struct PublicKey {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const PublicKey&) const = default;
  std::string hex() const { return to_hex(bytes); }
};
using Signature = std::array<std::uint8_t, 64>;

Result<PublicKey> public_key_from_hex(std::string_view hex);
Result<PublicKey> public_key_from_bytes(ByteView bytes);

// False also for every signature under a key of low order: such signatures can be made without a secret.
bool verify_signature(const PublicKey& key, ByteView message, ByteView signature);

// A private key. Moves only; the memory is wiped when it goes. sign() is thread-safe.
class PrivateKey {
 public:
  static PrivateKey generate();
  static Result<PrivateKey> from_seed(ByteView seed);           // 32 bytes
  static Result<PrivateKey> from_pem(std::string_view pem);     // PKCS #8, as `openssl genpkey -algorithm ed25519` writes
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();
  const PublicKey& public_key() const { return public_key_; }
  Signature sign(ByteView message) const;
  std::string to_pem() const;
  // A self-signed X.509 certificate (PEM) that only carries this key; for TLS, where nobody looks at names or dates.
  std::string self_signed_certificate() const;

 private:
  PrivateKey();
  struct State;
  std::unique_ptr<State> state_;
  PublicKey public_key_;
};

// C2SP signature types. Never change the values: they are signed and stored.
enum class KeyType : std::uint8_t { ed25519 = 0x01, cosignature_v1 = 0x04 };

// A named verifier key of a signed note: "<name>+<8 hex key id>+<base64(type || public key)>".
struct VerifierKey {
  std::string name;
  KeyType type = KeyType::ed25519;
  PublicKey key;
  std::uint32_t id() const;  // SHA-256(name || 0A || type || key)[:4], big-endian
  std::string text() const;
  auto operator<=>(const VerifierKey&) const = default;
};
Result<VerifierKey> parse_verifier_key(std::string_view text);  // invalid: any deviation, or an id that does not match
bool is_valid_key_name(std::string_view name);                  // not empty, UTF-8, no Unicode space, no '+', <= 255 bytes

}  // namespace greffe

#endif
