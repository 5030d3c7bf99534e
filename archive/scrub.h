// Reads everything that the pool holds again and again: every replica of every volume from its medium at least once in a
// period, the ones that were not read for longest first; then all logs. What is bad or missing is rewritten from a good
// replica and read again; what no volume has any more is named with its hearing and seconds, and asked for at the other
// sites (recall.h), where there are any. Thread "gr-scrub", with idle priority for processor and disk. Thread-safe.
//
// A volume is read in the order of names, and each name has its time: a pass takes four fifths of the period however much
// there is. Where a pass is behind (the archive stood still, the volume was away), it goes as fast as the rate allows.
// How far each volume is survives in one small file (scrub_state.h), saved every few seconds: after a crash so much is
// read twice, and nothing is skipped. What is written behind the place where a pass is was read back from the media when it
// came (read_back.h) and is read by the next pass.
//
// There is one mechanism. A person who asks for a scrub makes it go without pauses, through the passes under way to
// the end of a whole further one, and hears what came of that.
//
// Of a pool whose service keeps the replicas (RADOS, S3) nothing is read unless somebody asks: the service scrubs itself.
#ifndef GREFFE_ARCHIVE_SCRUB_H
#define GREFFE_ARCHIVE_SCRUB_H

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "archive/base/log.h"
#include "archive/lost_objects.h"
#include "archive/main_log.h"
#include "archive/recall.h"
#include "archive/scrub_state.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

struct ScrubSettings {
  std::int64_t period_ms = 90LL * 24 * 3'600'000;
  std::uint64_t bytes_per_second = 50'000'000;  // read from all volumes together, unless somebody waits; 0: no limit
  std::string state_path;
  // Whether replicas lack for no other reason than damage. false: somebody else writes what lacks because of volumes that
  // came or went.
  std::function<bool()> volumes_settled = {};
  store::DamageListener on_damage = {};  // of what is found outside the pool: objects that are on no volume at all
  AskableSites sites = {};  // that are asked for what no volume has any more
  // Entries known ahead below this folder had no good copy any more and were removed, or some copy was written anew.
  std::function<void(const std::string& folder)> on_ahead_changed = {};
};

// How far one volume is.
struct ScrubProgress {
  std::string volume;  // id
  std::string path;
  bool there = true;
  double share = 0;           // of this pass, 0 to 1
  UtcTime began;              // this pass
  std::optional<std::int64_t> left_ms;  // until it is over; none: not known yet
  std::uint64_t objects = 0;  // replicas read in this pass
  std::uint64_t bytes = 0;
  std::uint64_t failures = 0;
  std::uint64_t passes = 0;        // finished ones
  std::optional<UtcTime> oldest;   // no replica was read last before this; none: some were never read by a scrub
  bool late = false;               // some were not read for longer than the period
  std::string problem;             // why nothing is read just now; empty: nothing hinders it
};

struct ScrubReport {
  bool by_service = false;
  bool asked = false;  // somebody waits for it
  // For the one who has waited longest: read so far, and how much of what there is to read on all volumes, 0 to 1.
  std::uint64_t asked_bytes = 0;
  double asked_share = 0;
  std::vector<ScrubProgress> volumes;
  LogsPass logs;
};

class Scrub {
 public:
  Scrub(Clock& clock, Log& log, FileSystem& files, store::WholePool& pool, MainLog& main_log, ScrubSettings settings);
  ~Scrub();  // stops the thread
  void start();
  void stop();  // after the replica under way; whoever waits is told. Goes on there at the next start.

  // Makes it read everything without pauses and waits for that:
  // {"bytes","failures","logs","not_read":[path],"objects","repaired","unrepaired":[{"key","problem",…}]}. `objects`: replicas
  // of the whole further pass. cancelled: the archive stops.
  Result<Json> read_all_now();
  ScrubReport report() const;
  const LostObjects& lost() const { return lost_; }
  LostObjects& lost() { return lost_; }
  Recall& recall() { return recall_; }
  std::int64_t period_ms() const { return settings_.period_ms; }

