// A catalogue looked at as a whole, beside whoever writes or reads it: all that it says in one digest, and its hearings in the order in which
// they began. For a drill. Thread-safe; each question sees the catalogue of one moment, and no writer waits for it. Any method can
// return corrupt (the file is damaged: rebuild it), io_error or unavailable.
#ifndef GREFFE_ARCHIVE_CATALOGUE_SURVEY_H
#define GREFFE_ARCHIVE_CATALOGUE_SURVEY_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/read_pool.h"

namespace greffe::catalogue {

struct CatalogueSum {
  Applied applied;
  Digest sum;  // SHA-256 of the dump (dump.h), each line with its end: equal sums are equal catalogues
};

struct CatalogueExtent {
  std::uint64_t hearings = 0;
  std::uint64_t entries = 0;  // of their logs, as far as the main log commits to them
};

struct SurveyedHearing {
  HearingId id;
  PublicKey station_key;
  std::uint64_t log_size = 0;  // that the main log commits to
  Digest log_root;
};

class Survey {
 public:
  // not_found: no such file. corrupt: not a catalogue of this version.
  static Result<Survey> open(const std::string& path);

  Result<Applied> applied() const;
  Result<CatalogueSum> sum(const std::stop_token& stop) const;  // cancelled: asked to stop
  Result<CatalogueExtent> extent() const;
  // When the first and the last hearing begin, to the second; nothing: there is none.
  struct Span {
    UtcTime first;
    UtcTime last;
  };
  Result<std::optional<Span>> span() const;
  // When the first hearing begins at or after that; nothing: none does.
  Result<std::optional<UtcTime>> next_start(UtcTime from) const;
  // Hearings that begin in [from, to), to the second; without `to`: all of them. `visit` returns false to stop.
  Status hearings(std::optional<UtcTime> from, std::optional<UtcTime> to, const std::function<bool(const SurveyedHearing&)>& visit) const;
  // Main-log entries about a hearing, but its checkpoints, in log order.
  Result<std::vector<std::uint64_t>> entries_about(const HearingId& id) const;

 private:
  explicit Survey(std::unique_ptr<ReadPool> pool) : pool_(std::move(pool)) {}
  std::unique_ptr<ReadPool> pool_;
};

}  // namespace greffe::catalogue

#endif
