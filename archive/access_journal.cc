#include "archive/access_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "archive/format/canonical_json.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kFileBytesMax = 64 * 1024 * 1024;
constexpr std::size_t kAtOnceMost = 1000;
constexpr std::chrono::milliseconds kLookAgain(1000);

using Key = std::pair<std::string, HearingId>;
Key key_of(const AccessEntry& entry) { return {entry.session, entry.hearing}; }

std::string line_of(const AccessEntry& entry) { return write_main_entry(entry) + "\n"; }

Result<std::uint64_t> parse_head(std::string_view line) {
  const Json json = GREFFE_TRY(parse_canonical_json(line));
  return json.size("main_size");
}

}  // namespace

AccessJournal::AccessJournal(FileSystem& files, Log& log, MainLog& main_log, const std::string& state_directory, std::size_t most)
    : files_(files), log_(log), main_log_(main_log), path_(join(state_directory, "accesses")), most_(most) {}
AccessJournal::~AccessJournal() { stop(); }

Status AccessJournal::load() {
  const auto bytes = files_.read_file(path_, kFileBytesMax);
  if (!bytes && bytes.error().code == Errc::not_found) return ok();
  if (!bytes) return bytes.error().within("accesses that are not in the main log yet cannot be read; put " + path_ + " elsewhere to go on without them");
  std::string_view text = as_text(*bytes);
  text = text.substr(0, text.rfind('\n') + 1);
  const std::lock_guard lock(mutex_);
  std::size_t bad = 0;
  for (bool first = true; !text.empty(); first = false) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    const auto head = first ? parse_head(line) : Result<std::uint64_t>(fail(Errc::invalid, ""));
    const auto entry = parse_main_entry(line);
    const auto* access = entry ? std::get_if<AccessEntry>(&*entry) : nullptr;
    if (head) since_ = *head;
    else if (access != nullptr) kept_.push_back(*access);
    else ++bad;
  }
  tell();
  if (bad == 0) return ok();
  const Status aside = files_.link_file(path_, path_ + ".damaged");
  if (!aside && aside.error().code != Errc::already_exists) return aside;
  log_.error(fmt::format("{} lines of {}, accesses that are not in the main log yet, cannot be read; the file is kept as {}.damaged", bad, path_, path_));
  return write_anew();
}

void AccessJournal::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void AccessJournal::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

AccessJournal::Waiting AccessJournal::waiting() const {
  const std::lock_guard lock(told_mutex_);
  return told_;
}

void AccessJournal::tell() {
  const std::lock_guard lock(told_mutex_);
  told_.count = kept_.size();
  told_.since = kept_.empty() ? std::nullopt : std::optional(kept_.front().utc);
}

Status AccessJournal::record(const AccessEntry& entry) {
  if (main_log_.refusal()) return keep(entry);
  const auto appended = main_log_.append(entry);
  return appended ? ok() : Status(appended.error());
}

// Durable and atomic. A write that failed left an end that nobody can go on from.
Status AccessJournal::write_anew() {
  file_.reset();
  Json head;
  head.set("main_size", since_).set("v", std::uint64_t{1});
  std::string text = write_json(head) + "\n";
  for (const AccessEntry& entry : kept_) text += line_of(entry);
  GREFFE_TRY(files_.replace(path_, as_bytes(text), 0640));
  file_ = GREFFE_TRY(files_.open_append(path_));
  return ok();
}

Status AccessJournal::keep(const AccessEntry& entry) {
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= most_) return fail(Errc::unavailable, "the main log is not continued, and too many accesses wait for it already; status says what to do");
  if (kept_.empty()) {
    since_ = main_log_.head().checkpoint.size;
    log_.warn("the main log is not continued: who plays what is kept in " + path_ + " until it is");
  }
  kept_.push_back(entry);
  Status done = ok();
  if (file_ == nullptr) {
    done = write_anew();
  } else {
    done = file_->write(as_bytes(line_of(entry)));
    if (done) done = file_->sync();
  }
  if (!done) {
    file_.reset();
    kept_.pop_back();  // it may be in the file, as one access too many
    return done.error().within("an access could not be kept while the main log is not continued");
  }
  tell();
  changed_.notify_all();
  return ok();
}

Result<std::vector<MainEntry>> AccessJournal::not_in_log() const {
  std::set<Key> there;
  const std::uint64_t size = main_log_.head().checkpoint.size;
  GREFFE_TRY(main_log_.reader().entries(std::min(since_, size), size, [&](std::uint64_t, std::string_view text) {
    const auto entry = parse_main_entry(text);
    const auto* access = entry ? std::get_if<AccessEntry>(&*entry) : nullptr;
    if (access != nullptr) there.insert(key_of(*access));
    return true;
  }));
  std::vector<MainEntry> out;
  for (const AccessEntry& entry : kept_) {
    if (there.insert(key_of(entry)).second) out.emplace_back(entry);
  }
  return out;
}

Status AccessJournal::settle() {
  const std::lock_guard lock(mutex_);
  if (kept_.empty()) return ok();
  if (const auto why = main_log_.refusal()) return fail(Errc::unavailable, *why);
  const std::vector<MainEntry> entries = GREFFE_TRY(not_in_log());
  for (auto at = entries.begin(); at != entries.end();) {
    const auto end = at + std::min<std::ptrdiff_t>(entries.end() - at, kAtOnceMost);
    GREFFE_TRY(main_log_.append(std::vector<MainEntry>(at, end)));
    at = end;
  }
  // They are in the log. A file that stays is looked at again at the next start, and found to be there.
  file_.reset();
  Status gone = files_.remove(path_);
  if (gone) gone = files_.sync_directory(parent_of(path_));
  if (!gone) log_.warn(gone.error().within("what waited is in the main log, and its file stays").message);
  log_.info(fmt::format("the main log goes on: {} accesses that waited for it are in it", kept_.size()));
  kept_.clear();
  tell();
  return ok();
}

void AccessJournal::run(const std::stop_token& stop) {
  name_thread("gr-access");
  std::string told;
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [this] { return !kept_.empty(); });
    }
    if (stop.stop_requested()) return;
    const Status settled = main_log_.refusal() ? ok() : settle();
    if (!settled && settled.error().message != told) log_.error(settled.error().within("accesses still wait for the main log").message);
    told = settled ? std::string() : settled.error().message;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kLookAgain, [] { return false; });
  }
}

}  // namespace greffe::archive
