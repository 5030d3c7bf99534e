// Brings an object of which no good replica is left here back from another site: at once when a person plays it, and when a scrub
// finds it. One fetch for all who ask for the same object, few at a time; what failed is not asked for again for some seconds.
// Thread-safe.
#ifndef GREFFE_ARCHIVE_RECALL_H
#define GREFFE_ARCHIVE_RECALL_H

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "archive/base/clock.h"
#include "archive/lost_objects.h"
#include "archive/other_sites.h"

namespace greffe::archive {

inline constexpr std::int64_t kRecallRestMs = 10'000;  // nothing is asked again sooner: of an object, and of a site that did not answer
inline constexpr unsigned kRecallsAtOnce = 4;          // of up to 16 MiB in memory each

class Recall {
 public:
  // `sites` may be empty: then there is nowhere to ask. `lost` outlives this.
  Recall(Clock& clock, LostObjects& lost, AskableSites sites);

  bool has_sites() const;
  // `hearing` names the object, or (none) this archive's main log does. ok: its good replicas are here, durably, what was damaged is in
  // the quarantine, and the main log has or gets the repair. not_found: no site has it, or there is none to ask, or it was declared lost.
  // unavailable: not now. Errors of the pool while it is stored. Blocks until the sites have answered, about half a minute each at most.
  Status bring_back(const std::optional<HearingId>& hearing, const Digest& digest);

 private:
  struct Try {
    std::optional<Status> outcome;
    std::int64_t good_for_until_ms = 0;  // monotonic; of an outcome
  };
  Status fetch_and_store(const std::optional<HearingId>& hearing, const Digest& digest);
  Result<Bytes> ask(OtherSite& site, const std::optional<HearingId>& hearing, const Digest& digest);
  std::shared_ptr<Try> known(const Digest& digest) /* mutex_ held */;
  bool is_resting(const OtherSite& site) const;

  Clock& clock_;
  LostObjects& lost_;
  const AskableSites sites_;
  mutable std::mutex mutex_;  // guards those below
  std::condition_variable changed_;
  std::map<Digest, std::shared_ptr<Try>> tries_;             // under way, and those whose outcome still counts
  std::map<std::string, std::int64_t> silent_until_ms_;      // monotonic; by site
  unsigned under_way_ = 0;
};

}  // namespace greffe::archive

#endif
