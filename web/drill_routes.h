// Drills as auditors see them and as `greffe-replicate drill` asks for them. Thread-safe.
#ifndef GREFFE_WEB_DRILL_ROUTES_H
#define GREFFE_WEB_DRILL_ROUTES_H

#include <vector>

#include "archive/drills.h"
#include "web/http/server.h"
#include "web/sign_in.h"

namespace greffe::web {

// {"archive","failures","late","running","since"} and, where there is such a thing, {"due","good","last","problem"}.
Json json_of(const archive::DrillFacts& facts);

class DrillRoutes {
 public:
  explicit DrillRoutes(archive::Drills& drills) : drills_(drills) {}  // outlives this
  std::vector<http::Route> routes(const SignIn& sign_in);  // GET /v1/drills
  // POST /control/drill, drill-state, drill-stop.
  std::vector<http::Route> control_routes();

 private:
  Result<Json> begin(const Json& arguments);
  Result<Json> state(const Json& arguments) const;
  Result<Json> cancel(const Json& arguments);
  Result<http::Response> list(const http::Request& request, const accounts::Session& session) const;

  archive::Drills& drills_;
};

}  // namespace greffe::web

#endif
