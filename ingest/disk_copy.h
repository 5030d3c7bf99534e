// A copy of what a broken station's disk holds of a hearing and no receipt covers. Bytes are checked on the way; what cannot be read
// is left out, what is damaged goes to the copy's quarantine.
#ifndef GREFFE_INGEST_DISK_COPY_H
#define GREFFE_INGEST_DISK_COPY_H

#include <string>
#include <vector>

#include "ingest/spool.h"

namespace greffe::ingest {

// The log as it stands on a disk: what is signed, and the entries behind it that are whole and whose objects are.
struct DiskLog {
  SignedLog signed_part;
  std::vector<std::string> entries;  // all of them
};
Result<DiskLog> read_disk_log(FileSystem& files, const SpoolPaths& paths);

// Of the entries [first, …) and of the segments that were not finished. Appears whole, under a name ending in ".new" before; the
// caller has room. Copied before: only objects that the copy lacks are added.
Status copy_hearing(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const DiskLog& log, std::uint64_t first);
// How many bytes that would be.
Result<std::uint64_t> bytes_to_copy(FileSystem& files, const SpoolPaths& from, const DiskLog& log, std::uint64_t first);

}  // namespace greffe::ingest

#endif
