#include "web/waiting_node.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "archive/base/metrics.h"
#include "archive/main_log.h"
#include "web/listeners.h"

namespace greffe::web {
namespace {

// A writer that is gone is noticed so much after its lease has lapsed.
constexpr std::chrono::milliseconds kLookEvery(2000);
constexpr std::chrono::milliseconds kFollowEvery(5000);
constexpr const char* kNobody = "No machine of this archive writes at the moment; another takes over within half a minute.";

void pause(const std::stop_token& stop, std::chrono::milliseconds length) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, length, [&] { return stop.stop_requested(); });
}

http::Response nobody() {
  http::Response out = http::problem(503, "unavailable", kNobody);
  out.set("Retry-After", "5");
  return out;
}

http::Response elsewhere(const WriterLink& writer, const http::Request& request) {
  const auto place = writer.place();
  if (!place) return nobody();
  http::Response out = http::text_response(307, "");
  out.set("Location", place->machine_url + request.target);
  return out;
}

// Stations and sites are sent to the writer before a byte of a body is read.
std::vector<http::Route> machine_routes(const WriterLink& writer) {
  const http::Handler get = [&writer](const http::Request& request) { return elsewhere(writer, request); };
  const http::StreamHandler put = [&writer](const http::Request& request) -> std::variant<http::Response, std::unique_ptr<http::BodySink>> {
    return elsewhere(writer, request);
  };
  return {{"GET", "/{path*}", get, 0}, {"POST", "/{path*}", put, kMaxObjectBytes}, {"PUT", "/{path*}", put, kMaxObjectBytes}};
}

}  // namespace

WaitingNode::WaitingNode(const NodeParts& parts, std::unique_ptr<store::WholePool> pool, OpenWriter open_writer, std::function<void()> on_turn)
    : parts_(parts), pool_(std::move(pool)), open_writer_(std::move(open_writer)), on_turn_(std::move(on_turn)),
      writer_(parts.keys.server, parts.clock), pages_(parts.clock, *pool_, writer_) {}

Result<std::unique_ptr<WaitingNode>> WaitingNode::start(const NodeParts& parts, OpenWriter open_writer, std::function<void()> on_turn) {
  store::PoolListeners listeners;
  listeners.on_damage = [&log = parts.log](const store::Damage& damage) { log.warn(damage.key + ": " + damage.what); };
  auto pool = GREFFE_TRY(store::open_pool(parts.files, parts.clock, parts.settings.pool, store::PoolMode::reader, std::move(listeners)));
  std::unique_ptr<WaitingNode> out(new WaitingNode(parts, std::move(pool), std::move(open_writer), std::move(on_turn)));
  out->look();
  GREFFE_TRY(out->listen());
  out->turn_ = std::jthread([node = out.get()](std::stop_token stop) { node->try_for_turn(std::move(stop)); });
  out->follower_ = std::jthread([node = out.get()](std::stop_token stop) { node->follow(std::move(stop)); });
  return out;
}

WaitingNode::~WaitingNode() {
  turn_.request_stop();
  follower_.request_stop();
  writer_.stop();  // a request that waits for a dead machine must not hold the takeover up
  server_.stop();
}

Status WaitingNode::listen() {
  const archive::Settings& s = parts_.settings;
  const OpenFiles open = claim_open_files();
  if (!open.warning.empty()) parts_.log.warn(open.warning);
  const auto listen = [&](http::ListenerSettings listener) { return server_.listen(limited(std::move(listener), open, parts_.log)); };
  http::ListenerSettings machine = machine_listener(s, parts_.keys, machine_routes(writer_));
  machine.headers.emplace_back("Greffe-Epoch", std::to_string(parts_.epoch));
  http::ListenerSettings pages = GREFFE_TRY(pages_listener(parts_.files, parts_.log, s, pages_.routes()));
  const std::string machine_at = GREFFE_TRY(listen(std::move(machine)));
  const std::string pages_at = GREFFE_TRY(listen(std::move(pages)));
  GREFFE_TRY(listen(plain_listener("unix:" + s.control_socket, control_routes())));
  if (!s.metrics_address.empty()) GREFFE_TRY(listen(plain_listener(s.metrics_address, loopback_routes())));
  server_.start();
  const auto writer = writer_.place();
  parts_.log.info(fmt::format("waiting: {} is written by {}; stations and sites are sent there from {}, pages at https://{}", s.name,
                              writer ? writer->machine_url : "another machine", machine_at, pages_at));
  return ok();
}

