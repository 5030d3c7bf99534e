#include "ingest/second_catch_up.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxLogBytes = 512 * 1024 * 1024;
constexpr std::uint64_t kMaxOpenBytes = 2 * kMaxObjectBytes;
constexpr std::uint64_t kMaxRecordBytes = 16 * 1024 * 1024;
constexpr unsigned kFileMode = 0640;

using Names = std::set<std::string>;

Result<Names> names_in(FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names && names.error().code == Errc::not_found) return Names();
  if (!names) return names.error();
  return Names(names->begin(), names->end());
}

Result<std::optional<Bytes>> read_if_there(FileSystem& files, const std::string& path, std::uint64_t limit) {
  auto bytes = files.read_file(path, limit);
  if (!bytes && bytes.error().code == Errc::not_found) return std::optional<Bytes>();
  if (!bytes) return bytes.error();
  return std::optional<Bytes>(std::move(*bytes));
}

bool begins_with(ByteView all, ByteView first) { return first.size() <= all.size() && std::equal(first.begin(), first.end(), all.begin()); }

// Of a hearing's own directory: what is neither log nor media. A name that a replacement has before it is in place is passed over.
bool is_record(const std::string& name) {
  return name != "lock" && name != "entries" && name != "checkpoint" && name != "freed" && name.find(".new-") == std::string::npos;
}

class HearingCopy {
 public:
  HearingCopy(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const std::function<bool()>& stop)
      : files_(files), from_(from), to_(to), stop_(stop) {}

  // What is read first commits to less than what is read later, and is written last.
  Result<std::uint64_t> run() {
    const auto checkpoint = GREFFE_TRY(read_if_there(files_, from_.checkpoint(), kMaxNoteBytes));
    const Bytes entries = GREFFE_TRY(read_if_there(files_, from_.entries(), kMaxLogBytes)).value_or(Bytes());
    GREFFE_TRY(check_prefix(checkpoint, entries));
    GREFFE_TRY(check_original(checkpoint, entries));
    GREFFE_TRY(HearingSpool::create(files_, to_));
    GREFFE_TRY(open_segments());  // before objects: what was finished between the two looks is found there
    GREFFE_TRY(media());
    GREFFE_TRY(put_aside());
    GREFFE_TRY(records());
    GREFFE_TRY(log(entries));
    if (checkpoint) GREFFE_TRY(replace(to_.checkpoint(), *checkpoint));
    return copied_;
  }

 private:
  Status check_prefix(const std::optional<Bytes>& checkpoint, ByteView entries) {
    const auto there = GREFFE_TRY(read_if_there(files_, to_.checkpoint(), kMaxNoteBytes));
    if (!there || (checkpoint && *checkpoint == *there)) return ok();
    const auto theirs = parse_signed_checkpoint(as_text(*there));
    const auto ours = checkpoint ? parse_signed_checkpoint(as_text(*checkpoint)) : Result<SignedCheckpoint>(fail(Errc::not_found, ""));
    const auto other = [this](std::string_view why) {
      return fail(Errc::conflict, fmt::format("{} {} {}; nothing of it was touched", to_.directory, why, from_.directory));
    };
    if (!theirs) return other("has a damaged checkpoint, so nobody knows how it stands to");
    if (!ours || theirs->checkpoint.size > ours->checkpoint.size) return other("holds more entries than");
    TreeEdge tree;
    for (std::uint64_t i = 0; i < theirs->checkpoint.size; ++i) {
      const auto record = first_record(entries);
      if (!record) return fail(Errc::conflict, fmt::format("{} is damaged: only {} signed entries are there", from_.entries(), i));
      tree.append(leaf_hash(as_bytes(*record)));
      entries = entries.subspan(2 + record->size());
    }
    return tree.root() == theirs->checkpoint.root ? ok() : Status(other("holds another log than"));
  }

