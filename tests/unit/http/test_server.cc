#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "tests/unit/http/raw_client.h"
#include "tests/unit/http/test_routes.h"

using greffe::testing::Answer;
using greffe::testing::RawClient;
using greffe::testing::TestSite;
using Tls = RawClient::Tls;

TEST_CASE("a request is answered, and the connection stays for the next") {
  TestSite site;
  for (const Tls tls : {Tls::no, Tls::yes}) {
    RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
    REQUIRE(client.connected());
    for (int i = 0; i < 3; ++i) {
      const Answer answer = client.get("/hello?name=Zo%C3%AB");
      CHECK(answer.status == 200);
      CHECK(answer.body == "hello Zoë");
      CHECK(answer.header("content-type") == "text/plain; charset=utf-8");
      CHECK(answer.header("x-frame-options") == "DENY");
      CHECK(answer.header("date").size() == 29);
    }
  }
}

TEST_CASE("pipelined requests are answered in their order") {
  TestSite site;
  RawClient client(site.tls, Tls::yes);
  std::string requests;
  for (int i = 0; i < 500; ++i) {
    requests += "GET /hello?name=" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  std::thread sender([&] { client.send(requests); });
  // OpenSSL connections are not for two threads at once, so the answers are read when all is sent.
  sender.join();
  for (int i = 0; i < 500; ++i) CHECK(client.answer().body == "hello " + std::to_string(i));
}

TEST_CASE("no answer waits for a timer of the kernel or of the server") {
  TestSite site;
  site.make_file("small.bin", 100);
  for (const Tls tls : {Tls::no, Tls::yes}) {
    RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 50; ++i) {
      CHECK(client.get("/hello").status == 200);
      CHECK(client.get("/files/small.bin").body.size() == 100);
      CHECK(client.get("/nothing").status == 404);
    }
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(3));  // 40 ms each would be 6 s
  }
}

TEST_CASE("what a route can answer at once never leaves the event loop; the rest goes to a worker") {
  TestSite site;
  RawClient client(site.tls, Tls::yes);
  REQUIRE(client.connected());
  CHECK(client.get("/quick?at-once=yes").body == "at once by gr-net");
  CHECK(client.get("/quick").body == "by gr-work");
  CHECK(client.get("/quick?throw=yes").status == 500);
  CHECK(client.get("/quick?at-once=yes").status == 200);
}

TEST_CASE("HEAD has the head of GET and no body") {
  TestSite site;
  RawClient client(site.plain, Tls::no);
  client.send("HEAD /hello?name=x HTTP/1.1\r\nHost: x\r\n\r\n");
  const Answer answer = client.answer(true);
  CHECK(answer.status == 200);
  CHECK(answer.header("content-length") == "7");
  CHECK(client.get("/hello?name=y").body == "hello y");
}

