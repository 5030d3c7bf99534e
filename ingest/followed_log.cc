#include "ingest/followed_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/format/entries.h"

namespace greffe::ingest {

Status FollowedLog::refresh() {
  const auto bytes = files_.read_file(paths_.checkpoint(), kMaxNoteBytes);
  if (!bytes && bytes.error().code != Errc::not_found) return bytes.error();
  if (bytes && as_text(*bytes) == note_) return ok();
  if (bytes && !note_.empty()) {
    auto checkpoint = parse_signed_checkpoint(as_text(*bytes));
    if (checkpoint && checkpoint->checkpoint.size >= size() && read_on(std::move(*checkpoint))) {
      note_ = as_text(*bytes);
      return ok();
    }
  }
  // The first time, or the spool is another one than before.
  const Status read = start_anew();
  if (!read) forget();
  return read;
}

Status FollowedLog::start_anew() {
  forget();
  log_ = GREFFE_TRY(read_signed_log(files_, paths_));
  for (std::uint64_t i = 0; i < size(); ++i) {
    offset_ += 2 + log_.entries[i].size();
    add_leaf(leaf_hash(as_bytes(log_.entries[i])));
    GREFFE_TRY(take(i));
  }
  if (log_.checkpoint) note_ = log_.checkpoint->note.write();
  return ok();
}

// The entries that are known were signed, so they stand where they stood; only what follows is read.
Status FollowedLog::read_on(SignedCheckpoint checkpoint) {
  const auto file = GREFFE_TRY(files_.open_read(paths_.entries()));
  const std::uint64_t end = GREFFE_TRY(file->size());
  if (end < offset_) return fail(Errc::corrupt, fmt::format("{} became shorter", paths_.entries()));
  Bytes fresh(end - offset_);
  const std::size_t got = GREFFE_TRY(file->read_at(offset_, fresh));
  ByteView rest = ByteView(fresh).first(got);
  while (size() < checkpoint.checkpoint.size) {
    const auto record = first_record(rest);
    if (!record) return fail(Errc::corrupt, fmt::format("{} ends before what was signed", paths_.entries()));
    log_.entries.emplace_back(*record);
    offset_ += 2 + record->size();
    rest = rest.subspan(2 + record->size());
    add_leaf(leaf_hash(as_bytes(log_.entries.back())));
    GREFFE_TRY(take(size() - 1));
  }
  if (root_at(size()) != checkpoint.checkpoint.root) return fail(Errc::corrupt, fmt::format("{} is not what was signed", paths_.entries()));
  log_.checkpoint = std::move(checkpoint);
  return ok();
}

Status FollowedLog::take(std::uint64_t index) {
  const auto json = parse_canonical_json(log_.entries[index]);
  const auto kind = json ? json->string("kind") : Result<std::string>(json.error());
  if (!kind) return kind.error().within(fmt::format("entry {} of {}", index, paths_.entries()));
  Named named;
  named.objects = named_objects(*json);
  if (*kind == "lost") {
    for (const Digest& digest : named.objects) lost_at_.emplace(digest, index);
    named.objects.clear();
  }
  named.media = *kind == "segment" || *kind == "peaks";
  if (*kind == "segment") named.bytes = GREFFE_TRY(json->size("bytes"));
  named.before = media_;
  if (named.media) media_.objects += named.objects.size();
  media_.bytes += named.bytes;
  closed_ = closed_ || *kind == "close";
  named_.push_back(std::move(named));
  return ok();
}

void FollowedLog::add_leaf(const Digest& leaf) {
  Digest node = leaf;
  for (std::size_t level = 0;; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    levels_[level].push_back(node);
    if (levels_[level].size() % 2 != 0) return;
    node = node_hash(levels_[level][levels_[level].size() - 2], node);
  }
}

Digest FollowedLog::root_at(std::uint64_t size) const {
  GREFFE_CHECK(size <= this->size());
  const auto root = root_from_subtrees(size, [this](unsigned level, std::uint64_t index) -> Result<Digest> { return levels_[level][index]; });
  GREFFE_CHECK(root.has_value());
  return *root;
}

FollowedLog::Wanted FollowedLog::wanted(std::uint64_t index) const {
  const Named& named = named_[index];
  Wanted out{{}, named.media, 0};
  for (const Digest& digest : named.objects) {
    if (!lost_at_.contains(digest)) out.objects.push_back(digest);
  }
  if (!out.objects.empty()) out.bytes = named.bytes;
  return out;
}

FollowedLog::Media FollowedLog::media_from(std::uint64_t first) const {
  if (first >= size()) return {};
  const Media& before = named_[first].before;
  return {media_.objects - before.objects, media_.bytes - before.bytes};
}

std::uint64_t FollowedLog::whole_at(std::uint64_t first, std::uint64_t size) const {
  for (std::uint64_t i = first; i < size; ++i) {
    for (const Digest& digest : named_[i].objects) {
      const auto lost = lost_at_.find(digest);
      if (lost != lost_at_.end()) size = std::max(size, lost->second + 1);
    }
  }
  return size;
}

void FollowedLog::forget() {
  log_ = {};
  note_.clear();
  offset_ = 0;
  levels_.clear();
  named_.clear();
  media_ = {};
  lost_at_.clear();
  closed_ = false;
}

}  // namespace greffe::ingest
