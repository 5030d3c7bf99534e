// The body of the process that reads one live stream: it gets a channel, connects, says what it found, and from then on
// writes segments to the files that it is given, until it is told to stop or the stream ends. docs/formats/spool.md says
// what is said.
#ifndef GREFFE_INGEST_LIVE_CHILD_H
#define GREFFE_INGEST_LIVE_CHILD_H

#include "archive/format/canonical_json.h"
#include "ingest/live_source.h"

namespace greffe::ingest {

constexpr int kLiveChannelDescriptor = 3;

Json write_live_request(const LiveRequest& request);
Result<LiveRequest> parse_live_request(const Json& json);

// Why a live stream ended, as the child says it; the name of a gap's reason.
constexpr const char* kEndedNoSignal = "no-signal";
constexpr const char* kEndedNetwork = "network";
constexpr const char* kEndedFault = "fault";

// The whole life of the process; the channel is kLiveChannelDescriptor. The exit status.
int run_live_child();

}  // namespace greffe::ingest

#endif
