// Signed notes: the bytes that are read are the bytes that are written.
#include <cstdint>

#include "archive/format/merkle.h"
#include "archive/format/signed_note.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto note = greffe::parse_signed_note(text);
  if (!note) return 0;
  GREFFE_CHECK(note->write() == text);
  const auto secret = greffe::PrivateKey::from_seed(greffe::empty_root().bytes);
  const std::string& name = note->signatures[0].name;
  const greffe::VerifierKey log{name, greffe::KeyType::ed25519, secret->public_key()};
  const greffe::VerifierKey cosigner{name, greffe::KeyType::cosignature_v1, secret->public_key()};
  // Lines that claim to be by a known key: nobody signs for it by chance.
  greffe::SignedNote claimed = *note;
  claimed.signatures[0].key_id = log.id();
  GREFFE_CHECK(!greffe::verify_note(claimed, log));
  claimed.signatures[0].key_id = cosigner.id();
  GREFFE_CHECK(!greffe::verify_cosignature(claimed, cosigner));
  return 0;
}
