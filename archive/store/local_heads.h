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
  // completed to W volumes before it is returned; a lone larger text to whose size and root neither a stage nor the tiles
  // of a finished log lead is damage, not a head: they are always written first.
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
  bool is_finished(const std::string& key, std::string_view text);
  std::vector<Digest> tile_of(const std::string& key, unsigned width);
  unsigned write(const std::string& key, std::string_view text, std::string& trouble);
  std::mutex& mutex_of(std::string_view key);

  Pool& pool_;
  std::array<std::mutex, 64> mutexes_;  // by hash of the key
};

}  // namespace greffe::store

#endif
