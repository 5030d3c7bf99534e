#include "ingest/station_requests.h"

namespace greffe::ingest {

http::Handler ask_handler(Recorder& recorder, std::function<Json()> state) {
  return [&recorder, state = std::move(state)](const http::Request& request) -> http::Response {
    const auto arguments = parse_json(request.body);
    if (!arguments) return http::problem(arguments.error());
    const std::string verb = request.parameter("verb");
    if (verb == "state") return http::json_response(200, write_json(state()));
    const auto done = recorder.ask(verb, *arguments);
    return done ? http::json_response(200, write_json(*done)) : http::problem(done.error());
  };
}

}  // namespace greffe::ingest