  // A good copy is never written over with a damaged log.
  Status check_original(const std::optional<Bytes>& checkpoint, ByteView entries) {
    const auto there = GREFFE_TRY(read_if_there(files_, to_.entries(), kMaxLogBytes));
    if (!checkpoint || (there && begins_with(entries, *there) && there->size() == entries.size())) return ok();
    const SignedCheckpoint signed_one = GREFFE_TRY(parse_signed_checkpoint(as_text(*checkpoint)));
    TreeEdge tree;
    while (tree.size() < signed_one.checkpoint.size) {
      const auto record = first_record(entries);
      if (!record) break;
      tree.append(leaf_hash(as_bytes(*record)));
      entries = entries.subspan(2 + record->size());
    }
    if (tree.size() == signed_one.checkpoint.size && tree.root() == signed_one.checkpoint.root) return ok();
    return fail(Errc::conflict, fmt::format("{} is damaged; its copy in {} was not touched", from_.entries(), to_.directory));
  }

  // The mark comes first, as where it was made.
  Status media() {
    const Names there = GREFFE_TRY(names_in(files_, to_.objects()));
    if (const auto freed = GREFFE_TRY(read_if_there(files_, from_.freed(), kMaxRecordBytes))) {
      GREFFE_TRY(replace(to_.freed(), *freed));
      for (const std::string& name : there) GREFFE_TRY(remove(join(to_.objects(), name)));
      return ok();
    }
    const Names here = GREFFE_TRY(names_in(files_, from_.objects()));
    for (const std::string& name : here) {
      const auto digest = digest_from_hex(name);
      if (!digest || there.contains(name)) continue;
      GREFFE_TRY(go_on());
      const auto bytes = files_.read_file(from_.object(*digest), kMaxObjectBytes);
      const Errc code = bytes ? Errc::not_found : bytes.error().code;
      if (code == Errc::unavailable || code == Errc::denied) return bytes.error();
      // What is lost there cannot be had from there; whoever delivers it says so.
      if (!bytes || sha256(*bytes) != *digest) continue;
      GREFFE_TRY(write_new(to_.object(*digest), *bytes));
    }
    return ok();
  }

  Status put_aside() {
    const Names there = GREFFE_TRY(names_in(files_, to_.quarantine()));
    const Names here = GREFFE_TRY(names_in(files_, from_.quarantine()));
    for (const std::string& name : here) {
      if (there.contains(name)) continue;
      GREFFE_TRY(go_on());
      const auto bytes = files_.read_file(join(from_.quarantine(), name), kMaxOpenBytes);
      if (bytes) GREFFE_TRY(write_new(join(to_.quarantine(), name), *bytes));
    }
    return ok();
  }

  Status open_segments() {
    const Names here = GREFFE_TRY(names_in(files_, from_.open()));
    const Names there = GREFFE_TRY(names_in(files_, to_.open()));
    for (const std::string& name : here) {
      GREFFE_TRY(go_on());
      const auto bytes = GREFFE_TRY(read_if_there(files_, join(from_.open(), name), kMaxOpenBytes));
      if (bytes) GREFFE_TRY(open_segment(name, *bytes));  // else it was finished meanwhile, and stands in objects/
    }
    // Of a segment that went on without this copy: the whole of it is in objects/ now, but nobody has compared them.
    for (const std::string& name : there) {
      if (!here.contains(name)) GREFFE_TRY(set_aside(name));
    }
    return ok();
  }

  Status open_segment(const std::string& name, const Bytes& bytes) {
    const std::string path = join(to_.open(), name);
    const auto there = GREFFE_TRY(read_if_there(files_, path, kMaxOpenBytes));
    if (there && *there == bytes) return ok();
    if (there && begins_with(bytes, *there)) return append(path, ByteView(bytes).subspan(there->size()));
    if (there) GREFFE_TRY(set_aside(name));
    return replace(path, bytes);
  }

  Status set_aside(const std::string& name) {
    std::uint8_t salt[8];
    fill_random(salt);
    const Status moved = files_.rename(join(to_.open(), name), join(to_.quarantine(), fmt::format("{}-{}", name, to_hex(salt))));
    if (!moved) return moved.error().code == Errc::not_found ? ok() : moved;
    GREFFE_TRY(files_.sync_directory(to_.quarantine()));
    return files_.sync_directory(to_.open());
  }

