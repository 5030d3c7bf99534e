// What the server does to peers that are slow, many, or speak with another key; and how it stops.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>

#include "tests/unit/http/test_routes.h"

using greffe::Errc;
using greffe::http::ListenerSettings;
using greffe::testing::Answer;
using greffe::testing::make_identity;
using greffe::testing::RawClient;
using greffe::testing::TestIdentity;
using greffe::testing::TestKey;
using greffe::testing::TestSite;
using Clock = std::chrono::steady_clock;
using Tls = RawClient::Tls;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // sanitizers keep memory of their own for each allocation
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

std::size_t resident_kib() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

// What listeners say of connections that they cannot take.
class Shortages {
 public:
  std::function<void(std::string_view)> listener() {
    return [this](std::string_view what) {
      const std::lock_guard lock(mutex_);
      words_.emplace_back(what);
    };
  }
  std::vector<std::string> words() {
    const std::lock_guard lock(mutex_);
    return words_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> words_;  // guarded by mutex_
};

double seconds_since(Clock::time_point begun) { return std::chrono::duration<double>(Clock::now() - begun).count(); }

}  // namespace

TEST_CASE("a head that drips in is cut off when its time is over") {
  TestSite site([](ListenerSettings& settings) { settings.head_timeout_s = 1; });
  for (const Tls tls : {Tls::no, Tls::yes}) {
    RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
    const auto begun = Clock::now();
    bool sent = client.send("GET /hello HTTP/1.1\r\nHo");
    for (int i = 0; i < 8 && sent; ++i) {  // a byte every 0.2 s never gets further than the limit
      std::this_thread::sleep_for(milliseconds(200));
      sent = client.send("s");
    }
    const Answer answer = client.answer();
    CHECK(answer.status == 408);
    CHECK(client.ended());
    CHECK(seconds_since(begun) < 6);
  }
}

TEST_CASE("a connection that says nothing is closed: before the handshake, and between requests") {
  TestSite site([](ListenerSettings& settings) {
    settings.head_timeout_s = 1;
    settings.idle_timeout_s = 1;
  });
  const auto begun = Clock::now();
  RawClient no_handshake(site.tls, Tls::no);
  CHECK(no_handshake.ended());
  RawClient idle(site.tls, Tls::yes);
  CHECK(idle.get("/hello").status == 200);
  CHECK(idle.ended());
  CHECK(seconds_since(begun) < 6);
}

TEST_CASE("a body slower than the minimum rate is cut off and its sink destroyed", "[long]") {
  TestSite site;
  for (const bool silent : {true, false}) {
    RawClient client(site.plain, Tls::no, nullptr, 60);
    client.send("PUT /objects/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nsome");
    const auto begun = Clock::now();
    bool sent = true;
    while (!silent && sent && seconds_since(begun) < 32) {
      std::this_thread::sleep_for(milliseconds(500));
      sent = client.send("x");
    }
    const Answer answer = client.answer();
    CHECK(answer.status == 408);
    CHECK(seconds_since(begun) > 25);
    CHECK(seconds_since(begun) < 45);
    CHECK(site.sinks_alive() == 0);
  }
}

