// The client of archive/base against this server: TLS, pins, kept connections, limits, what breaks.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "archive/base/http_client.h"
#include "tests/unit/http/test_routes.h"

using greffe::Bytes;
using greffe::Errc;
using greffe::HttpClient;
using greffe::HttpClientSettings;
using greffe::HttpRequest;
using greffe::testing::make_identity;
using greffe::testing::TestIdentity;
using greffe::testing::TestKey;
using greffe::testing::TestSite;

namespace {

HttpClientSettings pinned(const std::string& address, const TestIdentity& server) {
  HttpClientSettings settings;
  settings.base_url = "https://" + address;
  settings.server_spki_sha256 = Bytes(server.spki_sha256.begin(), server.spki_sha256.end());
  return settings;
}

HttpRequest get(const std::string& path) {
  HttpRequest request;
  request.path = path;
  return request;
}

// Listens and never says a word.
class SilentServer {
 public:
  SilentServer() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(descriptor_, reinterpret_cast<sockaddr*>(&name), sizeof name);
    ::listen(descriptor_, 4);
    socklen_t size = sizeof name;
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&name), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(name.sin_port));
  }
  ~SilentServer() { ::close(descriptor_); }
  int accept() const { return ::accept(descriptor_, nullptr, nullptr); }
  std::string address;

 private:
  int descriptor_;
};

}  // namespace

TEST_CASE("requests with and without bodies, answers whole") {
  TestSite site;
  for (const bool tls : {false, true}) {
    HttpClientSettings settings = pinned(site.tls, site.identity);
    if (!tls) {
      settings = {};
      settings.base_url = "http://" + site.plain + "/";
    }
    HttpClient client(settings);
    auto response = client.send(get("/hello?name=a%20b"));
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->body == "hello a b");
    CHECK(response->header("content-type") == "text/plain; charset=utf-8");
    HttpRequest post;
    post.method = "POST";
    post.path = "/echo";
    post.body = "some body";
    CHECK(client.send(post)->body == "some body");
    post.body.clear();
    CHECK(client.send(post)->status == 200);
    HttpRequest head = get("/hello?name=x");
    head.method = "HEAD";
    response = client.send(head);
    CHECK(response->status == 200);
    CHECK(response->header("content-length") == "7");
    CHECK(response->body.empty());
    HttpRequest remove = get("/hello");
    remove.method = "DELETE";
    CHECK(client.send(remove)->status == 405);
    CHECK(client.send(get("/nothing"))->status == 404);
  }
}

TEST_CASE("a large file is streamed both ways") {
  TestSite site;
  const std::string bytes = site.make_file("big.bin", 16 * 1024 * 1024);
  HttpClient client(pinned(site.tls, site.identity));
  greffe::PosixFileSystem files;
  HttpRequest put;
  put.method = "PUT";
  put.path = "/objects/big";
  put.body_file = *files.open_read(site.folder + "/big.bin");
  const auto stored = client.send(put);
  REQUIRE(stored);
  CHECK(stored->status == 201);
  CHECK(site.stored("big") == bytes);

  std::string back;
  HttpRequest fetch = get("/files/big.bin");
  fetch.on_body = [&back](greffe::ByteView piece) {
    back += greffe::as_text(piece);
    return greffe::ok();
  };
  const auto fetched = client.send(fetch);
  REQUIRE(fetched);
  CHECK(fetched->body.empty());
  CHECK(back == bytes);
}

TEST_CASE("connections are kept: the server sees the same peer port again, and one per concurrent call") {
  TestSite site;
  HttpClient client(pinned(site.tls, site.identity));
  const std::string first = client.send(get("/whoami"))->body;
  for (int i = 0; i < 5; ++i) CHECK(client.send(get("/whoami"))->body == first);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n) {
        const auto response = client.send(get("/hello?name=" + std::to_string(n)));
        if (response && response->body == "hello " + std::to_string(n)) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 160);
}

TEST_CASE("another key than the pinned one is refused before anything is sent") {
  TestSite site;
  HttpClient client(pinned(site.tls, make_identity()));
  const auto response = client.send(get("/hello?name=secret-question"));
  REQUIRE_FALSE(response);
  CHECK(response.error().code == Errc::denied);
  CHECK(response.error().message.find("another key") != std::string::npos);
  CHECK(response.error().message.find("secret-question") == std::string::npos);
}

TEST_CASE("without a pin a self-signed server is not trusted, unless it is named as an authority") {
  TestSite site;
  HttpClientSettings settings;
  settings.base_url = "https://" + site.tls;
  CHECK(HttpClient(settings).send(get("/hello")).error().code == Errc::denied);
}

TEST_CASE("mutual TLS: the server sees this machine's key; no key and a key of another type are refused") {
  TestSite site;
  const TestIdentity station = make_identity();
  HttpClientSettings settings = pinned(site.mutual, site.identity);
  settings.certificate_pem = station.certificate_pem;
  settings.key_pem = station.key_pem;
  CHECK(HttpClient(settings).send(get("/whoami"))->body == "key " + greffe::to_hex(station.raw_public));

  const auto without = HttpClient(pinned(site.mutual, site.identity)).send(get("/whoami"));
  REQUIRE_FALSE(without);
  INFO(without.error().message);
  CHECK(without.error().code == Errc::denied);
  for (const TestKey type : {TestKey::p256, TestKey::rsa}) {
    const TestIdentity other = make_identity(type);
    settings.certificate_pem = other.certificate_pem;
    settings.key_pem = other.key_pem;
    const auto refused = HttpClient(settings).send(get("/whoami"));
    REQUIRE_FALSE(refused);
    INFO(refused.error().message);
    CHECK(refused.error().code == Errc::denied);
    CHECK(refused.error().message.find("enrolled") != std::string::npos);
  }
}

