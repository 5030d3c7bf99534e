// Finding hearings, opening one, adding marks, correcting details: the clerks' part of the API. Thread-safe.
#ifndef GREFFE_WEB_HEARING_ROUTES_H
#define GREFFE_WEB_HEARING_ROUTES_H

#include <vector>

#include "archive/held_archives.h"
#include "archive/main_log.h"
#include "archive/peers.h"
#include "archive/retrieval.h"
#include "web/hearing_proof.h"
#include "web/sign_in.h"

namespace greffe::web {

class HearingRoutes {
 public:
  HearingRoutes(Clock& clock, archive::Stores stores, archive::MainLog& main_log, const archive::HeldArchives& archives,
                archive::HearingLogs& hearings, archive::Retrieval& retrieval, archive::Peers& peers, accounts::Accounts& accounts, const SignIn& sign_in);
  std::vector<http::Route> routes();

 private:
  using Session = accounts::Session;
  Result<http::Response> find(const http::Request& request, const Session& session);
  Result<http::Response> open(const http::Request& request, const Session& session);
  Result<http::Response> timeline(const http::Request& request, const Session& session);
  Result<http::Response> proof(const http::Request& request, const Session& session);
  Result<http::Response> add_mark(const http::Request& request, const Session& session);
  Result<http::Response> correct(const http::Request& request, const Session& session);
  Result<http::Response> places(const http::Request& request, const Session& session);

  // The hearing that the address names, if this person may see it. not_found else: the two cannot be told apart.
  Result<archive::FoundHearing> find_one(const http::Request& request, const Session& session) const;
  Result<Json> whole(const archive::FoundHearing& found, const Session& session) const;
  Json rights(const archive::FoundHearing& found, const accounts::Account& account) const;
  std::string account_name(const std::string& pseudonym) const;
  Result<Json> second_copy(const archive::FoundHearing& found) const;

  Clock& clock_;
  archive::Stores stores_;
  archive::MainLog& main_log_;
  const archive::HeldArchives& archives_;
  archive::HearingLogs& hearings_;
  archive::Retrieval& retrieval_;
  archive::Peers& peers_;
  accounts::Accounts& accounts_;
  const SignIn& sign_in_;
  const HearingProof proof_;
};

}  // namespace greffe::web

#endif
