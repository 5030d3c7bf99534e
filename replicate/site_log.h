// One log as it is to be restored: what this pool has of it, and the rest from the second site. It is read once as a whole and
// hashed to the root of its signed checkpoint before anybody may use an entry of it. One thread at a time.
#ifndef GREFFE_REPLICATE_SITE_LOG_H
#define GREFFE_REPLICATE_SITE_LOG_H

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/merkle.h"
#include "archive/tlog/log_import.h"
#include "archive/tlog/log_reader.h"
#include "replicate/remote_sites.h"

namespace greffe::replicate {

class SiteLog {
 public:
  SiteLog(RestoreSite& site, tlog::LogStores pool, client::LogTarget target, std::string log_path);

  // Every entry in order, with the root of the tree that ends with it if somebody asks. Index 0 again: everything before is
  // forgotten. Nothing of it may be believed before read() returns ok.
  using Root = std::function<Digest()>;
  using Visit = std::function<void(std::uint64_t index, std::string_view entry, const Root& root)>;
  // What the site holds, before a byte of it is read.
  using CheckHead = std::function<Status(const SignedCheckpoint& site_head)>;
  // ok: the entries lead to the roots of the heads of both sides; who signed them is the caller's question. not_found: neither side has the
  // log. conflict: the pool has another log than the site under this name, or more of it than can be read. corrupt: the site's entries do
  // not lead to its checkpoint. Other errors as RestoreSite and `check`.
  // `enough`: where the pool can give so many entries, it is asked alone.
  Status read(const CheckHead& check, const Visit& visit, const std::optional<std::uint64_t>& enough = std::nullopt);

  // After read(). What the site holds; none: it has nothing.
  const std::optional<SignedCheckpoint>& site_head() const { return site_head_; }
  // Of what was read: the larger one of both sides, or the pool's, where that is enough.
  const SignedCheckpoint& head() const { return *head_; }
  // The pool has the log whole, and as much of it as the site or more: nothing is to be stored.
  bool is_here() const { return is_here_; }
  std::uint64_t fetched() const { return fetched_; }       // entries, from the site
  const std::vector<std::string>& kept() const { return kept_; }  // notes within a main log, each with the root that it states
  // For import_log: the same entries again, verified again. Those of the pool and a small log's own are at hand, others are asked for once more.
  Result<std::vector<std::string>> bundle(std::uint64_t index);

 private:
  Status read_from(std::uint64_t local, const Visit& visit);
  Status read_pool(std::uint64_t local, const Visit& visit);
  Status read_site(std::uint64_t first, const Visit& visit);
  Status take(std::string_view entry, const Visit& visit);
  Status check_kept(const std::vector<std::string>& notes, std::size_t& next);
  void keep(const std::vector<std::string>& entries);
  Result<std::vector<std::string>> entries_again(std::uint64_t first, std::uint64_t last);

  RestoreSite& site_;
  const client::LogTarget target_;
  const std::string log_path_;
  const tlog::LogReader reader_;

  std::optional<SignedCheckpoint> pool_head_;
  std::optional<SignedCheckpoint> site_head_;
  std::optional<SignedCheckpoint> head_;
  std::optional<client::LogPiece> ahead_;  // came with the site's head
  bool is_here_ = false;
  std::uint64_t end_ = 0;    // entries that are read
  std::uint64_t local_ = 0;  // entries that the pool could give
  std::uint64_t fetched_ = 0;

  // What read() saw: the digest of each bundle, so that a second look cannot be another one.
  TreeEdge edge_;
  Sha256 bundle_;
  std::vector<Digest> bundles_;
  std::vector<std::string> kept_;

  // Entries [held_first_, …) from the site, as long as they are few; later the last piece that was asked for again.
  std::uint64_t held_first_ = 0;
  std::vector<std::string> held_;
  std::size_t held_bytes_ = 0;
  bool holds_all_ = true;
};

}  // namespace greffe::replicate

#endif
