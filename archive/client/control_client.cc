#include "archive/client/control_client.h"

#include "archive/base/http_client.h"

namespace greffe::client {
namespace {

// A scrub answers when the whole pool was read.
constexpr unsigned kPatienceS = 7 * 24 * 3600;

}  // namespace

Result<std::string> read_control_socket(Config& config) {
  const std::string said = GREFFE_TRY(config.string_or("control_socket", ""));
  if (!said.empty()) return config.path_from_here(said);
  const std::string state = GREFFE_TRY(config.string("state_directory"));
  return join(config.path_from_here(state), "control.sock");
}

Result<Json> ask_service(const ControlSocket& socket, const std::string& verb, const Json& arguments) {
  HttpClientSettings settings;
  settings.base_url = "http+unix://" + socket.path;
  settings.stall_timeout_s = kPatienceS;
  HttpClient client(std::move(settings));
  HttpRequest request;
  request.method = "POST";
  request.path = "/control/" + verb;
  request.body = write_json(arguments);
  request.headers = {{"Content-Type", "application/json"}};
  const auto response = client.send(request);
  if (!response) {
    return fail(response.error().code, socket.service + " does not answer at " + socket.path + ": " + response.error().message +
                                           "; start it with `" + socket.start + "`");
  }
  const Json json = GREFFE_TRY(parse_json(response->body));
  if (response->status >= 200 && response->status < 300) return json;
  const auto detail = json.string("detail");
  return fail(Errc::invalid, detail ? *detail : socket.service + " answered with status " + std::to_string(response->status));
}

}  // namespace greffe::client
