#include "web/playback_routes.h"

#include "archive/playlist.h"

namespace greffe::web {
namespace {

constexpr std::int64_t kTicketMs = 8 * 3'600'000;
constexpr std::size_t kMaxTickets = 100'000;
constexpr std::size_t kMaxBegun = 1'000'000;

http::Response playlist_response(std::string text) {
  auto response = http::text_response(200, std::move(text), "application/vnd.apple.mpegurl");
  response.set("Cache-Control", "no-store");
  return response;
}

struct ObjectName {
  Digest digest;
  std::string content_type;
};

// Players judge by the ending, so the ending says the type.
Result<ObjectName> parse_object_name(std::string_view name) {
  constexpr std::size_t kHexDigits = 64;
  const std::string_view ending = name.size() > kHexDigits ? name.substr(kHexDigits) : std::string_view();
  std::string type;
  if (ending == ".mp4") type = "video/mp4";
  if (ending == ".json") type = "application/json";
  if (ending == ".bin") type = "application/octet-stream";
  const auto digest = digest_from_hex(name.substr(0, kHexDigits));
  if (type.empty() || !digest) return fail(Errc::not_found, "There is no object of that name.");
  return ObjectName{*digest, std::move(type)};
}

}  // namespace

PlaySessions::PlaySessions(Clock& clock, archive::AccessJournal& accesses) : clock_(clock), accesses_(accesses) {}

Status PlaySessions::begin(const accounts::Session& session, const HearingId& hearing) {
  const std::pair<std::string, HearingId> key(session.id, hearing);
  std::unique_lock lock(mutex_);
  // A page asks for all its streams at once: the first request logs the session, the others wait until that is durable.
  logged_.wait(lock, [&] { return !beginning_.contains(key); });
  if (begun_.contains(key)) return ok();
  beginning_.insert(key);
  lock.unlock();
  AccessEntry entry;
  entry.hearing = hearing;
  entry.account = session.account.pseudonym;
  entry.purpose = "play";
  entry.session = session.id;
  entry.utc = clock_.utc_now();
  const Status logged = accesses_.record(entry);
  lock.lock();
  beginning_.erase(key);
  if (begun_.size() >= kMaxBegun) begun_.clear();  // costs one more entry for who plays on; never one too few
  if (logged) begun_.insert(key);
  logged_.notify_all();
  return logged;
}

Result<PlaySessions::Ticket> PlaySessions::issue(const accounts::Session& session, const HearingId& hearing) {
  GREFFE_TRY(begin(session, hearing));
  std::array<std::uint8_t, 32> random{};
  fill_random(random);
  Ticket ticket{to_base64url(random), UtcTime{clock_.utc_now().ms + kTicketMs}};
  const std::lock_guard lock(mutex_);
  std::erase_if(tickets_, [&](const auto& t) { return t.second.expires < clock_.utc_now(); });
  if (tickets_.size() >= kMaxTickets) return fail(Errc::unavailable, "Too many players are open. Try again later.");
  tickets_.emplace(sha256(as_bytes(ticket.secret)), Issued{hearing, session.account, ticket.expires});
  return ticket;
}

void PlaySessions::end(const HearingId& hearing) {
  const std::lock_guard lock(mutex_);
  std::erase_if(begun_, [&](const auto& one) { return one.second == hearing; });
}

Result<PlaySessions::Issued> PlaySessions::redeem(std::string_view secret) {
  const std::lock_guard lock(mutex_);
  const auto found = tickets_.find(sha256(as_bytes(secret)));
  if (found == tickets_.end() || found->second.expires < clock_.utc_now()) {
    return fail(Errc::denied, "This address for players has expired. Open the hearing in the browser and copy a new one.");
  }
  return found->second;
}

PlaybackRoutes::PlaybackRoutes(Clock& clock, const archive::HeldArchives& archives, archive::Retrieval& retrieval, PlaySessions& sessions,
                               const SignIn& sign_in)
    : archives_(archives), retrieval_(retrieval), sessions_(sessions), sign_in_(sign_in), open_objects_(clock) {}

void PlaybackRoutes::end(const HearingId& hearing) {
  sessions_.end(hearing);
  open_objects_.forget();
}

Status PlaybackRoutes::check_right(const accounts::Account& account, const HearingId& id) const {
  if (!accounts::may_find(account)) return fail(Errc::denied, "Your account does not show recordings.");
  const archive::FoundHearing found = GREFFE_TRY(archives_.hearing(id, account));
  if (found.record.row.shared || accounts::may_play(account, found.record.row.court)) return ok();
  return fail(Errc::denied, "Your account does not show recordings of this court.");
}

// The hearing of the address, if this person may watch it; the access is durable when this returns.
Result<HearingId> PlaybackRoutes::may_play(const http::Request& request, const Session& session) const {
  const HearingId id = GREFFE_TRY(parse_hearing_id(request.parameter("id")));
  GREFFE_TRY(check_right(session.account, id));
  GREFFE_TRY(sessions_.begin(session, id));
  return id;
}

Result<http::Response> PlaybackRoutes::master(const HearingId& id) {
  const archive::Timeline timeline = GREFFE_TRY(retrieval_.timeline(id));
  return playlist_response(archive::master_playlist(timeline));
}

Result<http::Response> PlaybackRoutes::playlist(const HearingId& id, const std::string& stream) {
  const archive::Timeline timeline = GREFFE_TRY(retrieval_.timeline(id));
  const std::vector<catalogue::Mark> marks = GREFFE_TRY(archives_.marks(id));
  for (const archive::TimelineStream& s : timeline.streams) {
    if (s.stream.name == stream) return playlist_response(archive::stream_playlist(timeline, s, marks, "../../objects/"));
  }
  return fail(Errc::not_found, "This hearing has no stream of that name.");
}

Result<http::Response> PlaybackRoutes::object(const http::Request& request, const HearingId& id, const std::string& name) {
  const ObjectName named = GREFFE_TRY(parse_object_name(name));
  std::shared_ptr<ReadableFile> file = GREFFE_TRY(retrieval_.open(id, named.digest));
  const std::uint64_t size = GREFFE_TRY(file->size());
  const OpenObject object{std::move(file), size, named.content_type, "\"" + named.digest.hex() + "\""};
  open_objects_.keep(OpenObjects::key_of(request), object);
  return object_response(request, object);
}

std::optional<http::Response> PlaybackRoutes::object_again(const http::Request& request) {
  const auto object = open_objects_.find(OpenObjects::key_of(request));
  if (!object) return std::nullopt;
  return object_response(request, *object);
}

Result<http::Response> PlaybackRoutes::issue_ticket(const http::Request& request, const Session& session) {
  const HearingId id = GREFFE_TRY(may_play(request, session));
  const PlaySessions::Ticket ticket = GREFFE_TRY(sessions_.issue(session, id));
  Json out;
  out.set("expires", ticket.expires).set("master", "/v1/play/" + ticket.secret + "/master.m3u8").set("ticket", ticket.secret);
  return http::json_response(200, write_json(out));
}

Result<http::Response> PlaybackRoutes::with_ticket(const http::Request& request) {
  const auto [id, account, expires] = GREFFE_TRY(sessions_.redeem(request.parameter("ticket")));
  GREFFE_TRY(check_right(account, id));  // what was shared then may be no more
  const std::string path = request.parameter("path");
  constexpr std::string_view kStreams = "streams/";
  constexpr std::string_view kPlaylist = "/playlist.m3u8";
  constexpr std::string_view kObjects = "objects/";
  if (path == "master.m3u8") return master(id);
  if (path.starts_with(kObjects)) return object(request, id, path.substr(kObjects.size()));
  if (path.starts_with(kStreams) && path.ends_with(kPlaylist) && path.size() > kStreams.size() + kPlaylist.size()) {
    return playlist(id, path.substr(kStreams.size(), path.size() - kStreams.size() - kPlaylist.size()));
  }
  return fail(Errc::not_found, "There is nothing at this address.");
}

std::vector<http::Route> PlaybackRoutes::routes() {
  const auto guarded = [this](auto body) {
    return sign_in_.guard([this, body](const http::Request& request, const Session& session) -> Result<http::Response> {
      const HearingId id = GREFFE_TRY(may_play(request, session));
      return body(request, id);
    });
  };
  const auto ticket = [this](const http::Request& request) -> http::Response {
    auto response = with_ticket(request);
    return response ? std::move(*response) : http::problem(response.error());
  };
  const http::QuickHandler again = [this](const http::Request& request) { return object_again(request); };
  const std::uint64_t no_body = 0;
  return {{"GET", "/v1/hearings/{id}/master.m3u8", guarded([this](const http::Request&, const HearingId& id) { return master(id); })},
          {"GET", "/v1/hearings/{id}/streams/{name}/playlist.m3u8",
           guarded([this](const http::Request& r, const HearingId& id) { return playlist(id, r.parameter("name")); })},
          {"GET", "/v1/hearings/{id}/objects/{name}",
           guarded([this](const http::Request& r, const HearingId& id) { return object(r, id, r.parameter("name")); }), no_body, again},
          {"POST", "/v1/hearings/{id}/play", sign_in_.guard([this](const http::Request& r, const Session& s) { return issue_ticket(r, s); })},
          {"GET", "/v1/play/{ticket}/{path*}", http::Handler(ticket), no_body, again}};
}

}  // namespace greffe::web
