// The XML that an S3 service answers with, read strictly: UTF-8, no document type, bounded in size and depth. Pure.
#ifndef GREFFE_ARCHIVE_STORE_S3_ANSWERS_H
#define GREFFE_ARCHIVE_STORE_S3_ANSWERS_H

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "archive/store/object_store.h"

namespace greffe::store {

inline constexpr std::size_t kS3AnswerBytesMax = 4 * 1024 * 1024;  // 1,000 keys with all that is said of each: some 500 kB

// ListBucketResult of ListObjectsV2.
struct S3Listing {
  std::vector<ObjectInfo> objects;  // keys strictly ascending by their bytes
  bool truncated = false;           // there are more behind the last one
};
// invalid: anything else.
Result<S3Listing> parse_s3_listing(std::string_view xml);

// ObjectLockConfiguration: whether it is enabled. invalid: something else.
Result<bool> parse_s3_object_lock(std::string_view xml);

// Error.
struct S3Fault {
  std::string code;  // "NoSuchKey"
  std::string message;
};
// invalid: it has no code, or is something else.
Result<S3Fault> parse_s3_fault(std::string_view xml);

}  // namespace greffe::store

#endif
