// Goes through the main log from what the target holds to the head, in steps that end at signed checkpoints, and says which hearing
// an entry asks for. Where something holds a step up it goes on behind it, for the hearings there. Holds one bundle of entries at a
// time, however long the log is. One thread.
#ifndef GREFFE_REPLICATE_MAIN_WALK_H
#define GREFFE_REPLICATE_MAIN_WALK_H

#include <deque>
#include <functional>
#include <optional>

#include "replicate/log_copier.h"

namespace greffe::replicate {

// A hearing, and how much of it an entry of the main log commits to.
struct Commitment {
  HearingId hearing;
  std::uint64_t size = 0;
};

class MainWalk {
 public:
  MainWalk(const Source& source, LogCopier& copier) : source_(source), copier_(copier) {}

  // Asks both sites how far the main log is. Goes on where the walk before stood, if `again` is false and something held it up;
  // else from what the target holds. Errors as LogCopier::open_main.
  Status begin(bool again);
  // The step that is walked now; opens the next one when there is none, in the next epoch where one is through. False: the walk is at
  // its end.
  Result<bool> open_step();
  // The next commitment of the step; nothing: all were given.
  Result<std::optional<Commitment>> next();
  // Every commitment of the step, once more; `visitor` returns false to stop.
  Status each(const std::function<bool(const Commitment&)>& visitor) const { return visit(first_, end_->size, visitor); }
  // The step's own part: documents and entries.
  Step step() const;
  // The target holds the step: what came back from committing it.
  void held(const Step& committed);
  // The step stays behind; the walk goes on after it.
  void blocked();

  const Step& main() const { return main_; }  // how far the target is, and the head of this walk
  bool is_blocked() const { return blocked_; }
  bool is_whole() const { return whole_; }  // it began at what the target holds
  bool is_last_step() const { return end_ && end_->size == main_.source_size; }  // of this epoch: the next one waits for it
  // Numbers of entries, through all epochs: where the walk is, how many there are, how many the target holds.
  std::uint64_t position() const { return main_.first_number + first_; }
  std::uint64_t size() const { return is_newest() ? main_.first_number + main_.source_size : source_.main.newest().first + 1; }
  std::uint64_t held() const;

 private:
  bool is_newest() const { return main_.origin == source_.main_origin(); }
  Status visit(std::uint64_t first, std::uint64_t last, const std::function<bool(const Commitment&)>& visitor) const;

  const Source source_;
  LogCopier& copier_;
  Step main_;
  bool blocked_ = false;
  bool whole_ = true;
  std::uint64_t first_ = 0;             // of the step
  std::optional<LogCopier::End> end_;   // of the step, when it is open
  std::uint64_t read_ = 0;
  std::deque<Commitment> given_next_;
};

}  // namespace greffe::replicate

#endif
