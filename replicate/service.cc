#include "replicate/service.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <list>
#include <optional>
#include <thread>

#include "archive/base/back_off.h"
#include "archive/base/http_client.h"
#include "archive/base/metrics.h"
#include "replicate/ahead_shipper.h"
#include "replicate/copy_round.h"
#include "replicate/echo_watch.h"
#include "web/http/server.h"

namespace greffe::replicate {
namespace {

constexpr std::int64_t kMeasureEveryMs = 10'000;  // and never more than a tenth of the time
constexpr std::uint64_t kMaxFactsBytes = 1024 * 1024;
constexpr std::size_t kNamedInLog = 10;
constexpr std::int64_t kRoundEveryMs = 10'000;  // a part of a round over a copy, when it is time to
constexpr const char* kFactsPath = "/facts";

void pause(const std::stop_token& stop, std::int64_t length_ms) {
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::unique_lock lock(mutex);
  wakes.wait_for(lock, stop, std::chrono::milliseconds(length_ms), [] { return false; });
}

// One target while the service runs.
class TargetService {
 public:
  TargetService(OpenSites& sites, OpenTarget& target)
      : sites_(sites), target_(target), echoes_(*target.copies, sites.clock, sites.log, "the target " + target.settings->name) {}

  void start(const std::stop_token& stop) {
    copier_ = std::jthread([this, stop] { carry(stop); });
    if (target_.passive == nullptr) shipper_ = std::jthread([this, stop] { ship_ahead(stop); });
    echo_ = std::jthread([this, stop] {
      name_thread("gr-echo");
      echoes_.run(stop);
    });
    if (target_.passive != nullptr) rounds_ = std::jthread([this, stop] { look_after(stop); });
  }
  const std::string& name() const { return target_.settings->name; }
  void measure();
  LiveFacts live() const;
  void add_metrics(Metrics& metrics) const;

 private:
  void carry(const std::stop_token& stop);
  void ship_ahead(const std::stop_token& stop);
  void look_after(const std::stop_token& stop);
  void tell(const PassReport& report);

