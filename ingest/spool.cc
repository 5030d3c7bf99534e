#include "ingest/spool.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/segment.h"
#include "archive/format/tiles.h"
#include "ingest/channel.h"
#include "ingest/continuation.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxLogBytes = 512 * 1024 * 1024;
constexpr std::uint64_t kMaxCheckpointBytes = kMaxNoteBytes;
constexpr unsigned kFileMode = 0640;

Result<std::optional<SignedCheckpoint>> read_checkpoint(FileSystem& files, const SpoolPaths& paths) {
  const auto bytes = files.read_file(paths.checkpoint(), kMaxCheckpointBytes);
  if (!bytes && bytes.error().code == Errc::not_found) return std::optional<SignedCheckpoint>();
  if (!bytes) return bytes.error();
  auto parsed = parse_signed_checkpoint(as_text(*bytes));
  if (!parsed) return fail(Errc::corrupt, fmt::format("{}: {}", paths.checkpoint(), parsed.error().message));
  return std::optional<SignedCheckpoint>(std::move(*parsed));
}

Error damaged(const SpoolPaths& paths, std::string_view why) {
  return fail(Errc::corrupt, fmt::format("{}: {}. The station's copy of this hearing is damaged; nothing was changed. What the "
                                         "archive has of it is not affected; keep this directory and ask for help", paths.entries(), why));
}

struct Loaded {
  SignedLog log;
  TreeEdge tree;
  Bytes tail;  // what follows the signed part
};

// The checkpoint is read first: entries only ever grow, so they hold at least what it commits to.
Result<Loaded> load_log(FileSystem& files, const SpoolPaths& paths) {
  Loaded out;
  out.log.checkpoint = GREFFE_TRY(read_checkpoint(files, paths));
  auto bytes = files.read_file(paths.entries(), kMaxLogBytes);
  if (!bytes && bytes.error().code != Errc::not_found) return bytes.error();
  ByteView rest;
  if (bytes) rest = *bytes;
  const std::uint64_t size = out.log.checkpoint ? out.log.checkpoint->checkpoint.size : 0;
  while (out.log.entries.size() < size) {
    const auto record = first_record(rest);
    if (!record) return damaged(paths, fmt::format("only {} of {} signed entries are there", out.log.entries.size(), size));
    out.tree.append(leaf_hash(as_bytes(*record)));
    out.log.entries.emplace_back(*record);
    rest = rest.subspan(2 + record->size());
  }
  if (size > 0 && out.tree.root() != out.log.checkpoint->checkpoint.root) {
    return damaged(paths, "the entries are not those that were signed");
  }
  out.tail.assign(rest.begin(), rest.end());
  return out;
}

}  // namespace

std::optional<std::string_view> first_record(ByteView bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const std::size_t size = std::size_t{bytes[0]} << 8 | bytes[1];
  if (size == 0 || bytes.size() < 2 + size) return std::nullopt;
  return as_text(bytes.subspan(2, size));
}

Result<SignedLog> read_signed_log(FileSystem& files, const SpoolPaths& paths) {
  Loaded loaded = GREFFE_TRY(load_log(files, paths));
  return std::move(loaded.log);
}

Digest root_at(const SignedLog& log, std::uint64_t size) {
  TreeEdge tree;
  for (std::uint64_t i = 0; i < size; ++i) tree.append(leaf_hash(as_bytes(log.entries[i])));
  return tree.root();
}

Status HearingSpool::create(FileSystem& files, const SpoolPaths& paths) {
  GREFFE_TRY(files.make_directories(paths.open()));
  GREFFE_TRY(files.make_directories(paths.objects()));
  return files.make_directories(paths.quarantine());
}

Result<std::unique_ptr<HearingSpool>> HearingSpool::open(FileSystem& files, SpoolPaths paths, HearingId id, std::string archive,
                                                         const PrivateKey& key) {
  std::unique_ptr<HearingSpool> out(new HearingSpool(files, std::move(paths), id, std::move(archive), key));
  auto lock = files.lock(out->paths_.lock());
  if (!lock && lock.error().code == Errc::unavailable) {
    return fail(Errc::unavailable, fmt::format("hearing {} is being written by another greffe-ingest; wait for it or stop it", id.text()));
  }
  if (!lock) return lock.error();
  out->lock_ = std::move(*lock);
  if (const auto continued = GREFFE_TRY(read_continuation(files, out->paths_))) {
    return fail(Errc::conflict, fmt::format("hearing {} goes on as hearing {}, because the archive holds another log of it; use that one",
                                            id.text(), continued->hearing.text()));
  }
  if (files.stat(out->paths_.waits())) {
    return fail(Errc::conflict, fmt::format("the station's other directory may hold more of hearing {} and could not be read, so nothing is "
                                            "added to it here; plug its disk in and start greffe-ingest again", id.text()));
  }
  GREFFE_TRY(out->load());
  return out;
}

