#include "archive/store/rados_pool.h"

#include <fmt/format.h>

#include "archive/format/canonical_json.h"
#include "archive/store/rados_cluster.h"

namespace greffe::store {
namespace {

constexpr unsigned kSmallestSize = 3;
constexpr unsigned kSmallestMinSize = 2;

Result<Json> ask(RadosCluster& cluster, Json command) {
  command.set("format", "json");
  const std::string text = GREFFE_TRY(cluster.ask_monitor(write_json(command)));
  auto answer = parse_json(text);
  if (!answer) return std::move(answer).error().within("what the Ceph monitor says");
  return answer;
}

Result<Json> pool_value(RadosCluster& cluster, const std::string& name) {
  Json command;
  command.set("prefix", "osd pool get").set("pool", cluster.pool()).set("var", name);
  return ask(cluster, std::move(command));
}

// What the rule spreads the replicas over: the type of its last choosing step.
Result<std::string> failure_domain(RadosCluster& cluster, const std::string& rule) {
  Json command;
  command.set("prefix", "osd crush rule dump").set("name", rule);
  const Json answer = GREFFE_TRY(ask(cluster, std::move(command)));
  const Json::Array steps = GREFFE_TRY(answer.array("steps"));
  std::string domain;
  for (const Json& step : steps) {
    if (step.has("type")) domain = GREFFE_TRY(step.string("type"));
  }
  return domain;
}

}  // namespace

Result<RadosPoolFacts> rados_pool_facts(RadosCluster& cluster) {
  RadosPoolFacts out;
  const Json size = GREFFE_TRY(pool_value(cluster, "size"));
  out.size = static_cast<unsigned>(GREFFE_TRY(size.size("size")));
  const Json min_size = GREFFE_TRY(pool_value(cluster, "min_size"));
  out.min_size = static_cast<unsigned>(GREFFE_TRY(min_size.size("min_size")));
  const auto profile = pool_value(cluster, "erasure_code_profile");  // an error for a replicated pool
  out.erasure_coded = profile.has_value();
  const Json rule = GREFFE_TRY(pool_value(cluster, "crush_rule"));
  const std::string rule_name = GREFFE_TRY(rule.string("crush_rule"));
  out.failure_domain = GREFFE_TRY(failure_domain(cluster, rule_name));
  return out;
}

std::vector<std::string> faults_of(const RadosPoolFacts& facts, const std::string& pool) {
  std::vector<std::string> out;
  if (facts.erasure_coded) {
    out.push_back(fmt::format("the pool {} is erasure-coded, which keeps no lists of names (omap): make a replicated pool", pool));
    return out;
  }
  if (facts.size < kSmallestSize) {
    out.push_back(fmt::format("the pool {0} keeps {1} replicas and an archive needs {2}: ceph osd pool set {0} size {2}", pool,
                              facts.size, kSmallestSize));
  }
  if (facts.min_size < kSmallestMinSize) {
    out.push_back(fmt::format("the pool {0} takes writes with {1} replica and an archive needs {2}: ceph osd pool set {0} min_size {2}",
                              pool, facts.min_size, kSmallestMinSize));
  }
  if (facts.failure_domain == "osd" || facts.failure_domain.empty()) {
    out.push_back(fmt::format("the pool {0} may keep all replicas in one machine: give it a rule whose failure domain is host or "
                              "larger (ceph osd crush rule create-replicated NAME default host; ceph osd pool set {0} crush_rule NAME)",
                              pool));
  }
  return out;
}

}  // namespace greffe::store