  OpenSites& sites_;
  OpenTarget& target_;
  EchoWatch echoes_;
  std::string told_;  // of the copier's thread
  mutable std::mutex mutex_;  // guards what follows
  std::uint64_t holes_ = 0;
  std::string problem_;
  std::optional<Lag> lag_;
  std::optional<CopyGrade> grade_;  // of a copy that nobody answers for
  std::jthread copier_;  // these end before the rest goes
  std::jthread shipper_;
  std::jthread echo_;
  std::jthread rounds_;
};

// Says what changed, once; a hole that stays is not said every second.
void TargetService::tell(const PassReport& report) {
  const std::string now = report.troubles();
  const bool quiet = report.caught_up() && report.undelivered == 0;
  PassReport first = report;  // a line of the log is no list
  first.holes.resize(std::min(first.holes.size(), kNamedInLog));
  first.problems.resize(std::min(first.problems.size(), kNamedInLog));
  const std::string facts = write_json(first.json());
  if (report.copied.objects + report.copied.entries > 0 && quiet) sites_.log.info(fmt::format("target {} is up to date: {}", name(), facts));
  if (!now.empty() && now != told_) sites_.log.error(fmt::format("target {} is held up: {}", name(), facts));
  if (now.empty() && !told_.empty()) sites_.log.info(fmt::format("nothing holds up target {} any more", name()));
  told_ = now;
}

void TargetService::carry(const std::stop_token& stop) {
  name_thread(fmt::format("gr-t.{}", name()).substr(0, 15).c_str());
  Replicator::Options options;
  options.limits.connections = target_.connections(sites_.settings);
  options.poll_interval_ms = sites_.settings.poll_interval_ms;
  std::optional<Replicator> replicator;
  BackOff back_off;
  std::string failed;
  while (!stop.stop_requested()) {
    if (!replicator) replicator.emplace(sites_.sites(target_), *target_.bandwidth, sites_.clock, options, sites_.log);
    const auto report = replicator->pass(stop);
    // What it remembers to be in a copy may be gone with the disk; a second site says itself what it has.
    if (!report && target_.passive != nullptr) replicator.reset();
    std::int64_t wait_ms = sites_.settings.poll_interval_ms;
    const Status saved = report && target_.passive != nullptr ? target_.passive->save_grade() : ok();
    if (!saved) sites_.log.warn(saved.error().message);
    if (report) {
      tell(*report);
      if (!failed.empty()) sites_.log.info(fmt::format("target {} takes copies again", name()));
      failed.clear();
      back_off.succeeded();
    } else if (report.error().code != Errc::cancelled) {
      if (failed != report.error().message) sites_.log.error(fmt::format("target {}: {}", name(), report.error().message));
      failed = report.error().message;
      wait_ms = back_off.next_ms();
    }
    {
      const std::lock_guard lock(mutex_);
      if (report) holes_ = report->holes_found;
      problem_ = failed;
    }
    pause(stop, wait_ms);
  }
}

// Beside the copies, so that what is known of a log there waits for none of them. What hinders the way to the target, carry() says.
void TargetService::ship_ahead(const std::stop_token& stop) {
  name_thread(fmt::format("gr-a.{}", name()).substr(0, 15).c_str());
  AheadShipper shipper(sites_.sites(target_), *target_.bandwidth, sites_.clock, {}, sites_.log);
  BackOff back_off;
  std::string told;
  bool old_told = false;
  while (!stop.stop_requested()) {
    const auto report = shipper.round(stop);
    std::int64_t wait_ms = sites_.settings.poll_interval_ms;
    if (report) {
      back_off.succeeded();
      const std::string problem = report->problems.empty() ? std::string() : report->problems.front();
      if (!problem.empty() && problem != told) sites_.log.warn(fmt::format("target {}: {}", name(), problem));
      told = problem.empty() ? told : problem;
      if (!report->supported && !old_told) sites_.log.warn(fmt::format("target {} is too old to know the log ahead of sound and picture; upgrade it", name()));
      old_told = old_told || !report->supported;
      if (report->more) wait_ms = 0;
    } else {
      wait_ms = back_off.next_ms();
    }
    pause(stop, wait_ms);
  }
}

// Of a copy that nobody answers for: what was written once is read again.
void TargetService::look_after(const std::stop_token& stop) {
  name_thread("gr-round");
  give_way();
  CopyRound round(*target_.passive, sites_.source(), sites_.clock, sites_.log);
  std::string failed;
  while (!stop.stop_requested()) {
    const auto report = round.go_on(stop);
    const std::string now = report ? std::string() : report.error().message;
    if (!report && report.error().code != Errc::cancelled && now != failed) sites_.log.error(fmt::format("target {}: what is there is not looked at: {}", name(), now));
    failed = now;
    if (report) {
      for (const std::string& problem : report->problems) sites_.log.error(fmt::format("target {}: {}", name(), problem));
      const std::lock_guard lock(mutex_);
      grade_ = target_.passive->book().grade();
    }
    pause(stop, kRoundEveryMs);
  }
}

void TargetService::measure() {
  const auto lag = measure_lag(sites_.source(), *target_.copies, target_.key(), name());
  const std::lock_guard lock(mutex_);
  if (lag) lag_ = *lag;
}

LiveFacts TargetService::live() const {
  const EchoWatch::Facts echo = echoes_.facts();
  LiveFacts out;
  for (const MediaClass media : kMediaClasses) out.rate[index_of(media)] = target_.bandwidth->rate(media);
  out.round_trip_ms = echo.round_trip_ms;
  out.silent_ms = echo.silent_ms;
  const std::lock_guard lock(mutex_);
  out.holes = holes_;
  out.problem = problem_;
  return out;
}

void TargetService::add_metrics(Metrics& metrics) const {
  const LiveFacts facts = live();
  const Metrics::Labels of_target{{"target", name()}};
  const auto set = [&](const char* what, const char* help, double value) { metrics.set(what, help, value, of_target); };
  set("greffe_replication_echo_age_seconds", "Since the target answered last", static_cast<double>(facts.silent_ms) / 1000);
  if (facts.round_trip_ms) {
    set("greffe_replication_echo_round_trip_seconds", "Of the newest echo, by this machine's clock", static_cast<double>(*facts.round_trip_ms) / 1000);
  }
  set("greffe_replication_holes", "Objects that entries name and that cannot be read here", static_cast<double>(facts.holes));
  set("greffe_replication_failing", "1 while copying ends in an error", facts.problem.empty() ? 0 : 1);
  std::uint64_t rate = 0;
  for (const MediaClass media : kMediaClasses) {
    metrics.set("greffe_replication_rate_bytes", "Bytes a second that arrived, over five minutes", static_cast<double>(facts.rate[index_of(media)]),
                {{"target", name()}, {"class", std::string(name_of(media))}});
    if (media != MediaClass::log) rate += facts.rate[index_of(media)];
  }
  const std::lock_guard lock(mutex_);
  set("greffe_replication_passive", "1: a copy that nobody answers for; it is read back, and cosigns nothing", target_.passive != nullptr ? 1 : 0);
  if (grade_) {
    const std::int64_t now_ms = sites_.clock.utc_now().ms;
    set("greffe_replication_bad", "Objects that are missing or damaged in the copy, as far as is known", static_cast<double>(grade_->bad.size()));
    if (grade_->last) set("greffe_replication_round_age_seconds", "Since the last round over all of the copy ended", static_cast<double>(now_ms - grade_->last->ended->ms) / 1000);
  }
  if (!lag_) return;
  set("greffe_replication_asked", "1 while the target says how far it is; 0: what it has not confirmed here counts as behind", lag_->not_asked.empty() ? 1 : 0);
  set("greffe_replication_entries_behind", "Main-log entries that the target has not confirmed", static_cast<double>(lag_->entries_behind));
  set("greffe_replication_log_unknown_entries", "Log entries that the target neither holds nor knows ahead", static_cast<double>(lag_->log.unknown));
  set("greffe_replication_log_ahead_entries", "Log entries that it knows ahead of the objects that they name", static_cast<double>(lag_->log.known_ahead));
  const std::int64_t unknown_ms = lag_->log.oldest ? std::max<std::int64_t>(0, sites_.clock.utc_now().ms - lag_->log.oldest->ms) : 0;
  set("greffe_replication_log_unknown_seconds", "Age of the oldest log entry that it neither holds nor knows", static_cast<double>(unknown_ms) / 1000);
  set("greffe_replication_hearings_behind", "Hearings with entries that it has not confirmed", static_cast<double>(lag_->hearings_behind));
  if (lag_->bytes_behind > 0 && rate > 0) {
    set("greffe_replication_drain_seconds", "Until it has everything, at the rate of the last five minutes", static_cast<double>(lag_->bytes_behind / rate));
  }
  const UtcTime now = sites_.clock.utc_now();
  for (const MediaClass media : kMediaClasses) {
    const ClassLag& of = lag_->classes[index_of(media)];
    const Metrics::Labels labels{{"target", name()}, {"class", std::string(name_of(media))}};
    metrics.set("greffe_replication_lag_bytes", "Bytes that no confirmation covers", static_cast<double>(of.bytes), labels);
    metrics.set("greffe_replication_lag_objects", "Objects that no confirmation covers", static_cast<double>(of.objects), labels);
    const std::int64_t age_ms = of.oldest ? std::max<std::int64_t>(0, now.ms - of.oldest->ms) : 0;
    metrics.set("greffe_replication_lag_seconds", "Age of the oldest thing that no confirmation covers", static_cast<double>(age_ms) / 1000, labels);
  }
}

using Services = std::list<TargetService>;

http::Handler metrics_of(const Services& services) {
  return [&services](const http::Request&) {
    Metrics metrics;
    for (const TargetService& service : services) service.add_metrics(metrics);
    return http::text_response(200, metrics.text(), "text/plain; version=0.0.4");
  };
}

http::Handler facts_of(const Services& services) {
  return [&services](const http::Request&) {
    Json out;
    for (const TargetService& service : services) {
      Json one;
      add_live(one, service.live());
      out.set(service.name(), std::move(one));
    }
    return http::json_response(200, write_json(out));
  };
}

Status listen(http::Server& server, const Settings& settings, const Services& services, Log& log) {
  http::ListenerSettings control;
  control.address = "unix:" + settings.run_socket();
  control.routes = {{"GET", kFactsPath, facts_of(services)}};
  const auto at = server.listen(std::move(control));
  if (!at) log.warn(at.error().within("greffe-replicate status will not show rates and echoes").message);
  if (!settings.metrics_address.empty()) {
    http::ListenerSettings metrics;
    metrics.address = settings.metrics_address;
    const http::Handler alive = [](const http::Request&) { return http::text_response(200, "alive\n"); };
    metrics.routes = {{"GET", "/metrics", metrics_of(services)}, {"GET", "/healthz", alive}};
    const std::string address = GREFFE_TRY(server.listen(std::move(metrics)));
    log.info("metrics at http://" + address + "/metrics");
  }
  server.start();
  return ok();
}

}  // namespace

Status serve(OpenSites& sites, std::stop_token stop) {
  Services services;
  for (OpenTarget& target : sites.targets) {
    if (target.unready) sites.log.error(fmt::format("target {}: {}", target.settings->name, target.unready->message));
    else services.emplace_back(sites, target);
  }
  http::Server server(1, 2);
  GREFFE_TRY(listen(server, sites.settings, services, sites.log));
  for (TargetService& service : services) service.start(stop);
  // This thread measures.
  while (!stop.stop_requested()) {
    const std::int64_t began_ms = sites.clock.monotonic_ms();
    for (TargetService& service : services) {
      if (!stop.stop_requested()) service.measure();
    }
    pause(stop, std::max(kMeasureEveryMs, 9 * (sites.clock.monotonic_ms() - began_ms)));
  }
  server.stop();
  return ok();
}

Result<Json> ask_running(const Settings& settings) {
  HttpClientSettings client_settings;
  client_settings.base_url = "http+unix://" + settings.run_socket();
  HttpClient client(std::move(client_settings));
  HttpRequest request;
  request.path = kFactsPath;
  request.max_response_bytes = kMaxFactsBytes;
  const HttpResponse response = GREFFE_TRY(client.send(request));
  if (response.status != 200) return fail(Errc::unavailable, fmt::format("the running service answered with status {}", response.status));
  return parse_json(response.body);
}

}  // namespace greffe::replicate