Status HearingSpool::load() {
  Loaded loaded = GREFFE_TRY(load_log(files_, paths_));
  if (loaded.log.checkpoint) {
    const SignedCheckpoint& signed_one = *loaded.log.checkpoint;
    const std::string origin = hearing_origin(archive_, id_);
    const VerifierKey own{origin, KeyType::ed25519, key_.public_key()};
    if (signed_one.checkpoint.origin != origin || !verify_note(signed_one.note, own)) {
      return damaged(paths_, "its checkpoint was not signed by this station's key");
    }
  }
  entries_ = std::move(loaded.log.entries);
  tree_ = std::move(loaded.tree);
  committed_ = entries_.size();
  for (const std::string& entry : entries_) {
    const Status applied = state_.apply(entry);
    if (!applied) return applied.error().within(paths_.entries());
  }
  return keep_unsigned_tail(loaded.tail);
}

// The crash came between the entries and their signature. Entries that are whole, and whose objects are there, were
// recorded; they are signed now. The rest is a torn write that nobody has relied on.
Status HearingSpool::keep_unsigned_tail(ByteView tail) {
  if (tail.empty()) return ok();
  ByteView rest = tail;
  while (const auto record = first_record(rest)) {
    if (!is_whole(*record)) break;
    tree_.append(leaf_hash(as_bytes(*record)));
    entries_.emplace_back(*record);
    GREFFE_TRY(state_.apply(*record));
    rest = rest.subspan(2 + record->size());
  }
  const bool any = rest.size() < tail.size();
  if (!rest.empty()) GREFFE_TRY(set_aside(fmt::format("entries-{}", entries_.size()), rest));
  // Written anew, never synced where it is: if the sync of the write before failed, the tail may be in the page cache
  // only, and the kernel would call it durable.
  GREFFE_TRY(files_.replace(paths_.entries(), records_from(0), kFileMode));
  committed_ = entries_.size();
  return any ? sign() : ok();
}

