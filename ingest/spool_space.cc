#include "ingest/spool_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "archive/base/progress.h"
#include "ingest/import_begin.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kRateWindowMs = 600'000;
constexpr std::int64_t kHourS = 3600;
constexpr std::int64_t kLowS = 48 * kHourS;
constexpr std::int64_t kDayMs = 86'400'000;
// What the reserve is at least, and at most: a small disk must be usable, and a wrong rate must not take all of it.
constexpr std::uint64_t kLeastReserveBytes = 2ull * 1024 * 1024 * 1024;
constexpr std::uint64_t kFullBytes = 64ull * 1024 * 1024;
constexpr std::uint64_t kBallastBytes = 4ull * 1024 * 1024;  // less than full_below(): giving it up makes nobody record again

// Nothing can be recorded below it: a segment and the log behind it must fit.
std::uint64_t full_below(const Space& disk) { return std::min(kFullBytes, disk.total_bytes / 100); }

std::optional<std::int64_t> seconds_of(std::uint64_t bytes, std::uint64_t rate) {
  if (rate == 0) return std::nullopt;
  return static_cast<std::int64_t>(bytes / rate);
}

std::uint64_t above(std::uint64_t bytes, std::uint64_t floor) { return bytes > floor ? bytes - floor : 0; }

// Random bytes: a file system that compresses would keep no room for zeros.
Status keep_ballast(FileSystem& files, const IngestSettings& settings) {
  if (files.stat(ballast_path(settings.directory))) return ok();
  GREFFE_TRY(files.make_directories(spool_path(settings.directory)));
  const Space disk = GREFFE_TRY(files.space(settings.directory));
  Bytes bytes(std::min(kBallastBytes, disk.total_bytes / 200));
  fill_random(bytes);
  return files.replace(ballast_path(settings.directory), bytes, 0640);
}

Status free_one(FileSystem& files, const IngestSettings& settings, SpooledHearing& hearing, RoomMade& made) {
  made.freed_bytes += GREFFE_TRY(free_media(files, spool_of(settings.directory, hearing.id)));
  hearing.freed = true;
  hearing.bytes = 0;
  hearing.objects = 0;
  return ok();
}

// The receipt that covers every entry was verified against the entries just now. A hearing that goes on elsewhere keeps its
// media: somebody will want to look into it.
bool may_be_freed(const SpooledHearing& hearing) { return hearing.safe && hearing.objects > 0 && hearing.state != "continued"; }

}  // namespace

std::string ballast_path(const std::string& station_directory) { return join(spool_path(station_directory), "ballast"); }

// The one place where recordings leave the station. The mark comes first, so that a crash in the middle is seen as "freed",
// never as "damaged"; the next drain removes the rest. On a disk without room for the mark nothing is removed.
Result<std::uint64_t> free_media(FileSystem& files, const SpoolPaths& paths) {
  const Status marked = files.write_new(paths.freed(), as_bytes("The media of this hearing were removed after the archive confirmed them.\n"));
  if (!marked && marked.error().code != Errc::already_exists) return marked.error();
  std::uint64_t freed = 0;
  const std::vector<std::string> names = GREFFE_TRY(files.list(paths.objects()));
  for (const std::string& name : names) {
    const auto facts = files.stat(join(paths.objects(), name));
    GREFFE_TRY(files.remove(join(paths.objects(), name)));
    freed += facts ? facts->size : 0;
  }
  return freed;
}

std::string_view name_of(SpaceLevel level) {
  switch (level) {
    case SpaceLevel::plenty: return "plenty";
    case SpaceLevel::low: return "low";
    case SpaceLevel::reserve: return "reserve";
    case SpaceLevel::full: return "full";
  }
  return "full";
}

std::optional<std::int64_t> SpoolSpace::seconds_left() const { return seconds_of(above(disk.free_bytes, reserve_bytes), rate); }

std::optional<std::int64_t> SpoolSpace::seconds_to_full() const { return seconds_of(above(disk.free_bytes, full_below(disk)), rate); }

std::string SpoolSpace::words() const {
  const std::string free = fmt::format("{} free, {} of it kept in reserve", human_bytes(disk.free_bytes),
                                       human_bytes(std::min(disk.free_bytes, reserve_bytes)));
  if (level == SpaceLevel::full) return fmt::format("the disk is full ({} free): nothing can be recorded", human_bytes(disk.free_bytes));
  if (level == SpaceLevel::reserve) {
    const auto left = seconds_to_full();
    return fmt::format("only the reserve is left ({} free): no new hearing begins{}", human_bytes(disk.free_bytes),
                       left ? fmt::format("; one that is being recorded can go on for {}", human_duration(*left)) : "");
  }
  const auto left = seconds_left();
  if (!left) return fmt::format("{}; hours left are not known before something was recorded", free);
  return fmt::format("{} of recording left{}: {}", *left >= kHourS ? fmt::format("{} h", *left / kHourS) : human_duration(*left),
                     level == SpaceLevel::low ? " (low)" : "", free);
}

Json to_json(const SpoolSpace& space) {
  Json out;
  out.set("level", name_of(space.level)).set("free_bytes", space.disk.free_bytes).set("reserve_bytes", space.reserve_bytes);
  out.set("words", space.words());
  if (space.rate == 0) return out;
  out.set("bytes_per_s", space.rate).set("hours_left", *space.seconds_left() / 3600).set("hours_to_full", *space.seconds_to_full() / 3600);
  return out;
}

