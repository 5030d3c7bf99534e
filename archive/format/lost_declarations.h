// What two officers of an archive have declared lost, as its main log says it, and the order that they sign. Pure. See
// docs/formats/main-log.md.
#ifndef GREFFE_ARCHIVE_FORMAT_LOST_DECLARATIONS_H
#define GREFFE_ARCHIVE_FORMAT_LOST_DECLARATIONS_H

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/entries.h"
#include "archive/format/officers.h"

namespace greffe {

// The text that each officer signs (Ed25519 over exactly these bytes). The order of `objects` does not matter. Without a
// hearing: documents that only the main log names.
std::string lost_statement(std::string_view archive, const std::optional<HearingId>& hearing, const std::vector<Digest>& objects);

// An entry that stands further on in a log than its reader has come, shown to the reader with the proof that it does.
struct ShownEntry {
  std::string entry;  // verbatim
  std::string proof;  // C2SP tlog-proof
};
// ok: its index in the log that `log` signs. denied: the checkpoint is of another log, or not signed by it. corrupt: the
// proof does not hold.
Result<std::uint64_t> check_shown(const ShownEntry& shown, const VerifierKey& log);

// Filled with the entries of one main log. A value.
class LostDeclarations {
 public:
  explicit LostDeclarations(std::string archive) : archive_(std::move(archive)) {}

  // Whether take() would learn anything from this entry. Far quicker than reading it as JSON.
  static bool concerns(std::string_view entry);
  // In rising order of index; gaps are allowed as far as concerns() is false. denied: a `lost` entry that is not signed by two
  // officers whose keys the log had then; it declares nothing.
  Status take(const MainEntry& entry);

  // Of this hearing; without one, of the documents that only the main log names.
  bool covers(const std::optional<HearingId>& hearing, const Digest& digest) const;
  // Of whatever hearing.
  bool names(const Digest& digest) const;
  const std::set<Digest>& of(const std::optional<HearingId>& hearing) const;
  const Officers& officers() const { return officers_; }

 private:
  Status check(const MainLostEntry& entry) const;

  std::string archive_;
  Officers officers_;
  std::map<std::optional<HearingId>, std::set<Digest>> lost_;
};

}  // namespace greffe

#endif
