// Closing sheets: what is accepted was signed by the key that it names, and stays the same when it is read again.
#include <cstdint>

#include "archive/base/result.h"
#include "archive/format/closing_sheet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto sheet = greffe::parse_closing_sheet(text);
  if (!sheet) return 0;
  const auto note = greffe::parse_signed_checkpoint(sheet->checkpoint);
  GREFFE_CHECK(note && greffe::verify_note(note->note, sheet->key()));
  // Signed again by a key at hand, as its station would.
  static const greffe::PrivateKey key = greffe::PrivateKey::generate();
  greffe::ClosingSheet own = *sheet;
  own.station_key = key.public_key();
  greffe::SignedNote signed_note;
  signed_note.text = note->note.text;
  greffe::put_signature(signed_note, greffe::sign_checkpoint(note->checkpoint, key));
  own.checkpoint = signed_note.write();
  const auto again = greffe::parse_closing_sheet(greffe::write_closing_sheet(own, key));
  GREFFE_CHECK(again && again->details == own.details && again->streams.size() == own.streams.size());
  GREFFE_CHECK(again->interruptions.size() == own.interruptions.size() && again->zone == own.zone);
  return 0;
}
