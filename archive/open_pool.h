// The pool that the settings name: disks of this machine, Ceph RADOS, or an S3 bucket.
#ifndef GREFFE_ARCHIVE_OPEN_POOL_H
#define GREFFE_ARCHIVE_OPEN_POOL_H

#include <memory>

#include "archive/settings.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

// As LocalPool::open, RadosStore::open, S3Store::open. Files and clock must outlive the pool.
Result<std::unique_ptr<store::WholePool>> open_pool(FileSystem& files, Clock& clock, const Settings& settings, store::PoolMode mode,
                                                    store::PoolListeners listeners = {});

// Makes the remote pool of these settings one of Greffe's; as RadosStore::init and S3Store::init.
Status init_remote_pool(FileSystem& files, const Settings& settings, const std::string& pool_id);

}  // namespace greffe::archive

#endif
