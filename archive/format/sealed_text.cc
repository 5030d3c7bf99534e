#include "archive/format/sealed_text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <memory>

#include "archive/format/canonical_json.h"

namespace greffe {
namespace {

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kKeyLabel = "greffe sealed text v1\n";  // never change: it is part of the key
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kCodeBytes = 20;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

// The code without its dashes; spaces and lower case are forgiven, because it is typed from paper.
Result<std::string> plain_code(std::string_view code) {
  std::string out;
  for (char c : code) {
    if (c == '-' || c == ' ' || c == '\n') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (kBase32.find(c) == std::string_view::npos) {
      return fail(Errc::invalid, "a recovery code has only the letters A to Z and the digits 2 to 7");
    }
    out += c;
  }
  if (out.size() != kCodeBytes * 8 / 5) return fail(Errc::invalid, "a recovery code has eight groups of four characters");
  return out;
}

Digest key_of(const std::string& code) { return sha256(as_bytes(std::string(kKeyLabel) + code)); }

}  // namespace

std::string make_recovery_code() {
  std::array<std::uint8_t, kCodeBytes> random{};
  fill_random(random);
  std::string out;
  std::uint32_t group = 0;
  int bits = 0;
  std::size_t count = 0;
  for (const std::uint8_t b : random) {
    group = (group << 8 | b) & 0xFFFF;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      if (count != 0 && count % 4 == 0) out += '-';
      out += kBase32[(group >> bits) & 31];
      ++count;
    }
  }
  return out;
}

std::string seal_text(std::string_view plain, std::string_view recovery_code) {
  const auto code = plain_code(recovery_code);
  GREFFE_CHECK(code);
  const Digest key = key_of(*code);
  std::array<std::uint8_t, kNonceBytes> nonce{};
  fill_random(nonce);
  Bytes box(plain.size() + kTagBytes);
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0;
  int rest = 0;
  bool good = EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce.data()) == 1;
  good = good && EVP_EncryptUpdate(cipher.get(), box.data(), &size, as_bytes(plain).data(), static_cast<int>(plain.size())) == 1;
  good = good && EVP_EncryptFinal_ex(cipher.get(), box.data() + size, &rest) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, box.data() + plain.size()) == 1;
  GREFFE_CHECK(good);
  Json out;
  out.set("box", to_base64(box)).set("cipher", "aes-256-gcm").set("kind", "sealed-text").set("nonce", to_base64(nonce));
  out.set("v", 1);
  return write_json(out) + "\n";
}

Result<std::string> open_sealed_text(std::string_view sealed, std::string_view recovery_code) {
  const std::string code = GREFFE_TRY(plain_code(recovery_code));
  const Json json = GREFFE_TRY(parse_json(sealed));
  const std::string kind = GREFFE_TRY(json.string("kind"));
  if (kind != "sealed-text") return fail(Errc::invalid, "this file is not a sealed text");
  const std::string nonce_text = GREFFE_TRY(json.string("nonce"));
  const std::string box_text = GREFFE_TRY(json.string("box"));
  const Bytes nonce = GREFFE_TRY(from_base64(nonce_text));
  Bytes box = GREFFE_TRY(from_base64(box_text));
  if (nonce.size() != kNonceBytes || box.size() < kTagBytes || box.size() > 1024 * 1024) {
    return fail(Errc::invalid, "this sealed text has impossible lengths");
  }
  const Digest key = key_of(code);
  const std::size_t plain_bytes = box.size() - kTagBytes;
  std::string plain(plain_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0;
  int rest = 0;
  bool good = EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce.data()) == 1;
  good = good && EVP_DecryptUpdate(cipher.get(), out, &size, box.data(), static_cast<int>(plain_bytes)) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, box.data() + plain_bytes) == 1;
  good = good && EVP_DecryptFinal_ex(cipher.get(), out + size, &rest) == 1;
  if (!good) {
    OPENSSL_cleanse(plain.data(), plain.size());
    return fail(Errc::denied, "the recovery code does not open this file: either the code is wrong or the file was altered");
  }
  return plain;
}

}  // namespace greffe
