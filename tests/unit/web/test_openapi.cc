#include <catch2/catch.hpp>

#include <fstream>
#include <set>

#include "tests/unit/web/sample_site.h"

namespace {

// "GET /v1/hearings/{id}", … of docs/openapi.yaml, read by its indentation.
std::set<std::string> documented() {
  std::ifstream file(std::string(GREFFE_VECTORS) + "/../../docs/openapi.yaml");
  REQUIRE(file);
  std::set<std::string> out;
  std::string line;
  std::string path;
  while (std::getline(file, line) && line != "components:") {
    if (line.starts_with("  /") && line.ends_with(":")) path = line.substr(2, line.size() - 3);
    for (const char* method : {"get", "put", "post", "delete", "head"}) {
      if (line == std::string("    ") + method + ":") {
        std::string upper = method;
        for (char& c : upper) c = static_cast<char>(std::toupper(c));
        out.insert(upper + " " + path);
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("every route is documented, and every documented route exists") {
  greffe::testing::SampleSite site;
  std::set<std::string> served;
  for (const greffe::http::Route& route : site.all_routes()) served.insert(route.method + " " + route.pattern);
  const std::set<std::string> written = documented();
  REQUIRE(written.size() > 30);
  for (const std::string& route : served) {
    INFO("not in docs/openapi.yaml: " << route);
    CHECK(written.contains(route));
  }
  for (const std::string& route : written) {
    INFO("documented but not served: " << route);
    CHECK(served.contains(route));
  }
}