  Status records() {
    const Names here = GREFFE_TRY(names_in(files_, from_.directory));
    const Names there = GREFFE_TRY(names_in(files_, to_.directory));
    for (const std::string& name : here) {
      const auto facts = is_record(name) ? files_.stat(join(from_.directory, name)) : Result<FileStat>(FileStat());
      if (!facts || !facts->is_regular) continue;
      const auto bytes = GREFFE_TRY(read_if_there(files_, join(from_.directory, name), kMaxRecordBytes));
      if (bytes) GREFFE_TRY(replace(join(to_.directory, name), *bytes));
    }
    for (const std::string& name : there) {  // a receipt that was withdrawn must not count here
      const auto facts = is_record(name) && !here.contains(name) ? files_.stat(join(to_.directory, name)) : Result<FileStat>(FileStat());
      if (facts && facts->is_regular) GREFFE_TRY(remove(join(to_.directory, name)));
    }
    return files_.sync_directory(to_.directory);
  }

  Status log(const Bytes& entries) {
    const auto there = GREFFE_TRY(read_if_there(files_, to_.entries(), kMaxLogBytes));
    if (there && *there == entries) return ok();
    if (entries.empty()) return ok();
    if (there && begins_with(entries, *there)) return append(to_.entries(), ByteView(entries).subspan(there->size()));
    return replace(to_.entries(), entries);
  }

  Status append(const std::string& path, ByteView bytes) {
    const auto file = GREFFE_TRY(files_.open_append(path));
    GREFFE_TRY(file->write(bytes));
    copied_ += bytes.size();
    return file->sync();
  }

  Status replace(const std::string& path, const Bytes& bytes) {
    const auto there = GREFFE_TRY(read_if_there(files_, path, kMaxLogBytes));
    if (there && *there == bytes) return ok();
    copied_ += bytes.size();
    return files_.replace(path, bytes, kFileMode);
  }

  Status write_new(const std::string& path, const Bytes& bytes) {
    const Status written = files_.write_new(path, bytes);
    copied_ += written ? bytes.size() : 0;
    return written || written.error().code == Errc::already_exists ? ok() : written;
  }

  Status remove(const std::string& path) {
    const Status removed = files_.remove(path);
    return removed || removed.error().code == Errc::not_found ? ok() : removed;
  }

  Status go_on() const { return stop_() ? Status(fail(Errc::cancelled, "the copy was broken off")) : ok(); }

  FileSystem& files_;
  const SpoolPaths& from_;
  const SpoolPaths& to_;
  const std::function<bool()>& stop_;
  std::uint64_t copied_ = 0;
};

}  // namespace

Result<std::uint64_t> catch_up_hearing(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const std::function<bool()>& stop) {
  return HearingCopy(files, from, to, stop).run();
}

Result<LogOrder> compare_logs(FileSystem& files, const SpoolPaths& first, const SpoolPaths& second) {
  const auto one = GREFFE_TRY(read_if_there(files, first.checkpoint(), kMaxNoteBytes));
  const auto other = GREFFE_TRY(read_if_there(files, second.checkpoint(), kMaxNoteBytes));
  if (one == other) return LogOrder::same;
  if (!one) return LogOrder::second_more;
  if (!other) return LogOrder::first_more;
  const SignedLog a = GREFFE_TRY(read_signed_log(files, first));
  const SignedLog b = GREFFE_TRY(read_signed_log(files, second));
  const std::uint64_t common = std::min(a.entries.size(), b.entries.size());
  if (root_at(a, common) != root_at(b, common)) return LogOrder::differ;
  if (a.entries.size() == b.entries.size()) return LogOrder::same;
  return a.entries.size() > b.entries.size() ? LogOrder::first_more : LogOrder::second_more;
}

Status restore_object(FileSystem& files, const SpoolPaths& from, const SpoolPaths& to, const Digest& digest) {
  const auto bytes = files.read_file(from.object(digest), kMaxObjectBytes);
  if (!bytes || sha256(*bytes) != digest) return fail(Errc::not_found, fmt::format("{} cannot be read either", from.object(digest)));
  if (files.stat(to.object(digest))) {
    GREFFE_TRY(files.rename(to.object(digest), join(to.quarantine(), digest.hex() + "-damaged")));
    GREFFE_TRY(files.sync_directory(to.quarantine()));
  }
  return files.write_new(to.object(digest), *bytes);
}

}  // namespace greffe::ingest
