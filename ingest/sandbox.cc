#include "ingest/sandbox.h"

#include <fmt/format.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>

namespace greffe::ingest {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

// Work on what is open already, memory, time, and an orderly end. A segment's descriptor only appends, and what was hashed
// must stay: no pwrite, no ftruncate or fallocate, no fcntl that takes O_APPEND away, no way to open the file again.
constexpr int kAllowed[] = {
    SCMP_SYS(read),           SCMP_SYS(pread64),         SCMP_SYS(lseek),         SCMP_SYS(write),
    SCMP_SYS(fdatasync),      SCMP_SYS(close),           SCMP_SYS(recvmsg),       SCMP_SYS(sendmsg),
    SCMP_SYS(munmap),         SCMP_SYS(mremap),          SCMP_SYS(brk),           SCMP_SYS(madvise),
    SCMP_SYS(futex),          SCMP_SYS(clock_gettime),   SCMP_SYS(gettimeofday),  SCMP_SYS(getrandom),
    SCMP_SYS(getpid),         SCMP_SYS(gettid),          SCMP_SYS(rt_sigreturn),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),   SCMP_SYS(sigaltstack),     SCMP_SYS(exit),          SCMP_SYS(exit_group),
    SCMP_SYS(sched_yield),    SCMP_SYS(sched_getaffinity), SCMP_SYS(restart_syscall), SCMP_SYS(getrusage),
};
// Libraries ask for these in passing and live with a refusal.
constexpr int kRefused[] = {
    SCMP_SYS(open),  SCMP_SYS(openat), SCMP_SYS(stat),    SCMP_SYS(newfstatat), SCMP_SYS(fstat),     SCMP_SYS(access),
    SCMP_SYS(ioctl), SCMP_SYS(uname),  SCMP_SYS(sysinfo), SCMP_SYS(readlink),   SCMP_SYS(prlimit64), SCMP_SYS(fcntl),
    SCMP_SYS(statx), SCMP_SYS(socket),
};

// What is live waits for its packets.
constexpr int kLive[] = {
    SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select), SCMP_SYS(pselect6),
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getsockopt), SCMP_SYS(shutdown),
};
// Before any segment is open, so that taking O_APPEND away is no danger yet.
constexpr int kConnecting[] = {
    SCMP_SYS(connect), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(fcntl), SCMP_SYS(seccomp), SCMP_SYS(prctl),
};

std::uint64_t mapped_bytes() {
  unsigned long pages = 0;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"), std::fclose);
  if (!file || std::fscanf(file.get(), "%lu", &pages) != 1) return 0;
  return std::uint64_t{pages} * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

Status limit(int what, std::uint64_t value, const char* words) {
  const rlimit both{value, value};
  if (::setrlimit(static_cast<__rlimit_resource_t>(what), &both) == 0) return ok();
  return fail(Errc::unavailable, fmt::format("cannot limit the {} of the reading process: {}", words, std::strerror(errno)));
}

int allow_sockets(scmp_filter_ctx filter) {
  int code = 0;
  for (const int family : {AF_INET, AF_INET6}) {
    const scmp_arg_cmp is_it{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0};
    code |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &is_it);
  }
  // The name service asks for these in passing.
  for (const int family : {AF_UNIX, AF_NETLINK}) {
    const scmp_arg_cmp is_it{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0};
    code |= seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, &is_it);
  }
  return code;
}

bool is_among(int call, std::initializer_list<int> calls) { return std::find(calls.begin(), calls.end(), call) != calls.end(); }

Status load_filter(SandboxKind kind) {
  // The sanitizers' own runtime makes more calls than these; under them the limits and refusals are tested, not the killing.
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(kSanitized ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS),
                                                      seccomp_release);
  if (!filter) return fail(Errc::unavailable, "cannot prepare the sandbox of the reading process");
  int code = 0;
  for (const int call : kAllowed) code |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  // With this UBSan finds out whether a pointer may be looked through before it judges the object behind it.
  if (kSanitized) code |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(pipe2), 0);
  // A search tree: what is live makes a thousand calls a second.
  code |= seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  const bool connecting = kind == SandboxKind::connecting;
  for (const int call : kRefused) {
    if (connecting && is_among(call, {SCMP_SYS(socket), SCMP_SYS(fcntl)})) continue;
    if (kind == SandboxKind::device && call == SCMP_SYS(ioctl)) continue;
    code |= seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EACCES), call, 0);
  }
  if (kind != SandboxKind::file) {
    for (const int call : kLive) code |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  }
  if (kind == SandboxKind::device) code |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 0);
  if (connecting) {
    for (const int call : kConnecting) code |= seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
    code |= allow_sockets(filter.get());
  }
  // Memory, but never memory that can be executed.
  const scmp_arg_cmp not_executable{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
    code |= seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 1, &not_executable);
  }
  // abort() of this process, so that a broken invariant shows as what it is.
  const scmp_arg_cmp itself{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()), 0};
  code |= seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself);
  if (code != 0) return fail(Errc::unavailable, "cannot prepare the sandbox of the reading process");
  code = seccomp_load(filter.get());
  if (code != 0) {
    return fail(Errc::unavailable, fmt::format("cannot enter the sandbox of the reading process: {}; this kernel needs seccomp",
                                               std::strerror(-code)));
  }
  return ok();
}

}  // namespace

Status enter_sandbox(const SandboxLimits& limits) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return fail(Errc::unavailable, "cannot give up privileges in the reading process");
  }
  const std::uint64_t mapped = mapped_bytes();
  if (mapped == 0) return fail(Errc::unavailable, "cannot read /proc/self/statm; is /proc mounted?");
  if (!kSanitized) GREFFE_TRY(limit(RLIMIT_AS, mapped + limits.memory_bytes, "memory"));
  if (limits.kind == SandboxKind::file) GREFFE_TRY(limit(RLIMIT_CPU, limits.cpu_seconds, "time"));
  GREFFE_TRY(limit(RLIMIT_NOFILE, limits.descriptors, "open files"));
  GREFFE_TRY(limit(RLIMIT_CORE, 0, "memory dumps"));
  return load_filter(limits.kind);
}

Status tighten_sandbox() { return load_filter(SandboxKind::camera); }

}  // namespace greffe::ingest
