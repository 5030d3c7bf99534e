// What two sites say to one another while they are compared (docs/formats/machine-protocol.md). Pure. Every reader is strict: it
// takes exactly what the writer gives, with the limits below; invalid otherwise, with the field.
#ifndef GREFFE_ARCHIVE_FORMAT_COMPARISON_MESSAGES_H
#define GREFFE_ARCHIVE_FORMAT_COMPARISON_MESSAGES_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/comparison_tree.h"

namespace greffe {

constexpr std::size_t kComparisonNodesMax = 1024;   // asked about at once: their children are 512 KiB
constexpr std::size_t kComparisonLeavesMax = 4096;  // the same
constexpr std::size_t kComparisonIdsMax = 16'384;   // in one answer: 512 KiB
constexpr std::size_t kChallengedMax = 64;          // objects at once

// The comparison of one main log at one size. Whoever asks draws the name; asking again with the same name begins nothing new.
struct ComparisonBegin {
  std::string name;  // 32 hex
  std::uint64_t size = 0;
  Digest root;
};
std::string make_comparison_name();  // random
std::string write_comparison_begin(const ComparisonBegin& begin);
Result<ComparisonBegin> parse_comparison_begin(std::string_view text);

struct ComparisonState {
  bool ready = false;
  std::uint64_t done = 0;    // not ready: steps of `total`
  std::uint64_t total = 0;
  std::uint64_t items = 0;   // ready: in the tree
  std::uint64_t absent = 0;  // named there, and not there
  Digest root;
};
std::string write_comparison_state(const ComparisonState& state);
Result<ComparisonState> parse_comparison_state(std::string_view text);

// The hashes of the children of some nodes of one level.
struct NodesQuestion {
  std::string name;
  unsigned level = 0;                // of the nodes; below kComparisonLevels
  std::vector<std::uint32_t> nodes;  // rising, 1 to kComparisonNodesMax
};
std::string write_nodes_question(const NodesQuestion& question);
Result<NodesQuestion> parse_nodes_question(std::string_view text);
std::string write_nodes_answer(const std::vector<Digest>& hashes);
Result<std::vector<Digest>> parse_nodes_answer(std::string_view text, const NodesQuestion& question);

// The ids in some leaves.
struct IdsQuestion {
  std::string name;
  std::vector<std::uint32_t> leaves;  // rising, 1 to kComparisonLeavesMax
  std::optional<Digest> after;        // only those behind it: an answer that was not the last one goes on
};
std::string write_ids_question(const IdsQuestion& question);
Result<IdsQuestion> parse_ids_question(std::string_view text);
struct IdsAnswer {
  std::vector<Digest> ids;  // rising, each in one of the leaves; one at least when there are more
  bool more = false;
};
std::string write_ids_answer(const IdsAnswer& answer);
Result<IdsAnswer> parse_ids_answer(std::string_view text, const IdsQuestion& question);

struct ChallengeQuestion {
  std::string name;
  Digest nonce;
  std::vector<Digest> objects;  // 1 to kChallengedMax
};
std::string write_challenge_question(const ChallengeQuestion& question);
Result<ChallengeQuestion> parse_challenge_question(std::string_view text);
using ChallengeAnswer = std::vector<std::optional<Digest>>;  // none: it has no good replica
std::string write_challenge_answer(const ChallengeAnswer& answer);
Result<ChallengeAnswer> parse_challenge_answer(std::string_view text, const ChallengeQuestion& question);

// Objects that somebody found to be absent from a pool, told to the archive that writes to it.
struct AbsentObjects {
  std::optional<HearingId> hearing;  // that names them; none: documents that only the main log names
  std::vector<Digest> objects;       // 1 to kAbsentMax
};
constexpr std::size_t kAbsentMax = 4096;
std::string write_absent_objects(const AbsentObjects& absent);
Result<AbsentObjects> parse_absent_objects(std::string_view text);

}  // namespace greffe

#endif
