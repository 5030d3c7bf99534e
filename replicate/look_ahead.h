// What the logs of the source say further on about objects that it lacks: the `lost` entries that excuse them, with the
// proofs that they stand there. Reads the main log once, and then what has come since. One thread at a time.
#ifndef GREFFE_REPLICATE_LOOK_AHEAD_H
#define GREFFE_REPLICATE_LOOK_AHEAD_H

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/format/lost_declarations.h"
#include "replicate/source.h"

namespace greffe::replicate {

class LookAhead {
 public:
  explicit LookAhead(const Source& source) : source_(source), declared_(source.archive) {}

  // Entries that excuse some of `objects`, which are taken out of it, in their order, each epoch's behind its promotion. Without a hearing: of
  // what main-log entries name.
  Result<std::vector<ShownEntry>> find(const std::optional<HearingId>& hearing, std::set<Digest>& objects);

 private:
  Status find_in_hearing(const HearingId& hearing, std::set<Digest>& objects, std::vector<ShownEntry>& out);
  Status find_in_main_log(const std::optional<HearingId>& hearing, std::set<Digest>& objects, std::vector<ShownEntry>& out);
  Status show_promotions(std::uint64_t known, const tlog::LogChain::Link& up_to, std::vector<ShownEntry>& out);
  static Result<ShownEntry> shown(const tlog::LogReader& reader, const SignedCheckpoint& head, std::uint64_t index, std::string entry);

  const Source source_;
  // These grow with what officers declared lost, never with hearings.
  LostDeclarations declared_;          // of the main log
  std::vector<std::uint64_t> orders_;  // numbers of its entries about officers and lost objects
  std::uint64_t next_ = 0;             // of its entries to read
};

}  // namespace greffe::replicate

#endif
