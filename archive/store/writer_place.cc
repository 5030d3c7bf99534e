#include "archive/store/writer_place.h"

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::store {
namespace {

constexpr std::size_t kPlaceBytesMax = 1024;
constexpr std::int64_t kVersion = 1;

// The first line keeps it apart from everything else that this key signs.
std::string signed_text(const WriterPlace& place) {
  return "greffe-writer\n" + place.machine_url + "\n" + place.pages_url + "\n" + place.pages_key.hex() + "\n";
}

struct Signed {
  WriterPlace place;
  Bytes signature;
};

Result<Signed> read(std::string_view text) {
  if (text.size() > kPlaceBytesMax) return fail(Errc::invalid, "it is longer than 1,024 bytes");
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != kVersion) return fail(Errc::invalid, "it is of another version");
  Signed out;
  out.place.machine_url = GREFFE_TRY(json.string("machine_url"));
  out.place.pages_url = GREFFE_TRY(json.string("pages_url"));
  out.place.pages_key = GREFFE_TRY(json.digest("pages_key"));
  const std::string signature = GREFFE_TRY(json.string("signature"));
  out.signature = GREFFE_TRY(from_base64(signature));
  if (!is_https_origin(out.place.machine_url) || !is_https_origin(out.place.pages_url)) return fail(Errc::invalid, "an address in it is none");
  return out;
}

}  // namespace

std::string write_writer_place(const WriterPlace& place, const PrivateKey& server_key) {
  Json json;
  json.set("machine_url", place.machine_url).set("pages_key", place.pages_key).set("pages_url", place.pages_url);
  json.set("signature", to_base64(server_key.sign(as_bytes(signed_text(place))))).set("v", kVersion);
  return write_json(json);
}

Result<WriterPlace> parse_writer_place(std::string_view text, const PublicKey& server_key) {
  const auto out = read(text);
  if (!out) return fail(Errc::corrupt, "what the writer's lease says of where its holder is cannot be read: " + out.error().message);
  if (verify_signature(server_key, as_bytes(signed_text(out->place)), out->signature)) return out->place;
  return fail(Errc::denied, "what the writer's lease says of where its holder is was written by no machine of this archive: who has changed the pool, or do "
                            "its machines not have the same keys?");
}

}  // namespace greffe::store
