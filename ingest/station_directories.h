// The one or two directories of a station as a program that writes the spool uses them: which one counts, the copy in the other one, and
// how they change roles. With one directory configured it is nothing but its name. One thread; state() and can_exchange() from any.
#ifndef GREFFE_INGEST_STATION_DIRECTORIES_H
#define GREFFE_INGEST_STATION_DIRECTORIES_H

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "ingest/second_files.h"
#include "ingest/second_start.h"

namespace greffe::ingest {

class StationDirectories {
 public:
  enum class Use { service, verb };
  // Chooses and settles, unless a service does that for this station already, and begins to copy. Everything must outlive it.
  static Result<std::unique_ptr<StationDirectories>> open(FileSystem& files, Clock& clock, Log& log, const IngestSettings& configured, Use use);
  ~StationDirectories();

  // Through which the spool is changed. Both are others after exchange().
  FileSystem& files() { return copied_ ? static_cast<FileSystem&>(*copied_) : real_; }
  const IngestSettings& settings() const { return settings_; }  // `directory`: the one that counts

  // Of the copy; nothing: there is one directory only.
  std::optional<SecondStatus> state() const;
  // The directory that counts has failed with `why`: is the other one there, and likely to do better?
  bool can_exchange(const Error& why) const;
  // The other one counts from here on. Nobody uses files() or settings() meanwhile. Where the copy lacked nothing, what is unfinished
  // goes on in it; else it is left behind as at a start without the other one.
  Status exchange();
  // Waits for the copy, `ms` at most. False: it lacks something, and state() says why.
  bool finish(std::int64_t ms);

 private:
  StationDirectories(FileSystem& files, Clock& clock, Log& log, const IngestSettings& configured, Use use)
      : real_(files), clock_(clock), log_(log), use_(use), settings_(configured) {}
  Status settle();
  void begin_copy();
  void end_copy();

  FileSystem& real_;
  Clock& clock_;
  Log& log_;
  const Use use_;
  IngestSettings settings_;
  std::unique_ptr<CopiedFileSystem> copied_;
  std::atomic<std::int64_t> not_before_ms_{0};  // the next exchange: two disks that fail must not be tried in turn all the time
  mutable std::mutex mutex_;             // over copy_: who shows the state and who exchanges
  std::unique_ptr<SecondCopy> copy_;     // outlives copied_
};

// For who only looks at the station: the same settings, of the directory that counts.
Result<IngestSettings> settings_that_count(FileSystem& files, const IngestSettings& configured);
// What stands in the other directory, as `status` tells it: how many hearings it lacks something of.
struct SecondLook {
  std::string directory;
  std::string problem;            // why it cannot be used; empty
  std::uint64_t behind = 0;       // hearings
  Space disk;
  std::string words() const;
};
SecondLook look_at_second(FileSystem& files, const IngestSettings& settings);
Json to_json(const SecondLook& look, const IngestSettings& settings, std::uint64_t rate);

}  // namespace greffe::ingest

#endif
