// How much room the spool has, in the words that people use, and how room is made: only from what a verified receipt
// covers. The disk is asked each time; nothing is remembered.
//
// Who records asks admit_hearing() before it begins a hearing, and space_of() while it records: at `low` and worse it
// tells the person in the room. A running hearing goes on at `reserve`: that is what the reserve is for.
#ifndef GREFFE_INGEST_SPOOL_SPACE_H
#define GREFFE_INGEST_SPOOL_SPACE_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ingest/spooled_hearing.h"

namespace greffe::ingest {

enum class SpaceLevel {
  plenty,
  low,      // less than 48 hours of recording before the reserve
  reserve,  // no new hearing begins; what is being recorded goes on
  full,     // nothing can be recorded
};
std::string_view name_of(SpaceLevel level);

struct SpoolSpace {
  Space disk;
  std::uint64_t rate = 0;           // bytes in a second of recording, all streams together; 0: nothing was ever recorded
  std::uint64_t reserve_bytes = 0;
  SpaceLevel level = SpaceLevel::plenty;
  // Of recording at this rate, before the reserve begins. Nothing: the rate is not known.
  std::optional<std::int64_t> seconds_left() const;
  std::optional<std::int64_t> seconds_to_full() const;  // the same, with the reserve
  std::string words() const;                            // "41 h of recording left …"
};

Json to_json(const SpoolSpace& space);

// Of what is being recorded: the last ten minutes of segments in these entries. 0: there are none.
std::uint64_t recording_rate(const std::vector<std::string>& entries);
SpoolSpace space_of(const IngestSettings& settings, const Space& disk, std::uint64_t rate);
// At the rate of the newest hearing in the spool that has segments, whether its media are still here or not.
Result<SpoolSpace> measure_space(FileSystem& files, const IngestSettings& settings);

// May a new hearing begin? When there is little room, what policy allows is freed first. no_space: no, in words that can be
// shown as they are: what, where, and what to do.
Status admit_hearing(FileSystem& files, UtcTime now, const IngestSettings& settings, const Enrolment& enrolment, const PublicKey& key);

struct RoomMade {
  std::uint64_t freed_bytes = 0;
  std::uint64_t early = 0;  // hearings whose media were removed before `keep_days`
};
// Removes the media of hearings that have been safe for `keep_days`; and, where the level is `low` or worse and `free_early`
// is set, of safe ones before that, oldest first, until there is plenty. `hearings`: as look_at() sees them now. On a full
// disk the ballast goes first.
Result<RoomMade> make_room(FileSystem& files, UtcTime now, const IngestSettings& settings, std::vector<SpooledHearing>& hearings);

// Removes the media of one hearing. The caller has verified that nothing is lost by it.
Result<std::uint64_t> free_media(FileSystem& files, const SpoolPaths& paths);

// A full disk has no room for the entries of what was still recorded, nor for receipts, without which nothing can be freed. So
// a file of a few megabytes lies in the spool. admit_hearing() lays it down; who records spends it when a segment meets
// no_space, before its last commit(); make_room() spends it when the disk is full.
Status spend_ballast(FileSystem& files, const IngestSettings& settings);
std::string ballast_path(const std::string& station_directory);

}  // namespace greffe::ingest

#endif
