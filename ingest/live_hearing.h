// A hearing that is recorded live, as the spool keeps it beside its log: what must survive a power cut so that recording
// goes on by itself in the same way, and so that the lost time gets its true reason.
#ifndef GREFFE_INGEST_LIVE_HEARING_H
#define GREFFE_INGEST_LIVE_HEARING_H

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ingest/settings.h"
#include "ingest/spool.h"
#include "ingest/station.h"
#include "ingest/station_clock.h"

namespace greffe::ingest {

// What is missing for less is no gap: so exactly do clocks and cameras tell the time.
constexpr std::int64_t kLeastGapMs = 100;

// Until when a stream is accounted for.
struct Accounted {
  Moment at;
  std::string boot;  // whose monotonic clock that is
};

// A pause of the hearing or of one stream that has not ended yet.
struct OpenPause {
  Moment at;
  std::string boot;
  std::string reason;
  std::optional<Digest> note;
  std::string person;
};

// live.json
struct LiveRecord {
  std::string boot;         // of the recorder that wrote it
  ClockState clock;         // as it was then
  bool stopped = false;     // the service was stopped in order; else what is missing after it is a power cut or a fault
  std::string after;        // why nothing was recorded before this recorder took the hearing up; empty: it opened it
  std::int64_t taken_up_mono_ms = 0;  // when; gaps that end later may not be in the log yet
  std::optional<OpenPause> pause;
  std::map<std::string, OpenPause> muted;  // by stream
};
std::string write_live_record(const LiveRecord& record);
Result<LiveRecord> parse_live_record(std::string_view text);
Status save_live_record(FileSystem& files, const SpoolPaths& paths, const LiveRecord& record);  // durable
Result<LiveRecord> load_live_record(FileSystem& files, const SpoolPaths& paths);  // not_found: it is no live hearing

struct LiveOpening {
  std::string details;                 // the document that a person wrote
  std::optional<HearingId> continues;
  std::vector<ExpectedStream> streams;
};
// Makes the hearing with its signed `open` entry; durable when it returns. invalid: the details.
Result<std::unique_ptr<HearingSpool>> begin_live_hearing(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment,
                                                         const PrivateKey& key, StationClock& clock, const LiveOpening& opening);
// The newest live hearing that was not finished.
Result<std::optional<HearingId>> find_live_hearing(FileSystem& files, const IngestSettings& settings);

// Until when a stream of this log is accounted for, by its last segment or gap; `start` when there is none.
Accounted accounted_so_far(const HearingState& state, const std::string& stream, const Accounted& start);

// Nothing: it is too short to be one.
std::optional<GapEntry> gap_between(const std::string& stream, const Accounted& from, const Accounted& to, const char* reason);

// After a crash: what is whole in open/ becomes `recovered` segments, and what was missing before each of them becomes a gap,
// which nobody had the time to log. Not committed as a whole; each segment is.
Status recover_live_segments(HearingSpool& spool, const LiveRecord& record);

// Ends the log of a live hearing whose recorder is gone, at the last moment that is accounted for. Not committed.
void end_live_log(HearingSpool& spool, const LiveRecord& record);

}  // namespace greffe::ingest

#endif