TEST_CASE("a client that takes nothing of its answer is cut off", "[long]") {
  TestSite site([](ListenerSettings& settings) { settings.idle_timeout_s = 5; });
  site.make_file("big.bin", 32 * 1024 * 1024);
  RawClient client(site.tls, Tls::yes, nullptr, 60);
  const int small = 64 * 1024;  // else the kernel may take the whole file for the client
  ::setsockopt(client.descriptor(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  client.send("GET /files/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
  // Two windows of 30 s pass with what the sockets' buffers took in the first and at the start of the second; the third
  // is without a byte.
  std::this_thread::sleep_for(seconds(95));
  CHECK_FALSE(client.answer().whole);
}

TEST_CASE("more connections than allowed are closed; when one ends the next is served") {
  Shortages shortages;
  TestSite site([&](ListenerSettings& settings) {
    settings.max_connections = 5;
    settings.on_shortage = shortages.listener();
  });
  {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 5; ++i) {
      clients.push_back(std::make_unique<RawClient>(site.plain, Tls::no));
      CHECK(clients.back()->get("/hello").status == 200);
    }
    RawClient one_more(site.plain, Tls::no);
    CHECK(one_more.get("/hello").status == 0);
    CHECK(RawClient(site.plain, Tls::no).get("/hello").status == 0);
    CHECK(site.wait_until([&] { return shortages.words().size() == 1; }));  // once a minute
    CHECK(shortages.words().front().find("5 are open already") != std::string::npos);
  }
  CHECK(site.wait_until([&] { return RawClient(site.plain, Tls::no).get("/hello").status == 200; }));
}

TEST_CASE("without a free descriptor a new connection waits, it is said what to do, and the connection is served when one is free") {
  Shortages shortages;
  TestSite site([&](ListenerSettings& settings) { settings.on_shortage = shortages.listener(); });
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int free = ::dup(0);  // the lowest number that is free; the client takes it, and the server finds none
  REQUIRE(free >= 0);
  ::close(free);
  const rlimit small{static_cast<rlim_t>(free) + 1, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &small) == 0);
  RawClient client(site.plain, Tls::no);
  const bool told = site.wait_until([&] { return !shortages.words().empty(); });
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(client.connected());
  REQUIRE(told);
  CHECK(shortages.words().front().find("LimitNOFILE") != std::string::npos);
  CHECK(client.get("/hello").status == 200);
}

TEST_CASE("idle connections make room when a listener is nearly full") {
  TestSite site([](ListenerSettings& settings) { settings.max_connections = 8; });
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 7; ++i) {
    clients.push_back(std::make_unique<RawClient>(site.plain, Tls::no));
    CHECK(clients.back()->get("/hello").status == 200);
  }
  CHECK(clients.front()->ended());  // after 5 s instead of 60
}

TEST_CASE("two thousand kept connections, each small, all served") {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  REQUIRE(files.rlim_cur > 4200);
  TestSite site;
  std::vector<std::unique_ptr<RawClient>> clients;
  const std::size_t before = resident_kib();
  for (int i = 0; i < 2000; ++i) {
    clients.push_back(std::make_unique<RawClient>(site.plain, Tls::no));
    REQUIRE(clients.back()->get("/hello?name=" + std::to_string(i)).body == "hello " + std::to_string(i));
  }
  const std::size_t each_kib = (resident_kib() - before) / 2000;
  INFO("KiB for an idle connection, the client's part included: " << each_kib);
  CHECK((kSanitized || each_kib < 16));
  for (int i = 0; i < 2000; ++i) {
    REQUIRE(clients[static_cast<std::size_t>(i)]->get("/hello?name=" + std::to_string(i)).body ==
            "hello " + std::to_string(i));
  }
}

TEST_CASE("mutual TLS takes any Ed25519 key and gives it to the handler; others never get in") {
  TestSite site;
  const TestIdentity station = make_identity();
  RawClient client(site.mutual, Tls::yes, &station);
  CHECK(client.get("/whoami").body == "key " + greffe::to_hex(station.raw_public));
  for (const TestKey type : {TestKey::p256, TestKey::rsa}) {
    const TestIdentity other = make_identity(type);
    CHECK(RawClient(site.mutual, Tls::yes, &other).get("/whoami").status == 0);
  }
  CHECK(RawClient(site.mutual, Tls::yes).get("/whoami").status == 0);
  CHECK(RawClient(site.tls, Tls::yes, &station).get("/whoami").body.find("key") == std::string::npos);
}

TEST_CASE("addresses: plain only on this machine, one owner, stale sockets replaced") {
  greffe::http::Server server;
  const auto listen = [&server](const std::string& address) {
    ListenerSettings settings;
    settings.address = address;
    return server.listen(std::move(settings));
  };
  CHECK(listen("0.0.0.0:0").error().code == Errc::denied);
  CHECK(listen("[::]:0").error().code == Errc::denied);
  for (const char* bad : {"", "localhost", "localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:1x",
                          "[::1:0", "unix:"}) {
    CHECK(listen(bad).error().code == Errc::invalid);
  }
  const auto first = listen("127.0.0.1:0");
  REQUIRE(first);
  CHECK(listen(*first).error().code == Errc::unavailable);
  REQUIRE(listen("[::1]:0"));

  TestSite site;
  CHECK(listen(site.socket).error().code == Errc::unavailable);
  const std::string path = site.folder + "/stale";
  REQUIRE(listen("unix:" + path));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0660);
  std::ofstream(site.folder + "/file") << "not a socket";
  CHECK(listen("unix:" + site.folder + "/file").error().code == Errc::unavailable);
  CHECK(std::filesystem::exists(site.folder + "/file"));
}

