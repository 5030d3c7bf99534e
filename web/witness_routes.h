// This archive as a witness of other logs, at a listener of its own, without client certificates (C2SP tlog-witness); and the verbs for it,
// and for the witnesses of its own log, at the control socket. Thread-safe.
#ifndef GREFFE_WEB_WITNESS_ROUTES_H
#define GREFFE_WEB_WITNESS_ROUTES_H

#include <vector>

#include "archive/peers.h"
#include "archive/witness.h"
#include "archive/witnesses.h"
#include "web/http/server.h"

namespace greffe::web {

class WitnessRoutes {
 public:
  WitnessRoutes(archive::Witness& witness, archive::Witnesses& witnesses, archive::Peers& peers);
  // POST /v1/witness/add-checkpoint, GET /v1/witness/{origin}/checkpoint: for anybody; the checkpoint's signature is what counts.
  std::vector<http::Route> routes();
  std::vector<http::Route> control_routes();

 private:
  http::Response add_checkpoint(const http::Request& request);
  http::Response newest(const http::Request& request);

  // Of this witness.
  Result<Json> key(const Json& arguments);
  Result<Json> add_log(const Json& arguments);
  Result<Json> remove_log(const Json& arguments);
  Result<Json> list_logs(const Json& arguments);
  Result<Json> sign(const Json& arguments);
  // Of those who witness this archive.
  Result<Json> add(const Json& arguments);
  Result<Json> remove(const Json& arguments);
  Result<Json> list(const Json& arguments);
  Result<Json> request(const Json& arguments);
  Result<Json> take(const Json& arguments);

  archive::Witness& witness_;
  archive::Witnesses& witnesses_;
  archive::Peers& peers_;
};

}  // namespace greffe::web

#endif
