// What an import was asked to do: its arguments, read strictly, and the record of them in the spool, by which the same
// command started again after a crash finds what it had begun.
#ifndef GREFFE_INGEST_IMPORT_PLAN_H
#define GREFFE_INGEST_IMPORT_PLAN_H

#include <optional>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/documents.h"
#include "archive/format/merkle.h"
#include "archive/format/names.h"
#include "ingest/media_source.h"

namespace greffe::ingest {

struct StreamRequest {
  std::string name;
  std::string path;
  TrackChoice track;
  std::uint64_t bytes = 0;        // of the file, when the import began
  std::int64_t modified_ms = 0;
};
struct GapRequest {
  UtcTime from;
  UtcTime to;
  std::string reason;
  std::string note;               // free text; empty: none
};
struct MarkRequest {
  UtcTime at;
  std::string text;
};
struct ImportPlan {
  std::vector<StreamRequest> streams;
  UtcTime start;
  std::string details;            // the document that a person wrote, or empty when a hearing is added to
  std::vector<GapRequest> gaps;   // sorted, not overlapping
  std::vector<MarkRequest> marks; // sorted
  std::optional<HearingId> hearing;  // to add to
  std::optional<HearingId> continues;  // the earlier hearing that a new one goes on from; of any station, and only named
  bool close = false;             // not part of what identifies an import
};

// The words of the command line.
struct ImportArguments {
  std::vector<std::string> streams;  // NAME=FILE, NAME=FILE#v:0, NAME=FILE#a:1
  std::string start;
  std::string details_path;
  std::vector<std::string> gaps;     // FROM,TO,REASON[,NOTE]
  std::vector<std::string> marks;    // UTC,TEXT
  std::string hearing;
  std::string continues;
  bool close = false;
};
// invalid, with the argument and what it should be.
Result<ImportPlan> make_plan(FileSystem& files, const ImportArguments& arguments);

// The canonical text that two imports share exactly when they are the same import.
std::string identity_of(const ImportPlan& plan);

// In the spool, beside the hearing's log: written before the first entry.
struct ImportRecord {
  std::string identity;
  std::uint64_t first_entry = 0;    // index of its first entry in the hearing's log
  Digest details;                   // of a hearing that it opens
  std::vector<Digest> gap_notes;    // of the gaps that have one, in order
  std::vector<Digest> mark_notes;   // one for each mark
  std::uint64_t main_size = 0;      // of the main log, as seen when it began; of a hearing that it opens
  Digest main_root = empty_root();
  bool done = false;                // every entry but `close` is there
};
std::string write_import_record(const ImportRecord& record);
Result<ImportRecord> parse_import_record(std::string_view text);

}  // namespace greffe::ingest

#endif
