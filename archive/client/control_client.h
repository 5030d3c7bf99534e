// What the verbs of a program ask of its running service, over its unix socket.
#ifndef GREFFE_ARCHIVE_CLIENT_CONTROL_CLIENT_H
#define GREFFE_ARCHIVE_CLIENT_CONTROL_CLIENT_H

#include <string>

#include "archive/base/config.h"
#include "archive/format/canonical_json.h"

namespace greffe::client {

struct ControlSocket {
  std::string path;
  std::string service;  // for messages: "the archive", "the station"
  std::string start;    // the command that starts it
};
// Where the archive of this machine hears its verbs, as its configuration says it or leaves it out.
Result<std::string> read_control_socket(Config& config);

// unavailable: the service does not run. Else the service's own words.
Result<Json> ask_service(const ControlSocket& socket, const std::string& verb, const Json& arguments);

}  // namespace greffe::client

#endif
