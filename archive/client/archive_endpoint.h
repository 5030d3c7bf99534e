// Where an archive is, as its clients keep it.
#ifndef GREFFE_ARCHIVE_CLIENT_ARCHIVE_ENDPOINT_H
#define GREFFE_ARCHIVE_CLIENT_ARCHIVE_ENDPOINT_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "archive/format/digest.h"

namespace greffe::client {

struct ArchiveEndpoint {
  std::string address;
  Digest server_spki;
  std::uint64_t epoch = 1;  // the highest epoch this client has stored; sent as Greffe-Epoch
  std::vector<std::string> nodes = {};  // addresses of all machines of this archive, as it told them last; may be empty
  unsigned stall_timeout_s = 30;        // no byte for so long: unavailable
  std::uint64_t copies_epoch = 1;       // of a replicator: in which epoch its own archive is; sent as Greffe-Copies-Epoch
};
constexpr std::size_t kNodesMax = 8;

}  // namespace greffe::client

#endif
