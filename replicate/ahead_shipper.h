// Lets one target know the entries of logs before it holds what they name, so that nothing that is known of a log there waits for pictures.
// Not limited by the timetable, as the log is not. What the target answers says where each log goes on; there is no other queue. A hearing
// that the usual way brings there within a moment is left to it. One thread.
#ifndef GREFFE_REPLICATE_AHEAD_SHIPPER_H
#define GREFFE_REPLICATE_AHEAD_SHIPPER_H

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "replicate/fresh_hearings.h"
#include "replicate/log_copier.h"

namespace greffe::replicate {

struct AheadReport {
  static constexpr std::size_t kMostNamed = 100;
  std::uint64_t entries = 0;          // that the target knows by this round
  bool supported = true;              // false: the target is too old to take any
  bool more = false;                  // entries of the main log are left to be walked through, now
  std::vector<std::string> problems;  // a sentence each; at most kMostNamed
};

class AheadShipper {
 public:
  struct Options {
    // What the target has not confirmed for so long goes ahead; less would send everything twice.
    std::int64_t after_ms = 2'000;
    // A log that could not go ahead is tried again, and so is a target that takes no more, or that is too old.
    std::int64_t again_ms = 60'000;
  };
  // All of them must outlive this object.
  AheadShipper(Sites sites, Bandwidth& bandwidth, Clock& clock, Options options, Log& log);

  // Hearings in progress and new ones, the main log, then a piece of the backlog. unavailable, cancelled: the way to the target; what it
  // knows it knows.
  Result<AheadReport> round(const std::stop_token& stop);

 private:
  // Where a log is, as far as this process knows.
  struct Cursor {
    bool asked = false;
    std::uint64_t known = 0;        // by the target, held or ahead
    std::uint64_t armed_size = 0;   // entries whose confirmation is waited for; 0: nothing is
    std::int64_t armed_ms = 0;      // since then; monotonic
    std::int64_t not_before_ms = 0;
  };
  enum class Went { there, later };  // later: its moment has not come, or something hindered it
  struct LogState {
    client::LogTarget target;
    std::string path;
    SignedCheckpoint head;
    std::optional<HearingId> hearing;
  };

  Result<Went> go(const HearingId& id);
  Result<Went> go_main();
  Result<Went> go(const LogState& log, Cursor& cursor);
  Status ask(const LogState& log, const tlog::LogReader& reader, Cursor& cursor);
  Result<bool> send(const LogState& log, const tlog::LogReader& reader, Cursor& cursor);
  bool is_due(const LogState& log, Cursor& cursor);
  std::uint64_t confirmed_here(const std::string& log_path) const;
  Result<LogCopier::End> next_end(LogCopier& copier, const LogState& log, const tlog::LogReader& reader, std::uint64_t first);
  Went hinder(const LogState& log, Cursor& cursor, const Error& error);
  Status go_fresh(const std::stop_token& stop);
  Status walk(const std::stop_token& stop);
  Cursor& at(const HearingId& id);

  const Sites sites_;
  Clock& clock_;
  const Options options_;
  LogCopier small_;     // of how much goes in one request: little, so that one log does not hold up the others
  LogCopier large_;     // where its signed checkpoints lie further apart
  FreshHearings fresh_;
  std::map<HearingId, Cursor> cursors_;  // bounded: only saves questions
  std::deque<HearingId> order_;          // of them
  Cursor main_;
  std::set<HearingId> later_;            // fresh ones whose moment has not come
  std::optional<std::uint64_t> walked_;  // main-log entries before this one were looked at; none: the walk has not begun
  std::optional<std::uint64_t> again_from_;  // of them, the first that could not go
  std::int64_t walk_again_ms_ = 0;
  std::int64_t rest_until_ms_ = 0;       // the target takes no more, or is too old
  bool supported_ = true;
  bool walk_waits_ = false;              // for the moment of a hearing
  AheadReport report_;                   // of the round
};

}  // namespace greffe::replicate

#endif
