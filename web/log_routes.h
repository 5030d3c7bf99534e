// The logs as public tools know them (C2SP tlog-tiles), the keys that a page pins, and the entries for auditors.
#ifndef GREFFE_WEB_LOG_ROUTES_H
#define GREFFE_WEB_LOG_ROUTES_H

#include <vector>

#include "archive/hearing_logs.h"
#include "archive/held_archives.h"
#include "web/sign_in.h"

namespace greffe::web {

class LogRoutes {
 public:
  LogRoutes(archive::Stores stores, archive::MainLog& main_log, const archive::HeldArchives& archives, archive::HearingLogs& hearings,
            const SignIn& sign_in);
  std::vector<http::Route> routes();

 private:
  using Session = accounts::Session;
  Result<http::Response> keys(const http::Request& request, const Session& session);
  Result<http::Response> main_tile(const http::Request& request, const Session& session);
  Result<http::Response> main_checkpoint(const http::Request& request, const Session& session);
  Result<http::Response> main_epochs(const http::Request& request, const Session& session);
  Result<http::Response> hearing_tile(const http::Request& request, const Session& session);
  Result<http::Response> hearing_checkpoint(const http::Request& request, const Session& session);
  Result<http::Response> entries(const http::Request& request, const Session& session);
  Result<tlog::LogReader> readable_hearing(const http::Request& request, const Session& session) const;

  const archive::Stores stores_;
  archive::MainLog& main_log_;
  const archive::HeldArchives& archives_;
  archive::HearingLogs& hearings_;
  const SignIn& sign_in_;
};

}  // namespace greffe::web

#endif
