#include <catch2/catch.hpp>

#include "tests/unit/support/temporary_folder.h"
#include "web/http/static_files.h"

using greffe::http::Handler;

TEST_CASE("the built pages are served, their assets for ever, nothing else of the disk") {
  greffe::testing::TemporaryFolder folder;
  greffe::PosixFileSystem files;
  CHECK(greffe::http::static_routes(files, folder.path).error().code == greffe::Errc::not_found);
  REQUIRE(files.make_directories(folder.path + "/ui"));
  REQUIRE(files.write_new(folder.path + "/index.html", greffe::as_bytes("<!doctype html>")));
  REQUIRE(files.write_new(folder.path + "/ui/app-AB12.js", greffe::as_bytes("export {}")));
  const auto routes = greffe::http::static_routes(files, folder.path);
  REQUIRE(routes);
  REQUIRE(routes->size() == 2);
  greffe::http::Request request;
  request.method = "GET";
  const auto page = std::get<Handler>((*routes)[0].handler)(request);
  CHECK(std::get<std::string>(page.body) == "<!doctype html>");
  request.parameters["path"] = "app-AB12.js";
  const auto script = std::get<Handler>((*routes)[1].handler)(request);
  CHECK(std::get<std::string>(script.body) == "export {}");
  CHECK(script.status == 200);
  for (const char* other : {"../index.html", "index.html", "../../etc/passwd", ""}) {
    request.parameters["path"] = other;
    CHECK(std::get<Handler>((*routes)[1].handler)(request).status == 404);
  }
}

TEST_CASE("no page may run a foreign script or be framed") {
  std::string policy;
  for (const auto& [name, value] : greffe::http::page_headers()) {
    if (name == "Content-Security-Policy") policy = value;
  }
  CHECK(policy.find("default-src 'self'") == 0);
  CHECK(policy.find("unsafe") == std::string::npos);
  CHECK(policy.find("frame-ancestors 'none'") != std::string::npos);
}
