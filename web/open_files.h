// How many files this process may have open, and how many connections leave the archive enough of them: a commit that finds
// no descriptor cannot be acknowledged.
#ifndef GREFFE_WEB_OPEN_FILES_H
#define GREFFE_WEB_OPEN_FILES_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace greffe::web {

struct OpenFiles {
  std::uint64_t limit = 0;
  std::size_t connections = 0;  // at each address, at most
  std::string warning;          // empty when that is enough for a court's stations
};

// What `limit` is enough for.
OpenFiles open_files_of(std::uint64_t limit);

// Raises the limit of this process to what the system lets it have. Call it before the first connection.
OpenFiles claim_open_files();

}  // namespace greffe::web

#endif
