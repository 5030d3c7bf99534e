#include "ingest/broken_station.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"
#include "ingest/disk_copy.h"
#include "ingest/import.h"
#include "ingest/import_begin.h"
#include "ingest/live_hearing.h"
#include "ingest/lost_objects.h"
#include "ingest/main_log_seen.h"
#include "ingest/spool_space.h"

namespace greffe::ingest {
namespace {

Error later(const HearingId& id, const Error& why, const std::string& copy) {
  return fail(why.code, fmt::format("hearing {}: {}. Keep that disk, and start the same command again later; what was copied of it is in {}",
                                    id.text(), why.message, copy));
}

class Recovery {
 public:
  Recovery(FileSystem& files, Clock& clock, const IngestSettings& settings, std::string from, Enrolment own, const PrivateKey& key,
           Enrolment theirs)
      : files_(files), clock_(clock), settings_(settings), from_(std::move(from)), own_(std::move(own)), key_(key), theirs_(std::move(theirs)),
        archive_(own_.endpoint(), key) {
    copies_ = settings;
    copies_.directory = join(join(settings.directory, "from"), theirs_.name);
  }

  Result<RecoveryOutcome> run() {
    RecoveryOutcome out;
    out.station = theirs_.name;
    GREFFE_TRY(files_.make_directories(spool_path(copies_.directory)));
    GREFFE_TRY(files_.make_directories(spool_path(settings_.directory)));
    auto their_key = load_station_key(files_, from_, false);
    if (their_key) their_key_.emplace(std::move(*their_key));
    if (look_at_main_log(files_, settings_.directory, own_, archive_)) seen_ = newest_seen(files_, settings_.directory, own_);
    const std::vector<HearingId> ids = GREFFE_TRY(list_hearings(files_, from_));
    for (const HearingId& id : ids) {
      const auto done = recover(id);
      if (!done) {
        out.problems.push_back(later(id, done.error(), copies_.directory).message);
      } else if (*done) {
        out.hearings.push_back(std::move(**done));
      } else {
        ++out.nothing_to_do;
      }
    }
    return out;
  }

 private:
  // Nothing: the archive has all of it, or it was recovered before.
  Result<std::optional<RecoveredHearing>> recover(const HearingId& id) {
    const SpoolPaths there = spool_of(from_, id);
    const SpoolPaths copy = spool_of(copies_.directory, id);
    if (files_.stat(copy.freed())) return std::optional<RecoveredHearing>();
    const DiskLog disk = GREFFE_TRY(read_disk_log(files_, there));
    if (disk.entries.empty()) return fail(Errc::conflict, "it had not begun: its log has no entry");
    const PublicKey station_key = GREFFE_TRY(opened_by(disk));
    auto held = GREFFE_TRY(read_continuation(files_, copy));  // recovered in part before: what the archive held was settled then
    if (!held) {
      held = GREFFE_TRY(ask_what_is_held(id, disk.signed_part, station_key));
      const std::vector<std::string> open = GREFFE_TRY(files_.list(there.open()));
      if (held->first == disk.entries.size() && open.empty()) return std::optional<RecoveredHearing>();
      GREFFE_TRY(copy_with_room(there, copy, disk, held->first));
      held = GREFFE_TRY(hand_over(id, disk.signed_part, station_key, std::move(*held)));
    }
    RecoveredHearing out;
    out.hearing = id;
    out.signed_entries = disk.signed_part.entries.size();
    out.held = held->first;
    const Salvage salvage{copy, id, theirs_.name, disk.entries};
    out.continued = GREFFE_TRY(file_salvage(files_, settings_, own_, key_, salvage, std::move(*held), seen_));
    if (out.continued) out.lost = GREFFE_TRY(finish(*out.continued, there));
    // The archive holds it, or it stands in the new hearing as another name of the same file; and that disk has all of it.
    (void)GREFFE_TRY(free_media(files_, copy));
    return std::optional(std::move(out));
  }

  Result<PublicKey> opened_by(const DiskLog& disk) const {
    const HearingEntry first = GREFFE_TRY(parse_hearing_entry(disk.entries.front()));
    const auto* open = std::get_if<OpenEntry>(&first);
    if (open == nullptr) return fail(Errc::corrupt, "its log does not begin with an \"open\" entry");
    if (open->archive != own_.archive) return fail(Errc::invalid, fmt::format("it was recorded for {}", open->archive));
    return open->station_key;
  }

  Status copy_with_room(const SpoolPaths& there, const SpoolPaths& copy, const DiskLog& disk, std::uint64_t first) {
    const std::uint64_t bytes = GREFFE_TRY(bytes_to_copy(files_, there, disk, first));
    const SpoolSpace space = GREFFE_TRY(measure_space(files_, settings_));
    if (bytes + space.reserve_bytes >= space.disk.free_bytes) {
      return fail(Errc::no_space, fmt::format("copying it needs {}, and here is {}; deliver what waits with greffe-ingest drain, or make room",
                                              human_bytes(bytes), space.words()));
    }
    return copy_hearing(files_, there, copy, disk, first);
  }

