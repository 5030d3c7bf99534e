// Another program, run to its end, with what it may cost bounded: time, and what it says. Any thread; blocks.
#ifndef GREFFE_ARCHIVE_BASE_CHILD_PROCESS_H
#define GREFFE_ARCHIVE_BASE_CHILD_PROCESS_H

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/result.h"

namespace greffe {

struct ChildOrder {
  std::string program;                 // a path
  std::vector<std::string> arguments;  // without the program's own name
  std::int64_t timeout_ms = 60'000;
  std::size_t most_output = 64 * 1024;  // on standard output; of standard error so much is kept, and the rest dropped
};

struct ChildEnd {
  int status = 0;  // that it ended with
  std::string output;
  std::string errors;
};

// It has nothing of this process but its rights, its priority and its environment: no file, no signal that is held back; its standard input is
// empty. When this returns the process is gone, however it ended. not_found: there is no such program. cancelled: asked to stop.
// unavailable: it could not be started, was ended by a signal, took too long or said too much.
Result<ChildEnd> run_child(Clock& clock, const ChildOrder& order, const std::stop_token& stop);

}  // namespace greffe

#endif
