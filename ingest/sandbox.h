// The cage of a process that parses foreign media: after enter_sandbox it can read and write the descriptors that it
// has or is given, get memory and time, and nothing else. It can open no file, make no socket, start no program.
#ifndef GREFFE_INGEST_SANDBOX_H
#define GREFFE_INGEST_SANDBOX_H

#include <cstdint>

#include "archive/base/result.h"

namespace greffe::ingest {

enum class SandboxKind {
  file,        // reads a file that is open
  connecting,  // may still make one kind of thing: a TCP connection; for the time until the camera answers
  camera,      // talks over connections that are open
  device,      // works with a device that is open
};
struct SandboxLimits {
  SandboxKind kind = SandboxKind::file;
  std::uint64_t memory_bytes = 256 * 1024 * 1024;  // on top of what the process has mapped at this moment
  std::uint64_t cpu_seconds = 600;  // of a file; what is live has no end
  unsigned descriptors = 16;
};

// For this process, for ever. Opening anything answers "permission denied" afterwards; any other system call that is
// not needed for the work kills the process. unavailable: this kernel has no seccomp filters.
Status enter_sandbox(const SandboxLimits& limits);
// From connecting to camera: no further connection, and no flag of any descriptor can be changed.
Status tighten_sandbox();

}  // namespace greffe::ingest

#endif
