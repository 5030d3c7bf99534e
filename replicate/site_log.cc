#include "replicate/site_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/tiles.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kHeldBytes = 1024 * 1024;  // of entries between the first look and the second

// The length belongs to what is hashed: entries must not run into each other.
void add_to(Sha256& hash, std::string_view entry) {
  const std::uint8_t length[] = {static_cast<std::uint8_t>(entry.size() >> 8), static_cast<std::uint8_t>(entry.size() & 0xff)};
  hash.update(length);
  hash.update(as_bytes(entry));
}

}  // namespace

SiteLog::SiteLog(RestoreSite& site, tlog::LogStores pool, client::LogTarget target, std::string log_path)
    : site_(site), target_(std::move(target)), log_path_(std::move(log_path)), reader_(pool.objects, pool.heads, log_path_) {}

Status SiteLog::take(std::string_view entry, const Visit& visit) {
  if (entry.empty() || entry.size() > kMaxEntryBytes) return fail(Errc::corrupt, log_path_ + " has an entry of a size that no log takes");
  const std::uint64_t index = edge_.size();
  edge_.append(leaf_hash(as_bytes(entry)));
  add_to(bundle_, entry);
  if (edge_.size() % kTileWidth == 0) {
    bundles_.push_back(bundle_.finish());
    bundle_ = Sha256();
  }
  visit(index, entry, [this] { return edge_.root(); });
  // Both sides state a root; where the smaller one ends, it must be this one.
  const auto other_root = [this](const std::optional<SignedCheckpoint>& head) {
    return head && head->checkpoint.size == edge_.size() && head->checkpoint.root != edge_.root();
  };
  if (other_root(site_head_)) return fail(Errc::corrupt, fmt::format("{} entries do not lead to the root of the second site's checkpoint", edge_.size()));
  if (other_root(pool_head_)) {
    return fail(Errc::conflict, fmt::format("the pool and the second site have different logs: the first {} entries are not the same", edge_.size()));
  }
  return ok();
}

void SiteLog::keep(const std::vector<std::string>& entries) {
  if (!holds_all_) return;
  if (held_.empty()) held_first_ = edge_.size();
  for (const std::string& entry : entries) held_bytes_ += entry.size();
  held_.insert(held_.end(), entries.begin(), entries.end());
  if (held_bytes_ <= kHeldBytes) return;
  holds_all_ = false;
  held_.clear();
}

Status SiteLog::read_pool(std::uint64_t local, const Visit& visit) {
  Status taken = ok();
  GREFFE_TRY(reader_.entries(0, local, [&](std::uint64_t, std::string_view entry) {
    taken = take(entry, visit);
    return taken.has_value();
  }));
  return taken;
}

// Notes of a main log come with the entries that they end with.
Status SiteLog::check_kept(const std::vector<std::string>& notes, std::size_t& next) {
  while (next < notes.size()) {
    const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(notes[next]));
    if (note.checkpoint.size > edge_.size()) return ok();
    if (note.checkpoint.size < edge_.size() || note.checkpoint.root != edge_.root() || note.checkpoint.origin != site_head_->checkpoint.origin) {
      return fail(Errc::corrupt, fmt::format("a checkpoint that it kept of {} entries is of another tree", note.checkpoint.size));
    }
    kept_.push_back(notes[next++]);
  }
  return ok();
}

Status SiteLog::read_site(std::uint64_t first, const Visit& visit) {
  const std::uint64_t end = end_;
  while (first < end) {
    const bool have = ahead_ && ahead_->first == first && !ahead_->entries.empty();
    const client::LogPiece piece = have ? std::move(*ahead_) : GREFFE_TRY(site_.read_entries(target_, first, end));
    ahead_.reset();
    if (piece.entries.empty() || piece.entries.size() > end - first) return fail(Errc::corrupt, "it gives fewer entries than its checkpoint says");
    keep(piece.entries);
    std::size_t next_note = 0;
    for (const std::string& entry : piece.entries) {
      GREFFE_TRY(take(entry, visit));
      GREFFE_TRY(check_kept(piece.kept, next_note));
    }
    first += piece.entries.size();
    fetched_ += piece.entries.size();
  }
  return ok();
}

