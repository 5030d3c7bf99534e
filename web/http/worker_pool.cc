#include "web/http/worker_pool.h"

#include <string>

#include "archive/base/log.h"

namespace greffe::http {

WorkerPool::WorkerPool(unsigned threads) : count_(threads == 0 ? 1 : threads) {}

WorkerPool::~WorkerPool() { join(); }

void WorkerPool::start() {
  if (!threads_.empty()) return;
  for (unsigned i = 0; i < count_; ++i) {
    threads_.emplace_back([this, i] { run(i); });
  }
}

void WorkerPool::run(unsigned number) {
  name_thread(("gr-work." + std::to_string(number)).c_str());
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

void WorkerPool::post(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void WorkerPool::join() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace greffe::http
