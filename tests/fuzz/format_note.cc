// Signed notes: the bytes that are read are the bytes that are written.
#include <cstdint>

#include "archive/format/signed_note.h"
#include "archive/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto note = greffe::parse_signed_note(text);
  if (!note) return 0;
  GREFFE_CHECK(note->write() == text);
  const greffe::VerifierKey log{note->signatures[0].name, greffe::KeyType::ed25519, {}};
  const greffe::VerifierKey cosigner{note->signatures[0].name, greffe::KeyType::cosignature_v1, {}};
  (void)greffe::verify_note(*note, log);              // any answer is right: it only must not crash
  (void)greffe::verify_cosignature(*note, cosigner);  // the same
  return 0;
}
