// What the green lamp of a courtroom stands on: every object that a hearing's cosigned entries name is read again from the
// media of at least two volumes and hashed; what is damaged is repaired and read again. Thread-safe.
//
// A hearing has one place, with the newest size that was cosigned; threads "gr-readback.N" take turns at them, some
// objects of one hearing at a time. Half of them take whichever has waited longest, the others only hearings with little to
// read, so that a recording in progress never waits behind a day's backlog. They have no lower priority than others: a
// courtroom waits for them.
//
// All is in memory: after a start every hearing begins at 0 again, and is worked up when its next entries arrive or when
// its station asks.
#ifndef GREFFE_ARCHIVE_READ_BACK_H
#define GREFFE_ARCHIVE_READ_BACK_H

#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/declared_lost.h"
#include "archive/hearing_logs.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

struct ReadBackFacts {
  std::uint64_t lagging = 0;       // hearings with entries that are cosigned and not read back
  std::int64_t oldest_age_ms = 0;  // since the first of those entries was cosigned, or asked for after a start
  std::uint64_t held_back = 0;     // hearings whose next entry could not be read back; they are tried again
  std::string problem;             // why, of one of those: a sentence
};

class ReadBack {
 public:
  ReadBack(Clock& clock, Log& log, store::WholePool& pool, HearingLogs& hearings, DeclaredLost& declared);
  ~ReadBack();  // stops the threads
  void start();
  void stop();  // once the objects under way are read; what waits is forgotten

  // The hearing's first `size` entries are cosigned here. Any thread; never waits for a disk.
  void follow(const HearingId& id, std::uint64_t size);
  // Every object named by an entry below this index was read back by this process and was good, but what a `lost` entry
  // of the hearing names, or two officers declared lost. 0: nothing is known.
  std::uint64_t size(const HearingId& id) const;
  ReadBackFacts facts() const;

 private:
  // An object that could not be read back, and what was seen then: as long as it is the same, another repair is in vain.
  struct Obstacle {
    Digest digest;
    unsigned good = 0;
    unsigned asked = 0;
    std::string why;  // a sentence
  };
  struct Cosigned {
    std::uint64_t size = 0;
    std::int64_t since_ms = 0;  // monotonic
  };
  struct Place {
    std::uint64_t size = 0;          // read back
    std::uint64_t held = 0;          // cosigned
    std::vector<Cosigned> cosigned;  // what is not read back yet, oldest first
    bool active = false;             // it waits in waiting_, or has its turn
    std::int64_t followed_ms = 0;    // monotonic; of the newest follow()
    std::int64_t not_before_ms = 0;  // monotonic; after a failure
    std::int64_t rest_ms = 0;        // between the two newest tries
    std::optional<Obstacle> obstacle;
    std::string problem;  // why the newest turn ended; empty: it went well
  };
  struct Turn {
    HearingId id;
    std::uint64_t first = 0;
    std::uint64_t held = 0;
    std::optional<Obstacle> obstacle;
    Status outcome = ok();
  };
  enum class Takes { any, little };
  class Reading;

  void run(std::stop_token stop, std::size_t number, Takes takes);
  std::optional<Turn> next_turn(std::stop_token stop, Takes takes);
  void take(Turn& turn, const std::stop_token& stop);
  void advance(const HearingId& id, std::uint64_t size);
  void finish(const Turn& turn);
  bool make_room() /* mutex_ held */;

  Clock& clock_;
  Log& log_;
  store::WholePool& pool_;
  HearingLogs& hearings_;
  DeclaredLost& declared_;
  mutable std::mutex mutex_;            // guards the four below
  std::condition_variable_any changed_;
  std::uint64_t changes_ = 0;           // of waiting_, for those who wait
  std::map<HearingId, Place> places_;
  std::list<HearingId> waiting_;        // those with something to read, each once, but those that have their turn
  std::vector<std::jthread> threads_;
};

}  // namespace greffe::archive

#endif
