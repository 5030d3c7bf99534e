// Logs for the tests: entries that are all different, a signer, and a slow reference.
#ifndef GREFFE_TESTS_UNIT_TLOG_LOG_FIXTURE_H
#define GREFFE_TESTS_UNIT_TLOG_LOG_FIXTURE_H

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "archive/format/ed25519.h"
#include "archive/format/merkle.h"
#include "archive/format/signed_note.h"
#include "archive/tlog/log_reader.h"
#include "archive/tlog/log_writer.h"
#include "tests/unit/support/memory_store.h"
#include "tests/unit/support/test_pool.h"

namespace greffe::testing {

inline constexpr const char* kOrigin = "archive.example";
inline constexpr const char* kLogPath = "log/main";

inline std::string entry_at(std::uint64_t index) { return "entry " + std::to_string(index) + " of the log"; }

inline std::vector<std::string> entries_between(std::uint64_t first, std::uint64_t last) {
  std::vector<std::string> out;
  for (std::uint64_t i = first; i < last; ++i) out.push_back(entry_at(i));
  return out;
}

// Roots of all sizes up to a limit, by appending leaf after leaf.
class ReferenceRoots {
 public:
  explicit ReferenceRoots(std::uint64_t size) {
    TreeEdge edge;
    roots_.push_back(edge.root());
    for (std::uint64_t i = 0; i < size; ++i) {
      edge.append(leaf_hash(as_bytes(entry_at(i))));
      roots_.push_back(edge.root());
    }
  }
  const Digest& at(std::uint64_t size) const { return roots_.at(size); }

 private:
  std::vector<Digest> roots_;
};

struct Signer {
  PrivateKey key = *PrivateKey::from_seed(Bytes(32, 7));
  Result<std::string> operator()(std::uint64_t size, const Digest& root) const {
    const Checkpoint checkpoint{kOrigin, size, root};
    SignedNote note;
    note.text = checkpoint.text();
    put_signature(note, sign_checkpoint(checkpoint, key));
    return note.write();
  }
};

template <class Store>
Result<tlog::LogWriter> open_writer(Store& store) {
  return tlog::LogWriter::open(store, store, store, kLogPath);
}

// Appends entries_between(size, up_to) in one batch.
inline Status append_up_to(tlog::LogWriter& writer, const Signer& signer, std::uint64_t up_to) {
  const auto entries = entries_between(writer.size(), up_to);
  return writer.append(entries, [&](std::uint64_t size, const Digest& root) { return signer(size, root); });
}

}  // namespace greffe::testing

#endif
