// A wall clock that a test sets, for one program and all processes that it makes: preloaded before libc. What the kernel thinks of
// that clock is the test's as well. The file of GREFFE_TEST_CLOCK is mapped before anything else runs, so that the
// program's sandboxes see no call of ours.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace {

struct Setting {
  std::int64_t offset_us;  // added to the true wall clock
  std::int64_t synchronised;
  std::int64_t error_us;
};
const volatile Setting* g_setting = nullptr;
int (*g_clock_gettime)(clockid_t, timespec*) = nullptr;

__attribute__((constructor)) void begin() {
  g_clock_gettime = reinterpret_cast<int (*)(clockid_t, timespec*)>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const char* path = std::getenv("GREFFE_TEST_CLOCK");
  const int fd = path == nullptr ? -1 : ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  void* const mapped = ::mmap(nullptr, sizeof(Setting), PROT_READ, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) g_setting = static_cast<const volatile Setting*>(mapped);
  ::close(fd);
}

std::int64_t offset_us() { return g_setting == nullptr ? 0 : g_setting->offset_us; }

}  // namespace

extern "C" {

int clock_gettime(clockid_t which, timespec* out) noexcept {
  const int code = g_clock_gettime != nullptr ? g_clock_gettime(which, out) : static_cast<int>(::syscall(SYS_clock_gettime, which, out));
  if (code != 0 || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE)) return code;
  const std::int64_t us = std::int64_t{out->tv_sec} * 1'000'000 + out->tv_nsec / 1000 + offset_us();
  out->tv_sec = us / 1'000'000;
  out->tv_nsec = us % 1'000'000 * 1000;
  return code;
}

int gettimeofday(timeval* out, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

int adjtimex(timex* out) noexcept {
  const bool good = g_setting != nullptr && g_setting->synchronised != 0;
  *out = timex{};
  out->status = good ? 0 : STA_UNSYNC;
  out->maxerror = g_setting == nullptr ? 0 : static_cast<long>(g_setting->error_us);
  return good ? TIME_OK : TIME_ERROR;
}

}  // extern "C"
