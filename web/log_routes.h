// The logs as public tools know them (C2SP tlog-tiles), the keys that a page pins, and the entries for auditors.
#ifndef GREFFE_WEB_LOG_ROUTES_H
#define GREFFE_WEB_LOG_ROUTES_H

#include <vector>

#include "archive/hearing_logs.h"
#include "archive/held_archives.h"
#include "archive/peers.h"
#include "web/sign_in.h"

namespace greffe::web {

class LogRoutes {
 public:
  LogRoutes(archive::MainLog& main_log, const archive::HeldArchives& archives, archive::HearingLogs& hearings, archive::Peers& peers,
            VerifierKey log_key, VerifierKey holder_key, const SignIn& sign_in);
  std::vector<http::Route> routes();

 private:
  using Session = accounts::Session;
  Result<http::Response> keys(const http::Request& request, const Session& session);
  Result<Json> keys_of_copy(const std::string& archive) const;
  Result<http::Response> main_tile(const http::Request& request, const Session& session);
  Result<http::Response> main_checkpoint(const http::Request& request, const Session& session);
  Result<http::Response> hearing_tile(const http::Request& request, const Session& session);
  Result<http::Response> hearing_checkpoint(const http::Request& request, const Session& session);
  Result<http::Response> entries(const http::Request& request, const Session& session);
  Result<tlog::LogReader> readable_hearing(const http::Request& request, const Session& session) const;

  archive::MainLog& main_log_;
  const archive::HeldArchives& archives_;
  archive::HearingLogs& hearings_;
  archive::Peers& peers_;
  const VerifierKey log_key_;
  const VerifierKey holder_key_;
  const SignIn& sign_in_;
};

}  // namespace greffe::web

#endif
