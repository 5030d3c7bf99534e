// A machine that waits, between a browser and the machine that writes: two real servers on loopback.
#include <catch2/catch.hpp>

#include <mutex>

#include "tests/unit/store/conformance.h"
#include "tests/unit/support/manual_clock.h"
#include "tests/unit/support/memory_store.h"
#include "web/forwarded_address.h"
#include "web/http/self_signed.h"
#include "web/http/tls_context.h"
#include "web/waiting_pages.h"

using greffe::Errc;
using greffe::HttpRequest;
using greffe::HttpResponse;
using greffe::store::WriterPlace;
namespace http = greffe::http;

namespace {

const greffe::Bytes kBytes = greffe::to_bytes("what was said, and then some");

// Answers every request as the test wants, and remembers what it was asked.
class Writer {
 public:
  Writer() {
    http::ListenerSettings settings;
    settings.address = "127.0.0.1:0";
    settings.tls = http::TlsSettings{certificate_.certificate_pem, certificate_.key_pem, false};
    for (const char* method : {"GET", "POST", "DELETE"}) {
      settings.routes.push_back({method, "/{path*}", http::Handler([this](const http::Request& request) {
                                   const std::lock_guard lock(mutex_);
                                   asked_.push_back(request);
                                   return answer_;
                                 })});
    }
    place_.pages_url = "https://" + *server_.listen(std::move(settings));
    place_.machine_url = "https://127.0.0.1:1";
    place_.pages_key.bytes = *http::pinned_key_of(certificate_.certificate_pem);
    server_.start();
  }
  void answer(http::Response response) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(response);
  }
  std::vector<http::Request> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  const WriterPlace& place() const { return place_; }

 private:
  const http::SelfSigned certificate_ = http::make_self_signed("archive.court.example");
  WriterPlace place_;
  std::mutex mutex_;
  http::Response answer_;              // guarded by mutex_, as the next
  std::vector<http::Request> asked_;
  http::Server server_{1, 2};
};

struct Waiting {
  Waiting() {
    REQUIRE(greffe::testing::put_object(store, kBytes, 100));
    link.set(writer.place());
    http::ListenerSettings settings;
    settings.address = "127.0.0.1:0";
    settings.routes = pages.routes();
    address = *server.listen(std::move(settings));
    server.start();
  }
  HttpResponse call(const std::string& method, const std::string& path, std::vector<std::pair<std::string, std::string>> headers = {}, const std::string& body = "") {
    greffe::HttpClientSettings settings;
    settings.base_url = "http://" + address;
    greffe::HttpClient browser(std::move(settings));
    HttpRequest request;
    request.method = method;
    request.path = path;
    request.headers = std::move(headers);
    request.body = body;
    const auto response = browser.send(request);
    REQUIRE(response);
    return *response;
  }

  const greffe::PrivateKey key = greffe::PrivateKey::generate();
  greffe::testing::ManualClock clock;
  greffe::testing::MemoryStore store;
  Writer writer;
  greffe::web::WriterLink link{key, clock};
  greffe::web::WaitingPages pages{clock, store, link};
  std::string address;
  http::Server server{1, 2};
};

const std::string kObject = "/v1/hearings/0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071/objects/" + greffe::sha256(kBytes).hex() + ".mp4";

}  // namespace

TEST_CASE("what a person asks is answered by the writer, who learns who it is") {
  Waiting waiting;
  auto answer = http::json_response(201, R"({"account":"zoe"})");
  answer.set("Set-Cookie", "__Host-greffe=secret; Path=/");
  answer.set("X-Other", "stays there");
  waiting.writer.answer(std::move(answer));
  const auto got = waiting.call("POST", "/v1/session?a=%C3%A9", {{"Host", "pages.court.example"}, {"Origin", "https://pages.court.example"}, {"Cookie", "c=1"},
                                                              {"Content-Type", "application/json"}, {"Greffe-Forwarded", "10.9.9.9 1 AAAA"}, {"X-Other", "ends here"}},
                                R"({"account":"zoe"})");
  CHECK(got.status == 201);
  CHECK(got.body == R"({"account":"zoe"})");
  CHECK(got.header("set-cookie") == "__Host-greffe=secret; Path=/");
  CHECK(got.header("x-other").empty());

  REQUIRE(waiting.writer.asked().size() == 1);
  const http::Request asked = waiting.writer.asked().front();
  CHECK(asked.method == "POST");
  CHECK(asked.target == "/v1/session?a=%C3%A9");
  CHECK(asked.body == R"({"account":"zoe"})");
  CHECK(asked.header("host") == "pages.court.example");
  CHECK(asked.header("origin") == "https://pages.court.example");
  CHECK(asked.cookie("c") == "1");
  CHECK(asked.header("x-other").empty());
  CHECK(asked.headers.count(std::string(greffe::web::kForwardedHeader)) == 1);
  CHECK(*greffe::web::client_address(waiting.key.public_key(), asked, waiting.clock.utc_now()) == "127.0.0.1");
}