TEST_CASE("certificates and routes that cannot work are refused at once") {
  greffe::http::Server server;
  const TestIdentity a = make_identity();
  const TestIdentity b = make_identity();
  const auto listen = [&server](const std::string& certificate, const std::string& key) {
    ListenerSettings settings;
    settings.address = "127.0.0.1:0";
    settings.tls = greffe::http::TlsSettings{certificate, key, false};
    return server.listen(std::move(settings));
  };
  CHECK(listen("", "").error().code == Errc::invalid);
  CHECK(listen(a.certificate_pem, "nonsense").error().code == Errc::invalid);
  CHECK(listen(a.certificate_pem, b.key_pem).error().code == Errc::invalid);
  CHECK(listen(a.certificate_pem, a.key_pem));
  CHECK(listen(a.certificate_pem + b.certificate_pem, a.key_pem));
}

TEST_CASE("stop lets running requests end, ends idle connections, and takes no new ones") {
  TestSite site;
  RawClient idle(site.plain, Tls::no);
  CHECK(idle.get("/hello").status == 200);
  RawClient busy(site.plain, Tls::no);
  busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(100));
  const auto begun = Clock::now();
  site.server->stop(5);
  CHECK(seconds_since(begun) < 3);
  const Answer answer = busy.answer();
  CHECK(answer.body == "slow");
  CHECK(answer.header("connection") == "close");
  CHECK(busy.ended());
  CHECK(idle.ended());
  CHECK_FALSE(RawClient(site.plain, Tls::no).connected());
  CHECK_FALSE(std::filesystem::exists(site.folder + "/socket"));
}

TEST_CASE("stop cuts what outlasts the grace: an upload in the middle, a reader that does not read") {
  TestSite site;
  site.make_file("big.bin", 32 * 1024 * 1024);
  RawClient upload(site.plain, Tls::no);
  upload.send("PUT /objects/half HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + std::string(300000, 'a'));
  RawClient reader(site.tls, Tls::yes);
  reader.send("GET /files/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(site.wait_until([&] { return site.sinks_alive() == 1; }));
  const auto begun = Clock::now();
  site.server->stop(1);
  CHECK(seconds_since(begun) < 4);
  CHECK(site.sinks_alive() == 0);
  CHECK(site.stored("half").empty());
}

TEST_CASE("stop under load answers or refuses every request, and never half") {
  TestSite site;
  site.make_file("some.bin", 700000);
  std::atomic<bool> ending{false};
  std::atomic<int> answered{0};
  std::atomic<int> halves{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      while (!ending) {
        RawClient client(i % 2 == 0 ? site.plain : site.tls, i % 2 == 0 ? Tls::no : Tls::yes, nullptr, 5);
        for (int n = 0; n < 20 && client.connected(); ++n) {
          const Answer answer = client.get("/files/some.bin");
          if (answer.status == 0) break;
          if (answer.whole) ++answered;
          else ++halves;
        }
      }
    });
  }
  CHECK(site.wait_until([&] { return answered > 50; }));
  site.server->stop(5);
  ending = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(halves == 0);
}

TEST_CASE("all workers busy: other connections still get their answers later, and stop waits for handlers") {
  TestSite site;
  std::vector<std::unique_ptr<RawClient>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(std::make_unique<RawClient>(site.plain, Tls::no));
    waiting.back()->send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  std::this_thread::sleep_for(milliseconds(100));
  RawClient next(site.plain, Tls::no);
  next.send("GET /hello?name=z HTTP/1.1\r\nHost: x\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(200));
  site.let_go = true;
  CHECK(next.answer().body == "hello z");
  for (const auto& client : waiting) CHECK(client->answer().body == "gone");
}
