#include <catch2/catch.hpp>
#include <random>

#include "web/http/chunked.h"
#include "web/http/head.h"
#include "web/http/range.h"
#include "web/http/rate_window.h"
#include "web/http/response_head.h"
#include "web/http/router.h"
#include "web/http/target.h"

using greffe::http::ByteRange;
using greffe::http::ChunkedReader;
using greffe::http::end_of_head;
using greffe::http::Handler;
using greffe::http::Head;
using greffe::http::HeadFault;
using greffe::http::if_range_holds;
using greffe::http::is_hopeless;
using greffe::http::names_etag;
using greffe::http::parse_head;
using greffe::http::parse_range;
using greffe::http::parse_target;
using greffe::http::problem;
using greffe::http::RangeKind;
using greffe::http::RateWindow;
using greffe::http::Request;
using greffe::http::Response;
using greffe::http::ResponseFrame;
using greffe::http::Route;
using greffe::http::RouteMatch;
using greffe::http::Router;
using greffe::http::write_response_head;


namespace {

int fault_of(const std::string& head) {
  REQUIRE(end_of_head(head) == head.size());
  const auto parsed = parse_head(head);
  const auto* fault = std::get_if<HeadFault>(&parsed);
  return fault == nullptr ? 0 : fault->status;
}
int fault_of_lines(const std::string& lines) { return fault_of("POST /x HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"); }
Head head_of(const std::string& text) { return std::get<Head>(parse_head(text)); }

}  // namespace

