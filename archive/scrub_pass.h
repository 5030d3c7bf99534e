// One pass over the whole pool: every object re-hashed, every log re-derived, what is missing or damaged rewritten from
// a good copy; a summary per volume in the main log. One pass at a time; blocks until it is done.
#ifndef GREFFE_ARCHIVE_SCRUB_PASS_H
#define GREFFE_ARCHIVE_SCRUB_PASS_H

#include <mutex>

#include "archive/main_log.h"
#include "archive/store/whole_pool.h"

namespace greffe::archive {

class ScrubPass {
 public:
  ScrubPass(Clock& clock, store::WholePool& pool, MainLog& main_log);
  // {"objects","bytes","failures","repaired","logs","log_failures","unrepaired":[{"key","problem"}]}.
  // unavailable: another pass is running.
  Result<Json> run();

 private:
  Clock& clock_;
  store::WholePool& pool_;
  MainLog& main_log_;
  std::mutex mutex_;  // held during a pass
};

}  // namespace greffe::archive

#endif
