// What the catalogue keeps of one hearing, and how the entries of its log change it. Applied in pieces of any size the
// result is the same. Used by the builder only; one thread at a time.
#ifndef GREFFE_ARCHIVE_CATALOGUE_HEARING_STATE_H
#define GREFFE_ARCHIVE_CATALOGUE_HEARING_STATE_H

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/result.h"
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/details_versions.h"
#include "archive/catalogue/sqlite.h"
#include "archive/format/entries.h"

namespace greffe::catalogue {

std::string write_streams(const std::vector<StreamFacts>& streams);
Result<std::vector<StreamFacts>> parse_streams(std::string_view json);

// A document as the catalogue keeps it: canonical JSON without the salt.
Result<std::string> without_salt(std::string_view document);

class HearingState {
 public:
  // Reads a document: nullopt when it is lost; an error ends the batch.
  using ReadDocument = std::function<Result<std::optional<std::string>>(const Digest&)>;

  // The row of this hearing as the catalogue has it, or an empty state.
  static Result<HearingState> load(Connection& db, const HearingId& id);
  // Writes the row, the new marks, corrections and lost objects; a new hearing gets its row number here.
  Status save(Connection& db);

  // One entry of the hearing's log. invalid with the reason: it cannot be understood or does not belong here; the
  // state is as before.
  Status apply(std::uint64_t index, std::string_view bytes, const ReadDocument& read);
  // From here on segments are left out: the totals of `close`, which are their sums, stand for them.
  void sum_up_by_close() { summed_by_close_ = true; }

  bool is_new() const { return row == 0; }
  bool is_opened() const { return opened_; }
  bool text_changed() const { return text_changed_; }  // what is searched is no longer what the index has

  std::int64_t row = 0;
  HearingId id;
  std::string origin;
  std::uint64_t log_size = 0;
  Digest log_root;
  std::uint64_t checkpoint_index = 0;
  UtcTime checkpoint_utc;
  std::vector<std::string> problems;  // documents that could not be understood; the rest of the entry counts

 private:
  struct NewMark {
    std::uint64_t index = 0;
    MarkEntry entry;
    std::string text;
  };
  Status apply_open(const OpenEntry& entry, const ReadDocument& read);
  Status apply_mark(std::uint64_t index, const MarkEntry& entry, const ReadDocument& read);
  Status apply_correction(std::uint64_t index, const CorrectionEntry& entry, const ReadDocument& read);
  Result<std::string> read_details(const Digest& digest, const ReadDocument& read);
  void apply_segment(const SegmentEntry& entry);
  void apply_gap(const GapEntry& entry);
  void apply_close(const CloseEntry& entry);
  void covers_until(UtcTime time) { newest_ = std::max(newest_, time); }
  StreamFacts& stream(const std::string& name);
  Status insert(Connection& db);

  bool opened_ = false;
  bool text_changed_ = false;
  bool summed_by_close_ = false;
  std::string court_, room_, station_, station_key_;
  std::string details_sha256_, details_;
  UtcTime start_, newest_;
  std::optional<UtcTime> end_;
  std::vector<StreamFacts> streams_;
  bool closed_ = false;
  std::uint64_t gap_count_ = 0, unexcused_gap_count_ = 0;
  std::optional<std::string> continues_;
  std::vector<NewMark> new_marks_;
  std::vector<DetailsVersion> new_details_;
  std::vector<Digest> new_lost_;
};

Status insert_mark(Connection& db, std::int64_t hearing_row, const Mark& mark);

}  // namespace greffe::catalogue

#endif
