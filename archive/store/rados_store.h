// An archive's pool in Ceph RADOS: objects in the namespace "objects", logs and heads in "logs". CRUSH places the
// replicas, Ceph repairs them. Thread-safe; see object_store.h for what each operation guarantees and
// docs/formats/remote-pools.md for what is in the pool.
#ifndef GREFFE_ARCHIVE_STORE_RADOS_STORE_H
#define GREFFE_ARCHIVE_STORE_RADOS_STORE_H

#include <cstdint>
#include <memory>
#include <string>

#include "archive/store/rados_pool.h"
#include "archive/store/remote_store.h"

namespace greffe::store {

class RadosStore : public RemoteStore {
 public:
  // Makes a pool of Ceph one of Greffe's. invalid: the pool is not fit for an archive, and what to do. already_exists: it
  // is one, with another id.
  static Status init(const RadosSettings& settings, const std::string& pool_id);

  // Connects and, as a writer, takes the lease for the life of the store. unavailable: another archive holds it, or the
  // cluster does not answer. not_found: no such pool, or never initialised. The clock must outlive the store.
  static Result<std::unique_ptr<RadosStore>> open(const RadosSettings& settings, Clock& clock, PoolMode mode,
                                                  PoolListeners listeners = {});
  ~RadosStore() override;

  Result<SeenWriter> find_writer() override;
  std::uint64_t term() const;  // of this writer; 0: a reader

 private:
  struct State;
  RadosStore(std::unique_ptr<State> state, Clock& clock, PoolMode mode, StoreTraits traits, RemotePlace place,
             PoolListeners listeners);
  std::unique_ptr<State> state_;
};

}  // namespace greffe::store

#endif
