// The highest epoch of each archive that this site has heard of. An archive that was promoted elsewhere is fenced by it: who has heard of
// a later epoch takes nothing of an earlier one, also after a restart. Thread-safe. See docs/decisions/0018-epochs.md.
#ifndef GREFFE_ARCHIVE_EPOCHS_H
#define GREFFE_ARCHIVE_EPOCHS_H

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "archive/base/file_system.h"
#include "archive/format/officers.h"
#include "archive/format/promotion.h"

namespace greffe::archive {

class Epochs {
 public:
  struct Certificate {
    PromotionEntry promotion;
    std::string text;  // verbatim
    std::string words() const;  // that this epoch has begun, and where: for whoever still writes to an earlier one
  };

  // Certificates are kept in "<state>/epochs", one file for each archive. corrupt: one of them cannot be read; without it nobody knows
  // whether this site may still write.
  static Result<std::unique_ptr<Epochs>> open(FileSystem& files, const std::string& state_directory);

  std::uint64_t highest(const std::string& archive) const;  // 1: never promoted, as far as is known here
  std::optional<Certificate> certificate(const std::string& archive) const;

  // Takes the certificate of a later epoch than is known, signed by two of `officers` (of that archive, as its log names them). Durable
  // before it returns, so before any answer that depends on it. False: it is the one that is known, or of an earlier epoch. invalid: it is
  // none. denied: whose signature does not count. conflict: another one for the epoch that is known: two sites were promoted, and only the
  // officers can say which of them counts; the first one that was heard of stays.
  Result<bool> take(std::string_view text, const Officers& officers);

 private:
  Epochs(FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}
  Status load();

  FileSystem& files_;
  const std::string directory_;
  mutable std::mutex mutex_;  // guards the map, and that its files are written in order
  std::map<std::string, Certificate> known_;
};

}  // namespace greffe::archive

#endif
