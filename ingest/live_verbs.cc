#include "ingest/live_verbs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "archive/base/progress.h"
#include "archive/format/documents.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kShowMs = 500;
constexpr std::int64_t kStartMs = 10'000;
constexpr std::int64_t kLookMs = 200;
constexpr std::int64_t kCopyMs = 5'000;  // for what waits for the second directory at the end

Result<StreamSettings> stream_from(const std::string& option, const char* medium, const std::string& text) {
  const std::size_t at = text.find('=');
  if (at == std::string::npos) return fail(Errc::invalid, fmt::format("{} {}: write it as NAME=SOURCE", option, text));
  StreamSettings out;
  out.name = text.substr(0, at);
  out.medium = medium;
  auto address = parse_source_address(std::string_view(text).substr(at + 1));
  if (!address) return address.error().within(option + " " + out.name);
  if (!address->password.empty()) {
    return fail(Errc::invalid, fmt::format("{} {}: every user of this machine can read arguments; put a camera's password into station.toml", option, out.name));
  }
  out.address = std::move(*address);
  const Status possible = check_stream(out);
  if (!possible) return possible.error().within(option + " " + out.name);
  return out;
}

struct Station {
  Enrolment enrolment;
  PrivateKey key;
};
Result<Station> load_station(FileSystem& files, const IngestSettings& settings) {
  Enrolment enrolment = GREFFE_TRY(load_enrolment(files, settings.directory));
  PrivateKey key = GREFFE_TRY(load_station_key(files, settings.directory, false));
  return Station{std::move(enrolment), std::move(key)};
}

// What a state may lack.
std::string text_in(const Json& json, std::string_view key) {
  const auto found = json.string(key);
  return found ? *found : std::string();
}
std::int64_t number_in(const Json& json, std::string_view key) {
  const auto found = json.integer(key);
  return found ? *found : 0;
}
Json::Array list_in(const Json& json, std::string_view key) {
  const auto found = json.array(key);
  return found ? *found : Json::Array();
}

