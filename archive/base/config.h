// A TOML configuration file, read key by key; what was never asked for is refused with its key and line.
#ifndef GREFFE_ARCHIVE_BASE_CONFIG_H
#define GREFFE_ARCHIVE_BASE_CONFIG_H

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/base/result.h"

namespace greffe {

// A table of the file. One thread. Every error names the file, the key and the line.
class Config {
 public:
  static Result<Config> load(FileSystem& files, const std::string& path);
  static Result<Config> parse(std::string_view text, const std::string& path_for_messages);
  Config(Config&&) noexcept;
  Config& operator=(Config&&) noexcept;
  ~Config();

  bool has(std::string_view key) const;
  Result<std::string> string(std::string_view key);
  Result<std::string> string_or(std::string_view key, std::string_view fallback);
  Result<std::int64_t> integer_or(std::string_view key, std::int64_t fallback, std::int64_t least, std::int64_t most);
  Result<bool> boolean_or(std::string_view key, bool fallback);
  Result<std::vector<std::string>> strings_or_none(std::string_view key);
  Result<std::vector<Config>> tables(std::string_view key);  // [[volume]]; empty when absent
  Result<Config> table(std::string_view key);                // [listen]; an empty table when absent
  // invalid: a key that nobody asked for (a spelling mistake must not be ignored silently). Call it last, also on the
  // tables taken from this one.
  Status refuse_unknown() const;
  // Every key that was asked for so far, there or not.
  std::vector<std::string> asked() const;
  // A path of the file, relative to the folder of the configuration file unless it is absolute.
  std::string path_from_here(const std::string& path) const;

 private:
  struct State;
  explicit Config(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace greffe

#endif
