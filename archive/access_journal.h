// Who played what, in the main log; and while the main log is not continued (MainLog::refusal), durably in the state folder, so that people
// can play meanwhile. What lies there is appended when the log goes on, by a thread ("gr-access"). Thread-safe.
//
// `<state>/accesses`: a line with the size of the main log when the first one came, then a line for each entry, as it will stand in the log.
// A crash between appending and removing the file does not double them: what the log has since that size is looked at first.
#ifndef GREFFE_ARCHIVE_ACCESS_JOURNAL_H
#define GREFFE_ARCHIVE_ACCESS_JOURNAL_H

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "archive/main_log.h"

namespace greffe::archive {

class AccessJournal {
 public:
  static constexpr std::size_t kMost = 50'000;  // some days of a province

  // All of them must outlive this object. `most` may wait.
  AccessJournal(FileSystem& files, Log& log, MainLog& main_log, const std::string& state_directory, std::size_t most = kMost);
  ~AccessJournal();

  // Takes up what an earlier process left. The end of a line that is not there was never answered for. What cannot be read is kept beside it
  // and said in the log.
  Status load();
  void start();
  void stop();

  // ok: durable, in the log or here. unavailable: neither; too many wait, too. Else as MainLog::append.
  Status record(const AccessEntry& entry);
  // Appends what waits, if the log goes on. Errors as MainLog::append: all of it still waits.
  Status settle();
  struct Waiting {
    std::size_t count = 0;
    std::optional<UtcTime> since;  // the oldest; none: nothing waits
  };
  Waiting waiting() const;  // at once, also while the main log is appended to
  const std::string& path() const { return path_; }  // of the file in which they are

 private:
  Status keep(const AccessEntry& entry);
  Status write_anew() /* mutex_ held */;
  Result<std::vector<MainEntry>> not_in_log() const /* mutex_ held */;
  void tell() /* mutex_ held */;
  void run(const std::stop_token& stop);

  FileSystem& files_;
  Log& log_;
  MainLog& main_log_;
  const std::string path_;
  const std::size_t most_;
  mutable std::mutex mutex_;              // guards what follows; held while the main log is appended to
  std::condition_variable_any changed_;
  std::uint64_t since_ = 0;               // size of the main log when the first one came
  std::vector<AccessEntry> kept_;         // all that the file has
  std::unique_ptr<WritableFile> file_;    // its end; null: it is written anew with the next one
  mutable std::mutex told_mutex_;         // guards what follows; taken last
  Waiting told_;                          // of `kept_`
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
