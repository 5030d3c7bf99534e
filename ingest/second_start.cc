#include "ingest/second_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "archive/format/documents.h"
#include "ingest/disk_copy.h"
#include "ingest/import.h"
#include "ingest/import_begin.h"
#include "ingest/live_hearing.h"
#include "ingest/main_log_seen.h"
#include "ingest/second_catch_up.h"
#include "ingest/second_directory.h"
#include "ingest/spool_space.h"

namespace greffe::ingest {
namespace {

constexpr unsigned kFileMode = 0640;
constexpr std::uint64_t kMaxMarkBytes = 4096;

// ---- which one counts ----

struct Survey {
  std::vector<HearingId> first_more;
  std::vector<HearingId> second_more;
  std::vector<HearingId> differ;
  bool first_bad = false;  // a log cannot be read there that the second one has, and that is not finished
};

bool is_finished(const SignedLog& log) {
  if (log.entries.empty()) return false;
  const auto last = parse_hearing_entry(log.entries.back());
  return last && std::holds_alternative<CloseEntry>(*last);
}

Result<Survey> survey(FileSystem& files, const std::string& first, const std::string& second) {
  Survey out;
  std::set<HearingId> all;
  for (const std::string& directory : {first, second}) {
    const std::vector<HearingId> ids = GREFFE_TRY(list_hearings(files, directory));
    all.insert(ids.begin(), ids.end());
  }
  for (const HearingId& id : all) {
    const auto order = compare_logs(files, spool_of(first, id), spool_of(second, id));
    if (!order) {
      const bool here = read_signed_log(files, spool_of(first, id)).has_value();
      const auto there = read_signed_log(files, spool_of(second, id));
      out.first_bad = out.first_bad || (!here && there && !is_finished(*there));
    } else if (*order == LogOrder::first_more) {
      out.first_more.push_back(id);
    } else if (*order == LogOrder::second_more) {
      out.second_more.push_back(id);
    } else if (*order == LogOrder::differ) {
      out.differ.push_back(id);
    }
  }
  return out;
}

Result<DirectoryChoice> only(FileSystem& files, const std::string& counts, const std::string& other, std::string problem) {
  DirectoryChoice out{counts, other, std::move(problem), false, {}, {}};
  const auto identity = identity_of_directory(files, counts);
  if (identity) out.unsure = GREFFE_TRY(is_paired(files, counts));
  return out;
}

Result<DirectoryChoice> one_of_both(FileSystem& files, const std::string& first, const std::string& second) {
  const Survey found = GREFFE_TRY(survey(files, first, second));
  const bool first_paired = GREFFE_TRY(is_paired(files, first));
  const bool second_paired = GREFFE_TRY(is_paired(files, second));
  const bool second_holds_more = !found.second_more.empty() && found.first_more.empty();
  bool takes_second = first_paired == second_paired ? second_holds_more : first_paired;
  DirectoryChoice out;
  if (found.first_bad && !takes_second) {
    takes_second = true;
    out.unsure = second_paired;
  }
  out.counts = takes_second ? second : first;
  out.other = takes_second ? first : second;
  out.fetch = takes_second ? found.first_more : found.second_more;
  out.differ = found.differ;
  return out;
}

// ---- settling ----

class Settling {
 public:
  Settling(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, Enrolment enrolment, PrivateKey key)
      : files_(files), clock_(clock), log_(log), settings_(settings), enrolment_(std::move(enrolment)), key_(std::move(key)) {}

  // Both can be read. From here on the other one never goes on alone.
  Status join(const DirectoryChoice& choice) {
    GREFFE_TRY(set_paired(files_, choice.other, true));
    std::map<HearingId, bool> waited;  // whether something goes on instead
    const std::vector<HearingId> here = GREFFE_TRY(list_hearings(files_, choice.counts));
    const std::vector<HearingId> there = GREFFE_TRY(list_hearings(files_, choice.other));
    std::set<HearingId> all(here.begin(), here.end());
    all.insert(there.begin(), there.end());
    const auto differs = [&](const HearingId& id) { return std::find(choice.differ.begin(), choice.differ.end(), id) != choice.differ.end(); };
    for (const HearingId& id : all) {
      if (differs(id)) continue;
      for (const std::string& directory : {choice.counts, choice.other}) {
        const auto mark = files_.read_file(spool_of(directory, id).waits(), kMaxMarkBytes);
        if (!mark && mark.error().code == Errc::not_found) continue;
        const auto json = mark ? parse_json(as_text(*mark)) : Result<Json>(mark.error());
        waited[id] = waited[id] || (json && json->has("hearing"));
      }
    }
    for (const HearingId& id : choice.fetch) GREFFE_TRY(fetch(choice, id));
    for (const HearingId& id : choice.differ) GREFFE_TRY(leave_alone(choice, id));
    for (const auto& [id, elsewhere] : waited) GREFFE_TRY(end_wait(id, elsewhere));
    return ok();
  }

