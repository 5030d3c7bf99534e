// One change of the spool, to be made again in the station's other directory. Carries its bytes: nothing is read from a disk that may
// be failing. A value.
#ifndef GREFFE_INGEST_SECOND_JOB_H
#define GREFFE_INGEST_SECOND_JOB_H

#include <cstdint>
#include <string>

#include "archive/base/file_system.h"

namespace greffe::ingest {

struct SecondJob {
  enum class Kind { make_directories, create, append, write_new, replace, rename, link, remove, truncate, sync_directory };
  Kind kind = Kind::append;
  std::string path;         // below the station directory, as are all
  std::string to;           // of rename and link
  Bytes bytes;
  std::uint64_t offset = 0; // of append: where the bytes stand; of truncate and link: the size of the file
  unsigned mode = 0640;
  std::int64_t queued_ms = 0;

  // What it takes of the queue.
  std::uint64_t size() const { return bytes.size() + path.size() + to.size() + 256; }
};

// Durable as far as the change itself was. `again`: the copy was made from what stood there later than this change, so that it may be
// done already, in whole or in part, or its file may be gone.
Status apply(FileSystem& files, const std::string& directory, const SecondJob& job, bool again);

}  // namespace greffe::ingest

#endif
