// A fixed number of threads (gr-work.N) that run jobs which may block. Thread-safe.
#ifndef GREFFE_WEB_HTTP_WORKER_POOL_H
#define GREFFE_WEB_HTTP_WORKER_POOL_H

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace greffe::http {

class WorkerPool {
 public:
  explicit WorkerPool(unsigned threads);
  ~WorkerPool();  // join()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void start();
  // The queue has no limit of its own: each connection has at most one job in it, and connections are limited.
  void post(std::function<void()> job);
  // Runs what is queued, then ends the threads.
  void join();

 private:
  void run(unsigned number);

  const unsigned count_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;  // guarded by mutex_
  bool ending_ = false;                     // guarded by mutex_
  std::vector<std::thread> threads_;        // owned by whoever starts and joins
};

}  // namespace greffe::http

#endif
