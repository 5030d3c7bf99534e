#include "archive/base/log.h"

#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

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

}  // namespace greffe
