#include "archive/base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace greffe {

struct Metrics::State {
  prometheus::Registry registry;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

// The registry returns the same family and series for the same name and labels.
void Metrics::count(const std::string& name, const std::string& help, double amount, const Labels& labels) {
  prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry).Add(labels).Increment(amount);
}

void Metrics::set(const std::string& name, const std::string& help, double value, const Labels& labels) {
  prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry).Add(labels).Set(value);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace greffe