std::uint64_t recording_rate(const std::vector<std::string>& entries) {
  struct Recorded {
    std::uint64_t bytes = 0;
    std::int64_t duration_90k = 0;
  };
  std::map<std::string, Recorded> streams;
  std::optional<UtcTime> newest;
  for (auto text = entries.rbegin(); text != entries.rend(); ++text) {
    const auto entry = parse_hearing_entry(*text);
    const auto* segment = entry ? std::get_if<SegmentEntry>(&*entry) : nullptr;
    if (segment == nullptr) continue;
    if (!newest) newest = segment->utc;
    if (newest->ms - segment->utc.ms > kRateWindowMs) break;
    streams[segment->stream].bytes += segment->bytes;
    streams[segment->stream].duration_90k += segment->duration_90k;
  }
  std::uint64_t rate = 0;
  for (const auto& [name, recorded] : streams) {
    if (recorded.duration_90k > 0) rate += recorded.bytes * 90'000 / static_cast<std::uint64_t>(recorded.duration_90k);
  }
  return rate;
}

SpoolSpace space_of(const IngestSettings& settings, const Space& disk, std::uint64_t rate) {
  SpoolSpace out;
  out.disk = disk;
  out.rate = rate;
  const std::uint64_t wanted = rate * static_cast<std::uint64_t>(settings.reserve_hours * kHourS);
  const std::uint64_t least = std::min(kLeastReserveBytes, disk.total_bytes / 20);
  out.reserve_bytes = std::min(std::max(wanted, least), disk.total_bytes / 2);
  const auto left = out.seconds_left();
  if (disk.free_bytes < full_below(disk)) {
    out.level = SpaceLevel::full;
  } else if (disk.free_bytes <= out.reserve_bytes) {
    out.level = SpaceLevel::reserve;
  } else if (left && *left < kLowS) {
    out.level = SpaceLevel::low;
  }
  return out;
}

Result<SpoolSpace> measure_space(FileSystem& files, const IngestSettings& settings) {
  const Space disk = GREFFE_TRY(files.space(settings.directory));
  const std::vector<HearingId> hearings = GREFFE_TRY(list_hearings(files, settings.directory));
  for (auto id = hearings.rbegin(); id != hearings.rend(); ++id) {
    const auto log = read_signed_log(files, spool_of(settings.directory, *id));
    const std::uint64_t rate = log ? recording_rate(log->entries) : 0;
    if (rate > 0) return space_of(settings, disk, rate);
  }
  return space_of(settings, disk, 0);
}

Status admit_hearing(FileSystem& files, UtcTime now, const IngestSettings& settings, const Enrolment& enrolment, const PublicKey& key) {
  SpoolSpace space = GREFFE_TRY(measure_space(files, settings));
  if (space.level != SpaceLevel::plenty) {
    const std::vector<HearingId> ids = GREFFE_TRY(list_hearings(files, settings.directory));
    std::vector<SpooledHearing> hearings;
    for (const HearingId& id : ids) hearings.push_back(GREFFE_TRY(look_at(files, settings, enrolment, key, id)));
    (void)GREFFE_TRY(make_room(files, now, settings, hearings));
    space = space_of(settings, GREFFE_TRY(files.space(settings.directory)), space.rate);
  }
  if (space.level == SpaceLevel::plenty || space.level == SpaceLevel::low) return keep_ballast(files, settings);
  return fail(Errc::no_space, fmt::format("no new hearing can begin on the disk of {}: {}. Deliver what waits (greffe-ingest drain), which "
                                          "also removes what is safe; or make room on this disk; or give station.toml a directory on a "
                                          "larger one", settings.directory, space.words()));
}

Result<RoomMade> make_room(FileSystem& files, UtcTime now, const IngestSettings& settings, std::vector<SpooledHearing>& hearings) {
  RoomMade made;
  const SpoolSpace before = GREFFE_TRY(measure_space(files, settings));
  if (before.level == SpaceLevel::full) GREFFE_TRY(spend_ballast(files, settings));
  for (SpooledHearing& hearing : hearings) {
    const std::int64_t since_ms = safe_since(settings, hearing.receipt).ms;
    if (!may_be_freed(hearing) || now.ms - since_ms < settings.keep_days * kDayMs) continue;
    GREFFE_TRY(free_one(files, settings, hearing, made));
  }
  if (!settings.free_early) return made;
  std::sort(hearings.begin(), hearings.end(), [](const SpooledHearing& a, const SpooledHearing& b) { return a.start < b.start; });
  for (SpooledHearing& hearing : hearings) {
    if (!may_be_freed(hearing)) continue;
    const Space disk = GREFFE_TRY(files.space(settings.directory));
    if (space_of(settings, disk, before.rate).level == SpaceLevel::plenty) break;
    GREFFE_TRY(free_one(files, settings, hearing, made));
    ++made.early;
  }
  return made;
}

Status spend_ballast(FileSystem& files, const IngestSettings& settings) {
  const Status removed = files.remove(ballast_path(settings.directory));
  return removed || removed.error().code == Errc::not_found ? ok() : removed;
}

}  // namespace greffe::ingest
