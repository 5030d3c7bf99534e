// Entries that a replica knows before it holds what they name, as they lie in its pool: a piece each, that says by itself which tree it
// continues and which signed tree it ends. And where they lie. Pure. See docs/formats/volume.md.
#ifndef GREFFE_ARCHIVE_FORMAT_AHEAD_PIECE_H
#define GREFFE_ARCHIVE_FORMAT_AHEAD_PIECE_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/merkle.h"
#include "archive/format/names.h"
#include "archive/format/signed_note.h"

namespace greffe {

struct AheadPiece {
  TreeEdge before;                   // of the entries in front of these
  std::vector<std::string> entries;  // verbatim, at least one
  std::string checkpoint;            // the note that the log's own key signed over the tree that ends with them
};

// A piece that was read: its entries lead from the tree before them to the root of its checkpoint.
struct CheckedPiece {
  AheadPiece piece;
  SignedCheckpoint head;
  TreeEdge after;
  StageName name() const { return {piece.before.size(), head.checkpoint.size, head.checkpoint.root}; }
};

std::string write_ahead_piece(const AheadPiece& piece);  // canonical JSON
// invalid: not a piece. corrupt: its entries lead to another root than that of its checkpoint. Who signed that is the caller's to check.
Result<CheckedPiece> parse_ahead_piece(std::string_view bytes);

// Keys of a pool. Pieces are removed once the log holds what they say, as stages are: "<folder>/stage/<first>-<size>-<root hex>".
constexpr std::string_view kAheadLogs = "log/ahead/";
std::string ahead_path(const HearingId& id);                     // "log/ahead/hearing/<uuid>"
std::string ahead_path_of_main_log(std::string_view origin);     // "log/ahead/from/<SHA-256 of origin>"
Result<std::string> log_path_ahead_of(std::string_view folder);  // where that log itself lies; invalid: no such folder
struct AheadKey {
  std::string folder;  // "log/ahead/…"
  StageName name;
};
Result<AheadKey> parse_ahead_key(std::string_view key);  // of a piece; invalid: it is none

}  // namespace greffe

#endif
