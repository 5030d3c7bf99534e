#include "archive/store/s3_bytes.h"

namespace greffe::store {

Result<Created> S3Bytes::create(std::string_view key, ByteView bytes) {
  const Status done = client_.put(key, bytes, {.if_absent = true, .if_etag = {}});
  if (done) return Created::now;
  if (done.error().code == Errc::conflict) return Created::before;
  return done.error();
}

Result<Bytes> S3Bytes::read(std::string_view key, std::uint64_t limit) {
  S3Value value = GREFFE_TRY(client_.get(key, limit));
  return std::move(value.bytes);
}

Result<std::size_t> S3Bytes::read_at(std::string_view key, std::uint64_t offset, std::span<std::uint8_t> out) {
  GREFFE_TRY(client_.get_range(key, offset, out));
  return out.size();
}

Status S3Bytes::list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) {
  std::string after;
  for (;;) {
    const S3Listing page = GREFFE_TRY(client_.list(prefix, after));
    for (const ObjectInfo& info : page.objects) {
      if (!info.key.starts_with(prefix) || info.key <= after) return fail(Errc::invalid, "the service lists " + info.key + ", which was not asked for");
      if (!visit(info)) return ok();
    }
    if (!page.truncated) return ok();
    after = page.objects.back().key;
  }
}

}  // namespace greffe::store
