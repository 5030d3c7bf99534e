#include "ingest/second_directory.h"

#include <fmt/format.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include "ingest/hearing_key.h"
#include "ingest/succession.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxFileBytes = kSuccessorsBytesMax;  // the largest of them
constexpr std::int64_t kPatienceMs = 5'000;

bool is_gone(const Error& error) { return error.code == Errc::not_found; }

// The key of either may have been renewed while the other was away.
bool knows(FileSystem& files, const std::string& directory, const StationIdentity& identity, const PublicKey& key) {
  return identity.key == key || load_earlier_key(files, directory, key);
}

bool is_same_place(FileSystem& files, const std::string& a, const std::string& b) {
  const auto one = files.stat(a);
  const auto other = files.stat(b);
  return one && other && one->device == other->device && one->inode == other->inode;
}

bool is_of_station(const std::string& name) {
  return name == "enrolment.json" || name == "main-checkpoint" || name == "successors.json" || (name.starts_with("station") && name.ends_with(".key"));
}

}  // namespace

Result<StationIdentity> identity_of_directory(FileSystem& files, const std::string& directory) {
  const Enrolment enrolment = GREFFE_TRY(load_enrolment(files, directory));
  const PrivateKey key = GREFFE_TRY(load_station_key(files, directory, false));
  const auto spool = files.list(spool_path(directory));
  if (!spool && !is_gone(spool.error())) return spool.error();
  return StationIdentity{enrolment.archive, enrolment.name, key.public_key()};
}

PresenceFound look_for(FileSystem& files, const std::string& directory) {
  const auto there = files.stat(directory);
  if (!there && !is_gone(there.error())) return {Presence::absent, there.error().message};
  if (!there || !there->is_directory) {
    return {Presence::absent, fmt::format("there is no folder {}: plug in or mount its disk; on a new disk make the folder once", directory)};
  }
  bool empty = true;
  for (const std::string& path : {enrolment_path(directory), station_key_path(directory), spool_path(directory)}) {
    const auto facts = files.stat(path);
    if (!facts && !is_gone(facts.error())) return {Presence::absent, facts.error().message};
    empty = empty && !facts;
  }
  if (empty) return {Presence::fresh, ""};
  const auto identity = identity_of_directory(files, directory);
  if (identity) return {Presence::ours, ""};
  // A copy that was broken off before it had its name: whoever begins it again completes it.
  if (is_gone(identity.error()) && !files.stat(enrolment_path(directory))) {
    const auto paired = is_paired(files, directory);
    if (paired && *paired) return {Presence::fresh, ""};
    return {Presence::foreign, fmt::format("{} holds something, but not a station of Greffe; choose an empty folder", directory)};
  }
  return {Presence::absent, identity.error().message};
}

PresenceFound look_for(FileSystem& files, const std::string& directory, const std::string& own) {
  PresenceFound out = look_for(files, directory);
  if (out.presence == Presence::absent || out.presence == Presence::foreign) return out;
  if (is_same_place(files, directory, own)) {
    return {Presence::foreign, fmt::format("{} and {} are one folder; give spool.second a folder on another disk", directory, own)};
  }
  if (out.presence != Presence::ours) return out;
  const auto mine = identity_of_directory(files, own);
  const auto theirs = identity_of_directory(files, directory);
  if (!mine || !theirs) return {Presence::absent, (mine ? theirs : mine).error().message};
  if (mine->archive != theirs->archive || mine->station != theirs->station) {
    return {Presence::foreign, fmt::format("{} belongs to station {} of {}, not to station {} of {}; it is not touched", directory,
                                           theirs->station, theirs->archive, mine->station, mine->archive)};
  }
  if (!knows(files, own, *mine, theirs->key) && !knows(files, directory, *theirs, mine->key)) {
    return {Presence::foreign, fmt::format("{} belongs to another machine that was station {} under another key; it is not touched. What is "
                                           "on it is taken in with greffe-ingest drain --from", directory, theirs->station)};
  }
  return out;
}

PresenceFound look_patiently(FileSystem& files, const std::string& directory, const std::string& own) {
  const auto answer = std::make_shared<std::promise<PresenceFound>>();
  auto found = answer->get_future();
  std::thread([answer, &files, directory, own] {
    answer->set_value(own.empty() ? look_for(files, directory) : look_for(files, directory, own));
  }).detach();
  if (found.wait_for(std::chrono::milliseconds(kPatienceMs)) == std::future_status::ready) return found.get();
  return {Presence::absent, fmt::format("the disk of {} does not answer", directory)};
}

std::string paired_path(const std::string& directory) { return join(spool_path(directory), "paired"); }

Result<bool> is_paired(FileSystem& files, const std::string& directory) {
  const auto facts = files.stat(paired_path(directory));
  if (!facts && !is_gone(facts.error())) return facts.error();
  return facts.has_value();
}

Status set_paired(FileSystem& files, const std::string& directory, bool paired) {
  if (GREFFE_TRY(is_paired(files, directory)) == paired) return ok();
  if (paired) {
    const Status marked = files.write_new(paired_path(directory), as_bytes("The station's other directory may hold more than this one.\n"));
    if (marked || marked.error().code != Errc::already_exists) return marked;
    return files.sync_directory(spool_path(directory));  // another process was faster
  }
  const Status removed = files.remove(paired_path(directory));
  if (!removed && removed.error().code != Errc::not_found) return removed;
  return files.sync_directory(spool_path(directory));
}

// The name comes last: without it the copy is nobody's yet.
Status copy_station(FileSystem& files, const std::string& from, const std::string& to) {
  const std::vector<std::string> names = GREFFE_TRY(files.list(from));
  for (const bool enrolment : {false, true}) {
    for (const std::string& name : names) {
      if (!is_of_station(name) || (name == "enrolment.json") != enrolment) continue;
      const Bytes bytes = GREFFE_TRY(files.read_file(join(from, name), kMaxFileBytes));
      const auto there = files.read_file(join(to, name), kMaxFileBytes);
      if (!there && !is_gone(there.error())) return there.error();
      if (!there || *there != bytes) GREFFE_TRY(files.replace(join(to, name), bytes, name.ends_with(".key") ? 0600 : 0640));
    }
  }
  return ok();
}

}  // namespace greffe::ingest
