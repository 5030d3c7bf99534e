// Keeps one target up to date: fresh hearings first, then the main log in its order with the hearings that it commits to. A pass
// works on a bounded number of logs at a time (window.h), with as many threads as there are connections and two more, so that
// pictures that wait for the line never hold up sound, nor both of them the log.
#ifndef GREFFE_REPLICATE_REPLICATOR_H
#define GREFFE_REPLICATE_REPLICATOR_H

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "replicate/fresh_hearings.h"
#include "replicate/known_hearings.h"
#include "replicate/lost_return.h"
#include "replicate/main_walk.h"
#include "replicate/pass_report.h"
#include "replicate/window.h"

namespace greffe::replicate {

class Replicator {
 public:
  struct Options {
    LogCopier::Limits limits = {};
    std::int64_t poll_interval_ms = 1000;  // how often a pass that lasts looks for fresh hearings
    std::string name = {};                 // of the target, for the names of threads
    std::function<void(MediaClass, std::uint64_t bytes)> on_sent = nullptr;  // any thread
  };
  // All of them must outlive this object.
  Replicator(Sites sites, Bandwidth& bandwidth, Clock& clock, Options options, Log& log);

  // Everything that may go and is there, up to the head of the main log at its beginning. One thread. unavailable: the target does
  // not answer, try again. conflict: the sites disagree. denied, invalid: as the words say. cancelled.
  Result<PassReport> pass(std::stop_token stop);

 private:
  // Threads of a pass.
  void lane(unsigned number);
  void run(const Job& job);
  void plan(Work& work);
  void send(const Job& job);
  void commit(Work& work);
  void failed(Work& work, const Error& error);
  unsigned allowed(MediaClass media) const;

  // The thread that called pass().
  Status carry_all();
  Status look();
  Status look_back();
  void offer(const HearingId& id);
  std::optional<Digest> done_with(const FreshHearing& fresh);
  bool has_line_of_target(const SignedCheckpoint& head) const;
  bool is_owed(const HearingId& id) const;
  Status admit();
  Result<bool> admit_backlog();
  Result<bool> end_step();
  void settle(Work work);
  void settle_hearing(const Work& work);
  void settle_main(Work& work);
  Status wait();
  bool walk_again();
  void give_back(RepairableSite& site, const TakeLost& take, const std::stop_token& stop);

  const Sites sites_;
  Bandwidth& bandwidth_;
  Clock& clock_;
  const Options options_;
  LogCopier copier_;
  const Window::Allowed allowed_ = [this](MediaClass media) { return allowed(media); };

  // Of the calling thread; kept from pass to pass, and only saves questions.
  FreshHearings fresh_;
  KnownHearings known_;
  MainWalk walk_;
  std::int64_t walk_again_ms_ = 0;      // monotonic: not before that is what was held up tried again
  std::set<MediaClass> closed_;         // in the walk before
  // Of one pass.
  std::deque<HearingId> waiting_;       // fresh ones that are not in the window yet
  std::set<HearingId> tried_;           // in this walk, without getting to the end; and not long ago; at most PassReport::kMostNamed
  bool ahead_ = true;                   // logs that wait for the line make room for what comes behind them
  bool parted_ = false;                 // some log did, in this walk
  bool parted_open_ = false;            // one of them only waited for its turn on the line
  bool documents_ = false;              // of the step of the walk were asked for
  std::optional<Step> documents_done_;
  bool walk_over_ = false;
  bool looking_back_ = false;
  PassReport held_up_;                  // what the newest walk from the beginning found
  std::int64_t looked_ms_ = 0;
  std::int64_t tries_began_ms_ = 0;
  std::int64_t walk_began_ms_ = 0;

  std::mutex mutex_;                    // guards what follows, and the fields of works and reports below
  std::condition_variable_any changed_;
  Window window_;
  PassReport report_;
  std::optional<Error> stopped_by_;     // what concerns the way to the target, not one log
  bool full_ = false;                   // the target takes no more sound and picture in this pass
  bool over_ = false;                   // the pass: lanes end
  std::uint64_t progress_ = 0;          // objects and steps that arrived
  std::stop_token stop_;
};

}  // namespace greffe::replicate

#endif
