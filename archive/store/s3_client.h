// Single requests to one bucket of an S3 service: signed, with the hash of what they carry, and their answers as our
// errors. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_S3_CLIENT_H
#define GREFFE_ARCHIVE_STORE_S3_CLIENT_H

#include <optional>
#include <string>
#include <string_view>

#include "archive/base/clock.h"
#include "archive/base/http_client.h"
#include "archive/store/s3_answers.h"

namespace greffe::store {

struct S3Settings {
  std::string endpoint;  // "https://s3.court.example"; the bucket is the first part of the path
  std::string bucket;
  std::string region = "us-east-1";
  std::string access_key;
  std::string secret_key;  // contents of a file, never of the configuration
  std::string ca_pem;      // contents; empty: the system's authorities
  // Most services want the quotation marks of an ETag in If-Match; radosgw of Ceph 16 and older must not get them.
  bool quoted_etags = true;
  unsigned stall_timeout_s = 30;
  // Where the bucket has Object Lock: what is written once cannot be removed for so many days; 0: it is not used.
  unsigned retention_days = 0;
  std::string retention_mode = "GOVERNANCE";  // or "COMPLIANCE": not by anybody, whatever his rights
  // Without renewal for so long the writer stops writing and another archive may take over.
  unsigned lease_s = 15;
};

// Access key and secret key, each on a line of its own. invalid otherwise.
struct S3Credentials {
  std::string access_key;
  std::string secret_key;
};
Result<S3Credentials> parse_s3_credentials(std::string_view text);

// Under which condition a PUT may take place.
struct S3Condition {
  bool if_absent = false;
  std::string if_etag;  // as a former answer gave it; empty: none
};

// How long the service is to refuse that a value is removed (Object Lock).
struct S3Retention {
  std::string mode;  // "GOVERNANCE" or "COMPLIANCE"
  UtcTime until;
};

struct S3Value {
  Bytes bytes;
  std::string etag;
};

class S3Client {
 public:
  explicit S3Client(const S3Settings& settings);

  // Reads are tried three times: the service's 5xx and broken connections often pass.
  // not_found, invalid (larger than `limit`), denied, unavailable.
  Result<S3Value> get(std::string_view key, std::uint64_t limit);
  // Exactly the bytes [offset, offset + out.size()).
  Status get_range(std::string_view key, std::uint64_t offset, std::span<std::uint8_t> out);
  Result<std::uint64_t> size(std::string_view key);
  // At most 1,000 keys that begin with `prefix` and come after `after`.
  Result<S3Listing> list(std::string_view prefix, std::string_view after);

  // Tried once. conflict: the condition does not hold (but it may hold no more because of this very write: libcurl sends
  // again when a kept connection broke). unavailable: unknown, and the write may still take place.
  Status put(std::string_view key, ByteView bytes, const S3Condition& condition, const std::optional<S3Retention>& retention = {});
  Status remove(std::string_view key);  // ok when it is gone already
  enum class Lock { without, with_object_lock };
  // Makes the bucket. ok when it is ours already.
  Status make_bucket(Lock lock = Lock::without);
  // Whether it was made with Object Lock; false also where the service does not know it. denied: the keys may not ask.
  Result<bool> has_object_lock();

 private:
  Result<HttpResponse> send(const HttpRequest& request);
  Result<HttpResponse> send_read(const HttpRequest& request);
  HttpRequest request(std::string method, std::string_view key) const;
  Error error_of(const HttpResponse& response, const HttpRequest& request) const;

  const std::string bucket_;
  const bool quoted_etags_;
  HttpClient http_;
};

}  // namespace greffe::store

#endif
