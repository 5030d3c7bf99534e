// `greffe-archive serve`: puts the parts together, serves until SIGTERM or SIGINT, takes them apart in reverse.
#ifndef GREFFE_WEB_SERVE_H
#define GREFFE_WEB_SERVE_H

#include "archive/settings.h"

namespace greffe::web {

// Returns when it was asked to stop. Any error: it does not serve; the message says what to do.
Status serve(const archive::Settings& settings, bool accept_head);

}  // namespace greffe::web

#endif
