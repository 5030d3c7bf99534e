// The signed log of a hearing in the spool, kept in memory and read on where it grew, so that the delivery of one more segment
// costs the same at the end of a court day as at its beginning. One thread.
#ifndef GREFFE_INGEST_FOLLOWED_LOG_H
#define GREFFE_INGEST_FOLLOWED_LOG_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ingest/spool.h"

namespace greffe::ingest {

class FollowedLog {
 public:
  FollowedLog(FileSystem& files, SpoolPaths paths) : files_(files), paths_(std::move(paths)) {}

  // Reads what was signed since the last call. corrupt: the entries are not those that were signed; nothing is known then.
  Status refresh();

  const SpoolPaths& paths() const { return paths_; }
  const SignedLog& log() const { return log_; }
  std::uint64_t size() const { return log_.entries.size(); }
  bool closed() const { return closed_; }
  Digest root_at(std::uint64_t size) const;  // of the first `size` entries

  // What an entry names, but for the objects that a `lost` entry excuses.
  struct Wanted {
    std::vector<Digest> objects;
    bool media = false;        // a recording; false: a document, which belongs to the words of the log
    std::uint64_t bytes = 0;   // of media, as the entry states them
  };
  Wanted wanted(std::uint64_t index) const;
  // The recordings that the entries from `first` on name.
  struct Media {
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
  };
  Media media_from(std::uint64_t first) const;
  // An archive takes an entry whose object is lost only together with the `lost` entry: the least size, not below `size`, at
  // which the entries from `first` on can be posted.
  std::uint64_t whole_at(std::uint64_t first, std::uint64_t size) const;

 private:
  struct Named {
    std::vector<Digest> objects;
    bool media = false;
    std::uint64_t bytes = 0;
    Media before;            // of all entries before this one
  };
  Status start_anew();
  Status read_on(SignedCheckpoint checkpoint);
  Status take(std::uint64_t index);
  void add_leaf(const Digest& leaf);
  void forget();

  FileSystem& files_;
  const SpoolPaths paths_;
  SignedLog log_;
  std::string note_;                         // the text of its checkpoint file
  std::uint64_t offset_ = 0;                 // in `entries`, behind the last of ours
  std::vector<std::vector<Digest>> levels_;  // the full subtrees of 2^level leaves
  std::vector<Named> named_;
  Media media_;                              // of all of them
  std::map<Digest, std::uint64_t> lost_at_;  // the entry that says so
  bool closed_ = false;
};

}  // namespace greffe::ingest

#endif
