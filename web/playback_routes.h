// Watching a hearing: playlists and objects, for the page (cookie), for programs (token) and for players that know
// neither (a ticket in the address). One `access` entry per play session, durable before the first byte. Thread-safe.
#ifndef GREFFE_WEB_PLAYBACK_ROUTES_H
#define GREFFE_WEB_PLAYBACK_ROUTES_H

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "archive/access_journal.h"
#include "archive/held_archives.h"
#include "archive/retrieval.h"
#include "web/open_objects.h"
#include "web/sign_in.h"

namespace greffe::web {

// Play sessions that are logged, and tickets for players. A ticket is a capability: 256 random bits, one
// hearing, one account, 8 hours, as long as that account may see the hearing; only its SHA-256 is kept, in memory: a restart ends it.
class PlaySessions {
 public:
  PlaySessions(Clock& clock, archive::AccessJournal& accesses);
  // Logs that this session plays (or exports) this hearing, once. ok: the entry is durable.
  Status begin(const accounts::Session& session, const HearingId& hearing);

  struct Ticket {
    std::string secret;
    UtcTime expires;
  };
  Result<Ticket> issue(const accounts::Session& session, const HearingId& hearing);
  struct Issued {
    HearingId hearing;
    accounts::Account account;  // as it was then
    UtcTime expires;
  };
  // What a ticket opens, and for whom. denied: unknown or expired.
  Result<Issued> redeem(std::string_view secret);
  // Who plays this hearing from now on begins a new session, for the log.
  void end(const HearingId& hearing);

 private:
  Clock& clock_;
  archive::AccessJournal& accesses_;
  std::mutex mutex_;  // guards the three below
  std::set<std::pair<std::string, HearingId>> begun_;      // session id, hearing
  std::set<std::pair<std::string, HearingId>> beginning_;  // their entries are being written by some request
  std::map<Digest, Issued> tickets_;
  std::condition_variable logged_;  // something left beginning_
};

class PlaybackRoutes {
 public:
  PlaybackRoutes(Clock& clock, const archive::HeldArchives& archives, archive::Retrieval& retrieval, PlaySessions& sessions,
                 const SignIn& sign_in);
  std::vector<http::Route> routes();
  // A right to this hearing was withdrawn: nothing that was opened before is read any more without asking again.
  void end(const HearingId& hearing);

 private:
  using Session = accounts::Session;
  Status check_right(const accounts::Account& account, const HearingId& id) const;
  Result<HearingId> may_play(const http::Request& request, const Session& session) const;
  Result<http::Response> master(const HearingId& id);
  Result<http::Response> playlist(const HearingId& id, const std::string& stream);
  // `name`: "<sha256>.mp4", ".json" or ".bin".
  Result<http::Response> object(const http::Request& request, const HearingId& id, const std::string& name);
  // A further range of an object that was just opened for the same person.
  std::optional<http::Response> object_again(const http::Request& request);
  Result<http::Response> issue_ticket(const http::Request& request, const Session& session);
  Result<http::Response> with_ticket(const http::Request& request);

  const archive::HeldArchives& archives_;
  archive::Retrieval& retrieval_;
  PlaySessions& sessions_;
  const SignIn& sign_in_;
  OpenObjects open_objects_;
};

}  // namespace greffe::web

#endif