TEST_CASE("a unix socket carries the peer's user") {
  TestSite site;
  HttpClientSettings settings;
  settings.base_url = "http+unix://" + site.folder + "/socket";
  CHECK(HttpClient(settings).send(get("/whoami"))->body == "unix uid " + std::to_string(::getuid()));
}

TEST_CASE("an answer over the limit, and one that the caller does not want, end the call") {
  TestSite site;
  site.make_file("big.bin", 5000000);
  HttpClient client(pinned(site.tls, site.identity));
  HttpRequest request = get("/files/big.bin");
  request.max_response_bytes = 1000000;
  CHECK(client.send(request).error().code == Errc::invalid);
  request.on_body = [](greffe::ByteView) { return greffe::Status(greffe::fail(Errc::cancelled, "enough")); };
  CHECK(client.send(request).error().code == Errc::cancelled);
  CHECK(client.send(get("/hello?name=z"))->body == "hello z");
}

TEST_CASE("a body of an error is not given to on_body") {
  TestSite site;
  HttpClient client(pinned(site.tls, site.identity));
  HttpRequest request = get("/nothing");
  bool called = false;
  request.on_body = [&called](greffe::ByteView) {
    called = true;
    return greffe::ok();
  };
  CHECK(client.send(request)->body.find("There is nothing at") != std::string::npos);
  CHECK_FALSE(called);
}

TEST_CASE("nobody listens, nobody answers, somebody breaks off: unavailable") {
  HttpClientSettings settings;
  std::string address;
  {
    SilentServer gone;
    address = gone.address;
  }
  settings.base_url = "http://" + address;
  CHECK(HttpClient(settings).send(get("/")).error().code == Errc::unavailable);

  SilentServer silent;
  settings.base_url = "http://" + silent.address;
  settings.stall_timeout_s = 1;
  const auto begun = std::chrono::steady_clock::now();
  CHECK(HttpClient(settings).send(get("/")).error().code == Errc::unavailable);
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(8));

  for (const char* said : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "HTTP/1.1 200 OK\r\nConte"}) {
    SilentServer breaks;
    settings.base_url = "http://" + breaks.address;
    std::thread server([&] {
      const int peer = breaks.accept();
      char request[4096];
      if (::read(peer, request, sizeof request) > 0 && ::write(peer, said, std::strlen(said)) >= 0) ::close(peer);
    });
    CHECK(HttpClient(settings).send(get("/")).error().code == Errc::unavailable);
    server.join();
  }
}

TEST_CASE("what is not HTTP, and what is not an address, is invalid; passwords stay out of messages") {
  SilentServer other;
  std::thread server([&] {
    const int peer = other.accept();
    char request[4096];
    if (::read(peer, request, sizeof request) > 0 && ::write(peer, "SSH-2.0-x\r\n", 11) > 0) ::close(peer);
  });
  HttpClientSettings settings;
  settings.base_url = "http://" + other.address;
  CHECK(HttpClient(settings).send(get("/")).error().code == Errc::invalid);
  server.join();

  settings.base_url = "https://user:hunter2@127.0.0.1:1";
  const auto refused = HttpClient(settings).send(get("/"));
  CHECK(refused.error().code == Errc::invalid);
  CHECK(refused.error().message.find("hunter2") == std::string::npos);
  settings.base_url = "ftp://127.0.0.1:1";
  CHECK(HttpClient(settings).send(get("/")).error().code == Errc::invalid);
  settings.base_url = "http://127.0.0.1:1";
  CHECK(HttpClient(settings).send(get("no-slash")).error().code == Errc::invalid);
  HttpRequest split = get("/");
  split.headers.emplace_back("X", "a\r\nY: b");
  CHECK(HttpClient(settings).send(split).error().code == Errc::invalid);
}

TEST_CASE("redirects are answers, not orders") {
  TestSite site([](greffe::http::ListenerSettings& settings) {
    settings.routes.push_back({"GET", "/moved", greffe::http::Handler([](const greffe::http::Request&) {
                                 auto response = greffe::http::text_response(302, "elsewhere");
                                 response.set("Location", "/hello");
                                 return response;
                               })});
  });
  HttpClient client(pinned(site.tls, site.identity));
  CHECK(client.send(get("/moved"))->status == 302);
}

TEST_CASE("a server that started anew is reached again over a kept connection that died") {
  TestSite site;
  HttpClient client(pinned(site.tls, site.identity));
  REQUIRE(client.send(get("/hello")));
  const std::string address = site.tls;
  site.server->stop(1);
  CHECK(client.send(get("/hello")).error().code == Errc::unavailable);
  greffe::http::Server again;
  greffe::http::ListenerSettings settings;
  settings.address = address;
  settings.tls = greffe::http::TlsSettings{site.identity.certificate_pem, site.identity.key_pem, false};
  settings.routes.push_back({"GET", "/hello", greffe::http::Handler([](const greffe::http::Request&) {
                               return greffe::http::text_response(200, "back");
                             })});
  REQUIRE(again.listen(std::move(settings)));
  again.start();
  CHECK(client.send(get("/hello"))->body == "back");
}
