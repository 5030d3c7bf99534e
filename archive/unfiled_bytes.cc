#include "archive/unfiled_bytes.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kListBytesMax = 1ULL << 31;
constexpr unsigned kListMode = 0640;
constexpr std::size_t kLinesKept = 10'000;  // of what no longer counts, before the list is written anew

std::uint64_t weight_of(std::uint64_t bytes) { return std::max(bytes, kUnfiledLeastBytes); }

// The next word of `line`, without the blank behind it.
std::string_view take_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

void less(std::map<std::string, std::uint64_t>& sums, const std::string& station, std::uint64_t bytes) {
  const auto found = sums.find(station);
  GREFFE_CHECK(found != sums.end() && found->second >= bytes);
  found->second -= bytes;
  if (found->second == 0) sums.erase(found);
}

std::uint64_t sum_of(const std::map<std::string, std::uint64_t>& sums, const std::string& station) {
  const auto found = sums.find(station);
  return found == sums.end() ? 0 : found->second;
}

}  // namespace

// ---- what is on its way ----

UnfiledBytes::Admission::Admission(UnfiledBytes* owner, std::string station, std::uint64_t bytes)
    : owner_(owner), station_(std::move(station)), bytes_(bytes) {}

UnfiledBytes::Admission::Admission(Admission&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), station_(other.station_), bytes_(other.bytes_) {}

UnfiledBytes::Admission::~Admission() {
  if (owner_ == nullptr || bytes_ == 0) return;
  const std::lock_guard lock(owner_->mutex_);
  less(owner_->on_its_way_, station_, bytes_);
}

Result<UnfiledBytes::Admission> UnfiledBytes::admit(const std::string& station, const Digest& digest, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (counted_.contains(digest)) return Admission(this, station, 0);
  const std::uint64_t more = weight_of(bytes);
  const std::uint64_t held = sum_of(held_, station);
  const std::uint64_t coming = sum_of(on_its_way_, station);
  if (held + coming + more > quota_bytes_) {
    return fail(Errc::no_space,
                fmt::format("station {} has sent {} that no entry of a hearing names yet ({} more are on their way), and may send {}: "
                            "file the entries of what was sent; this object can come after that",
                            station, human_bytes(held), human_bytes(coming), human_bytes(quota_bytes_)));
  }
  on_its_way_[station] += more;
  return Admission(this, station, more);
}

// ---- what came ----

void UnfiledBytes::deposited(const std::string& station, const HearingId& hearing, const Digest& digest, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (counted_.contains(digest)) return;
  count(digest, {station, hearing, bytes});
  write_line(fmt::format("{} {} {} {}\n", digest.hex(), bytes, hearing.text(), station));
}

void UnfiledBytes::named(const std::vector<Digest>& digests) {
  const std::lock_guard lock(mutex_);
  for (const Digest& digest : digests) {
    if (forget(digest)) write_line(digest.hex() + " named\n");
  }
}

void UnfiledBytes::count(const Digest& digest, Counted counted) {
  held_[counted.station] += weight_of(counted.bytes);
  counted_.emplace(digest, std::move(counted));
}

bool UnfiledBytes::forget(const Digest& digest) {
  const auto found = counted_.find(digest);
  if (found == counted_.end()) return false;
  less(held_, found->second.station, weight_of(found->second.bytes));
  counted_.erase(found);
  return true;
}

std::set<HearingId> UnfiledBytes::hearings() const {
  const std::lock_guard lock(mutex_);
  std::set<HearingId> out;
  for (const auto& [digest, counted] : counted_) out.insert(counted.hearing);
  return out;
}

std::map<std::string, std::uint64_t> UnfiledBytes::by_station() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

// ---- the list on disk ----

UnfiledBytes::UnfiledBytes(FileSystem& files, std::string path, std::uint64_t quota_bytes)
    : files_(files), path_(std::move(path)), quota_bytes_(quota_bytes) {}

UnfiledBytes::~UnfiledBytes() { static_cast<void>(sync().has_value()); }

Result<std::unique_ptr<UnfiledBytes>> UnfiledBytes::open(FileSystem& files, const std::string& path, std::uint64_t quota_bytes) {
  std::unique_ptr<UnfiledBytes> out(new UnfiledBytes(files, path, quota_bytes));
  const auto list = files.read_file(path, kListBytesMax);
  if (list) out->read(as_text(*list));
  const std::lock_guard lock(out->mutex_);
  GREFFE_TRY(out->rewrite());
  return out;
}

// "<digest> <bytes> <hearing> <station>" or "<digest> named". Only whole lines: the last one may be torn.
void UnfiledBytes::read(std::string_view text) {
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto digest = digest_from_hex(take_word(line));
    if (!digest) continue;
    if (line == "named") {
      static_cast<void>(forget(*digest));
      continue;
    }
    const auto bytes = parse_decimal(take_word(line));
    const auto hearing = parse_hearing_id(take_word(line));
    if (!bytes || *bytes > kMaxObjectBytes || !hearing || !is_valid_name(line) || counted_.contains(*digest)) continue;
    count(*digest, {std::string(line), *hearing, *bytes});
  }
}

// Not whole on disk: then it is written anew by the next sync().
void UnfiledBytes::write_line(const std::string& line) {
  if (!file_) return;
  if (!file_->write(as_bytes(line))) file_.reset();
  ++lines_;
  unsynced_ = true;
}

Status UnfiledBytes::rewrite() {
  std::string text;
  for (const auto& [digest, counted] : counted_) {
    text += fmt::format("{} {} {} {}\n", digest.hex(), counted.bytes, counted.hearing.text(), counted.station);
  }
  GREFFE_TRY(files_.replace(path_, as_bytes(text), kListMode));
  file_ = GREFFE_TRY(files_.open_append(path_));
  lines_ = counted_.size();
  unsynced_ = false;
  return ok();
}

Status UnfiledBytes::sync() {
  {
    const std::lock_guard lock(mutex_);
    if (lines_ > 2 * counted_.size() + kLinesKept) file_.reset();
    if (!file_) return rewrite();
    if (!unsynced_) return ok();
    unsynced_ = false;
  }
  // By its name and without the lock: deposits go on meanwhile.
  const Status synced = files_.sync_file(path_);
  if (synced) return ok();
  const std::lock_guard lock(mutex_);
  file_.reset();  // what it holds is not believed any more
  return synced;
}

}  // namespace greffe::archive