// The entries [first, …) as they stand in the file.
Bytes HearingSpool::records_from(std::size_t first) const {
  Bytes out;
  for (std::size_t i = first; i < entries_.size(); ++i) {
    const std::string& entry = entries_[i];
    GREFFE_CHECK(entry.size() <= kMaxEntryBytes);
    out.push_back(static_cast<std::uint8_t>(entry.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(entry.size()));
    out.insert(out.end(), entry.begin(), entry.end());
  }
  return out;
}

bool HearingSpool::is_whole(std::string_view entry) {
  const auto json = parse_canonical_json(entry);
  const auto parsed = parse_hearing_entry(entry);
  if (!json || !parsed || std::holds_alternative<UnknownEntry>(*parsed)) return false;
  if (std::holds_alternative<OpenEntry>(*parsed) != entries_.empty()) return false;
  for (const Digest& digest : named_objects(*json)) {
    const auto bytes = files_.read_file(paths_.object(digest), kMaxObjectBytes);
    if (!bytes || sha256(*bytes) != digest) return false;
    // It may only be in the page cache yet; what is signed below must survive a power cut.
    if (!files_.sync_file(paths_.object(digest))) return false;
  }
  return static_cast<bool>(files_.sync_directory(paths_.objects()));
}

// Nothing that was once written is thrown away. A second crash may have left it there already.
Status HearingSpool::set_aside(const std::string& name, ByteView bytes) {
  const std::string path = join(paths_.quarantine(), fmt::format("{}-{}", name, sha256(bytes).hex().substr(0, 16)));
  const Status written = files_.write_new(path, bytes);
  return written || written.error().code == Errc::already_exists ? ok() : written;
}

Status HearingSpool::sign() {
  const Checkpoint checkpoint{hearing_origin(archive_, id_), tree_.size(), tree_.root()};
  SignedNote note;
  note.text = checkpoint.text();
  put_signature(note, sign_checkpoint(checkpoint, key_));
  return files_.replace(paths_.checkpoint(), as_bytes(note.write()), kFileMode);
}

Result<Digest> HearingSpool::put_document(ByteView bytes) {
  const Digest digest = sha256(bytes);
  const Status written = files_.write_new(paths_.object(digest), bytes);
  if (!written && written.error().code != Errc::already_exists) return written.error();
  return digest;
}

Result<OpenSegment> HearingSpool::begin_segment(const OpenSegmentName& name) {
  OpenSegment out;
  out.path = join(paths_.open(), name.text());
  out.file = GREFFE_TRY(files_.create(out.path, kFileMode));
  out.reader = GREFFE_TRY(files_.open_read(out.path));
  GREFFE_TRY(files_.sync_directory(paths_.open()));
  return out;
}

Result<Digest> HearingSpool::seal_fragment(OpenSegment& segment, std::uint64_t bytes) {
  const std::uint64_t end = bytes + kHashBoxBytes;
  if (bytes <= segment.sealed || bytes > kMaxObjectBytes - kHashBoxBytes) {
    return fail(Errc::invalid, fmt::format("a fragment cannot end at byte {} of a segment, after one that ended at {}", bytes, segment.sealed));
  }
  const std::size_t length = static_cast<std::size_t>(bytes - segment.sealed);
  if (piece_.size() < length) piece_.resize(std::max(length, std::min<std::size_t>(kMaxObjectBytes, 2 * piece_.size())));
  const auto fresh = std::span(piece_).first(length);
  const std::size_t got = GREFFE_TRY(segment.reader->read_at(segment.sealed, fresh));
  if (got != fresh.size()) return fail(Errc::invalid, "a segment has fewer bytes than was said");
  const Status whole = segment.scan.take(fresh);
  if (!whole) return fail(Errc::invalid, whole.error().message);
  segment.hash.update(fresh);
  const auto box = hash_box(segment.hash.peek());
  GREFFE_TRY(segment.file->write(box));
  // Every write goes to the end: with exactly this size, what was hashed and the box are all that the file holds, for good.
  const std::uint64_t size = GREFFE_TRY(segment.reader->size());
  if (size != end) return fail(Errc::invalid, "a segment has more bytes than was said");
  segment.hash.update(box);
  segment.sealed = end;
  return segment.hash.peek();
}

Result<Digest> HearingSpool::end_segment(OpenSegment& segment) {
  segment.file.reset();
  const Writers writers = writers_of(segment.reader->descriptor());
  if (writers == Writers::some) return fail(Errc::invalid, "a finished segment is still open for writing");
  const std::uint64_t size = GREFFE_TRY(segment.reader->size());
  if (size != segment.sealed) return fail(Errc::invalid, "a segment does not end with a whole fragment");
  segment.reader.reset();
  const auto durable = GREFFE_TRY(files_.open_append(segment.path));
  GREFFE_TRY(durable->sync());
  const Digest digest = segment.hash.peek();
  if (writers == Writers::none) return digest;
  // This file system cannot tell who has a file open: the object is a copy that nobody else has ever held.
  const Bytes bytes = GREFFE_TRY(files_.read_file(segment.path, kMaxObjectBytes));
  const Digest copied = GREFFE_TRY(put_document(bytes));
  return copied == digest ? Result<Digest>(digest) : fail(Errc::invalid, "a finished segment was changed");
}

Status HearingSpool::distrust_segment(OpenSegment segment) {
  segment.file.reset();
  segment.reader.reset();
  std::uint8_t salt[8];
  fill_random(salt);
  const std::string name = segment.path.substr(parent_of(segment.path).size() + 1);
  GREFFE_TRY(files_.rename(segment.path, join(paths_.quarantine(), fmt::format("{}-{}", name, to_hex(salt)))));
  GREFFE_TRY(files_.sync_directory(paths_.quarantine()));
  return files_.sync_directory(paths_.open());
}

void HearingSpool::finish_segment(OpenSegment segment, const Digest& digest) {
  finished_.push_back({std::move(segment), digest});
}

void HearingSpool::append(const HearingEntry& entry) {
  entries_.push_back(write_hearing_entry(entry));
  state_.apply(entry);
}

Status HearingSpool::link_finished() {
  for (const Finished& one : finished_) {
    const Status linked = files_.link_file(one.segment.path, paths_.object(one.digest));
    if (!linked && linked.error().code != Errc::already_exists) return linked;
  }
  return finished_.empty() ? ok() : files_.sync_directory(paths_.objects());
}

Status HearingSpool::commit() {
  if (broken_) return *broken_;
  if (committed_ == entries_.size()) return ok();
  const Status done = commit_waiting();
  if (done) return ok();
  // What is on the disk is unknown now: this process must not write behind it, nor sync it again. The next start recovers.
  broken_ = fail(done.error().code, done.error().message + ". Start greffe-ingest again: it recovers what was recorded");
  return *broken_;
}

Status HearingSpool::commit_waiting() {
  GREFFE_TRY(link_finished());
  if (!log_) {
    auto file = committed_ == 0 ? files_.create(paths_.entries(), kFileMode) : files_.open_append(paths_.entries());
    if (!file && file.error().code == Errc::already_exists) file = files_.open_append(paths_.entries());
    if (!file) return file.error();
    log_ = std::move(*file);
    if (committed_ == 0) GREFFE_TRY(files_.sync_directory(paths_.directory));
  }
  GREFFE_TRY(log_->write(records_from(committed_)));
  GREFFE_TRY(log_->sync());
  for (std::size_t i = committed_; i < entries_.size(); ++i) tree_.append(leaf_hash(as_bytes(entries_[i])));
  committed_ = entries_.size();
  GREFFE_TRY(sign());
  // Only now: a file in open/ whose entry is not durable is what recovery starts from.
  for (const Finished& one : finished_) GREFFE_TRY(files_.remove(one.segment.path));
  finished_.clear();
  return ok();
}

}  // namespace greffe::ingest
