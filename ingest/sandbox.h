// The cage of the process that parses media files: after enter_sandbox it can read and write the descriptors that it
// has or is given, get memory and time, and nothing else. It can open no file, make no socket, start no program.
#ifndef GREFFE_INGEST_SANDBOX_H
#define GREFFE_INGEST_SANDBOX_H

#include <cstdint>

#include "archive/base/result.h"

namespace greffe::ingest {

struct SandboxLimits {
  std::uint64_t memory_bytes = 256 * 1024 * 1024;  // on top of what the process has mapped at this moment
  std::uint64_t cpu_seconds = 600;
  unsigned descriptors = 16;
};

// For this process, for ever. Opening anything answers "permission denied" afterwards; any other system call that is
// not needed for the work kills the process. unavailable: this kernel has no seccomp filters.
Status enter_sandbox(const SandboxLimits& limits);

}  // namespace greffe::ingest

#endif
