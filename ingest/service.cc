#include "ingest/service.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "ingest/station_requests.h"

namespace greffe::ingest {
namespace {

// Root may do anything anyhow; nobody else on this machine may steer a recording.
bool may_control(const http::Request& request) { return request.peer_uid && (*request.peer_uid == 0 || *request.peer_uid == ::geteuid()); }

std::vector<http::Route> control_routes(Recorder& recorder) {
  const auto allowed = [](http::Handler handler) {
    return [handler](const http::Request& request) {
      return may_control(request) ? handler(request) : http::problem(403, "denied", "Only the user that runs the station, or root, may do this.");
    };
  };
  return {{"POST", "/control/{verb}", http::Handler(allowed(ask_handler(recorder))), kMaxAskBytes}};
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
    : files_(files), log_(log), settings_(settings), pictures_(clock), recorder_(files, clock, log, settings, enrolment, key, pictures_, nullptr),
      page_(files, clock, log, settings, {[this] { return recorder_.state(); }, ask_handler(recorder_), nullptr, &pictures_}) {}

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
  open_page();
  thread_ = std::thread([this] {
    name_thread("gr-record");
    result_ = recorder_.run();
    ended_ = true;
  });
  server_.start();
  return ok();
}

// Without its page the station still records what it was recording, and obeys the command line.
void Service::open_page() {
  const PageSettings& page = settings_.page;
  if (page.listen.empty()) return;
  auto listener = page_.listener();
  const auto at = listener ? server_.listen(std::move(*listener)) : Result<std::string>(listener.error());
  if (!at) {
    log_.error(fmt::format("there is no page at {}: {}", page.listen, at.error().message));
  } else {
    log_.info(fmt::format("the station's page: {}://{}", page.tls_cert.empty() ? "http" : "https", *at));
  }
}

Status Service::stop() {
  if (!thread_.joinable()) return result_;
  recorder_.stop();
  thread_.join();
  server_.stop(1);
  return result_;
}

}  // namespace greffe::ingest