TEST_CASE("a well-formed head says what it says") {
  const Head head = head_of("PUT /a/b?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nX-Two:  a b \r\nX-TWO: c\r\n"
                            "Expect: 100-Continue\r\n\r\n");
  CHECK(head.method == "PUT");
  CHECK(head.target == "/a/b?c=d");
  CHECK(*head.content_length == 12);
  CHECK(head.headers.count("x-two") == 2);
  CHECK(head.headers.find("x-two")->second == "a b");
  CHECK(head.expects_continue);
  CHECK(head.keep_alive);
  CHECK_FALSE(head_of("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").keep_alive);
  CHECK_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(head_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  CHECK(head_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n").chunked);
}

TEST_CASE("whatever could be read in two ways is refused (request smuggling)") {
  CHECK(fault_of_lines("") == 0);
  CHECK(fault_of_lines("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(fault_of_lines("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n") == 400);
  CHECK(fault_of_lines("Content-Length: 1\r\nContent-Length: 1\r\n") == 400);
  CHECK(fault_of_lines("Content-Length: 1\r\ncontent-length: 2\r\n") == 400);
  for (const char* length : {"", "+1", "-1", "1,1", "0x1", "1 1", "1.0", "99999999999999999999999"}) {
    CHECK(fault_of_lines(std::string("Content-Length: ") + length + "\r\n") == 400);
  }
  CHECK(fault_of_lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, identity", "identity", "xchunked", "\"chunked\""}) {
    CHECK(fault_of_lines(std::string("Transfer-Encoding: ") + coding + "\r\n") >= 400);
  }
  CHECK(fault_of_lines("Transfer-Encoding : chunked\r\n") == 400);
  CHECK(fault_of_lines("X: a\r\n folded\r\n") == 400);
  CHECK(fault_of_lines("X: a\nY: b\r\n") == 400);
  CHECK(fault_of_lines("X: a\rY: b\r\n") == 400);
  CHECK(fault_of_lines(std::string("X: a\0b\r\n", 8)) == 400);
  CHECK(fault_of_lines("Host: b\r\n") == 400);
  CHECK(fault_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(fault_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(fault_of("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(fault_of("GET / HTTP/1.2\r\nHost: a\r\n\r\n") == 505);
  CHECK(fault_of("GET /\r\nHost: a\r\n\r\n") == 400);
  CHECK(fault_of("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(fault_of("G ET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(fault_of("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == 400);
  CHECK(fault_of("GET / HTTP/1.1\r\nHost a\r\n\r\n") == 400);
}

TEST_CASE("the end of a head is found wherever it is cut") {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t cut = 0; cut < head.size(); ++cut) {
    CHECK_FALSE(end_of_head(std::string_view(head).substr(0, cut)));
    CHECK(end_of_head(head, cut) == head.size());
  }
  CHECK(is_hopeless(std::string("\x16\x03\x01", 3)));
  CHECK_FALSE(is_hopeless("GET / HTTP/1.1\r\nX:\ty"));
}

TEST_CASE("addresses are decoded once, and strictly") {
  const auto path_of = [](const char* target) {
    const auto parsed = parse_target(target);
    return parsed ? parsed->path : std::string("refused");
  };
  CHECK(path_of("/") == "/");
  CHECK(path_of("/a/b") == "/a/b");
  CHECK(path_of("/a/") == "/a/");
  CHECK(path_of("/caf%C3%A9/%E6%9D%8E") == "/café/李");
  CHECK(path_of("/a%2520b") == "/a%20b");
  CHECK(path_of("/a+b") == "/a+b");
  CHECK(path_of("/...") == "/...");
  for (const char* bad : {"", "a", "*", "http://x/", "//", "/a//b", "//a", "/.", "/..", "/a/../b", "/%2e%2e/b", "/a/.%2e",
                          "/a%2fb", "/a%5cb", "/a\\b/%00", "/%00", "/%0a", "/%7f", "/%", "/%4", "/%zz", "/%ff", "/%c3",
                          "/a#b", "/a b", "/caf\xc3\xa9"}) {
    INFO(bad);
    CHECK(path_of(bad) == "refused");
  }
  const auto query = parse_target("/s?q=a+b%26c&q=2&empty=&none&=x&&u=%E6%9D%8E")->query;
  CHECK(query.find("q")->second == "a b&c");
  CHECK(query.count("q") == 2);
  CHECK(query.find("empty")->second.empty());
  CHECK(query.count("none") == 1);
  CHECK(query.find("u")->second == "李");
  for (const char* bad : {"/s?q=%", "/s?q=%0", "/s?q=%00", "/s?q=%ff", "/s?%ff=1"}) CHECK_FALSE(parse_target(bad));
}

TEST_CASE("ranges against a file of ten bytes") {
  const auto range = [](const char* text) { return parse_range(text, 10); };
  const auto is_part = [&](const char* text, std::uint64_t first, std::uint64_t size) {
    const ByteRange got = range(text);
    return got.kind == RangeKind::part && got.first == first && got.size == size;
  };
  CHECK(is_part("bytes=0-0", 0, 1));
  CHECK(is_part("bytes=2-", 2, 8));
  CHECK(is_part("bytes=2-5", 2, 4));
  CHECK(is_part("bytes=2-99999999999999999999999999", 2, 8));
  CHECK(is_part("bytes=-3", 7, 3));
  CHECK(is_part("bytes=-30", 0, 10));
  CHECK(is_part("Bytes=0-9", 0, 10));
  CHECK(is_part(" bytes= 1 - 2 ", 1, 2));
  for (const char* whole : {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,3-4", "items=0-1",
                            "bytes=+1-2", "bytes=1-2-3", "bytes=0x1-2", "bytes=--1"}) {
    INFO(whole);
    CHECK(range(whole).kind == RangeKind::whole);
    CHECK(range(whole).size == 10);
  }
  for (const char* none : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"}) {
    INFO(none);
    CHECK(range(none).kind == RangeKind::unsatisfiable);
  }
  CHECK(parse_range("bytes=0-", 0).kind == RangeKind::unsatisfiable);
  CHECK(parse_range("bytes=-1", 0).kind == RangeKind::unsatisfiable);
}

TEST_CASE("conditions on entity tags") {
  CHECK(names_etag("\"a\"", "\"a\""));
  CHECK(names_etag("\"b\", W/\"a\"", "\"a\""));
  CHECK(names_etag("*", "\"a\""));
  CHECK(names_etag("\"x,y\",\"a\"", "\"a\""));
  CHECK_FALSE(names_etag("\"b\"", "\"a\""));
  CHECK_FALSE(names_etag("a", "\"a\""));
  CHECK_FALSE(names_etag("\"a", "\"a\""));
  CHECK(if_range_holds("", "\"a\""));
  CHECK(if_range_holds("\"a\"", "\"a\""));
  CHECK_FALSE(if_range_holds("W/\"a\"", "W/\"a\""));
  CHECK_FALSE(if_range_holds("Sun, 22 Nov 2026 09:00:00 GMT", "\"a\""));
}

TEST_CASE("chunked bodies decode alike however they are cut") {
  const std::string coded = "5\r\nhello\r\n1;x=\"y\"\r\n \r\n00006\r\nworld!\r\n0\r\nA: b\r\n\r\nnext";
  for (std::size_t step = 1; step <= coded.size(); ++step) {
    ChunkedReader reader(12);
    std::string out;
    std::size_t at = 0;
    while (at < coded.size() && !reader.done()) {
      const auto taken = reader.take(std::string_view(coded).substr(at, step), out);
      REQUIRE(taken);
      at += *taken;
    }
    CHECK(reader.done());
    CHECK(out == "hello world!");
    CHECK(coded.substr(at) == "next");
  }
}

TEST_CASE("malformed and over-long chunked bodies are refused") {
  const auto code_of = [](const std::string& coded) {
    ChunkedReader reader(10);
    std::string out;
    const auto taken = reader.take(coded, out);
    return taken ? std::string(reader.done() ? "done" : "more") : std::string(greffe::name_of(taken.error().code));
  };
  CHECK(code_of("0\r\n\r\n") == "done");
  CHECK(code_of("a\r\n0123456789\r\n0\r\n\r\n") == "done");
  CHECK(code_of("b\r\n") == "no_space");
  CHECK(code_of("5\r\n01234\r\n6\r\n") == "no_space");
  CHECK(code_of("fffffffff\r\n") == "invalid");
  CHECK(code_of("ffffffff\r\n") == "no_space");
  for (const char* bad : {"\r\n", "g\r\n", "-1\r\n", " 1\r\n", "1 \r\n", "1\n", "1\r\r", "1\r\nab", "1\r\na\n", "1\r\na\rb",
                          "0\r\nX\n", "0\r\nX\r\r", "0\r\n\r\r", "1;\n"}) {
    INFO(bad);
    CHECK(code_of(bad) == "invalid");
  }
  CHECK(code_of("1;" + std::string(5000, 'x')) == "invalid");
  CHECK(code_of("0\r\nX: " + std::string(5000, 'x')) == "invalid");
}

TEST_CASE("routes: the most specific wins, parameters are whole segments or parts of one") {
  const auto handler = [] { return Handler([](const Request&) { return Response(); }); };
  std::vector<Route> routes;
  for (const char* pattern : {"/{path*}", "/v1/hearings/{id}", "/v1/hearings/new", "/v1/hearings/{id}/objects/{sha256}",
                              "/v1/hearings/{id}/objects/{sha256}.mp4", "/v1/log/main/{path*}", "/"}) {
    routes.push_back({"GET", pattern, handler()});
  }
  routes.push_back({"POST", "/v1/hearings/{id}", handler()});
  routes.push_back({"HEAD", "/v1/hearings/new", handler()});
  const auto router = Router::build(routes);
  REQUIRE(router);
  const auto pattern_of = [&](const char* path, const char* method = "GET") {
    const RouteMatch match = router->find(method, path);
    return match.route == nullptr ? "none: " + match.allowed : match.route->method + " " + match.route->pattern;
  };
  CHECK(pattern_of("/v1/hearings/new") == "GET /v1/hearings/new");
  CHECK(pattern_of("/v1/hearings/new", "HEAD") == "HEAD /v1/hearings/new");
  CHECK(pattern_of("/v1/hearings/x", "HEAD") == "GET /v1/hearings/{id}");
  CHECK(pattern_of("/v1/hearings/x", "POST") == "POST /v1/hearings/{id}");
  CHECK(pattern_of("/v1/hearings/x", "PUT") == "none: GET, HEAD, POST");
  CHECK(pattern_of("/v1/hearings/x/objects/ab.mp4") == "GET /v1/hearings/{id}/objects/{sha256}.mp4");
  CHECK(pattern_of("/v1/hearings/x/objects/ab.mp3") == "GET /v1/hearings/{id}/objects/{sha256}");
  CHECK(pattern_of("/v1/hearings/") == "GET /{path*}");
  CHECK(pattern_of("/") == "GET /");
  CHECK(router->find("GET", "/v1/hearings/x/objects/ab.mp4").parameters.at("sha256") == "ab");
  CHECK(router->find("GET", "/v1/log/main/tile/0/x001/067").parameters.at("path") == "tile/0/x001/067");
  for (const char* bad : {"", "v1", "/{", "/{a}{b}", "/{}", "/{a}/{a}", "/{a*}/b", "/x{a*}"}) {
    INFO(bad);
    CHECK_FALSE(Router::build({{"GET", bad, handler()}}));
  }
  CHECK_FALSE(Router::build({{"GET", "/a", handler()}, {"GET", "/a", handler()}}));
}

TEST_CASE("heads of responses: no line break gets in, own headers win, lengths are the layer's") {
  Response response;
  response.set("X-Good", "yes");
  response.set("X-Bad", "a\r\nSet-Cookie: b");
  response.set("X-Bad\r\nY", "a");
  response.set("content-length", "7");
  response.set("content-security-policy", "own");
  ResponseFrame frame;
  frame.body_bytes = 3;
  frame.utc_s = 784111777;
  const std::string head =
      write_response_head(response, {{"Content-Security-Policy", "common"}, {"X-Common", "c"}}, frame);
  CHECK(head == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Good: yes\r\n"
                "content-security-policy: own\r\nX-Common: c\r\nContent-Length: 3\r\n\r\n");
  response.status = 304;
  CHECK(write_response_head(response, {}, frame).find("Content-Length") == std::string::npos);
}

TEST_CASE("problem documents are JSON whatever the message says") {
  const Response response = problem(greffe::fail(greffe::Errc::no_space, "a \"quoted\" \\ \n line"));
  CHECK(response.status == 507);
  CHECK(std::get<std::string>(response.body).find(R"("detail":"a \"quoted\" \\ \u000a line")") != std::string::npos);
  CHECK(std::get<std::string>(problem(400, "invalid", "\xff!").body).find("\"?!\"") != std::string::npos);
  CHECK(std::get<std::string>(problem(409, "conflict", "x", "\"held_size\":5").body).ends_with(",\"held_size\":5}"));
  const std::pair<greffe::Errc, int> pairs[] = {
      {greffe::Errc::not_found, 404}, {greffe::Errc::already_exists, 409}, {greffe::Errc::conflict, 409},
      {greffe::Errc::corrupt, 422},   {greffe::Errc::io_error, 500},       {greffe::Errc::unavailable, 503},
      {greffe::Errc::invalid, 400},   {greffe::Errc::denied, 403},         {greffe::Errc::no_space, 507},
      {greffe::Errc::cancelled, 503}};
  for (const auto& [code, status] : pairs) CHECK(problem(greffe::fail(code, "x")).status == status);
}

TEST_CASE("cookies are found by their whole name") {
  Request request;
  request.headers.emplace("cookie", "a=1; __Host-greffe=token=with=equals;b=2");
  request.headers.emplace("cookie", "c=3");
  CHECK(request.cookie("__Host-greffe") == "token=with=equals");
  CHECK(request.cookie("a") == "1");
  CHECK(request.cookie("c") == "3");
  CHECK(request.cookie("greffe").empty());
}

TEST_CASE("a rate window forgives a fast peer its pauses, and a slow one nothing") {
  using namespace std::chrono_literals;
  RateWindow window(100, 30s);
  window.moved(5000);
  CHECK(window.waited(29s));
  CHECK(window.patience() == 1s);
  CHECK(window.waited(1s));       // 5,000 bytes in 30 s is enough
  CHECK(window.patience() == 30s);
  window.moved(2999);
  CHECK_FALSE(window.waited(30s));  // and the first window's bytes are forgotten
}
