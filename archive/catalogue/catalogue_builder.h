// The catalogue's write side: applies main-log entries one after the other. The result is a pure function of the main
// log, the hearing logs and the documents they name: applied in one go or over months, in batches of any size, the
// dump is the same byte for byte (I8). Indices of main-log entries are their numbers through all epochs (tlog::LogChain). One thread at a
// time; readers go on meanwhile.
#ifndef GREFFE_ARCHIVE_CATALOGUE_CATALOGUE_BUILDER_H
#define GREFFE_ARCHIVE_CATALOGUE_CATALOGUE_BUILDER_H

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/base/result.h"
#include "archive/catalogue/catalogue.h"
#include "archive/format/signed_note.h"
#include "archive/tlog/log_chain.h"

namespace greffe::catalogue {

// The bytes of a document object. not_found or corrupt: it is lost, and the catalogue says so where it matters; any
// other error ends the batch, to be tried again.
using DocumentSource = std::function<Result<std::string>(const Digest&)>;
// Entries [first, last) of a hearing's log in order; `visit` returns false to stop.
using HearingSource = std::function<Status(const HearingId&, std::uint64_t first, std::uint64_t last,
                                           const std::function<bool(std::uint64_t, std::string_view)>& visit)>;
// The entries at `indices` (ascending) of a hearing's log to which nothing is added after `end`, proved by its root. Any error: they are
// asked of HearingSource instead. Any thread.
using FinishedSource = std::function<Result<std::vector<std::string>>(const HearingId&, const Checkpoint& end,
                                                                      std::span<const std::uint64_t> indices)>;
struct Sources {
  DocumentSource document;
  HearingSource hearing;
  FinishedSource finished = {};  // may be empty
};

class FinishedAhead;

class CatalogueBuilder {
 public:
  // An existing catalogue. not_found: no such file. corrupt: damaged (quick_check), of another version, or not a
  // catalogue: rebuild.
  static Result<CatalogueBuilder> open(const std::string& path, Sources sources);
  // A new, empty one. already_exists: the path is taken.
  static Result<CatalogueBuilder> create(const std::string& path, Sources sources);
  CatalogueBuilder(CatalogueBuilder&&) noexcept;
  CatalogueBuilder& operator=(CatalogueBuilder&&) noexcept;
  ~CatalogueBuilder();  // what was not committed is forgotten

  Applied applied() const;     // what the last commit stands for
  std::uint64_t next() const;  // the index that apply() expects

  // `index` must be next() (invalid otherwise; nothing changes). An entry that cannot be understood becomes a Problem and is ok. After
  // any other error the whole batch is rolled back: next() is applied().size again.
  Status apply(std::uint64_t index, std::string_view entry);
  // The finished hearings of the entries that come next: of them only what their `close` does not sum up is read. Must outlive those
  // entries; null: none. What is committed before the `close` of such a hearing was applied lacks its sums.
  void look_ahead(FinishedAhead* ahead);
  // Makes the batch visible, as the state of the main log at size next() with this root. Survives a crash of the
  // process; a power cut may forget the newest commits, never half of one.
  Status commit(const Digest& root);

  // Every row of every table in a fixed order, as text: equal dumps are equal catalogues.
  Status dump(const std::function<void(std::string_view line)>& write) const;
  Result<std::string> dump() const;
  // Compares the text index with the rows that it was made from. corrupt: they differ.
  Status check_text_index();
  // Merges the pieces of the text index into one and empties the write-ahead log: after a rebuild. Outside a batch.
  Status compact();

 private:
  struct State;
  explicit CatalogueBuilder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Applies what the main log has beyond applied(), in batches. conflict: what was applied is not a prefix of this log.
// `progress` is told the entries done and in all; may be empty.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
Status catch_up(CatalogueBuilder& builder, const tlog::LogChain& main_log, const Progress& progress = {});

struct Opened {
  CatalogueBuilder builder;
  std::string rebuilt_because;  // empty: the existing file was good
};
// The catalogue of this main log, caught up. A file that is missing, damaged, of another version or of another log is
// rebuilt from nothing beside it and swapped in; a crash meanwhile leaves the old file and a "<path>.new" that the next
// call removes.
Result<Opened> open_or_rebuild(FileSystem& files, const std::string& path, const Sources& sources,
                               const tlog::LogChain& main_log, const Progress& progress = {});
// The same without trying the existing file.
Result<CatalogueBuilder> rebuild(FileSystem& files, const std::string& path, const Sources& sources,
                                 const tlog::LogChain& main_log, const Progress& progress = {});

}  // namespace greffe::catalogue

#endif
