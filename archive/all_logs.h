// The logs of a pool, found by their files.
#ifndef GREFFE_ARCHIVE_ALL_LOGS_H
#define GREFFE_ARCHIVE_ALL_LOGS_H

#include <functional>
#include <string>
#include <vector>

#include "archive/store/object_store.h"

namespace greffe::archive {

// Paths of every log that has a file on some volume: "log/main", "log/hearing/…/<uuid>", "log/from/<digest>". Sorted.
Result<std::vector<std::string>> all_logs(store::ObjectStore& objects);

// The same one after the other, those behind `after`, with one directory at a time in memory. `visit` may read and repair
// logs; it returns false to stop.
Status walk_logs(store::ObjectStore& objects, const std::string& after, const std::function<bool(const std::string& path)>& visit);

}  // namespace greffe::archive

#endif
