// `greffe-replicate run`: one thread for each target, at its own pace; echoes; how far each is behind, for `status` and monitors.
#ifndef GREFFE_REPLICATE_SERVICE_H
#define GREFFE_REPLICATE_SERVICE_H

#include <stop_token>

#include "replicate/lag.h"
#include "replicate/open_sites.h"

namespace greffe::replicate {

// Until the stop. Any error: it could not begin.
Status serve(OpenSites& sites, std::stop_token stop);

// What a running service knows of each target, by name: an object of objects as add_live() makes them. unavailable: none runs.
Result<Json> ask_running(const Settings& settings);

}  // namespace greffe::replicate

#endif
