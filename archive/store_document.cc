#include "archive/store_document.h"

namespace greffe::archive {

Result<Digest> store_document(store::ObjectStore& objects, const std::string& document) {
  const Digest digest = sha256(as_bytes(document));
  const auto writer = GREFFE_TRY(objects.begin_object(document.size()));
  GREFFE_TRY(writer->write(as_bytes(document)));
  GREFFE_TRY(writer->commit(digest));
  return digest;
}

}  // namespace greffe::archive
