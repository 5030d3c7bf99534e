#include "ingest/service.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxControlBytes = 512 * 1024;

// Root may do anything anyhow; nobody else on this machine may steer a recording.
bool may_control(const http::Request& request) { return request.peer_uid && (*request.peer_uid == 0 || *request.peer_uid == ::geteuid()); }

std::vector<http::Route> control_routes(Recorder& recorder) {
  const auto allowed = [](http::Handler handler) {
    return [handler](const http::Request& request) {
      return may_control(request) ? handler(request) : http::problem(403, "denied", "Only the user that runs the station, or root, may do this.");
    };
  };
  const http::Handler ask = [&recorder](const http::Request& request) -> http::Response {
    const auto arguments = parse_json(request.body);
    if (!arguments) return http::problem(arguments.error());
    const std::string verb = request.parameter("verb");
    if (verb == "state") return http::json_response(200, write_json(recorder.state()));
    const auto done = recorder.ask(verb, *arguments);
    return done ? http::json_response(200, write_json(*done)) : http::problem(done.error());
  };
  return {{"POST", "/control/{verb}", http::Handler(allowed(ask)), kMaxControlBytes}};
}

}  // namespace

client::ControlSocket control_socket_of(const std::string& directory) {
  return {join(directory, "control.sock"), "the station", "greffe-ingest run"};
}

StopSignals::StopSignals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

bool StopSignals::wait(std::int64_t wait_ms) {
  const timespec patience{wait_ms / 1000, static_cast<long>(wait_ms % 1000) * 1'000'000};
  return ::sigtimedwait(&set_, nullptr, &patience) > 0;
}

Service::Service(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key)
    : files_(files), settings_(settings), recorder_(files, clock, log, settings, enrolment, key, nullptr) {}

Service::~Service() {
  const Status ended = stop();
  (void)ended;
}

Status Service::start() {
  auto lock = files_.lock(join(settings_.directory, "run.lock"));
  if (!lock && lock.error().code == Errc::unavailable) {
    return fail(Errc::conflict, fmt::format("another greffe-ingest records in {} already; ask it what to do, or stop it", settings_.directory));
  }
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  http::ListenerSettings control;
  control.address = "unix:" + control_socket_of(settings_.directory).path;
  control.routes = control_routes(recorder_);
  (void)GREFFE_TRY(server_.listen(std::move(control)));
  thread_ = std::thread([this] {
    name_thread("gr-record");
    result_ = recorder_.run();
    ended_ = true;
  });
  server_.start();
  return ok();
}

Status Service::stop() {
  if (!thread_.joinable()) return result_;
  recorder_.stop();
  thread_.join();
  server_.stop(1);
  return result_;
}

}  // namespace greffe::ingest