  Status leave_all() {
    const std::optional<HearingId> live = GREFFE_TRY(find_live_hearing(files_, settings_));
    const std::vector<HearingId> ids = GREFFE_TRY(list_hearings(files_, settings_.directory));
    for (const HearingId& id : ids) GREFFE_TRY(leave(id, live == id));
    return set_paired(files_, settings_.directory, false);
  }

 private:
  SpoolPaths paths(const HearingId& id) const { return spool_of(settings_.directory, id); }

  Status fetch(const DirectoryChoice& choice, const HearingId& id) {
    const SpoolPaths to = spool_of(choice.counts, id);
    GREFFE_TRY(HearingSpool::create(files_, to));
    const auto lock = GREFFE_TRY(files_.lock(to.lock()));
    const auto copied = catch_up_hearing(files_, spool_of(choice.other, id), to, [] { return false; });
    if (!copied) return copied.error();
    log_.info(fmt::format("{} held more of hearing {}; it is in {} too now", choice.other, id.text(), choice.counts));
    return ok();
  }

  Status leave_alone(const DirectoryChoice& choice, const HearingId& id) {
    log_.error(fmt::format("{} and {} hold two different logs of hearing {}; nothing is added to either. Keep both and ask for help", choice.counts,
                           choice.other, id.text()));
    return mark(id, std::nullopt);
  }

  Status mark(const HearingId& id, const std::optional<HearingId>& goes_on) {
    Json out;
    out.set("v", 1);
    if (goes_on) out.set("hearing", goes_on->text());
    return files_.replace(paths(id).waits(), as_bytes(write_json(out) + "\n"), kFileMode);
  }

  // Nobody goes on with a hearing whose end was recorded in another one.
  Status end_wait(const HearingId& id, bool elsewhere) {
    const Status removed = files_.remove(paths(id).waits());
    if (!removed && removed.error().code != Errc::not_found) return removed;
    GREFFE_TRY(files_.sync_directory(paths(id).directory));
    const SignedLog found = GREFFE_TRY(read_signed_log(files_, paths(id)));
    if (!elsewhere || is_finished(found) || !files_.stat(paths(id).live_record()) || files_.stat(paths(id).continued())) return ok();
    const auto closed = close_hearing(files_, settings_, id);
    if (closed) log_.info(fmt::format("hearing {} waited for the other directory and is finished now", id.text()));
    if (!closed) log_.error(fmt::format("hearing {} waited for the other directory and could not be finished: {}", id.text(), closed.error().message));
    return ok();
  }

  Status leave(const HearingId& id, bool live) {
    if (files_.stat(paths(id).waits()) || files_.stat(paths(id).continued())) return ok();
    const auto found = read_signed_log(files_, paths(id));
    if (!found || is_finished(*found)) return ok();  // damaged: nobody can add to it
    const auto lock = GREFFE_TRY(files_.lock(paths(id).lock()));
    std::optional<HearingId> other;
    const auto elsewhere = live ? go_on_elsewhere(id) : Result<HearingId>(fail(Errc::not_found, ""));
    if (elsewhere) other = *elsewhere;
    if (live && !elsewhere) log_.error(fmt::format("hearing {} cannot be continued here: {}. Open a new one", id.text(), elsewhere.error().message));
    GREFFE_TRY(mark(id, other));
    log_.warn(fmt::format("the other directory may hold more of hearing {} and cannot be read, so nothing is added to it{}", id.text(),
                          other ? "; what is recorded from now on is hearing " + other->text() : std::string()));
    return ok();
  }

  // Everything of it that is not signed, as if the disk were a broken station's.
  Result<HearingId> go_on_elsewhere(const HearingId& id) {
    const DiskLog disk = GREFFE_TRY(read_disk_log(files_, paths(id)));
    const SpoolPaths copy = spool_of(join_path("from", enrolment_.name), id);
    const std::uint64_t first = disk.signed_part.entries.size();
    GREFFE_TRY(files_.make_directories(parent_of(copy.directory)));
    GREFFE_TRY(copy_hearing(files_, paths(id), copy, disk, first));
    Continuation wanted;
    wanted.first = first;
    const auto seen = newest_seen(files_, settings_.directory, enrolment_);
    const auto filed = GREFFE_TRY(file_salvage(files_, settings_, enrolment_, key_, {copy, id, enrolment_.name, disk.entries}, wanted, seen));
    const HearingId other = filed ? *filed : GREFFE_TRY(begin_anew(id, disk));
    GREFFE_TRY(keep_record(id, other));
    (void)GREFFE_TRY(free_media(files_, copy));
    return other;
  }