TEST_CASE("what is refused says why in a problem document") {
  TestSite site;
  const auto ask = [&](const std::string& request) { return RawClient(site.plain, Tls::no).ask(request); };
  SECTION("an unknown path") {
    const Answer answer = ask("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(answer.status == 404);
    CHECK(answer.header("content-type") == "application/problem+json");
    CHECK(answer.body == R"({"code":"not_found","detail":"There is nothing at /nothing.","status":404,)"
                         R"("title":"There is nothing at this address.","type":"about:blank"})");
  }
  SECTION("another method") {
    const Answer answer = ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(answer.status == 405);
    CHECK(answer.header("allow") == "GET, HEAD");
  }
  SECTION("no length for a streamed body") {
    CHECK(ask("PUT /objects/a HTTP/1.1\r\nHost: x\r\n\r\n").status == 411);
    CHECK(ask("PUT /objects/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status == 411);
  }
  SECTION("too large") {
    CHECK(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n").status == 413);
    CHECK(ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n").status == 413);
  }
  SECTION("an expectation") {
    CHECK(ask("GET /hello HTTP/1.1\r\nHost: x\r\nExpect: the-best\r\n\r\n").status == 417);
  }
  SECTION("a long head") {
    CHECK(ask("GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(17000, 'a') + "\r\n\r\n").status == 431);
    std::string lines;
    for (int i = 0; i < 120; ++i) lines += "X: y\r\n";
    CHECK(ask("GET /hello HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n").status == 431);
  }
  SECTION("not HTTP") {
    CHECK(ask(std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8)).status == 400);
    CHECK(ask("hello there\r\n\r\n").status == 400);
  }
  SECTION("a handler that throws") { CHECK(ask("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n").status == 500); }
  SECTION("a path that tries to leave") {
    CHECK(ask("GET /files/..%2fetc HTTP/1.1\r\nHost: x\r\n\r\n").status == 400);
    CHECK(ask("GET /files/../etc HTTP/1.1\r\nHost: x\r\n\r\n").status == 400);
  }
}

TEST_CASE("a body arrives whole, by length or in chunks, and the connection goes on") {
  TestSite site;
  RawClient client(site.tls, Tls::yes);
  CHECK(client.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde").body == "abcde");
  CHECK(client.ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n2;name=value\r\nde\r\n0\r\nTrailer: x\r\n\r\n").body == "abcde");
  CHECK(client.ask("POST /echo HTTP/1.1\r\nHost: x\r\n\r\n").body.empty());
  CHECK(client.get("/hello?name=z").body == "hello z");
}

TEST_CASE("Expect: 100-continue is answered before the body, and not when the answer is final") {
  TestSite site;
  RawClient client(site.plain, Tls::no);
  CHECK(client.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n").status == 100);
  CHECK(client.ask("xyz").body == "xyz");
  const Answer refused =
      client.ask("PUT /objects/refused HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\nExpect: 100-continue\r\n\r\n");
  CHECK(refused.status == 403);
  CHECK(refused.header("connection") == "close");
}

TEST_CASE("an early answer reaches a client that is still sending") {
  TestSite site;
  for (const Tls tls : {Tls::no, Tls::yes}) {
    RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
    client.send("PUT /objects/refused HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
    client.send(std::string(4000000, 'a'));  // the server has answered long ago and drops this
    CHECK(client.answer().status == 403);
  }
}

TEST_CASE("a small body of a refused request is dropped and the connection goes on") {
  TestSite site;
  RawClient client(site.plain, Tls::no);
  CHECK(client.ask("PUT /objects/refused HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd").status == 403);
  CHECK(client.ask("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd").status == 404);
  CHECK(client.get("/hello?name=z").body == "hello z");
}

TEST_CASE("a streamed body reaches the sink whole, over one connection, many times") {
  TestSite site;
  for (const Tls tls : {Tls::no, Tls::yes}) {
    RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
    std::mt19937_64 random(7);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{16384}, std::size_t{262144},
                                   std::size_t{262145}, std::size_t{16777216}}) {
      std::string body(size, '\0');
      for (char& c : body) c = static_cast<char>(random());
      client.send("PUT /objects/o" + std::to_string(size) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                  std::to_string(size) + "\r\n\r\n");
      client.send(body);
      const Answer answer = client.answer();
      CHECK(answer.status == 201);
      CHECK(answer.body == std::to_string(size));
      CHECK(site.stored("o" + std::to_string(size)) == body);
    }
  }
}

TEST_CASE("a sink that fails ends the request with its error") {
  TestSite site;
  RawClient client(site.plain, Tls::no);
  client.send("PUT /objects/full HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
  client.send(std::string(1000000, 'a'));
  const Answer answer = client.answer();
  CHECK(answer.status == 507);
  CHECK(answer.body.find("The disk is full") != std::string::npos);
}

TEST_CASE("a body that stops half way never counts as received, and its sink is destroyed") {
  TestSite site;
  for (const bool with_reset : {false, true}) {
    RawClient client(site.plain, Tls::no);
    client.send("PUT /objects/half HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + std::string(900000, 'a'));
    site.wait_until([&] { return site.sinks_alive() == 1; });
    if (with_reset) {
      client.reset();
    } else {
      client.end_writing();
      CHECK(client.ended());
    }
    CHECK(site.wait_until([&] { return site.sinks_alive() == 0; }));
    CHECK(site.stored("half").empty());
  }
  CHECK(RawClient(site.plain, Tls::no).get("/hello?name=z").body == "hello z");
}

TEST_CASE("a half-closed peer still gets its answer") {
  TestSite site;
  RawClient client(site.plain, Tls::no);
  client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  client.end_writing();
  CHECK(client.answer().body == "slow");
  CHECK(client.ended());
}

TEST_CASE("peers that reset in the middle of a file do not end the server") {
  TestSite site;
  site.make_file("big.bin", 8 * 1024 * 1024);
  for (int i = 0; i < 20; ++i) {
    for (const Tls tls : {Tls::no, Tls::yes}) {
      RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
      client.send("GET /files/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
      client.receive(1000);
      client.reset();
    }
  }
  CHECK(RawClient(site.tls, Tls::yes).get("/hello?name=z").body == "hello z");
}

TEST_CASE("files: whole, ranges, conditions") {
  TestSite site;
  const std::string bytes = site.make_file("big.bin", 3 * 1024 * 1024 + 17);
  for (const Tls tls : {Tls::no, Tls::yes}) {
    RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
    Answer answer = client.get("/files/big.bin");
    CHECK(answer.status == 200);
    CHECK(answer.header("accept-ranges") == "bytes");
    CHECK(answer.header("etag") == "\"tag\"");
    CHECK(answer.body == bytes);
    answer = client.get("/files/big.bin", "Range: bytes=1000000-1999999\r\n");
    CHECK(answer.status == 206);
    CHECK(answer.header("content-range") == "bytes 1000000-1999999/3145745");
    CHECK(answer.body == bytes.substr(1000000, 1000000));
    answer = client.get("/files/big.bin", "Range: bytes=-5\r\n");
    CHECK(answer.body == bytes.substr(bytes.size() - 5));
    answer = client.get("/files/big.bin", "Range: bytes=3145745-\r\n");
    CHECK(answer.status == 416);
    CHECK(answer.header("content-range") == "bytes */3145745");
    answer = client.get("/files/big.bin", "Range: bytes=0-9\r\nIf-Range: \"other\"\r\n");
    CHECK(answer.status == 200);
    CHECK(answer.body.size() == bytes.size());
    answer = client.get("/files/big.bin", "Range: bytes=0-9\r\nIf-Range: \"tag\"\r\n");
    CHECK(answer.status == 206);
    answer = client.get("/files/big.bin", "If-None-Match: \"tag\"\r\n");
    CHECK(answer.status == 304);
    CHECK(answer.header("content-length").empty());
    client.send("HEAD /files/big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
    answer = client.answer(true);
    CHECK(answer.header("content-length") == "3145745");
    CHECK(client.get("/hello?name=z").body == "hello z");
  }
}

TEST_CASE("a file without a descriptor is sent through the workers") {
  TestSite site;
  RawClient client(site.plain, Tls::no);
  const Answer answer = client.get("/generated");
  CHECK(answer.body.size() == 1000000);
  CHECK(answer.body.find_first_not_of('g') == std::string::npos);
}

TEST_CASE("a file that became shorter cuts the connection instead of pretending") {
  TestSite site;
  site.make_file("short.bin", 100000);
  for (const Tls tls : {Tls::no, Tls::yes}) {
    RawClient client(tls == Tls::no ? site.plain : site.tls, tls);
    const Answer answer = client.get("/too-long/short.bin");
    CHECK(answer.status == 200);
    CHECK_FALSE(answer.whole);
  }
}
