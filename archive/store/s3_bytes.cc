#include "archive/store/s3_bytes.h"

namespace greffe::store {

namespace {

constexpr std::int64_t kDayMs = 86'400'000;

// Stages and markers go when they have served; heads and the lease are not written here.
bool is_removed_later(std::string_view key) { return key.starts_with("log/") && (key.find("/stage/") != std::string_view::npos || key.starts_with("log/open/")); }

}  // namespace

void S3Bytes::keep(Clock& clock, std::string mode, unsigned days) {
  clock_ = &clock;
  mode_ = std::move(mode);
  days_ = days;
}

std::optional<S3Retention> S3Bytes::retention_of(std::string_view key) const {
  if (clock_ == nullptr || is_removed_later(key)) return std::nullopt;
  return S3Retention{mode_, UtcTime{clock_->utc_now().ms + std::int64_t{days_} * kDayMs}};
}

Result<Created> S3Bytes::create(std::string_view key, ByteView bytes) {
  const Status done = client_.put(key, bytes, {.if_absent = true, .if_etag = {}}, retention_of(key));
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
