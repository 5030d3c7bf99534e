// Drills of the archives whose copies are held here (drill.h): each at its time, and when a person asks. Thread "gr-drill" does them, one after
// the other, with idle priority for processor and disk and below a rate, so that replication never waits for one. What came of one is an entry of this
// site's own main log and the report that it names; what was broken off, or could not be done, leaves nothing. Thread-safe.
#ifndef GREFFE_ARCHIVE_DRILLS_H
#define GREFFE_ARCHIVE_DRILLS_H

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/base/log.h"
#include "archive/drill.h"
#include "archive/main_log.h"

namespace greffe::archive {

struct DrillSettings {
  std::string site;             // this archive, by its name
  bool replica = true;          // false: nothing is held here that could be drilled
  std::int64_t every_ms = 0;    // from one drill of an archive to the next; 0: only when a person asks
  std::uint64_t bytes_per_second = 0;
  std::string state_directory = {};  // "drill/" below it is theirs
};

struct DrillFacts {  // of one archive whose copy is held here
  std::string archive;
  UtcTime since;                     // it is held
  std::optional<UtcTime> last;       // when the last drill ended
  std::uint64_t failures = 0;        // of that
  std::optional<UtcTime> good;       // when the last one without a failure ended
  std::optional<UtcTime> due;        // none: nobody has set a time
  bool late = false;                 // no good one for twice the time from one to the next
  bool running = false;
  std::string problem;               // why the last attempt came to nothing; empty: it did not
};

struct DrillOutcome {
  std::uint64_t index = 0;  // of the entry in the main log
  DrillEntry entry;
  std::string report;       // the document that it names
};

struct DrillState {
  std::string archive;
  bool running = false;
  DrillProgress::Step step = DrillProgress::Step::head;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::optional<Result<DrillOutcome>> outcome;  // once it is over
};

// What drills stand on; all of it outlives them.
struct DrillParts {
  Clock& clock;
  Log& log;
  FileSystem& files;
  store::ObjectStore& objects;  // where reports go
  MainLog& main_log;
  std::function<Result<std::unique_ptr<store::WholePool>>()> open_pool;       // as a reader
  std::function<std::optional<UtcTime>(const std::string& archive)> heard;    // when it was heard of last
  CheckMedia check_media;
};

class Drills {
 public:
  Drills(DrillParts parts, DrillSettings settings);
  ~Drills();  // stop()
  void start();
  void stop();  // one that is under way is broken off, and its time has come at the next start

  // Has one begun now; its number, by which it is asked about. One of the same archive that is under way already is joined. An empty name: of the
  // one archive that is held. denied: nothing is held here. not_found: not held. invalid: several are, say which. unavailable: one of another archive is under way.
  Result<std::uint64_t> begin(const std::string& archive);
  // not_found: it is not known (any more): only the newest one is.
  Result<DrillState> state(std::uint64_t number) const;
  // Breaks one off that a person has asked for. Nothing, if it is over.
  void cancel(std::uint64_t number);

  Result<std::vector<DrillFacts>> facts() const;  // by name
  // Newest first, at most `limit`, those with an index below `before`.
  struct Filed {
    std::uint64_t index = 0;
    DrillEntry entry;
    std::string report;  // the document, verbatim; empty: it cannot be read
  };
  Result<std::vector<Filed>> filed(std::optional<std::uint64_t> before, std::size_t limit) const;

  void look();  // what the thread does when it has nothing to do: has one begun whose time has come

 private:
  struct Current;  // the one that is wanted, under way, or was the last
  struct Past {    // of one archive
    std::optional<UtcTime> last;
    std::uint64_t failures = 0;
    std::optional<UtcTime> good;
    std::string problem;
    std::int64_t not_before_ms = 0;  // monotonic; after one that came to nothing
  };
  void run(const std::stop_token& stop);
  void recall_past();
  Result<std::vector<Filed>> entries(std::optional<std::uint64_t> before, std::size_t limit) const;  // without their reports
  Result<std::vector<catalogue::KnownKey>> held() const;
  std::optional<UtcTime> due(const catalogue::KnownKey& origin, const Past& past) const;
  const Past* past_of(const std::string& archive) const /* mutex_ held */;
  Result<DrillOutcome> carry_out(Current& current);
  Result<DrillOutcome> file(const DrillReport& report);
  void finish(Current& current, Result<DrillOutcome> outcome);

  const DrillParts parts_;
  const DrillSettings settings_;
  mutable std::mutex mutex_;  // guards those below
  std::condition_variable_any changed_;
  std::shared_ptr<Current> current_;
  std::uint64_t numbers_ = 0;
  std::map<std::string, Past> past_;
  bool running_ = false;
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
