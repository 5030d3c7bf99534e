// What the verbs of greffe-archive ask of the running service, over its unix socket.
#ifndef GREFFE_WEB_CONTROL_CLIENT_H
#define GREFFE_WEB_CONTROL_CLIENT_H

#include <string>

#include "archive/format/canonical_json.h"

namespace greffe::web {

// unavailable: the service does not run. Else the service's own words.
Result<Json> ask_service(const std::string& socket, const std::string& verb, const Json& arguments);

}  // namespace greffe::web

#endif
