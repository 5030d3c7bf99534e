// What each kind of main-log entry changes in the catalogue. Used by the builder only, within its transaction; one
// thread at a time.
#ifndef GREFFE_ARCHIVE_CATALOGUE_ENTRY_APPLIER_H
#define GREFFE_ARCHIVE_CATALOGUE_ENTRY_APPLIER_H

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "archive/base/result.h"
#include "archive/catalogue/catalogue_builder.h"
#include "archive/catalogue/sqlite.h"
#include "archive/format/entries.h"

namespace greffe::catalogue {

class EntryApplier {
 public:
  EntryApplier(Connection& db, const Sources& sources) : db_(db), sources_(sources) {}

  // ok: applied, or noted as a problem. Any error: the transaction must be rolled back.
  Status apply(std::uint64_t index, std::string_view bytes);
  // Brings the text index up to date with the entries applied since the last call.
  Status refresh_texts();
  void forget_texts() { changed_texts_.clear(); }
  void look_ahead(FinishedAhead* ahead) { ahead_ = ahead; }

 private:
  Status apply_entry(const GenesisEntry& entry);
  Status apply_entry(const KeyEntry& entry);
  Status apply_entry(const PlaceEntry& entry);
  Status apply_entry(const HearingCheckpointEntry& entry);
  Status apply_entry(const DetailsEntry& entry);
  Status apply_entry(const MarkAddedEntry& entry);
  Status apply_entry(const AccessEntry& entry);
  Status apply_entry(const ScrubEntry& entry);
  Status apply_entry(const ExportEntry& entry);
  Status apply_entry(const AccountEntry& entry);
  Status apply_entry(const MainLostEntry& entry);
  Status apply_entry(const PromotionEntry& entry);
  Status apply_entry(const DrillEntry& entry);
  Status apply_entry(const GraftEntry& entry);
  Status apply_entry(const ShareEntry& entry);
  Status apply_entry(const UnknownEntry& entry);

  Status note_entry(std::string_view kind, const std::optional<HearingId>& hearing = std::nullopt);
  Status problem(std::string_view message);
  Result<std::optional<std::string>> read_document(const Digest& digest);
  // The text of a note document; empty when it is lost or cannot be understood (a problem then).
  Result<std::string> read_note(const Digest& digest);
  Result<std::optional<std::int64_t>> row_of(const HearingId& hearing);

  Connection& db_;
  const Sources& sources_;
  FinishedAhead* ahead_ = nullptr;
  std::uint64_t index_ = 0;   // of the entry being applied
  std::int64_t problems_ = 0;  // of the entry being applied
  std::set<std::int64_t> changed_texts_;  // rows of hearings; sorted, because the index is fastest in that order
};

}  // namespace greffe::catalogue

#endif
