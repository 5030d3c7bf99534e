// The verbs of greffe-ingest that record, or talk to the station that does.
#ifndef GREFFE_INGEST_LIVE_VERBS_H
#define GREFFE_INGEST_LIVE_VERBS_H

#include <string>
#include <vector>

#include "ingest/service.h"

namespace greffe::ingest {

struct RecordArguments {
  std::vector<std::string> video;   // NAME=SOURCE
  std::vector<std::string> audio;
  std::string details_path;
  std::string continues;
  std::int64_t for_s = 0;           // 0: until it is stopped or closed
  bool close = false;
};
// The streams of the command line instead of the configured ones. invalid: what is wrong; also a password, which every
// user of the machine could read there.
Status take_streams(IngestSettings& settings, const RecordArguments& arguments);

// Records until a signal, or for so long; prints how it goes on a terminal. The hearing that was recorded; nothing: there
// was none.
Result<std::optional<HearingId>> record(FileSystem& files, Clock& clock, const IngestSettings& settings, const RecordArguments& arguments);
// The service: records what it is asked to, until a signal.
Status run_station(FileSystem& files, Clock& clock, const IngestSettings& settings);

// For a person: the state of the running station in a few lines.
std::string words_of_state(const Json& state);

}  // namespace greffe::ingest

#endif
