// The logs of a pool, found by their heads.
#ifndef GREFFE_ARCHIVE_ALL_LOGS_H
#define GREFFE_ARCHIVE_ALL_LOGS_H

#include <string>
#include <vector>

#include "archive/store/object_store.h"

namespace greffe::archive {

// Paths of every log that has a file on some volume: "log/main", "log/hearing/…/<uuid>", "log/from/<digest>". Sorted.
Result<std::vector<std::string>> all_logs(store::ObjectStore& objects);

}  // namespace greffe::archive

#endif
