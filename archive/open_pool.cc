#include "archive/open_pool.h"

#include "archive/store/local_pool.h"
#include "archive/store/rados_store.h"
#include "archive/store/s3_store.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kSecretBytesMax = 64 * 1024;

// The bucket with its secrets, which are read from their files only now.
Result<store::S3Settings> with_secrets(FileSystem& files, const S3Place& place) {
  store::S3Settings out;
  const Bytes text = GREFFE_TRY(files.read_file(place.credentials_path, kSecretBytesMax));
  auto keys = store::parse_s3_credentials(as_text(text));
  if (!keys) return std::move(keys).error().within(place.credentials_path);
  out.endpoint = place.endpoint;
  out.bucket = place.bucket;
  out.region = place.region;
  out.quoted_etags = place.quoted_etags;
  out.access_key = std::move(keys->access_key);
  out.secret_key = std::move(keys->secret_key);
  if (place.authorities_path.empty()) return out;
  const Bytes authorities = GREFFE_TRY(files.read_file(place.authorities_path, kSecretBytesMax));
  out.ca_pem = std::string(as_text(authorities));
  return out;
}

template <class Store>
Result<std::unique_ptr<store::WholePool>> whole(Result<std::unique_ptr<Store>> opened) {
  if (!opened) return std::move(opened).error();
  return std::unique_ptr<store::WholePool>(*std::move(opened));
}

}  // namespace

Result<std::unique_ptr<store::WholePool>> open_pool(FileSystem& files, Clock& clock, const Settings& settings, store::PoolMode mode,
                                                    store::PoolListeners listeners) {
  if (settings.rados) return whole(store::RadosStore::open(*settings.rados, clock, mode, std::move(listeners)));
  if (settings.s3) {
    const store::S3Settings s3 = GREFFE_TRY(with_secrets(files, *settings.s3));
    return whole(store::S3Store::open(s3, clock, mode, std::move(listeners)));
  }
  return whole(store::LocalPool::open(files, clock, pool_settings(settings), mode, std::move(listeners)));
}

Status init_remote_pool(FileSystem& files, const Settings& settings, const std::string& pool_id) {
  if (settings.rados) return store::RadosStore::init(*settings.rados, pool_id);
  if (!settings.s3) return fail(Errc::invalid, "these settings name no remote pool");
  const store::S3Settings s3 = GREFFE_TRY(with_secrets(files, *settings.s3));
  return store::S3Store::init(s3, pool_id);
}

}  // namespace greffe::archive
