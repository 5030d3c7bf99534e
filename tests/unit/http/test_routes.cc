#include "tests/unit/http/test_routes.h"

#include <pthread.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

#include "archive/base/bytes.h"

namespace greffe::testing {
namespace {

std::string make_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "greffe-http-XXXXXX").string();
  return ::mkdtemp(pattern.data());
}

class GeneratedFile : public ReadableFile {
 public:
  Result<std::uint64_t> size() override { return std::uint64_t{1000000}; }
  Result<std::size_t> read_at(std::uint64_t, std::span<std::uint8_t> out) override {
    std::fill(out.begin(), out.end(), std::uint8_t{'g'});
    return out.size();
  }
  int descriptor() const override { return -1; }
};

http::Response file(const http::Request& request, const std::string& path, std::uint64_t pretended = 0) {
  PosixFileSystem files;
  auto opened = files.open_read(path);
  if (!opened) return http::problem(opened.error());
  std::shared_ptr<ReadableFile> shared = std::move(*opened);
  const std::uint64_t size = pretended > 0 ? pretended : *shared->size();
  return http::file_response(request, shared, size, "application/octet-stream", "\"tag\"");
}

std::string thread_name() {
  char name[16] = "";
  ::pthread_getname_np(::pthread_self(), name, sizeof name);
  return std::string(name).substr(0, std::string_view(name).find('.'));
}

}  // namespace

class TestSite::Sink : public http::BodySink {
 public:
  Sink(TestSite& site, std::string name) : site_(site), name_(std::move(name)) { ++site_.sinks_alive_; }
  ~Sink() override { --site_.sinks_alive_; }
  Status write(ByteView piece) override {
    if (name_ == "full") return fail(Errc::no_space, "The disk is full; free some space.");
    bytes_ += as_text(piece);
    return ok();
  }
  http::Response finish() override {
    const std::lock_guard lock(site_.mutex_);
    const std::string size = std::to_string(bytes_.size());
    site_.objects_[name_] = std::move(bytes_);
    return http::text_response(201, size);
  }

 private:
  TestSite& site_;
  const std::string name_;
  std::string bytes_;
};

TestSite::TestSite(std::function<void(http::ListenerSettings&)> change)
    : folder(make_folder()), server(std::make_unique<http::Server>(2, 8)) {
  const auto listen = [&](const std::string& address, const http::TlsSettings* settings) {
    http::ListenerSettings listener;
    listener.address = address;
    listener.routes = routes();
    listener.headers = {{"X-Frame-Options", "DENY"}};
    if (settings != nullptr) listener.tls = *settings;
    if (change) change(listener);
    auto bound = server->listen(std::move(listener));
    INFO((bound ? std::string() : bound.error().message));
    REQUIRE(bound);
    return *bound;
  };
  const http::TlsSettings one_sided{identity.certificate_pem, identity.key_pem, false};
  const http::TlsSettings both{identity.certificate_pem, identity.key_pem, true};
  plain = listen("127.0.0.1:0", nullptr);
  tls = listen("127.0.0.1:0", &one_sided);
  mutual = listen("127.0.0.1:0", &both);
  socket = listen("unix:" + folder + "/socket", nullptr);
  server->start();
}

TestSite::~TestSite() {
  let_go = true;
  server->stop(1);
  std::filesystem::remove_all(folder);
}

std::vector<http::Route> TestSite::routes() {
  using http::Request;
  using http::Response;
  const auto handler = [](Response (*function)(const Request&)) { return http::Handler(function); };
  std::vector<http::Route> out;
  out.push_back({"GET", "/hello", handler([](const Request& request) {
                   return http::text_response(200, "hello " + request.query_value("name"));
                 })});
  out.push_back({"POST", "/echo", handler([](const Request& request) { return http::text_response(200, request.body); }),
                 1000});
  out.push_back({"GET", "/slow", handler([](const Request&) {
                   std::this_thread::sleep_for(std::chrono::milliseconds(300));
                   return http::text_response(200, "slow");
                 })});
  out.push_back({"GET", "/throw", handler([](const Request&) -> Response { throw std::runtime_error("a bug"); })});
  out.push_back({"GET", "/whoami", handler([](const Request& request) {
                   std::string text = request.remote;
                   if (request.peer_key) text = "key " + to_hex(*request.peer_key);
                   if (request.peer_uid) text += " uid " + std::to_string(*request.peer_uid);
                   return http::text_response(200, text);
                 })});
  out.push_back({"GET", "/generated", handler([](const Request& request) {
                   return http::file_response(request, std::make_shared<GeneratedFile>(), 1000000, "text/plain", "");
                 })});
  out.push_back({"GET", "/wait", http::Handler([this](const Request&) {
                   wait_until([this] { return let_go.load(); });
                   return http::text_response(200, "gone");
                 })});
  out.push_back({"GET", "/quick", handler([](const Request&) { return http::text_response(200, "by " + thread_name()); }), 1000,
                 [](const Request& request) -> std::optional<Response> {
                   if (request.query_value("throw") == "yes") throw std::runtime_error("thrown at once");
                   if (request.query_value("at-once") != "yes") return std::nullopt;
                   return http::text_response(200, "at once by " + thread_name());
                 }});
  out.push_back({"GET", "/files/{name}", http::Handler([this](const Request& request) {
                   return file(request, folder + "/" + request.parameter("name"));
                 })});
  out.push_back({"GET", "/too-long/{name}", http::Handler([this](const Request& request) {
                   return file(request, folder + "/" + request.parameter("name"), 2000000);
                 })});
  out.push_back({"PUT", "/objects/{name}",
                 http::StreamHandler([this](const Request& request) -> std::variant<Response, std::unique_ptr<http::BodySink>> {
                   if (request.parameter("name") == "refused") return http::problem(fail(Errc::denied, "Not you."));
                   return std::make_unique<Sink>(*this, request.parameter("name"));
                 }),
                 16 * 1024 * 1024});
  return out;
}

std::string TestSite::stored(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return objects_[name];
}

std::string TestSite::make_file(const std::string& name, std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  std::ofstream(folder + "/" + name, std::ios::binary) << bytes;
  return bytes;
}

bool TestSite::wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace greffe::testing
