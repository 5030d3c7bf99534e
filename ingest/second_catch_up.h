// Makes the copy of a hearing in the station's other directory what the one that counts is now: what it lacks is copied, objects are
// hashed on the way, nothing that was recorded is thrown away. A copy whose signed log is not a prefix is not touched. Blocks for as
// long as it takes; may be broken off anywhere and done again. One thread; whoever writes the copy holds its lock.
#ifndef GREFFE_INGEST_SECOND_CATCH_UP_H
#define GREFFE_INGEST_SECOND_CATCH_UP_H

#include <functional>
#include <string>

#include "ingest/spool.h"

namespace greffe::ingest {

// How many bytes were written. `stop` is asked between two files: cancelled. conflict: the copy holds something else or more; in words.
// An error names the side that failed.
Result<std::uint64_t> catch_up_hearing(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const std::function<bool()>& stop);

// How the logs of one hearing in two directories stand to each other.
enum class LogOrder { same, first_more, second_more, differ };
Result<LogOrder> compare_logs(FileSystem& files, const SpoolPaths& first, const SpoolPaths& second);

// A whole copy of an object of the hearing that `to` no longer gives back, read in the other directory; what stood there before goes to
// quarantine. not_found: it is not there either, or damaged too.
Status restore_object(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const Digest& digest);

}  // namespace greffe::ingest

#endif
