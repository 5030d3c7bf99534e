#include "ingest/station_directories.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "archive/base/progress.h"
#include "ingest/import_begin.h"
#include "ingest/second_catch_up.h"
#include "ingest/second_directory.h"
#include "ingest/spool_space.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kPatienceMs = 5'000;     // at a start, for a disk that comes up later than this program
constexpr std::int64_t kLookMs = 250;
constexpr std::int64_t kDrainMs = 5'000;        // for what is in the queue when the other directory has failed
constexpr std::int64_t kNextExchangeMs = 10'000;
constexpr std::uint64_t kRoomBytes = 64ull * 1024 * 1024;

bool has_unfinished(FileSystem& files, const std::string& directory) {
  const auto ids = list_hearings(files, directory);
  return ids && std::any_of(ids->begin(), ids->end(), [&](const HearingId& id) {
    const SpoolPaths paths = spool_of(directory, id);
    if (files.stat(paths.waits()) || files.stat(paths.continued()) || files.stat(paths.freed())) return false;
    const auto log = read_signed_log(files, paths);
    const auto last = log && !log->entries.empty() ? parse_hearing_entry(log->entries.back()) : Result<HearingEntry>(fail(Errc::not_found, ""));
    return !last || !std::holds_alternative<CloseEntry>(*last);
  });
}

std::string run_lock_of(const std::string& directory) { return join(directory, "run.lock"); }

IngestSettings in_roles(IngestSettings settings, const DirectoryChoice& choice) {
  settings.directory = choice.counts;
  settings.second = choice.other;
  return settings;
}

bool lacks_something(FileSystem& files, const SpoolPaths& here, const SpoolPaths& there) {
  const auto order = compare_logs(files, here, there);
  if (!order || *order != LogOrder::same) return true;
  if (files.stat(here.freed())) return false;
  const auto objects = files.list(here.objects());
  const auto copies = files.list(there.objects());
  return !objects || !copies || !std::includes(copies->begin(), copies->end(), objects->begin(), objects->end());
}

}  // namespace

Result<std::unique_ptr<StationDirectories>> StationDirectories::open(FileSystem& files, Clock& clock, Log& log,
                                                                     const IngestSettings& configured, Use use) {
  std::unique_ptr<StationDirectories> out(new StationDirectories(files, clock, log, configured, use));
  if (configured.second.empty()) return out;
  GREFFE_TRY(out->settle());
  out->begin_copy();
  return out;
}

StationDirectories::~StationDirectories() { end_copy(); }

Status StationDirectories::settle() {
  DirectoryChoice choice = GREFFE_TRY(choose_directory(real_, settings_.directory, settings_.second));
  const IngestSettings configured = settings_;
  const bool waits = choice.unsure && !choice.problem.empty() && has_unfinished(real_, choice.counts);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (waits && choice.unsure && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
    choice = GREFFE_TRY(choose_directory(real_, configured.directory, configured.second));
  }
  settings_ = in_roles(configured, choice);
  if (!real_.stat(enrolment_path(settings_.directory))) return ok();  // whoever needs one says that there is no station yet
  // A service that runs has settled it, and changes both; where it records is what counts.
  const auto here = real_.lock(run_lock_of(choice.counts));
  if (!here) return here.error().code == Errc::unavailable ? ok() : Status(here.error());
  const auto there = choice.problem.empty() && real_.stat(run_lock_of(choice.other)) ? real_.lock(run_lock_of(choice.other)) : Result<std::unique_ptr<FileLock>>(nullptr);
  if (!there && there.error().code == Errc::unavailable) {
    std::swap(settings_.directory, settings_.second);
    return ok();
  }
  return settle_directories(real_, clock_, log_, settings_, choice, use_ == Use::service);
}

void StationDirectories::begin_copy() {
  const std::lock_guard lock(mutex_);
  copy_ = std::make_unique<SecondCopy>(real_, clock_, log_, SecondCopy::Directories{settings_.directory, settings_.second, use_ == Use::service});
  copied_ = std::make_unique<CopiedFileSystem>(real_, *copy_, settings_.directory);
}

