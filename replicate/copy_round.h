// Goes through everything that a copy with nobody behind it must have: each log is read there and compared with the source's, each object is
// looked for, and read whole: all of them in the copy's first 30 days, later one in a hundred. What is missing or damaged is put on the
// list of the copy's grade, from which the next pass brings it again; a damaged log is written anew at once. One thread.
#ifndef GREFFE_REPLICATE_COPY_ROUND_H
#define GREFFE_REPLICATE_COPY_ROUND_H

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "replicate/look_ahead.h"
#include "replicate/passive_site.h"

namespace greffe::replicate {

constexpr std::int64_t kRoundMs = 30LL * 24 * 3600 * 1000;  // a round takes so long, and then the next one begins

struct RoundReport {
  static constexpr std::size_t kMostProblems = 100;
  Round round;                        // as it is now; `ended`: it came to its end
  std::uint64_t logs_mended = 0;
  std::vector<std::string> problems;  // sentences: what could not be mended or told; at most so many
  std::vector<BadObject> bad;         // of the copy, now
  bool held_up = false;               // so much is bad that no more is looked for before some of it is mended
  bool equal() const { return round.ended && bad.empty() && problems.empty(); }
  Json json() const;
  std::string words() const;
};

class CopyRound {
 public:
  // All of them must outlive this object.
  CopyRound(PassiveSite& site, const Source& source, Clock& clock, Log& log);

  // Goes on as far as it is time to, where the round before it stopped. ok: also when there is nothing to do. unavailable, cancelled: it goes on
  // from there.
  Result<RoundReport> go_on(std::stop_token stop);
  // From the beginning to the end, now. As a reader it changes nothing, and only says what it finds.
  Result<RoundReport> go_through(std::stop_token stop);

 private:
  Result<RoundReport> walk(Round round, bool whole, const std::stop_token& stop);
  Status look_at(std::string_view text);
  Status look_at_hearing(const HearingCheckpointEntry& commit);
  Status look_at_log(const HearingId& id, const SignedCheckpoint& stated, bool& is_later);
  Result<HearingCheckpointEntry> last_commit(const HearingId& id);
  Status look_at_object(const Digest& digest, const std::optional<HearingId>& hearing);
  Status look_at_main(std::uint64_t first, std::uint64_t last);
  Status settle_main(const tlog::LogChain::Link& link, CopiedLog& log, const Status& looked);
  Status look_at_main_files();
  std::uint64_t end_of_piece(std::uint64_t first) const;
  Result<std::optional<std::uint64_t>> held(store::WholePool& pool);
  Status mend(CopiedLog& log, const std::string& note, const Error& why);
  Status found_bad(const Digest& digest, const std::optional<HearingId>& hearing, bool is_missing);
  void problem(std::string words);
  bool is_early(const Round& round) const;
  void save();

  PassiveSite& site_;
  const Source source_;
  Clock& clock_;
  Log& log_;
  LookAhead ahead_;
  std::int64_t saved_ms_ = 0;  // monotonic
  // Of one walk.
  OpenedCopy* copy_ = nullptr;  // who called holds it
  std::stop_token stop_;
  bool reads_all_ = true;
  std::map<HearingId, std::uint64_t> last_commits_;  // main-log entry; read when a hearing's log is to be written anew
  RoundReport report_;
};

}  // namespace greffe::replicate

#endif
