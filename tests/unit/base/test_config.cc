#include <catch2/catch.hpp>

#include "archive/base/config.h"

using greffe::Config;

TEST_CASE("an unknown key is refused with its name and line") {
  auto config = Config::parse("name = \"a\"\nvolumns = 3\n", "archive.toml");
  REQUIRE(config);
  CHECK(*config->string("name") == "a");
  const auto status = config->refuse_unknown();
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "archive.toml line 2, key volumns: unknown key; correct the spelling or take it out");
}

TEST_CASE("a wrong type or range names the place") {
  auto config = Config::parse("replicas = 9\nname = 4\n[listen]\nport = \"x\"\n", "archive.toml");
  REQUIRE(config);
  CHECK(config->integer_or("replicas", 3, 1, 7).error().message ==
        "archive.toml line 1, key replicas: must be a whole number from 1 to 7");
  CHECK(config->string("name").error().message == "archive.toml line 2, key name: must be a text in quotes");
  auto listen = config->table("listen");
  REQUIRE(listen);
  CHECK_FALSE(listen->integer_or("port", 1, 1, 65535));
  CHECK(config->string("absent").error().message == "archive.toml: the key absent is missing");
}

TEST_CASE("lists of tables and paths") {
  auto config = Config::parse("[[volume]]\npath = \"v1\"\n[[volume]]\npath = \"/v2\"\n", "/etc/greffe/archive.toml");
  REQUIRE(config);
  auto volumes = config->tables("volume");
  REQUIRE(volumes);
  REQUIRE(volumes->size() == 2);
  CHECK(config->path_from_here(*(*volumes)[0].string("path")) == "/etc/greffe/v1");
  CHECK(config->path_from_here(*(*volumes)[1].string("path")) == "/v2");
}

TEST_CASE("a syntax error names the line") {
  const auto config = Config::parse("name = \n", "a.toml");
  REQUIRE_FALSE(config);
  CHECK(config.error().message.starts_with("a.toml line 1: "));
}
