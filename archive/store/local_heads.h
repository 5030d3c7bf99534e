// Checkpoints as small text files on the R home volumes of their log, moved by compare-and-swap. Thread-safe.
#ifndef GREFFE_ARCHIVE_STORE_LOCAL_HEADS_H
#define GREFFE_ARCHIVE_STORE_LOCAL_HEADS_H

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/store/pool.h"

namespace greffe::store {

class LocalHeads {
 public:
  explicit LocalHeads(Pool& pool) : pool_(pool) {}

  // See HeadStore. When the volumes disagree (a swap was cut short), the text with the larger size wins and is
  // completed to W volumes before it is returned; a lone larger text of a log without the stage that its size and root
  // name is damage, not a head: the stage is always written first.
  Result<std::string> read(std::string_view key);
  Status swap(std::string_view key, std::string_view expected, std::string_view next);

 private:
  struct Copy {
    Volume* volume = nullptr;
    std::string text;
  };
  struct Survey {
    std::vector<Copy> copies;   // in the order of the homes
    unsigned unanswered = 0;    // homes that could not say what they hold
    std::string trouble;
  };
  Result<std::string> read_alone(const std::string& key) /* the key's mutex held */;
  Survey survey(const std::string& key);
  std::optional<std::string> newest(const std::string& key, const Survey& survey);
  bool has_its_stage(const std::string& key, std::string_view text);
  unsigned write(const std::string& key, std::string_view text, std::string& trouble);
  std::mutex& mutex_of(std::string_view key);

  Pool& pool_;
  std::array<std::mutex, 64> mutexes_;  // by hash of the key
};

}  // namespace greffe::store

#endif
