// Documents (details, notes, names, snapshots) become objects before an entry names them.
#ifndef GREFFE_ARCHIVE_STORE_DOCUMENT_H
#define GREFFE_ARCHIVE_STORE_DOCUMENT_H

#include <string>

#include "archive/store/object_store.h"

namespace greffe::archive {

// ok: durable on at least W volumes; its digest. Errors as ObjectWriter. Any thread.
Result<Digest> store_document(store::ObjectStore& objects, const std::string& document);

}  // namespace greffe::archive

#endif
