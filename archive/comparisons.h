// The second site's side of a comparison: builds what it holds of an origin, in a thread of its own ("gr-compare"), answers questions
// about it, and proves that it has the bytes. What is found to be missing here on the way goes onto this site's list of what is lost.
// Thread-safe. One comparison at a time; it is dropped ten minutes after the last question.
#ifndef GREFFE_ARCHIVE_COMPARISONS_H
#define GREFFE_ARCHIVE_COMPARISONS_H

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/base/log.h"
#include "archive/deposit.h"
#include "archive/format/comparison_messages.h"
#include "archive/lost_objects.h"
#include "archive/store/compared_objects.h"

namespace greffe::tlog {
class NamedItems;
}

namespace greffe::archive {

class Comparisons {
 public:
  // `directory`: for temporary files; of this class alone.
  Comparisons(Clock& clock, Log& log, FileSystem& files, store::WholePool& pool, HearingLogs& hearings, LostObjects& lost, std::string directory);
  ~Comparisons();
  void start();
  void stop();

  // Begins a comparison, or says how far the one of this name is. denied: the peer is not this origin's replicator. unavailable: one of
  // another origin is under way, or was used within the last minute. What ended a comparison is told once, and it can be begun again.
  Result<ComparisonState> ask(const Peer& peer, const std::string& origin, const ComparisonBegin& begin);
  // not_found: there is no such comparison (any more), or it is not ready.
  Result<std::vector<Digest>> answer(const Peer& peer, const std::string& origin, const NodesQuestion& question);
  Result<IdsAnswer> answer(const Peer& peer, const std::string& origin, const IdsQuestion& question);
  // Read from the media, past the page cache, here and now. Only of what is in the comparison; what turns out to have no good replica is
  // listed as lost here.
  Result<ChallengeAnswer> answer(const Peer& peer, const std::string& origin, const ChallengeQuestion& question);

 private:
  struct Current;  // one comparison
  using Side = std::shared_ptr<const store::ComparedObjects>;
  Result<Side> ready(const Peer& peer, const std::string& origin, const std::string& name);
  Status may_begin(const std::string& origin) const /* mutex_ held */;
  void run(const std::stop_token& stop);
  Result<Side> build(Current& current, const std::stop_token& stop);
  void list_as_lost(const std::string& log_path, const std::vector<ComparedItem>& absent);

  Clock& clock_;
  Log& log_;
  FileSystem& files_;
  store::WholePool& pool_;
  HearingLogs& hearings_;
  LostObjects& lost_;
  const std::string directory_;
  std::mutex mutex_;  // guards `current_` and what is in it, but for what only its builder touches
  std::condition_variable_any changed_;
  std::shared_ptr<Current> current_;
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
