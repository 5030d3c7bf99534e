// Which volumes ought to hold a key: rendezvous hashing over failure domains. Pure.
#ifndef GREFFE_ARCHIVE_STORE_PLACEMENT_H
#define GREFFE_ARCHIVE_STORE_PLACEMENT_H

#include <string>
#include <string_view>
#include <vector>

namespace greffe::store {

struct PlacementSite {
  std::string id;
  std::string domain;
};

// Indices into `sites`, best first: first one volume of every domain, then the second ones, and so on. A volume that
// is added or taken away moves only the keys for which it is among the best.
std::vector<std::size_t> rank_sites(std::string_view key, const std::vector<PlacementSite>& sites);

// The part of a log file's key by which it is placed, so that all files of a log share their volumes:
// "log/main/tile/0/000" and "log/main/checkpoint" -> "log/main". Other keys stand for themselves.
std::string_view placement_key(std::string_view key);

}  // namespace greffe::store

#endif