 private:
  // What somebody waits for. Begun between two replicas, so that whatever is read for it is read after it was asked.
  struct Request {
    bool begun = false;
    std::map<std::string, std::uint64_t> until;  // volume -> passes that must be finished
    std::uint64_t logs_until = 0;
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
    std::uint64_t failures = 0;
    std::uint64_t repaired = 0;
    std::uint64_t logs = 0;
    std::uint64_t read_bytes = 0;  // for it, of the pass under way too
    double work = 0;               // passes over volumes that it waited for when it began; the one under way in part
    std::map<std::string, std::string> unrepaired;  // key -> problem
    std::optional<Status> done;
  };
  // One volume, with what is in memory only.
  struct Lane {
    VolumePass pass;
    std::string path;
    bool there = true;
    bool listed = false;             // what stands behind pass.after is known: `names`, or nothing
    std::int64_t listed_ms = 0;      // monotonic; since when
    std::set<std::string> strays;    // that were told in this pass
    std::vector<Digest> names;       // of one folder, not read yet; the next one last
    std::int64_t not_before_ms = 0;  // monotonic; after a failure
    std::string problem;
    std::int64_t measured_ms = 0;    // monotonic; since when the speed is measured
    NamePosition measured_from = 0;
  };

  void run(std::stop_token stop);
  // Does one thing; how long to rest after it.
  std::int64_t step(const std::stop_token& stop);
  void check_clock();
  void look_at_volumes();
  std::int64_t look_every_ms() const;
  void begin_requests() /* mutex_ held */;
  void end_requests() /* mutex_ held */;

  // Of volumes; each returns how long to rest.
  Lane* next_lane(std::int64_t& rest_ms) /* mutex_ held */;
  std::int64_t advance(Lane& lane, const std::stop_token& stop);
  std::int64_t list_names(Lane& lane);
  std::int64_t read_replica(Lane& lane, const Digest& digest);
  std::int64_t read_service(Lane& lane, const std::stop_token& stop);
  std::int64_t finish_pass(Lane& lane, const std::stop_token& stop);
  std::int64_t hinder(Lane& lane, const Error& error);
  bool mend(Lane& lane, const Digest& digest, bool good);
  void fill(const Digest& digest, bool waited_for);

  // Of logs.
  std::int64_t time_to_logs() const /* mutex_ held */;
  std::int64_t read_logs(const std::stop_token& stop);
  Result<std::uint64_t> check_one_log(const std::string& path, const std::stop_token& stop);
  void check_entries_ahead(const std::stop_token& stop);
  Status finish_logs(const std::stop_token& stop);

  // What no volume has any more, at the other sites.
  bool recall_next();
  void recall_all(const std::stop_token& stop);
  Status recall(const Digest& digest, const LostObject& lost);

  bool in_haste(const Lane& lane) const /* mutex_ held */;
  bool logs_in_haste() const /* mutex_ held */;
  std::int64_t time_to(const Lane& lane) const /* mutex_ held */;
  bool is_stale(const Lane& lane) const /* mutex_ held */;
  NamePosition reached(const Lane& lane) const /* mutex_ held */;
  std::optional<std::int64_t> left_ms(const Lane& lane) const /* mutex_ held */;
  std::int64_t rest_after(std::uint64_t bytes) const;
  double passes_left(const Request& request) const /* mutex_ held */;
  void note_read(std::uint64_t bytes) /* mutex_ held */;
  void count(Lane& lane, const std::vector<store::Damage>& damage, std::uint64_t repaired) /* mutex_ held */;
  void note_unrepaired(const std::string& key, const std::string& problem) /* mutex_ held */;
  void save(bool at_once);
  Json answer(const Request& request) const /* mutex_ held */;

  Clock& clock_;
  Log& log_;
  FileSystem& files_;
  store::WholePool& pool_;
  MainLog& main_log_;
  const ScrubSettings settings_;
  store::VolumeReplicas* const replicas_;  // none: the service under the pool scrubs itself
  LostObjects lost_;
  Recall recall_;

  mutable std::mutex mutex_;  // guards those below; lanes and logs are changed by the thread alone
  std::condition_variable_any changed_;
  std::list<Lane> lanes_;
  LogsPass logs_;
  std::list<Request> requests_;
  bool woken_ = false;
  bool running_ = false;

  // Of the thread alone; times are monotonic.
  std::int64_t looked_ms_ = 0;          // at the volumes
  std::int64_t saved_ms_ = 0;
  std::int64_t paced_until_ms_ = 0;     // by the rate
  std::int64_t logs_not_before_ms_ = 0;  // after a failure
  std::int64_t locate_not_before_ms_ = 0;
  std::int64_t recall_not_before_ms_ = 0;
  std::vector<std::pair<Digest, LostObject>> to_recall_;          // of this round; the next one last
  std::map<Digest, std::int64_t> not_recalled_until_ms_;          // what no site has
  UtcTime seen_;                        // the newest time of the wall clock
  bool unsaved_ = false;
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