Status SiteLog::read_from(std::uint64_t local, const Visit& visit) {
  edge_ = TreeEdge();
  bundle_ = Sha256();
  bundles_.clear();
  kept_.clear();
  held_.clear();
  held_bytes_ = 0;
  holds_all_ = true;
  fetched_ = 0;
  local_ = local;
  if (local > 0) GREFFE_TRY(read_pool(local, visit));
  if (site_head_) GREFFE_TRY(read_site(local, visit));
  if (edge_.size() % kTileWidth != 0) bundles_.push_back(bundle_.finish());
  return ok();
}

Status SiteLog::read(const CheckHead& check, const Visit& visit, const std::optional<std::uint64_t>& enough) {
  const auto here = reader_.checkpoint();
  if (!here && here.error().code != Errc::not_found && here.error().code != Errc::corrupt) return here.error();
  if (here) pool_head_ = *here;
  const std::uint64_t local = pool_head_ ? pool_head_->checkpoint.size : 0;
  auto piece = site_.read_entries(target_, local, std::nullopt);
  if (!piece && piece.error().code != Errc::not_found) return piece.error();
  if (piece) site_head_ = GREFFE_TRY(parse_signed_checkpoint(piece->note));
  if (site_head_) GREFFE_TRY(check(*site_head_));
  if (piece) ahead_ = *std::move(piece);
  if (!site_head_ && !pool_head_) return fail(Errc::not_found, "the second site holds nothing of it");
  if (site_head_ && pool_head_ && site_head_->checkpoint.origin != pool_head_->checkpoint.origin) {
    return fail(Errc::conflict, fmt::format("the pool has the log {} where the second site has {}", pool_head_->checkpoint.origin, site_head_->checkpoint.origin));
  }
  const bool more_there = site_head_ && site_head_->checkpoint.size > local && !(pool_head_ && enough && local >= *enough);
  head_ = more_there ? site_head_ : pool_head_;
  end_ = head_->checkpoint.size;
  const Status done = read_from(local, visit);
  is_here_ = done.has_value() && head_->checkpoint.size == local;
  const bool damaged = !done && (done.error().code == Errc::corrupt || done.error().code == Errc::not_found || done.error().code == Errc::io_error);
  if (!damaged || local == 0 || !site_head_) return done;
  // What cannot be read here is taken from there.
  if (site_head_->checkpoint.size < local) {
    return fail(Errc::conflict, fmt::format("the pool's own {} entries cannot be read, or are of another log ({}), and the second site holds {} only", local,
                                            done.error().message, site_head_->checkpoint.size));
  }
  head_ = site_head_;
  end_ = head_->checkpoint.size;
  return read_from(0, visit);
}

Result<std::vector<std::string>> SiteLog::entries_again(std::uint64_t first, std::uint64_t last) {
  if (last <= local_) return reader_.entries(first, last);
  const auto held_last = [&] { return held_first_ + held_.size(); };
  std::vector<std::string> out;
  while (first < last) {
    if (held_.empty() || first < held_first_ || first >= held_last()) {
      client::LogPiece piece = GREFFE_TRY(site_.read_entries(target_, first, site_head_->checkpoint.size));
      if (piece.entries.empty()) return fail(Errc::corrupt, "it gives fewer entries than its checkpoint says");
      held_ = std::move(piece.entries);
      held_first_ = first;
    }
    const std::uint64_t end = std::min(last, held_last());
    for (; first < end; ++first) out.push_back(held_[first - held_first_]);
  }
  return out;
}

Result<std::vector<std::string>> SiteLog::bundle(std::uint64_t index) {
  const std::uint64_t first = index * kTileWidth;
  const std::uint64_t last = std::min(first + kTileWidth, edge_.size());
  if (first >= last) return fail(Errc::invalid, "the log has no such entries");
  std::vector<std::string> entries = GREFFE_TRY(entries_again(first, last));
  Sha256 hash;
  for (const std::string& entry : entries) add_to(hash, entry);
  if (hash.finish() != bundles_[index]) return fail(Errc::corrupt, "it gives other entries than a moment ago");
  return entries;
}

}  // namespace greffe::replicate
