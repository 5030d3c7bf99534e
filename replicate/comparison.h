// `greffe-replicate compare`: does the second site hold everything that it has confirmed, and does this site? One thread, and one
// beside it ("gr-compare") that reads this site's logs and names while the second site reads its own.
#ifndef GREFFE_REPLICATE_COMPARISON_H
#define GREFFE_REPLICATE_COMPARISON_H

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/log.h"
#include "archive/store/whole_pool.h"
#include "replicate/differences.h"
#include "replicate/last_comparison.h"
#include "replicate/remote_sites.h"
#include "replicate/source.h"

namespace greffe::replicate {

struct ComparisonReport {
  std::string target;
  UtcTime utc;                    // when it began
  std::uint64_t main_size = 0;    // the second site holds and has confirmed so much of the main log
  std::uint64_t items = 0;        // objects and logs here
  std::uint64_t items_there = 0;
  Digest root;                    // of the tree here
  Differences differences;
  std::vector<ComparedItem> missing_here;  // named by the logs, and not here; the first 10,000
  std::uint64_t missing_here_count = 0;
  std::uint64_t missing_there_count = 0;
  std::uint64_t challenged = 0;
  std::vector<Unproved> unproved;
  Traffic traffic;
  std::uint64_t returned = 0;          // objects that one site gave back to the other, before this comparison
  std::vector<std::string> problems;   // sentences: what could not be told or mended

  bool equal() const { return differences.none() && missing_here_count + missing_there_count == 0 && unproved.empty(); }
  LastComparison last() const;
  Json json() const;
  std::string words() const;
  // Hearings whose log only this site has whole.
  std::vector<HearingId> logs_only_here() const;
};

struct ComparedParts {  // all outlive the comparison
  FileSystem& files;
  Clock& clock;
  store::WholePool& pool;
  const Source& source;  // in it
  CopySite& target;
  ComparedSite& compared;
  InformedSite& archive;
};

struct ComparisonSettings {
  VerifierKey target_key;  // whose confirmation says how far the second site is
  std::string directory;   // for temporary files, see ComparedObjects; nobody else's
  std::size_t challenged = 0;
};

// What is missing here is told to the archive, and there it is listed by the site itself: replication brings it back.
// not_found: the second site holds nothing yet. conflict: the two sites do not have the same main log. unavailable: not now. denied: it
// has confirmed nothing with this key. Else as ComparedObjects::build and ComparedSides::find.
Result<ComparisonReport> compare_sites(const ComparedParts& parts, const ComparisonSettings& settings, const std::stop_token& stop);

}  // namespace greffe::replicate

#endif
