// Is everything well, and if not what, since when, and what to do: for operators and auditors, and as metrics.
#ifndef GREFFE_WEB_STATUS_ROUTES_H
#define GREFFE_WEB_STATUS_ROUTES_H

#include <functional>
#include <vector>

#include "archive/access_journal.h"
#include "archive/base/metrics.h"
#include "archive/entries_ahead.h"
#include "archive/drills.h"
#include "archive/epochs.h"
#include "archive/hearing_logs.h"
#include "archive/origin_watch.h"
#include "archive/peers.h"
#include "archive/pool_keeper.h"
#include "archive/read_back.h"
#include "archive/scrub.h"
#include "archive/settings.h"
#include "archive/store/whole_pool.h"
#include "archive/unfiled_bytes.h"
#include "archive/witnesses.h"
#include "web/sign_in.h"

namespace greffe::web {

// What looks after the pool in the background.
struct Upkeep {
  const archive::ReadBack& read_back;
  const archive::PoolKeeper& keeper;
  const archive::Scrub& scrub;
  const archive::UnfiledBytes& unfiled;
  const archive::OriginWatch& origins;
  const archive::Witnesses& witnesses;
  const archive::EntriesAhead& ahead;
  const archive::Drills& drills;
  const archive::AccessJournal& accesses;
  const archive::Epochs& epochs;
};

class StatusRoutes {
 public:
  StatusRoutes(Clock& clock, const archive::Settings& settings, store::WholePool& pool, archive::MainLog& main_log,
               archive::Peers& peers, Upkeep upkeep, std::uint64_t epoch);
  // GET /v1/status for people.
  std::vector<http::Route> routes(const SignIn& sign_in);
  // GET /metrics, /healthz, /readyz of the loopback listener.
  std::vector<http::Route> loopback_routes();
  // The same facts as JSON, also for `greffe-archive status`.
  Result<Json> status();

 private:
  Result<Json::Array> volumes(Json::Array& reasons);
  Result<Json::Array> stations(Json::Array& reasons);
  std::optional<UtcTime> written(std::uint64_t index, std::uint64_t size) const;
  Result<Json> log(Json::Array& reasons);
  Json::Array witnesses(Json::Array& reasons);
  Json accesses(Json::Array& reasons);
  Result<Json::Array> origins(Json::Array& reasons);
  Result<Json::Array> drills(Json::Array& reasons);
  Status drill_metrics(Metrics& metrics);
  Json read_back(Json::Array& reasons);
  Json keeping(Json::Array& reasons);
  Json room(Json::Array& reasons);
  Json scrubbing(Json::Array& reasons);
  Result<std::string> metrics_text();

  Clock& clock_;
  const archive::Settings& settings_;
  store::WholePool& pool_;
  archive::MainLog& main_log_;
  archive::Peers& peers_;
  const Upkeep upkeep_;
  const std::uint64_t epoch_;
};

}  // namespace greffe::web

#endif