// `status` tells how this machine stands; all other verbs are the writer's.
std::vector<http::Route> WaitingNode::control_routes() {
  const http::Handler status = [this](const http::Request&) {
    Json node;
    node.set("machine_url", parts_.settings.machine_url).set("writes", false);
    if (const auto place = writer_.place()) node.set("writer", place->machine_url);
    Json out;
    out.set("node", std::move(node));
    return http::json_response(200, write_json(out));
  };
  const http::Handler other = [this](const http::Request&) {
    const auto place = writer_.place();
    return http::problem(503, "unavailable", place ? "this machine only waits for its turn; do it on the one that writes, " + place->machine_url : kNobody);
  };
  return {{"POST", "/control/status", status}, {"POST", "/control/{verb}", other}};
}

std::vector<http::Route> WaitingNode::loopback_routes() {
  const http::Handler alive = [](const http::Request&) { return http::text_response(200, "alive\n"); };
  const http::Handler ready = [](const http::Request&) { return http::problem(503, "unavailable", "this machine waits for its turn"); };
  const http::Handler metrics = [](const http::Request&) {
    Metrics out;
    out.set("greffe_writes", "1 while this machine is the one of its archive that writes", 0);
    return http::text_response(200, out.text(), "text/plain; version=0.0.4");
  };
  return {{"GET", "/healthz", alive}, {"GET", "/readyz", ready}, {"GET", "/metrics", metrics}};
}

void WaitingNode::say(std::string& last, const std::string& words) {
  if (words == last) return;
  last = words;
  if (!words.empty()) parts_.log.warn(words);
}

// A place that names this machine was left by its own last life.
store::Holding WaitingNode::look() {
  const auto seen = pool_->find_writer();
  if (!seen) {
    say(said_of_writer_, seen.error().message);
    return store::Holding::unknown;
  }
  std::optional<store::WriterPlace> place;
  std::string problem;
  if (seen->holding != store::Holding::free && !seen->place.empty()) {
    auto read = store::parse_writer_place(seen->place, parts_.keys.server.public_key());
    if (!read) problem = read.error().message;
    if (read && read->machine_url != parts_.settings.machine_url) place = *std::move(read);
  }
  say(said_of_writer_, problem);
  writer_.set(place);
  return seen->holding;
}

void WaitingNode::try_for_turn(std::stop_token stop) {
  name_thread("gr-turn");
  while (!stop.stop_requested()) {
    if (look() != store::Holding::held) {
      auto opened = open_writer_(stop);
      if (opened) {
        won_ = *std::move(opened);
        on_turn_();
        return;
      }
      const bool expected = opened.error().code == Errc::unavailable || opened.error().code == Errc::cancelled;
      say(said_of_turn_, expected ? "" : opened.error().within("this machine cannot take its turn").message);
    }
    pause(stop, kLookEvery);
  }
}

// So that the takeover need not wait for it. Where there is none yet it is made here; nothing would make it sooner.
void WaitingNode::follow(std::stop_token stop) {
  name_thread("gr-follow");
  const archive::Stores stores{*pool_, *pool_, *pool_};
  const EpochName name{parts_.settings.name, parts_.settings.epoch};
  const std::string path = join(parts_.settings.state_directory, "catalogue.sqlite");
  std::optional<catalogue::CatalogueBuilder> builder;
  while (!stop.stop_requested()) {
    Status followed = ok();
    const auto main_log = tlog::open_main_log(*pool_, *pool_, name);
    if (!main_log) {
      followed = main_log.error();
    } else if (builder) {
      followed = catalogue::catch_up(*builder, *main_log);
    } else {
      auto opened = catalogue::open_or_rebuild(parts_.files, path, archive::catalogue_sources(stores), *main_log);
      if (opened) {
        builder.emplace(std::move(opened->builder));
      } else {
        followed = opened.error();
      }
    }
    if (!followed) builder.reset();
    say(said_of_catalogue_, followed ? "" : followed.error().within("the catalogue does not follow the main log").message);
    pause(stop, kFollowEvery);
  }
}

}  // namespace greffe::web
