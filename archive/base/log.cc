#include "archive/base/log.h"

#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace greffe {

struct Log::State {
  std::shared_ptr<spdlog::logger> logger;
};

Log::Log(std::string program) : state_(std::make_unique<State>()) {
  state_->logger = std::make_shared<spdlog::logger>(program, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  state_->logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l: %v");
  state_->logger->flush_on(spdlog::level::info);
}
Log::~Log() = default;

void Log::info(std::string_view message) { state_->logger->info("{}", message); }
void Log::warn(std::string_view message) { state_->logger->warn("{}", message); }
void Log::error(std::string_view message) { state_->logger->error("{}", message); }

void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

void give_way() {
  constexpr int kThisThread = 1;             // IOPRIO_WHO_PROCESS, with 0: the caller; glibc has no names for these
  constexpr int kIdleClass = 3 << 13;        // IOPRIO_CLASS_IDLE
  constexpr int kLowest = 19;
  ::syscall(SYS_ioprio_set, kThisThread, 0, kIdleClass);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);
}

}  // namespace greffe
