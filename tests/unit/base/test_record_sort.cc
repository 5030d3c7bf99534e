#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <random>
#include <set>

#include "archive/base/record_sort.h"
#include "tests/unit/support/faulty_file_system.h"
#include "tests/unit/support/temporary_folder.h"

using greffe::RecordSort;
using greffe::testing::TemporaryFolder;
using Sort = RecordSort<5>;

namespace {

std::vector<Sort::Record> take_all(Sort& sort) {
  std::vector<Sort::Record> out;
  for (unsigned part = 0; part < Sort::kParts; ++part) {
    const auto some = sort.take(part);
    REQUIRE(some);
    for (const Sort::Record& record : *some) {
      CHECK(record[0] == part);
      out.push_back(record);
    }
  }
  return out;
}

std::size_t files_in(const std::string& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()));
}

}  // namespace

TEST_CASE("records come back sorted and once each, from memory and from files") {
  const TemporaryFolder folder;
  greffe::PosixFileSystem files;
  std::mt19937_64 random(1);
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, std::size_t{3'000'000}}) {
    Sort sort(files, folder.path + "/records");
    std::set<Sort::Record> sample;  // one in a thousand, and both ends
    std::vector<Sort::Record> twice;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t draw = random();
      Sort::Record record;
      for (std::size_t byte = 0; byte < record.size(); ++byte) record[byte] = static_cast<std::uint8_t>(draw >> 8 * byte);
      if (i == 0) record.fill(0);
      if (i == 1) record.fill(0xff);
      REQUIRE(sort.add(record));
      if (i % 1000 < 2) {
        sample.insert(record);
        twice.push_back(record);
      }
    }
    for (const Sort::Record& record : twice) REQUIRE(sort.add(record));
    CHECK(sort.count() == count + twice.size());
    CHECK((files_in(folder.path) > 0) == (count > 1'000'000));
    const std::vector<Sort::Record> all = take_all(sort);
    CHECK(std::is_sorted(all.begin(), all.end()));
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    CHECK(all.size() <= count);
    CHECK(all.size() + count / 10'000 + 1 >= count);  // three million draws of 2^40 are nearly all different
    for (const Sort::Record& record : sample) CHECK(std::binary_search(all.begin(), all.end(), record));
    CHECK(files_in(folder.path) == 0);
  }
}

TEST_CASE("a sort that is given up leaves no files, and one that found no room says so") {
  const TemporaryFolder folder;
  greffe::PosixFileSystem real;
  greffe::testing::FaultyFileSystem files(real);
  Sort::Record record{};
  {
    Sort sort(files, folder.path + "/records");
    for (int i = 0; i < 20'000; ++i) REQUIRE(sort.add(record));
    CHECK(files_in(folder.path) == 1);
  }
  CHECK(files_in(folder.path) == 0);
  Sort sort(files, folder.path + "/records");
  files.faults().arm(greffe::testing::Fault::fails_before, 1, true, greffe::Errc::no_space);
  greffe::Status added = greffe::ok();
  for (int i = 0; i < 20'000 && added; ++i) added = sort.add(record);
  REQUIRE_FALSE(added);
  CHECK(added.error().code == greffe::Errc::no_space);
}