std::string clock_words(std::int64_t ms) { return fmt::format("{}:{:02}:{:02}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60); }

// The id of the hearing that is being recorded; empty.
std::string hearing_in(const Json& state) {
  const auto hearing = state.object("hearing");
  const auto id = hearing ? hearing->string("id") : Result<std::string>(std::string());
  return id ? *id : std::string();
}

void show_line(const Json& state) {
  if (::isatty(STDERR_FILENO) == 0) return;
  const auto hearing = state.object("hearing");
  const std::int64_t elapsed = hearing ? number_in(*hearing, "elapsed_ms") : 0;
  std::size_t recording = 0;
  const Json::Array streams = list_in(state, "streams");
  for (const Json& one : streams) recording += text_in(one, "state") == "recording" ? 1 : 0;
  fmt::print(stderr, "\r\033[K{}  {}  {} of {} streams", text_in(state, "state"), clock_words(elapsed), recording, streams.size());
  std::fflush(stderr);
}

// The service, in whichever of the station's directories counts.
class RunningStation {
 public:
  RunningStation(StationDirectories& directories, Clock& clock, Log& log, const Station& station)
      : directories_(directories), clock_(clock), log_(log), station_(station) {}

  Status start() {
    service_ = std::make_unique<Service>(directories_, clock_, log_, station_.enrolment, station_.key);
    return service_->start();
  }
  Service& service() { return *service_; }
  // To be called several times a second. False: it has ended.
  bool look() {
    if (!service_->has_left()) return !service_->ended();
    (void)service_->stop();
    service_.reset();
    const Status exchanged = directories_.exchange();
    if (!exchanged) log_.error(fmt::format("the other directory cannot be used either: {}", exchanged.error().message));
    const Status started = start();
    if (!started) went_on_ = started;
    return static_cast<bool>(started);
  }
  Status stop() {
    const Status stopped = service_->stop();
    (void)directories_.finish(kCopyMs);
    return went_on_ ? stopped : went_on_;
  }

 private:
  StationDirectories& directories_;
  Clock& clock_;
  Log& log_;
  const Station& station_;
  std::unique_ptr<Service> service_;
  Status went_on_ = ok();
};

// The recorder thread starts before it can be asked.
Status open_hearing(FileSystem& files, Service& service, StopSignals& signals, const RecordArguments& arguments) {
  if (arguments.details_path.empty()) {
    return fail(Errc::invalid, "--details is missing: a new hearing needs its cases and parties (docs/formats/details.md)");
  }
  const Bytes details = GREFFE_TRY(files.read_file(arguments.details_path, kMaxDocumentBytes));
  Json ask;
  ask.set("details", std::string(as_text(details)));
  if (!arguments.continues.empty()) ask.set("continues", arguments.continues);
  for (std::int64_t waited_ms = 0;; waited_ms += 50) {
    const auto opened = service.recorder().ask("open", ask);
    if (opened) return ok();
    if (opened.error().code != Errc::unavailable || waited_ms >= kStartMs || signals.wait(50)) return opened.error();
  }
}

}  // namespace

Status take_streams(IngestSettings& settings, const RecordArguments& arguments) {
  if (arguments.video.empty() && arguments.audio.empty()) return ok();
  settings.streams.clear();
  for (const std::string& one : arguments.video) settings.streams.push_back(GREFFE_TRY(stream_from("--video", "video", one)));
  for (const std::string& one : arguments.audio) settings.streams.push_back(GREFFE_TRY(stream_from("--audio", "audio", one)));
  std::vector<std::string> names;
  for (const StreamSettings& stream : settings.streams) names.push_back(stream.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  return twice == names.end() ? ok() : Status(fail(Errc::invalid, fmt::format("two streams are called {}", *twice)));
}

Result<std::optional<HearingId>> record(FileSystem& files, Clock& clock, const IngestSettings& configured, const RecordArguments& arguments) {
  StopSignals signals;
  Log log("greffe-ingest");
  const auto directories = GREFFE_TRY(StationDirectories::open(files, clock, log, configured, StationDirectories::Use::service));
  const IngestSettings& settings = directories->settings();
  const Station station = GREFFE_TRY(load_station(files, settings));
  if (settings.streams.empty()) return fail(Errc::invalid, "nothing to record: give --video NAME=SOURCE or --audio NAME=SOURCE, or [[stream]] in station.toml");
  const bool goes_on = GREFFE_TRY(find_live_hearing(files, settings)).has_value();
  RunningStation running(*directories, clock, log, station);
  GREFFE_TRY(running.start());
  if (!goes_on) GREFFE_TRY(open_hearing(files, running.service(), signals, arguments));
  const std::int64_t until = clock.monotonic_ms() + arguments.for_s * 1000;
  std::string id;
  bool begun = false;
  while (running.look()) {
    const Json state = running.service().recorder().state();
    const std::string now = hearing_in(state);
    if (begun && now.empty() && text_in(state, "trouble").empty()) break;  // somebody closed it
    begun = begun || !now.empty();
    if (!now.empty()) id = now;
    show_line(state);
    if (arguments.for_s > 0 && clock.monotonic_ms() >= until) break;
    if (signals.wait(kShowMs)) break;
  }
  if (::isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\n");
  Recorder& recorder = running.service().recorder();
  if (arguments.close && !hearing_in(recorder.state()).empty()) (void)GREFFE_TRY(recorder.ask("close", Json()));
  GREFFE_TRY(running.stop());
  return id.empty() ? std::optional<HearingId>() : std::optional<HearingId>(GREFFE_TRY(parse_hearing_id(id)));
}

Status run_station(FileSystem& files, Clock& clock, const IngestSettings& configured) {
  StopSignals signals;
  Log log("greffe-ingest");
  const auto directories = GREFFE_TRY(StationDirectories::open(files, clock, log, configured, StationDirectories::Use::service));
  const IngestSettings& settings = directories->settings();
  const Station station = GREFFE_TRY(load_station(files, settings));
  if (settings.streams.empty()) return fail(Errc::invalid, "no stream is configured: station.toml needs a [[stream]] for each camera and microphone");
  RunningStation running(*directories, clock, log, station);
  GREFFE_TRY(running.start());
  log.info(fmt::format("ready: station {} in room {} of {}, {} streams", station.enrolment.name, station.enrolment.room, station.enrolment.court,
                       settings.streams.size()));
  while (running.look() && !signals.wait(kLookMs)) {
  }
  log.info("stopping: what is being recorded goes on at the next start");
  return running.stop();
}

std::string words_of_state(const Json& state) {
  std::string out = fmt::format("{}", text_in(state, "state"));
  const auto hearing = state.object("hearing");
  if (hearing) {
    out += fmt::format(": hearing {}, {}", text_in(*hearing, "id"), clock_words(number_in(*hearing, "elapsed_ms")));
  }
  const std::string trouble = text_in(state, "trouble");
  if (!trouble.empty()) out += "\n  " + trouble;
  const auto second = state.object("second");
  const std::string lags = second ? text_in(*second, "problem") : std::string();
  if (!lags.empty()) out += fmt::format("\n  the second directory is {}: {}", text_in(*second, "state"), lags);
  for (const Json& stream : list_in(state, "streams")) {
    out += fmt::format("\n  {:16} {:10} {:>10}", text_in(stream, "name"), text_in(stream, "state"),
                       human_bytes(static_cast<std::uint64_t>(number_in(stream, "bytes"))));
    const std::string problem = text_in(stream, "problem");
    if (!problem.empty()) out += "  " + problem;
  }
  return out + "\n";
}

}  // namespace greffe::ingest
