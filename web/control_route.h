// One verb of the control socket: POST /control/<verb> with a JSON object, answered by a JSON object; only for the user that the archive
// runs as, and root.
#ifndef GREFFE_WEB_CONTROL_ROUTE_H
#define GREFFE_WEB_CONTROL_ROUTE_H

#include <functional>
#include <string>

#include "archive/format/canonical_json.h"
#include "web/http/server.h"

namespace greffe::web {

http::Route control_route(const std::string& verb, std::function<Result<Json>(const Json& arguments)> body);

}  // namespace greffe::web

#endif
