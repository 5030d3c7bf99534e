// An archive's pool in a bucket of an S3 service: keys are those of a local volume. Thread-safe; see object_store.h for
// what each operation guarantees and docs/formats/remote-pools.md for what is in the bucket. The service must take
// conditional writes (If-None-Match, If-Match): init tries them.
#ifndef GREFFE_ARCHIVE_STORE_S3_STORE_H
#define GREFFE_ARCHIVE_STORE_S3_STORE_H

#include <cstdint>
#include <memory>
#include <string>

#include "archive/store/remote_store.h"
#include "archive/store/s3_client.h"

namespace greffe::store {

class S3Store : public RemoteStore {
 public:
  // Makes a bucket (and, if need be, the bucket itself) one of Greffe's. invalid: the service does not keep to its
  // conditions. already_exists: there is an archive in it, with another id.
  // What is worth knowing of it, in a sentence: whether it has Object Lock.
  static Result<std::string> init(const S3Settings& settings, const std::string& pool_id);

  // As a writer, takes the lease for the life of the store. unavailable: another archive holds it, or no answer.
  // not_found: never initialised. The clock must outlive the store.
  static Result<std::unique_ptr<S3Store>> open(const S3Settings& settings, Clock& clock, PoolMode mode,
                                               PoolListeners listeners = {});
  ~S3Store() override;

  Result<SeenWriter> find_writer() override;
  std::uint64_t term() const;  // of this writer; 0: a reader

 private:
  struct State;
  S3Store(std::unique_ptr<State> state, Clock& clock, PoolMode mode, RemotePlace place, PoolListeners listeners);
  std::unique_ptr<State> state_;
};

}  // namespace greffe::store

#endif
