// The logs that are on their way to one target at this moment, at most so many, and what is to be done for them next: the log and
// documents of all of them first, then sound, then picture; of each, fresh hearings before backlog. Guarded by its owner.
#ifndef GREFFE_REPLICATE_WINDOW_H
#define GREFFE_REPLICATE_WINDOW_H

#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "replicate/log_copier.h"

namespace greffe::replicate {

// One log on its way.
struct Work {
  enum class Stage : std::uint8_t { plan, objects, commit, done };
  bool fresh = false;
  std::optional<HearingId> hearing;         // none: the main log
  std::optional<std::uint64_t> known_held;  // of the hearing
  bool documents_only = false;              // of the main log: its entries wait for hearings
  Stage stage = Stage::plan;
  Step step;
  ByClass<std::size_t> next{};              // of step.missing
  ByClass<unsigned> running{};              // jobs at this moment
  int plans = 0;
  bool parted = false;                      // taken out before its end: a class must not go now
  bool delivered = false;                   // the confirmation of all that is held
  std::optional<Error> error;

  bool lacks(MediaClass media) const { return next[index_of(media)] < step.missing[index_of(media)].size(); }
  bool is_running() const { return running != ByClass<unsigned>{}; }
  // Nothing but pictures is left to be sent.
  bool only_picture() const {
    const auto over = [this](MediaClass media) { return !lacks(media) && running[index_of(media)] == 0; };
    return stage == Stage::objects && over(MediaClass::log) && over(MediaClass::sound);
  }
};

struct Job {
  enum class Kind : std::uint8_t { plan, object, commit };
  Kind kind = Kind::plan;
  Work* work = nullptr;
  MediaClass media = MediaClass::log;
  Named object;  // of kind object
};

class Window {
 public:
  static constexpr std::size_t kMost = 64;         // logs
  static constexpr std::size_t kMostBacklog = 48;  // of them
  static constexpr std::size_t kKeptWaiting = 8;   // logs that wait for the line only
  // Objects of a class at a time; 0: nothing of it may go now.
  using Allowed = std::function<unsigned(MediaClass)>;
  // Of sound and picture together `media` at most.
  explicit Window(unsigned media) : media_(media) {}

  bool has_room(bool fresh) const { return works_.size() < (fresh ? kMost : kMostBacklog); }
  bool empty() const { return works_.empty(); }
  bool contains(const HearingId& hearing) const;
  bool contains_moving(const HearingId& hearing, const Allowed& allowed) const;  // and does not only wait for the line
  bool has_fresh() const { return !works_.empty() && works_.front().fresh; }
  bool has_backlog() const { return !works_.empty() && !works_.back().fresh; }
  bool has_backlog_but_pictures() const;
  Work& add(Work work);  // lives until remove_done() gives it back

  // What to do next; it counts as running until ended().
  std::optional<Job> take(const Allowed& allowed);
  void ended(const Job& job);
  // Works that are done or parted and have nothing running.
  std::list<Work> remove_done();
  // Parts with one log that only waits for its turn on the line, the last in order, so that another one finds room. False: none does.
  bool make_room(const Allowed& allowed);
  // Parts with every log that only waits for classes of which nothing may go now.
  void part_with_closed(const Allowed& allowed);
  std::size_t waiting(const Allowed& allowed) const;

 private:
  bool may_start(MediaClass media, const Allowed& allowed) const;
  bool waits(const Work& work, const Allowed& allowed) const;

  unsigned media_;
  std::list<Work> works_;  // fresh ones first
  ByClass<unsigned> running_{};
};

}  // namespace greffe::replicate

#endif
