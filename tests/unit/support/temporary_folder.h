// A folder of the real disk that goes away with its owner.
#ifndef GREFFE_TESTS_UNIT_SUPPORT_TEMPORARY_FOLDER_H
#define GREFFE_TESTS_UNIT_SUPPORT_TEMPORARY_FOLDER_H

#include <cstdlib>
#include <filesystem>
#include <string>

namespace greffe::testing {

struct TemporaryFolder {
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "greffe-test-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

}  // namespace greffe::testing

#endif
