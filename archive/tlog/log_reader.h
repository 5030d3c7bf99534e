// Reads one log (main or hearing) from a store: entries, tiles, proofs. Partial tiles are computed from the newest
// stage. Never past the published head. Thread-safe; cheap to make; copies share what they have loaded. A reader that
// is kept loads the tree anew only when the head has moved.
#ifndef GREFFE_ARCHIVE_TLOG_LOG_READER_H
#define GREFFE_ARCHIVE_TLOG_LOG_READER_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/merkle.h"
#include "archive/format/signed_note.h"
#include "archive/format/tiles.h"
#include "archive/store/object_store.h"

namespace greffe::tlog {

class TreeView;

class LogReader {
 public:
  // `log_path` as names.h builds it ("log/main", "log/hearing/…"). The stores must outlive the reader.
  LogReader(store::ObjectStore& objects, store::HeadStore& heads, std::string log_path);

  // The published head, parsed. Its signature is the caller's to check. not_found: no such log.
  Result<SignedCheckpoint> checkpoint() const;
  // Entries [first, last) in order, verbatim; each bundle is checked against its level-0 hashes (another replica is
  // tried when it does not match). `visit` returns false to stop. invalid: last is beyond the head.
  Status entries(std::uint64_t first, std::uint64_t last,
                 const std::function<bool(std::uint64_t index, std::string_view entry)>& visit) const;
  Result<std::vector<std::string>> entries(std::uint64_t first, std::uint64_t last) const;
  // The bytes of a tile or bundle of the tree of the published size; partial ones are computed. not_found: beyond it.
  Result<Bytes> tile(const TileName& name) const;
  Result<std::vector<Digest>> inclusion(std::uint64_t index, std::uint64_t size) const;
  Result<std::vector<Digest>> consistency(std::uint64_t old_size, std::uint64_t size) const;
  // The root at `size` (<= head), recomputed from stored hashes.
  Result<Digest> root_at(std::uint64_t size) const;

 private:
  store::ObjectStore& objects_;
  store::HeadStore& heads_;
  std::string log_path_;
  struct Loaded;
  std::shared_ptr<Loaded> loaded_;

  Result<std::shared_ptr<const TreeView>> view() const;
};

}  // namespace greffe::tlog

#endif
