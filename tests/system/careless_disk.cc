// An archive that is careless about its disks in one way, chosen by GREFFE_TEST_CARELESS: preloaded before libc, it forgets some syncs or
// puts them off until others were done. What the power-cut states must notice: tests/system/test_cut_states.py has the list.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace {

// What is being synced; from `head` on it is of a log. `object_name` is the directory that holds an object, `object_directory` one above it.
enum class What { other, state, object, object_name, object_directory, head, log_file, log_directory, stage_directory };
enum class Fate { synced, forgotten, put_off };

struct Carelessness {
  std::string_view name;
  Fate (*fate)(What);
  What until = What::other;  // what was put off is synced after so many of these
  int times = 1;
};

bool is_object(What what) { return what == What::object || what == What::object_name || what == What::object_directory; }
bool is_directory(What what) {
  return what == What::object_name || what == What::object_directory || what == What::log_directory || what == What::stage_directory;
}
bool is_log(What what) { return what >= What::head; }
Fate forgotten_if(bool forgotten) { return forgotten ? Fate::forgotten : Fate::synced; }
Fate put_off_if(bool put_off) { return put_off ? Fate::put_off : Fate::synced; }

constexpr std::array kWays = {
    Carelessness{"objects-unsynced", [](What what) { return forgotten_if(what == What::object); }},
    Carelessness{"directories-unsynced", [](What what) { return forgotten_if(is_directory(what)); }},
    Carelessness{"logs-unsynced", [](What what) { return forgotten_if(is_log(what)); }},
    Carelessness{"log-files-unsynced", [](What what) { return forgotten_if(what == What::log_file); }},
    Carelessness{"heads-unsynced", [](What what) { return forgotten_if(what == What::head); }},
    Carelessness{"objects-named-first", [](What what) { return put_off_if(what == What::object); }, What::object_name},
    Carelessness{"heads-named-first", [](What what) { return put_off_if(what == What::head); }, What::log_directory},
    Carelessness{"state-unsynced", [](What what) { return forgotten_if(what == What::state); }},
    Carelessness{"log-first", [](What what) { return put_off_if(is_object(what)); }, What::log_directory, 6},
};

const Carelessness* chosen() {
  static const Carelessness* const found = [] {
    const char* name = std::getenv("GREFFE_TEST_CARELESS");
    const Carelessness* one = nullptr;
    for (const Carelessness& way : kWays) {
      if (name != nullptr && way.name == name) one = &way;
    }
    if (one == nullptr) std::abort();
    return one;
  }();
  return found;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// By the names of docs/formats/volume.md; an object has no name yet when it is synced.
What what_is(int fd) {
  std::array<char, 4096> buffer{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), buffer.data(), buffer.size());
  struct stat info {};
  if (n <= 0 || ::fstat(fd, &info) != 0) return What::other;
  const std::string_view path(buffer.data(), static_cast<std::size_t>(n));
  const bool directory = S_ISDIR(info.st_mode);
  if (const std::size_t at = path.find("/sha256"); at != std::string_view::npos) {
    if (!directory) return What::object;
    return path.size() == at + std::string_view("/sha256/ab/cd").size() ? What::object_name : What::object_directory;
  }
  if (has(path, "/state/") || path.ends_with("/state")) return What::state;
  if (!has(path, "/log/")) return What::other;
  if (!directory) return has(path, "/checkpoint.new-") ? What::head : What::log_file;
  return has(path, "/stage") || has(path, "/tile") || has(path, "/open") ? What::stage_directory : What::log_directory;
}

class PutOff {
 public:
  // Also when the caller closes it in between.
  void add(int fd, int times) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({::dup(fd), times});
  }

  // Those whose time has come with this one more.
  std::vector<int> take() {
    const std::lock_guard lock(mutex_);
    std::vector<int> out;
    for (Waiting& one : waiting_) {
      if (--one.times == 0) out.push_back(one.fd);
    }
    std::erase_if(waiting_, [](const Waiting& one) { return one.times == 0; });
    return out;
  }

 private:
  struct Waiting {
    int fd;
    int times;
  };
  std::mutex mutex_;
  std::vector<Waiting> waiting_;
};

using Sync = int (*)(int);

Sync next(const char* name) { return reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name)); }

int careless(int fd, Sync sync) {
  static PutOff put_off;
  const What what = what_is(fd);
  const Fate fate = chosen()->fate(what);
  if (fate == Fate::put_off) put_off.add(fd, chosen()->times);
  if (fate != Fate::synced) return 0;
  const int code = sync(fd);
  if (what != What::other && what == chosen()->until) {
    for (const int late : put_off.take()) {
      static_cast<void>(sync(late));
      ::close(late);
    }
  }
  return code;
}

}  // namespace

extern "C" {

int fsync(int fd) {
  static const Sync real = next("fsync");
  return careless(fd, real);
}

int fdatasync(int fd) {
  static const Sync real = next("fdatasync");
  return careless(fd, real);
}

}  // extern "C"
