// Reads a file of tests/vectors.
#ifndef GREFFE_TESTS_UNIT_FORMAT_VECTORS_H
#define GREFFE_TESTS_UNIT_FORMAT_VECTORS_H

#include <catch2/catch.hpp>

#include <fstream>
#include <iterator>
#include <string>

#include "archive/format/canonical_json.h"

namespace greffe::testing {

inline Json vectors(const std::string& name) {
  std::ifstream file(std::string(GREFFE_VECTORS) + "/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto json = parse_json(text);
  INFO(name);
  REQUIRE(json);
  return std::move(*json);
}

// The value of a Result, or a failed test that shows its error.
template <class T>
T need(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

// Refused as invalid, for the reason that the message states.
template <class T>
void check_refused(const Result<T>& result, const std::string& because) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::invalid);
  CHECK_THAT(result.error().message, Catch::Contains(because));
}

}  // namespace greffe::testing

#endif
