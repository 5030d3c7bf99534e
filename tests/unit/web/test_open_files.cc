#include <catch2/catch.hpp>

#include "web/open_files.h"

using greffe::web::open_files_of;

TEST_CASE("connections leave enough descriptors for the files of the archive") {
  CHECK(open_files_of(65'536).connections == 4096);
  CHECK(open_files_of(65'536).warning.empty());
  CHECK(open_files_of(1024).connections == 112);
  CHECK(open_files_of(1024).warning.find("LimitNOFILE") != std::string::npos);
  for (const std::uint64_t limit : {256, 1024, 4096, 65'536}) {
    INFO(limit);
    CHECK(open_files_of(limit).connections * 8 + 128 <= limit);
  }
  CHECK(open_files_of(10).connections == 8);  // it still tries
}
