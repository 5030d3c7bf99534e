// Counters and gauges in the Prometheus text format. Thread-safe.
#ifndef GREFFE_ARCHIVE_BASE_METRICS_H
#define GREFFE_ARCHIVE_BASE_METRICS_H

#include <map>
#include <memory>
#include <string>

namespace greffe {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  using Labels = std::map<std::string, std::string>;
  void count(const std::string& name, const std::string& help, double amount = 1, const Labels& labels = {});
  void set(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe

#endif
