// A server with one route of each sort, on a plain, a TLS and a mutual TLS listener and a unix socket.
#ifndef GREFFE_TESTS_UNIT_HTTP_TEST_ROUTES_H
#define GREFFE_TESTS_UNIT_HTTP_TEST_ROUTES_H

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "tests/unit/http/raw_client.h"
#include "web/http/server.h"

namespace greffe::testing {

class TestSite {
 public:
  // `change` sees the settings of each listener before it is made.
  explicit TestSite(std::function<void(http::ListenerSettings&)> change = nullptr);
  ~TestSite();

  std::string stored(const std::string& name);
  int sinks_alive() const { return sinks_alive_; }
  std::string make_file(const std::string& name, std::size_t size);  // its bytes
  bool wait_until(const std::function<bool()>& condition);           // at most 10 s

  const std::string folder;
  const TestIdentity identity = make_identity();
  std::unique_ptr<http::Server> server;
  std::string plain;
  std::string tls;
  std::string mutual;
  std::string socket;
  std::atomic<bool> let_go{false};  // ends GET /wait

 private:
  class Sink;
  std::vector<http::Route> routes();
  std::mutex mutex_;
  std::map<std::string, std::string> objects_;  // guarded by mutex_
  std::atomic<int> sinks_alive_{0};
};

}  // namespace greffe::testing

#endif
