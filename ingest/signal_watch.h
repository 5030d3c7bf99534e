// What the watch over a stream's signal says: alarms that begin and end, levels for the meter, small pictures. Computed in
// the sandboxed process that reads the stream; no clock: every time is an argument. One thread.
#ifndef GREFFE_INGEST_SIGNAL_WATCH_H
#define GREFFE_INGEST_SIGNAL_WATCH_H

#include <cstdint>
#include <optional>
#include <string_view>

#include "archive/base/bytes.h"
#include "archive/base/result.h"

namespace greffe::ingest {

// docs/OPERATIONS.md ("Alarms") says what each one means and what to do.
enum class Alarm {
  silence,       // nothing is heard, not even the noise of a room
  clipping,      // the input is too loud: the sound is cut off
  black,         // the picture is black
  frozen,        // the picture stands still although packets arrive
  no_key_frame,  // for a long time no picture that can be decoded by itself
  undecodable,   // packets arrive, but no picture comes out of them
};
std::string_view name_of(Alarm alarm);                 // "silence", … "no-key-frame", "undecodable"
Result<Alarm> parse_alarm(std::string_view name);      // invalid: none of these

struct AlarmChange {
  Alarm alarm = Alarm::silence;
  bool raised = false;
  std::int64_t since_us = 0;  // raised: when all was last well. Ended: when it was last seen to be wrong
};

// Half a second of sound. Decibels below full scale, whole, 0 … kQuietestDb.
constexpr int kQuietestDb = -120;  // and everything quieter
struct SoundLevels {
  std::int64_t media_us = 0;  // of its first sample
  int peak_db = kQuietestDb;
  int rms_db = kQuietestDb;   // of the loudest channel
  std::uint32_t clipped_runs = 0;  // how often three or more samples in a row stood at full scale
};

struct Thumbnail {
  std::int64_t at_us = 0;  // of the picture
  Bytes jpeg;
};

// Where it goes. Called by the thread that feeds the watch; an error ends the call that fed it.
class SignalSink {
 public:
  virtual ~SignalSink() = default;
  virtual Status levels(const SoundLevels& levels) = 0;
  virtual Status alarm(const AlarmChange& change) = 0;
  virtual Status thumbnail(const Thumbnail& thumbnail) = 0;
};

// A condition that must hold for a while before it is an alarm, and be gone for a while before it is none. It is looked at
// now and then; what is between two looks nobody knows.
class HeldAlarm {
 public:
  HeldAlarm(Alarm alarm, std::int64_t end_after_us) : alarm_(alarm), end_after_us_(end_after_us) {}

  enum class Look { good, unclear, bad };
  // Raised by the last bad look that comes in time: the next one, if it keeps the distance of the last two, would come later
  // than `raise_by_us` after all was last well. Ended by a good look `end_after_us` or more after the last that was not
  // good. An unclear look raises nothing and puts the end off. `at_us` does not go back.
  std::optional<AlarmChange> look(std::int64_t at_us, Look look, std::int64_t raise_by_us);
  void forget();  // time is missing: what was seen before it no longer counts. A raised alarm stays raised
  bool raised() const { return raised_; }

 private:
  std::optional<AlarmChange> bad(std::int64_t at_us, std::int64_t raise_by_us);
  std::optional<AlarmChange> good(std::int64_t at_us);

  const Alarm alarm_;
  const std::int64_t end_after_us_;
  bool raised_ = false;
  std::optional<std::int64_t> last_look_us_;
  std::int64_t well_us_ = 0;      // the last time, else the first look of all
  std::int64_t not_good_us_ = 0;  // the last time
};

}  // namespace greffe::ingest

#endif
