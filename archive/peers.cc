#include "archive/peers.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxInvitationsBytes = 1024 * 1024;
constexpr std::size_t kSecretBytes = 32;

Status check_invitation(const Invitation& invitation) {
  if (invitation.role == "replicator" || invitation.role == "reader") {
    if (is_valid_archive_name(invitation.name)) return ok();
    return fail(Errc::invalid, "the name of an archive looks like archive.court.example");
  }
  if (invitation.role == "returning") return ok();  // made by returning()
  for (const std::string& name : {invitation.name, invitation.court, invitation.room}) {
    if (!is_valid_name(name)) {
      return fail(Errc::invalid, "\"" + name + "\" is not a name: 1 to 32 small letters, digits and '-'");
    }
  }
  return ok();
}

KeyEntry revocation_of(const catalogue::KnownKey& key, std::string_view why, UtcTime since, UtcTime now) {
  KeyEntry entry;
  entry.action = "revoked";
  entry.role = key.role;
  entry.name = key.name;
  entry.key = key.key;
  entry.cosigner = key.cosigner;
  entry.court = key.court;
  entry.room = key.room;
  entry.why = why;
  entry.utc = now;
  entry.since = since;
  return entry;
}

}  // namespace

Peers::Peers(FileSystem& files, Clock& clock, MainLog& main_log, const std::string& state_directory, Self self)
    : files_(files), clock_(clock), main_log_(main_log), path_(join(state_directory, "invitations.json")),
      self_(std::move(self)) {}

Result<std::vector<Peers::Open>> Peers::load() const {
  std::vector<Open> out;
  const auto bytes = files_.read_file(path_, kMaxInvitationsBytes);
  if (!bytes && bytes.error().code == Errc::not_found) return out;
  if (!bytes) return bytes.error();
  const Json json = GREFFE_TRY(parse_json(as_text(*bytes)));
  const Json::Array items = GREFFE_TRY(json.array("invitations"));
  for (const Json& item : items) {
    Open open;
    open.invitation.role = GREFFE_TRY(item.string("role"));
    open.invitation.name = GREFFE_TRY(item.string("name"));
    open.invitation.court = GREFFE_TRY(item.string("court"));
    open.invitation.room = GREFFE_TRY(item.string("room"));
    open.secret = GREFFE_TRY(item.digest("secret"));
    open.expires = GREFFE_TRY(item.utc("expires"));
    open.invitation.renews = item.has("renews") && GREFFE_TRY(item.boolean("renews"));
    if (clock_.utc_now() < open.expires) out.push_back(std::move(open));
  }
  return out;
}

Status Peers::save(const std::vector<Open>& open) const {
  Json::Array items;
  for (const Open& o : open) {
    Json item;
    item.set("court", o.invitation.court).set("expires", o.expires).set("name", o.invitation.name);
    item.set("renews", o.invitation.renews).set("role", o.invitation.role).set("room", o.invitation.room).set("secret", o.secret);
    items.push_back(std::move(item));
  }
  Json json;
  json.set("invitations", std::move(items));
  return files_.replace(path_, as_bytes(write_json(json) + "\n"), 0600);
}

Result<std::string> Peers::invite(const Invitation& invitation) {
  GREFFE_TRY(check_invitation(invitation));
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(main_log_.catalogue().keys(invitation.role));
  for (const catalogue::KnownKey& key : keys) {
    if (key.name == invitation.name && !key.revoked_since && !invitation.renews) {
      return fail(Errc::already_exists, fmt::format("the {} {} is enrolled since {}; renew its key, or revoke it first", invitation.role,
                                                    invitation.name, to_date(key.since)));
    }
  }
  std::array<std::uint8_t, kSecretBytes> secret{};
  fill_random(secret);
  client::EnrolmentCode code;
  code.address = self_.machine_url;
  code.server_spki = client::spki_digest(self_.server_key);
  code.log = self_.log;
  code.cosigners = {self_.holder};
  code.name = invitation.name;
  code.role = invitation.role;
  code.court = invitation.court;
  code.room = invitation.room;
  code.secret = to_base64url(secret);

  const std::lock_guard lock(mutex_);
  std::vector<Open> open = GREFFE_TRY(load());
  std::erase_if(open, [&](const Open& o) {
    return o.invitation.role == invitation.role && o.invitation.name == invitation.name;  // the newest code counts
  });
  open.push_back(Open{invitation, sha256(as_bytes(code.secret)), UtcTime{clock_.utc_now().ms + kCodeLifetimeMs}});
  GREFFE_TRY(save(open));
  return client::write_enrolment_code(code);
}