  // How much of the signed log the archive holds after their key has delivered what it can.
  Result<Continuation> hand_over(const HearingId& id, const SignedLog& log, const PublicKey& station_key, Continuation held) {
    const bool theirs = their_key_ && their_key_->public_key() == station_key;
    if (!theirs || held.first == log.entries.size()) return held;
    Enrolment as_them = own_;
    as_them.name = theirs_.name;
    as_them.court = theirs_.court;
    as_them.room = theirs_.room;
    Delivery delivery(files_, clock_, copies_, as_them, *their_key_);
    const auto delivered = delivery.deliver(id);
    // Refused (the key is revoked), or something of it is lost: the rest is for this station to file.
    const bool settled = delivered || delivered.error().code == Errc::denied || delivered.error().code == Errc::corrupt;
    if (!settled) return delivered.error();
    return ask_what_is_held(id, log, station_key);
  }

  Result<Continuation> ask_what_is_held(const HearingId& id, const SignedLog& log, const PublicKey& station_key) {
    client::HeldCheckpoint held = GREFFE_TRY(archive_.checkpoint({id}));
    Continuation out;
    out.first = held.size;
    out.held = std::move(held.note);
    if (out.first == 0) return out;
    const bool ours = log.checkpoint && out.first <= log.entries.size() && check_continuation(out, log, station_key, own_);
    if (ours) return out;
    return fail(Errc::conflict, fmt::format("the archive holds another log of it ({} entries, this disk has {}); that disk may be an older copy. "
                                            "Keep it and ask for help", out.first, log.entries.size()));
  }

  // Segments that were not finished become `recovered` ones, and the hearing is finished: nobody goes on with it.
  Result<std::vector<std::string>> finish(const HearingId& id, const SpoolPaths& there) {
    const SpoolPaths paths = spool_of(settings_.directory, id);
    const auto live = load_live_record(files_, there);
    (void)GREFFE_TRY(close_hearing(files_, settings_, id, live ? std::optional(*live) : std::nullopt));
    const SignedLog log = GREFFE_TRY(read_signed_log(files_, paths));
    return lost_parts(log.entries);
  }

  FileSystem& files_;
  Clock& clock_;
  const IngestSettings& settings_;
  const std::string from_;
  const Enrolment own_;
  const PrivateKey& key_;
  const Enrolment theirs_;
  std::optional<PrivateKey> their_key_;  // used for nothing but to hand over what it has signed; never stored
  client::ArchiveClient archive_;
  IngestSettings copies_;                // of the directory with copies of their hearings
  std::optional<Checkpoint> seen_;
};

}  // namespace

Result<std::vector<UnsettledDisk>> unsettled_disks(FileSystem& files, const IngestSettings& settings) {
  std::vector<UnsettledDisk> out;
  const auto names = files.list(join(settings.directory, "from"));
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    const std::string directory = join(join(settings.directory, "from"), name);
    const std::vector<HearingId> ids = GREFFE_TRY(list_hearings(files, directory));
    const auto waits = [&](const HearingId& id) { return !files.stat(spool_of(directory, id).freed()); };
    const auto hearings = static_cast<std::uint64_t>(std::count_if(ids.begin(), ids.end(), waits));
    if (hearings > 0) out.push_back({name, hearings});
  }
  return out;
}

Result<RecoveryOutcome> recover_station(FileSystem& files, Clock& clock, const IngestSettings& settings, const std::string& from) {
  Enrolment own = GREFFE_TRY(load_enrolment(files, settings.directory));
  const PrivateKey key = GREFFE_TRY(load_station_key(files, settings.directory, false));
  auto theirs = load_enrolment(files, from);
  if (!theirs) return theirs.error().within("--from");
  if (theirs->archive != own.archive) {
    return fail(Errc::invalid, fmt::format("--from {}: that station records for {}, this one for {}", from, theirs->archive, own.archive));
  }
  const auto here = files.stat(enrolment_path(settings.directory));
  const auto there = files.stat(enrolment_path(from));
  if (here && there && here->device == there->device && here->inode == there->inode) {
    return fail(Errc::invalid, fmt::format("--from {}: that is station {} itself; greffe-ingest drain delivers its spool", from, own.name));
  }
  if (own.address.empty()) return fail(Errc::invalid, fmt::format("station {} is not enrolled with {} yet: greffe-ingest enrol", own.name, own.archive));
  Recovery recovery(files, clock, settings, from, std::move(own), key, std::move(*theirs));
  return recovery.run();
}

}  // namespace greffe::ingest