void StationDirectories::end_copy() {
  const std::lock_guard lock(mutex_);
  copied_.reset();
  copy_.reset();
}

std::optional<SecondStatus> StationDirectories::state() const {
  const std::lock_guard lock(mutex_);
  return copy_ ? std::optional(copy_->status()) : std::nullopt;
}

bool StationDirectories::can_exchange(const Error& why) const {
  const bool of_disk = why.code == Errc::io_error || why.code == Errc::no_space || why.code == Errc::not_found || why.code == Errc::denied ||
                       why.code == Errc::corrupt;
  const auto second = state();
  if (clock_.monotonic_ms() < not_before_ms_) return false;
  if (!of_disk || !second || second->state == "absent" || second->state == "foreign") return false;
  return why.code != Errc::no_space || second->disk.free_bytes > kRoomBytes;
}

Status StationDirectories::exchange() {
  not_before_ms_ = clock_.monotonic_ms() + kNextExchangeMs;
  const bool complete = copy_ && copy_->may_take_over(kDrainMs);
  end_copy();
  std::swap(settings_.directory, settings_.second);
  const PresenceFound found = look_patiently(real_, settings_.directory, "");
  Status done = found.presence == Presence::ours ? ok() : Status(fail(Errc::unavailable, found.why));
  // An error of the mark is met again by whoever writes there, and does not lead back: the failed one must not sign on meanwhile.
  if (done && complete) (void)set_paired(real_, settings_.directory, false);
  if (done && !complete) done = leave_unfinished(real_, clock_, log_, settings_);
  if (!done) std::swap(settings_.directory, settings_.second);
  begin_copy();
  if (!done) return done;
  log_.error(fmt::format("the directory {} failed; this station goes on in {}. Have that disk looked at", settings_.second, settings_.directory));
  return ok();
}

bool StationDirectories::finish(std::int64_t ms) { return !copy_ || copy_->wait_until_caught_up(ms); }

// ---- for who only looks ----

Result<IngestSettings> settings_that_count(FileSystem& files, const IngestSettings& configured) {
  const DirectoryChoice choice = GREFFE_TRY(choose_directory(files, configured.directory, configured.second));
  return in_roles(configured, choice);
}

SecondLook look_at_second(FileSystem& files, const IngestSettings& settings) {
  SecondLook out;
  out.directory = settings.second;
  if (settings.second.empty()) return out;
  const PresenceFound found = look_patiently(files, settings.second, settings.directory);
  out.problem = found.why;
  if (found.presence == Presence::fresh) out.problem = fmt::format("nothing was copied to {} yet", settings.second);
  const auto ids = list_hearings(files, settings.directory);
  for (const HearingId& id : ids ? *ids : std::vector<HearingId>()) {
    const bool lacks = found.presence != Presence::ours || lacks_something(files, spool_of(settings.directory, id), spool_of(settings.second, id));
    out.behind += lacks ? 1 : 0;
  }
  const auto disk = found.presence == Presence::absent ? Result<Space>(fail(Errc::unavailable, "")) : files.space(settings.second);
  if (disk) out.disk = *disk;
  return out;
}

std::string SecondLook::words() const {
  if (!problem.empty()) return fmt::format("second directory: {}", problem);
  if (behind > 0) return fmt::format("second directory {}: lacks something of {} hearings; {} free", directory, behind, human_bytes(disk.free_bytes));
  return fmt::format("second directory {}: holds everything; {} free", directory, human_bytes(disk.free_bytes));
}

Json to_json(const SecondLook& look, const IngestSettings& settings, std::uint64_t rate) {
  Json out;
  const SpoolSpace space = space_of(settings, look.disk, rate);
  if (look.disk.total_bytes > 0) out.set("level", name_of(space.level));
  if (look.disk.total_bytes > 0 && space.seconds_left()) out.set("hours_left", *space.seconds_left() / 3600);
  out.set("directory", look.directory).set("behind", look.behind).set("free_bytes", look.disk.free_bytes);
  if (!look.problem.empty()) out.set("problem", look.problem);
  return out;
}

}  // namespace greffe::ingest