TEST_CASE("the bytes of a recording come from the pool once the writer has allowed it") {
  Waiting waiting;
  waiting.writer.answer(http::text_response(200, "", "video/mp4"));
  const auto part = waiting.call("GET", kObject, {{"Cookie", "__Host-greffe=a"}, {"Range", "bytes=5-7"}});
  CHECK(part.status == 206);
  CHECK(part.body == "was");
  CHECK(part.header("content-type") == "video/mp4");
  CHECK(part.header("etag") == "\"" + greffe::sha256(kBytes).hex() + "\"");
  REQUIRE(waiting.writer.asked().size() == 1);
  CHECK(waiting.writer.asked().front().method == "HEAD");
  CHECK(waiting.writer.asked().front().cookie("__Host-greffe") == "a");
  CHECK(waiting.writer.asked().front().header("range").empty());

  // Further ranges for the same person, for a moment; anybody else is asked for.
  CHECK(waiting.call("GET", kObject, {{"Cookie", "__Host-greffe=a"}, {"Range", "bytes=0-3"}}).body == "what");
  CHECK(waiting.writer.asked().size() == 1);
  CHECK(waiting.call("GET", kObject, {{"Cookie", "__Host-greffe=s"}}).status == 200);
  CHECK(waiting.writer.asked().size() == 2);
  waiting.clock.pass_ms(greffe::web::kOpenForMs);
  waiting.writer.answer(http::problem(403, "denied", "Not of this court."));
  const auto refused = waiting.call("GET", kObject, {{"Cookie", "__Host-greffe=s"}});
  CHECK(refused.status == 403);
  CHECK(refused.body.find("Not of this court.") != std::string::npos);
}

TEST_CASE("what the pool has not, the writer gives") {
  Waiting waiting;
  waiting.writer.answer(http::text_response(200, "from the writer", "video/mp4"));
  const std::string other = "/v1/play/ticket/objects/" + greffe::sha256(greffe::as_bytes("other")).hex() + ".mp4";
  CHECK(waiting.call("GET", other).body == "from the writer");
  CHECK(waiting.call("GET", "/v1/play/ticket/master.m3u8").body == "from the writer");
  CHECK(waiting.call("GET", "/v1/play/ticket/objects/" + greffe::sha256(kBytes).hex() + ".mp4").body == greffe::as_text(kBytes));
}

TEST_CASE("without a writer, or with another key than its own, nothing is said to anybody") {
  Waiting waiting;
  waiting.writer.answer(http::text_response(200, "no"));
  SECTION("nobody writes") { waiting.link.set(std::nullopt); }
  SECTION("another key") {
    WriterPlace place = waiting.writer.place();
    place.pages_key = greffe::sha256(greffe::as_bytes("another"));
    waiting.link.set(place);
  }
  SECTION("nobody answers") {
    WriterPlace place = waiting.writer.place();
    place.pages_url = "https://127.0.0.1:1";
    waiting.link.set(place);
  }
  SECTION("taking over") { waiting.link.stop(); }
  for (const std::string& path : {std::string("/v1/session"), kObject}) {
    const auto answer = waiting.call("GET", path, {{"Cookie", "__Host-greffe=s"}});
    CHECK(answer.status == 503);
    CHECK(answer.header("retry-after") == "5");
    CHECK(answer.body.find("\"detail\"") != std::string::npos);
  }
  CHECK(waiting.writer.asked().empty());
}
