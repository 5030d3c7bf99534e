// Sharing a hearing with another court: for the clerk of its court, and for the command line. Thread-safe.
#ifndef GREFFE_WEB_SHARE_ROUTES_H
#define GREFFE_WEB_SHARE_ROUTES_H

#include <string>
#include <vector>

#include "archive/held_archives.h"
#include "archive/shares.h"
#include "web/sign_in.h"

namespace greffe::web {

class ShareRoutes {
 public:
  ShareRoutes(Clock& clock, archive::Shares& shares, const archive::HeldArchives& archives, const accounts::Accounts& accounts, const SignIn& sign_in)
      : clock_(clock), shares_(shares), archives_(archives), accounts_(accounts), sign_in_(sign_in) {}
  std::vector<http::Route> routes();          // /v1/hearings/{id}/shares
  std::vector<http::Route> control_routes();  // POST /control/share, share-revoke, share-list

 private:
  using Session = accounts::Session;
  using Act = Result<std::uint64_t> (archive::Shares::*)(const archive::ShareOrder& order);
  Result<archive::FoundHearing> find_one(const http::Request& request, const Session& session) const;
  Result<http::Response> list(const http::Request& request, const Session& session) const;
  Result<http::Response> act(const http::Request& request, const Session& session, Act what, int status);
  Result<Json> act_at_once(const Json& arguments, Act what);
  Result<Json> list_all(const Json& arguments) const;
  Result<Json> shares_of(const archive::HeldArchive& archive, const std::optional<HearingId>& hearing) const;
  Result<Json> json_of_share(const archive::HeldArchive& archive, const std::vector<catalogue::Court>& places, const catalogue::Share& share) const;
  std::string person(const archive::HeldArchive& archive, const std::string& pseudonym) const;

  Clock& clock_;
  archive::Shares& shares_;
  const archive::HeldArchives& archives_;
  const accounts::Accounts& accounts_;
  const SignIn& sign_in_;
};

}  // namespace greffe::web

#endif
