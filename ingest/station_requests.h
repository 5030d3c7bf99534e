// What a station is asked over its socket and by its page, the same for both.
#ifndef GREFFE_INGEST_STATION_REQUESTS_H
#define GREFFE_INGEST_STATION_REQUESTS_H

#include "ingest/recorder.h"
#include "web/http/server.h"

namespace greffe::ingest {

constexpr std::uint64_t kMaxAskBytes = 512 * 1024;

// Of a route that ends in /{verb}: the body is the verb's arguments. `recorder` must outlive it.
http::Handler ask_handler(Recorder& recorder, std::function<Json()> state);

}  // namespace greffe::ingest

#endif