Result<catalogue::KnownKey> Peers::enrol(const PublicKey& key, std::string_view secret, std::string_view name,
                                         std::string_view role) {
  const std::lock_guard lock(mutex_);
  const auto known = GREFFE_TRY(main_log_.catalogue().key(role, key));
  if (known && known->name == name && !known->revoked_since) return *known;  // the first answer was lost
  std::vector<Open> open = GREFFE_TRY(load());
  const Digest digest = sha256(as_bytes(secret));
  const auto found = std::find_if(open.begin(), open.end(), [&](const Open& o) {
    return o.secret == digest && o.invitation.name == name && o.invitation.role == role;
  });
  if (found == open.end()) {
    return fail(Errc::denied, "this code is wrong, used up or older than 24 hours; ask the archive's operator for a new one");
  }
  KeyEntry entry;
  entry.action = found->invitation.renews ? "renewed" : "added";
  entry.role = found->invitation.role;
  entry.name = found->invitation.name;
  entry.key = key;
  entry.court = found->invitation.court;
  entry.room = found->invitation.room;
  entry.utc = clock_.utc_now();
  entry.since = entry.utc;
  // A crash between the two: the key is enrolled and the code still open; it leads to the same name only.
  std::vector<MainEntry> entries = {entry};
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(main_log_.catalogue().keys(entry.role));
  for (const catalogue::KnownKey& old : keys) {
    const bool replaced = found->invitation.renews && old.name == entry.name && !old.revoked_since;
    if (replaced) entries.push_back(revocation_of(old, "retired", entry.since, entry.utc));
  }
  GREFFE_TRY(main_log_.append(entries));
  open.erase(found);
  GREFFE_TRY(save(open));
  const auto made = GREFFE_TRY(main_log_.catalogue().key(role, key));
  if (!made) return fail(Errc::unavailable, "the key was enrolled, but the catalogue does not show it yet; try again");
  return *made;
}

Result<Peer> Peers::identify(const PublicKey& key) const {
  const auto station = GREFFE_TRY(main_log_.catalogue().key("station", key));
  if (station) return Peer{Peer::Kind::station, *station};
  const auto replicator = GREFFE_TRY(main_log_.catalogue().key("replicator", key));
  if (replicator && !replicator->revoked_since) return Peer{Peer::Kind::replicator, *replicator};
  const auto reader = GREFFE_TRY(main_log_.catalogue().key("reader", key));
  if (reader && !reader->revoked_since) return Peer{Peer::Kind::reader, *reader};
  const auto returning = GREFFE_TRY(main_log_.catalogue().key("returning", key));
  if (returning && !returning->revoked_since) return Peer{Peer::Kind::returning, *returning};
  return fail(Errc::denied, "this archive does not know your key; enrol first, with a code from its operator");
}

Result<Invitation> Peers::renewal(const std::string& station) const {
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(main_log_.catalogue().keys("station"));
  for (const catalogue::KnownKey& key : keys) {
    if (key.name == station && !key.revoked_since) return Invitation{"station", station, key.court, key.room, true};
  }
  return fail(Errc::not_found, fmt::format("no station named {} is enrolled; its first code is made by station add", station));
}

Result<Invitation> Peers::reading(const std::string& origin) const {
  const auto is_current = [&](const catalogue::KnownKey& key) { return key.name == origin && !key.revoked_since; };
  const std::vector<catalogue::KnownKey> origins = GREFFE_TRY(main_log_.catalogue().keys("origin"));
  if (std::none_of(origins.begin(), origins.end(), is_current)) {
    return fail(Errc::not_found, "this archive does not hold copies of " + origin + "; add it with `origin add` first");
  }
  const std::vector<catalogue::KnownKey> readers = GREFFE_TRY(main_log_.catalogue().keys("reader"));
  return Invitation{"reader", origin, "", "", std::any_of(readers.begin(), readers.end(), is_current)};
}

Result<Invitation> Peers::returning(std::optional<std::uint64_t> epoch) const {
  const EpochName& own = main_log_.place().name;
  if (own.epoch == 1) return fail(Errc::invalid, "this archive was never promoted: nothing of an earlier epoch can come back");
  const std::uint64_t old = epoch.value_or(own.epoch - 1);
  if (old == 0 || old >= own.epoch) return fail(Errc::invalid, fmt::format("this archive is in epoch {}: say an earlier one, from 1 on", own.epoch));
  return Invitation{"returning", epoch_origin({own.archive, old}), "", ""};
}

Status Peers::revoke(std::string_view role, std::string_view name, std::string_view why) {
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(main_log_.catalogue().keys(role));
  for (const catalogue::KnownKey& key : keys) {
    if (key.name != name || key.revoked_since) continue;
    const UtcTime now = clock_.utc_now();
    GREFFE_TRY(main_log_.append(revocation_of(key, why, now, now)));
    return ok();
  }
  return fail(Errc::not_found, fmt::format("no {} named {} is enrolled", role, name));
}

Result<std::vector<VerifierKey>> Peers::cosigners() const { return cosigning_keys(main_log_.catalogue(), {"cosigner"}); }

Result<std::vector<VerifierKey>> Peers::main_log_cosigners() const { return cosigning_keys(main_log_.catalogue(), {"cosigner", "witness"}); }

}  // namespace greffe::archive