  std::string join_path(const char* folder, const std::string& name) const { return greffe::join(greffe::join(settings_.directory, folder), name); }

  Result<HearingId> begin_anew(const HearingId& id, const DiskLog& disk) {
    HearingState state;
    for (const std::string& entry : disk.entries) GREFFE_TRY(state.apply(entry));
    if (!state.open()) return fail(Errc::corrupt, fmt::format("the log of hearing {} does not begin with an \"open\" entry", id.text()));
    LiveOpening opening;
    const Bytes details = GREFFE_TRY(files_.read_file(paths(id).object(state.details()), kMaxDocumentBytes));
    opening.details = std::string(as_text(details));
    opening.continues = id;
    for (const StreamState& stream : state.streams()) opening.streams.push_back(stream.stream);
    StationClock now(clock_);
    const auto spool = GREFFE_TRY(begin_live_hearing(files_, settings_, enrolment_, key_, now, opening));
    return spool->id();
  }

  // A hearing that was paused stays paused; its pause is counted from the beginning of the new one.
  Status keep_record(const HearingId& from, const HearingId& to) {
    LiveRecord record = GREFFE_TRY(load_live_record(files_, paths(from)));
    const SignedLog begun = GREFFE_TRY(read_signed_log(files_, paths(to)));
    HearingState state;
    for (const std::string& entry : begun.entries) GREFFE_TRY(state.apply(entry));
    const OpenEntry& open = *state.open();
    const auto move_on = [&](OpenPause& pause) {
      if (pause.at.utc >= open.start) return;
      pause.at = {open.start, open.mono_ms};
      pause.boot = open.boot;
    };
    if (record.pause) move_on(*record.pause);
    for (auto& [stream, pause] : record.muted) move_on(pause);
    return save_live_record(files_, paths(to), record);
  }

  FileSystem& files_;
  Clock& clock_;
  Log& log_;
  const IngestSettings& settings_;
  Enrolment enrolment_;
  PrivateKey key_;
};

Result<Settling> settling(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings) {
  Enrolment enrolment = GREFFE_TRY(load_enrolment(files, settings.directory));
  PrivateKey key = GREFFE_TRY(load_station_key(files, settings.directory, false));
  return Settling(files, clock, log, settings, std::move(enrolment), std::move(key));
}

}  // namespace

Result<DirectoryChoice> choose_directory(FileSystem& files, const std::string& first, const std::string& second) {
  if (second.empty()) return DirectoryChoice{first, "", "", false, {}, {}};
  const PresenceFound one = look_patiently(files, first, "");
  const PresenceFound other = look_patiently(files, second, one.presence == Presence::ours ? first : std::string());
  if (one.presence == Presence::ours && other.presence == Presence::ours) {
    auto both = one_of_both(files, first, second);
    return both ? std::move(both) : only(files, first, second, both.error().message);
  }
  if (one.presence == Presence::ours) return only(files, first, second, other.why);
  if (other.presence == Presence::ours) return only(files, second, first, one.why);
  if (one.presence == Presence::fresh) return DirectoryChoice{first, second, other.why, false, {}, {}};  // not enrolled yet
  return fail(Errc::unavailable, fmt::format("neither directory of this station can be used: {}; {}", one.why, other.why));
}

Status settle_directories(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, const DirectoryChoice& choice,
                          bool must_go_on) {
  if (choice.other.empty() || !files.stat(enrolment_path(choice.counts))) return ok();
  Settling work = GREFFE_TRY(settling(files, clock, log, settings));
  const bool both = choice.problem.empty() && files.stat(enrolment_path(choice.other));
  const Status joined = both ? work.join(choice) : ok();
  if (!joined && !must_go_on) return joined;
  if (!joined) log.error(fmt::format("the two directories of this station could not be brought together: {}", joined.error().message));
  return choice.unsure || !joined ? work.leave_all() : ok();
}

Status leave_unfinished(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings) {
  Settling work = GREFFE_TRY(settling(files, clock, log, settings));
  return work.leave_all();
}

}  // namespace greffe::ingest
