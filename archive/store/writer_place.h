// Where the writer of a remote pool is reached: a small text kept with its lease, so that other machines of the archive can
// tell stations and hand on what people ask, passwords among it. So it is signed with the server key that all machines of an archive
// have. See docs/formats/remote-pools.md.
#ifndef GREFFE_ARCHIVE_STORE_WRITER_PLACE_H
#define GREFFE_ARCHIVE_STORE_WRITER_PLACE_H

#include <string>
#include <string_view>

#include "archive/base/result.h"
#include "archive/format/digest.h"
#include "archive/format/ed25519.h"

namespace greffe::store {

struct WriterPlace {
  std::string machine_url;  // "https://archive-1.court.example:8444", for stations and sites
  std::string pages_url;    // "https://archive-1.court.example:8443", for people
  Digest pages_key;         // SHA-256 of the SubjectPublicKeyInfo of the certificate there
  bool operator==(const WriterPlace&) const = default;
};
std::string write_writer_place(const WriterPlace& place, const PrivateKey& server_key);  // canonical JSON
// corrupt: anything else. denied: no machine with this key wrote it.
Result<WriterPlace> parse_writer_place(std::string_view text, const PublicKey& server_key);

enum class Holding {
  unknown,  // whoever wants to write must try
  held,     // somebody's lease runs
  free,     // nobody's
};
struct SeenWriter {
  Holding holding = Holding::unknown;
  std::string place;  // the text above, unchecked, of the holder or the last one; empty: it says nothing
};

}  // namespace greffe::store

#endif
