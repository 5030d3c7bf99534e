#include "web/control_route.h"

#include <unistd.h>

namespace greffe::web {
namespace {

constexpr std::uint64_t kMaxControlBytes = 256 * 1024;

bool may_control(const http::Request& request) {
  return request.peer_uid && (*request.peer_uid == 0 || *request.peer_uid == ::geteuid());
}

}  // namespace

http::Route control_route(const std::string& verb, std::function<Result<Json>(const Json& arguments)> body) {
  const http::Handler handler = [body = std::move(body)](const http::Request& request) -> http::Response {
    if (!may_control(request)) return http::problem(403, "denied", "Only the user that runs the archive, or root, may do this.");
    const auto arguments = parse_json(request.body);
    if (!arguments) return http::problem(arguments.error());
    const auto done = body(*arguments);
    return done ? http::json_response(200, write_json(*done)) : http::problem(done.error());
  };
  return http::Route{"POST", "/control/" + verb, handler, kMaxControlBytes};
}

}  // namespace greffe::web
