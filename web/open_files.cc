#include "web/open_files.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace greffe::web {
namespace {

constexpr std::uint64_t kOwnFiles = 128;       // logs, databases, locks, the threads that read back and scrub
constexpr std::uint64_t kPerConnection = 8;    // a socket and three replicas, at two addresses
constexpr std::size_t kLeastConnections = 8;
constexpr std::size_t kEnoughConnections = 4096;

}  // namespace

OpenFiles open_files_of(std::uint64_t limit) {
  OpenFiles out;
  out.limit = limit;
  const std::uint64_t left = limit > kOwnFiles ? limit - kOwnFiles : 0;
  out.connections = std::clamp<std::size_t>(left / kPerConnection, kLeastConnections, kEnoughConnections);
  if (out.connections == kEnoughConnections) return out;
  out.warning = fmt::format("this process may open {} files, which is enough for {} connections at a time at each address; give it 65536: "
                            "LimitNOFILE of the service, or ulimit -n",
                            limit, out.connections);
  return out;
}

OpenFiles claim_open_files() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  rlimit wanted = files;
  wanted.rlim_cur = wanted.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) files = wanted;
  return open_files_of(files.rlim_cur);
}

}  // namespace greffe::web
