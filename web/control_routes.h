// Verbs that change the running archive, over its unix socket: only for the user that the archive runs as, and root.
#ifndef GREFFE_WEB_CONTROL_ROUTES_H
#define GREFFE_WEB_CONTROL_ROUTES_H

#include <map>
#include <string>
#include <vector>

#include "archive/account_snapshots.h"
#include "archive/main_log.h"
#include "archive/other_sites.h"
#include "archive/peers.h"
#include "archive/pool_keeper.h"
#include "archive/scrub.h"
#include "web/http/server.h"
#include "web/status_routes.h"

namespace greffe::web {

class ControlRoutes {
 public:
  ControlRoutes(Clock& clock, archive::Stores stores, archive::MainLog& main_log, archive::Peers& peers,
                accounts::Accounts& accounts, archive::AccountSnapshots& snapshots, StatusRoutes& status, store::WholePool& pool,
                archive::PoolKeeper& keeper, archive::Scrub& scrub, archive::OtherSites& sites);
  // POST /control/<verb> with a JSON object; answers a JSON object.
  std::vector<http::Route> routes();

 private:
  using Verb = Result<Json> (ControlRoutes::*)(const Json& arguments);
  Result<Json> station_add(const Json& arguments);
  Result<Json> station_renew(const Json& arguments);
  Result<Json> station_list(const Json& arguments);
  Result<Json> station_revoke(const Json& arguments);
  Result<Json> user_add(const Json& arguments);
  Result<Json> user_list(const Json& arguments);
  Result<Json> user_token(const Json& arguments);
  Result<Json> user_password(const Json& arguments);
  Result<Json> place_set(const Json& arguments);
  Result<Json> origin_add(const Json& arguments);
  Result<Json> origin_revoke(const Json& arguments);
  Result<Json> cosigner_add(const Json& arguments);
  Result<Json> cosigner_revoke(const Json& arguments);
  Result<Json> returning_add(const Json& arguments);
  Result<Json> returning_revoke(const Json& arguments);
  Result<Json> export_logged(const Json& arguments);
  Result<Json> status(const Json& arguments);
  Result<Json> scrub(const Json& arguments);
  Result<Json> volume_add(const Json& arguments);
  Result<Json> volume_drain(const Json& arguments);
  Result<Json> officer_add(const Json& arguments);
  Result<Json> officer_list(const Json& arguments);
  Result<Json> officer_revoke(const Json& arguments);
  Result<Json> lost_statement(const Json& arguments);
  Result<Json> declare_lost(const Json& arguments);
  Result<Json> reader_code(const Json& arguments);
  Result<Json> reader_revoke(const Json& arguments);
  Result<Json> site_add(const Json& arguments);
  Result<Json> site_list(const Json& arguments);
  Result<Json> site_remove(const Json& arguments);
  Result<Json> revoke(std::string_view role, const Json& arguments);
  Result<archive::LostOrder> lost_order(const Json& arguments) const;
  Result<store::VolumeMembers*> members();

  Clock& clock_;
  archive::Stores stores_;
  archive::MainLog& main_log_;
  archive::Peers& peers_;
  accounts::Accounts& accounts_;
  archive::AccountSnapshots& snapshots_;
  StatusRoutes& status_;
  store::WholePool& pool_;
  archive::PoolKeeper& keeper_;
  archive::Scrub& scrub_;
  archive::OtherSites& sites_;
};

}  // namespace greffe::web

#endif
