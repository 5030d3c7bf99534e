#include "ingest/service.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "ingest/docket.h"
#include "ingest/station_requests.h"

namespace greffe::ingest {
namespace {

// Root may do anything anyhow; nobody else on this machine may steer a recording.
bool may_control(const http::Request& request) { return request.peer_uid && (*request.peer_uid == 0 || *request.peer_uid == ::geteuid()); }

std::vector<http::Route> control_routes(http::Handler ask) {
  const auto allowed = [](http::Handler handler) {
    return [handler](const http::Request& request) {
      return may_control(request) ? handler(request) : http::problem(403, "denied", "Only the user that runs the station, or root, may do this.");
    };
  };
  return {{"POST", "/control/{verb}", http::Handler(allowed(std::move(ask))), kMaxAskBytes}};
}

// What the recorder has logged since the delivery, which may hang in a slow transfer, last read the log.
std::uint64_t bytes_behind(const Json& state, const UploadStatus& status) {
  const auto hearing = state.object("hearing");
  const auto streams = state.array("streams");
  const auto id = hearing ? hearing->string("id") : Result<std::string>(std::string());
  if (!id || !streams) return 0;
  std::uint64_t recorded = 0;
  for (const Json& stream : *streams) {
    const auto bytes = stream.size("bytes");
    recorded += bytes ? *bytes : 0;
  }
  for (const UploadedHearing& one : status.hearings) {
    if (one.id.text() == *id) return recorded > one.delivered.media_bytes ? recorded - one.delivered.media_bytes : 0;
  }
  return recorded;
}

}  // namespace

client::ControlSocket control_socket_of(const std::string& directory) {
  return {join(directory, "control.sock"), "the station", "greffe-ingest run"};
}

Result<Json> ask_running(const IngestSettings& settings, const std::string& verb, const Json& arguments) {
  auto answer = client::ask_service(control_socket_of(settings.directory), verb, arguments);
  if (answer || answer.error().code != Errc::unavailable || settings.second.empty()) return answer;
  auto other = client::ask_service(control_socket_of(settings.second), verb, arguments);
  return other || other.error().code != Errc::unavailable ? other : answer;
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

Service::Service(StationDirectories& directories, Clock& clock, Log& log, const Enrolment& enrolment, const PrivateKey& key)
    : directories_(directories), files_(directories.files()), clock_(clock), log_(log), settings_(directories.settings()), enrolment_(enrolment),
      key_(key), pictures_(clock), recorder_(files_, clock, log, settings_, enrolment, key, pictures_, links()),
      page_(files_, clock, log, settings_, {[this] { return state(); }, ask_handler(recorder_, [this] { return state(); }), docket(), &pictures_}) {}

RecorderLinks Service::links() {
  RecorderLinks out;
  out.leaves = [this](const Error& why) { return directories_.can_exchange(why); };
  out.other_disk = [this] {
    const auto second = directories_.state();
    return second ? second->disk : Space();
  };
  if (enrolment_.address.empty()) return out;
  out.committed = [this](const HearingId& id) {
    if (uploader_) uploader_->wake(id);
  };
  out.coverage = [this](const HearingId& id) {
    Coverage found;
    if (!uploader_) return found;
    for (const UploadedHearing& one : uploader_->status().hearings) {
      if (one.id == id) found = {one.delivered.receipt.archive_size, one.delivered.read_back_size};
    }
    return found;
  };
  return out;
}

std::function<Result<Json>()> Service::docket() {
  if (settings_.page.docket.empty()) return nullptr;
  return [this] { return docket_json(files_, settings_, enrolment_, clock_.utc_now()); };
}

// What the recorder says, and what is on its way to the archive.
Json Service::state() const {
  Json out = recorder_.state();
  Json place;
  const auto names = [](const std::map<std::string, std::string>& by_language) {
    Json json{Json::Object{}};
    for (const auto& [language, name] : by_language) json.set(language, name);
    return json;
  };
  place.set("court", names(settings_.place.court_names)).set("room", names(settings_.place.room_names));
  if (settings_.place.zone) place.set("zone", settings_.place.zone->name());
  out.set("place", std::move(place));
  if (const auto second = directories_.state()) out.set("second", to_json(*second));
  if (!uploader_) return out;
  const UploadStatus status = uploader_->status();
  Json upload;
  upload.set("waiting_bytes", status.waiting_bytes + bytes_behind(out, status)).set("waiting_objects", status.waiting_objects).set("rate_bytes_s", status.rate_bytes_s);
  if (status.drained_in_s) upload.set("drained_in_s", *status.drained_in_s);
  upload.set("address", status.address).set("epoch", status.epoch);
  if (status.since) upload.set("since", *status.since);
  if (!status.problem.empty()) upload.set("problem", status.problem).set("problem_since", status.problem_since);
  Json::Array notices;
  for (const std::string& notice : status.notices) notices.emplace_back(notice);
  upload.set("notices", std::move(notices));
  out.set("upload", std::move(upload));
  return out;
}

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
  control.routes = control_routes(ask_handler(recorder_, [this] { return state(); }));
  (void)GREFFE_TRY(server_.listen(std::move(control)));
  open_page();
  if (!enrolment_.address.empty()) uploader_ = std::make_unique<Uploader>(files_, clock_, log_, settings_, enrolment_, key_);
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
  if (uploader_) uploader_->stop();
  return result_;
}

}  // namespace greffe::ingest
