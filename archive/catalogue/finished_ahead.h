// The hearings that a stretch of the main log finishes, known before its entries are applied: of each the entries that its `close` does
// not sum up, read ahead by the thread "gr-rebuild". For a rebuild only.
#ifndef GREFFE_ARCHIVE_CATALOGUE_FINISHED_AHEAD_H
#define GREFFE_ARCHIVE_CATALOGUE_FINISHED_AHEAD_H

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "archive/catalogue/catalogue_builder.h"

namespace greffe::catalogue {

class FinishedAhead {
 public:
  // Reads the main-log entries [first, last). `sources` must outlive this. Errors as LogReader::entries.
  static Result<std::unique_ptr<FinishedAhead>> read(const Sources& sources, const tlog::LogChain& main_log, std::uint64_t first,
                                                     std::uint64_t last);
  FinishedAhead(const FinishedAhead&) = delete;
  FinishedAhead& operator=(const FinishedAhead&) = delete;
  ~FinishedAhead();  // stops the thread

  // Whether the stretch finishes this hearing, of which `size` entries are to be applied.
  bool knows(const HearingId& id, std::uint64_t size) const;
  // Entries of [first, last) of the log of a hearing that it knows which say more than its `close` sums up, in order; `visit` returns
  // false to stop. Errors as HearingSource. One thread.
  Status entries(const HearingId& id, std::uint64_t first, std::uint64_t last,
                 const std::function<bool(std::uint64_t, std::string_view)>& visit);

 private:
  struct Finished {
    Checkpoint end;
    std::vector<std::uint64_t> beside;
    std::uint64_t seen_first = 0;      // main-log index, within the stretch, of its first checkpoint
    std::size_t place = 0;             // in order_
    bool read = false;                 // guarded by mutex_, as are the entries until then
    std::vector<std::string> entries;  // at `beside`; empty: they could not be read in the quick way
  };
  explicit FinishedAhead(const Sources& sources) : sources_(sources) {}
  void note(std::uint64_t index, std::string_view entry, std::map<HearingId, std::uint64_t>& seen);
  void run(const std::stop_token& stop);
  void await(Finished& finished);

  const Sources& sources_;
  std::map<HearingId, Finished> finished_;
  std::vector<std::pair<const HearingId, Finished>*> order_;  // as they will be asked for
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t asked_ = 0;  // guarded by mutex_; the thread reads no further than a little beyond this place
  std::jthread reader_;
};

}  // namespace greffe::catalogue

#endif
