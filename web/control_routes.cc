#include "web/control_routes.h"

#include <algorithm>

#include "archive/format/documents.h"
#include "archive/store_document.h"
#include "web/control_route.h"
#include "web/json_of.h"

namespace greffe::web {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;

// Whether the code is for a replicator that is enrolled and has lost its key.
Result<bool> renews(const Json& arguments) { return arguments.has("renew") ? arguments.boolean("renew") : Result<bool>(false); }

// Of the site that returns; none: that of the epoch before this one.
Result<std::optional<std::uint64_t>> epoch_in(const Json& arguments) {
  if (!arguments.has("epoch")) return std::optional<std::uint64_t>();
  return std::optional(GREFFE_TRY(arguments.size("epoch")));
}

}  // namespace

ControlRoutes::ControlRoutes(Clock& clock, archive::Stores stores, archive::MainLog& main_log, archive::Peers& peers,
                             accounts::Accounts& accounts, archive::AccountSnapshots& snapshots, StatusRoutes& status, store::WholePool& pool,
                             archive::PoolKeeper& keeper, archive::Scrub& scrub, archive::OtherSites& sites)
    : clock_(clock), stores_(stores), main_log_(main_log), peers_(peers), accounts_(accounts), snapshots_(snapshots), status_(status), pool_(pool),
      keeper_(keeper), scrub_(scrub), sites_(sites) {}

std::vector<http::Route> ControlRoutes::routes() {
  const auto route = [this](const std::string& verb, Verb handler) {
    return control_route(verb, [this, handler](const Json& arguments) { return (this->*handler)(arguments); });
  };
  return {route("station-add", &ControlRoutes::station_add),       route("station-renew", &ControlRoutes::station_renew),
          route("station-list", &ControlRoutes::station_list),     route("station-revoke", &ControlRoutes::station_revoke),
          route("user-add", &ControlRoutes::user_add),
          route("user-list", &ControlRoutes::user_list),           route("user-token", &ControlRoutes::user_token),
          route("user-password", &ControlRoutes::user_password),   route("place-set", &ControlRoutes::place_set),
          route("origin-add", &ControlRoutes::origin_add),         route("origin-revoke", &ControlRoutes::origin_revoke),
          route("cosigner-add", &ControlRoutes::cosigner_add),     route("cosigner-revoke", &ControlRoutes::cosigner_revoke),
          route("export-logged", &ControlRoutes::export_logged),   route("status", &ControlRoutes::status),
          route("scrub", &ControlRoutes::scrub),                   route("volume-add", &ControlRoutes::volume_add),
          route("volume-drain", &ControlRoutes::volume_drain),     route("officer-add", &ControlRoutes::officer_add),
          route("officer-list", &ControlRoutes::officer_list),     route("officer-revoke", &ControlRoutes::officer_revoke),
          route("lost-statement", &ControlRoutes::lost_statement), route("declare-lost", &ControlRoutes::declare_lost),
          route("reader-code", &ControlRoutes::reader_code),       route("reader-revoke", &ControlRoutes::reader_revoke),
          route("site-add", &ControlRoutes::site_add),             route("site-list", &ControlRoutes::site_list),
          route("site-remove", &ControlRoutes::site_remove),       route("returning-add", &ControlRoutes::returning_add),
          route("returning-revoke", &ControlRoutes::returning_revoke)};
}

// ---- stations and other peers ----

Result<Json> ControlRoutes::station_add(const Json& arguments) {
  archive::Invitation invitation;
  invitation.role = "station";
  invitation.name = GREFFE_TRY(arguments.string("name"));
  invitation.court = GREFFE_TRY(arguments.string("court"));
  invitation.room = GREFFE_TRY(arguments.string("room"));
  Json out;
  out.set("code", GREFFE_TRY(peers_.invite(invitation)));
  return out;
}

Result<Json> ControlRoutes::station_renew(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const archive::Invitation invitation = GREFFE_TRY(peers_.renewal(name));
  Json out;
  out.set("code", GREFFE_TRY(peers_.invite(invitation)));
  return out;
}

Result<Json> ControlRoutes::station_list(const Json&) {
  const Json status = GREFFE_TRY(status_.status());
  Json out;
  out.set("stations", *status.find("stations"));
  return out;
}

Result<Json> ControlRoutes::revoke(std::string_view role, const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const std::string why = GREFFE_TRY(arguments.string("why"));
  if (why != "retired" && why != "stolen") return fail(Errc::invalid, "say why: retired or stolen");
  GREFFE_TRY(peers_.revoke(role, name, why));
  return Json();
}

Result<Json> ControlRoutes::station_revoke(const Json& arguments) { return revoke("station", arguments); }

// At a replica: the archive whose log and hearings it holds, and a code for that archive's replicator.
Result<Json> ControlRoutes::origin_add(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const std::string text = GREFFE_TRY(arguments.string("log_vkey"));
  const VerifierKey key = GREFFE_TRY(parse_verifier_key(text));
  if (key.name != name || key.type != KeyType::ed25519) return fail(Errc::invalid, "the key is not the log key of " + name);
  const auto known = GREFFE_TRY(main_log_.catalogue().key("origin", key.key));
  if (!known) {
    KeyEntry entry;
    entry.action = "added";
    entry.role = "origin";
    entry.name = name;
    entry.key = key.key;
    entry.utc = clock_.utc_now();
    entry.since = entry.utc;
    GREFFE_TRY(main_log_.append(entry));
  }
  Json out;
  const bool renew = GREFFE_TRY(renews(arguments));
  out.set("code", GREFFE_TRY(peers_.invite({"replicator", name, "", "", renew})));
  return out;
}

// At a primary: the key of the site that confirms what it holds, and a code for the replicator that brings the
// confirmations.
Result<Json> ControlRoutes::cosigner_add(const Json& arguments) {
  const std::string text = GREFFE_TRY(arguments.string("vkey"));
  const VerifierKey key = GREFFE_TRY(parse_verifier_key(text));
  if (key.type != KeyType::cosignature_v1) return fail(Errc::invalid, "this is not the key of a cosigner (type 04)");
  const auto known = GREFFE_TRY(main_log_.catalogue().key("cosigner", key.key));
  if (!known) {
    KeyEntry entry;
    entry.action = "added";
    entry.role = "cosigner";
    entry.name = key.name;
    entry.key = key.key;
    entry.cosigner = text;
    entry.utc = clock_.utc_now();
    entry.since = entry.utc;
    GREFFE_TRY(main_log_.append(entry));
  }
  const std::string site = key.name.substr(0, key.name.find('/'));
  Json out;
  const bool renew = GREFFE_TRY(renews(arguments));
  out.set("code", GREFFE_TRY(peers_.invite({"replicator", site, "", "", renew})));
  return out;
}

// At a replica: the replicator's key, from the next request on. What is held stays; `origin add --renew` makes a code for another key.
Result<Json> ControlRoutes::origin_revoke(const Json& arguments) { return revoke("replicator", arguments); }

// At a primary: its confirmations count for nothing from now on, and the replicator that brought them is not heard any more.
Result<Json> ControlRoutes::cosigner_revoke(const Json& arguments) {
  GREFFE_TRY(revoke("cosigner", arguments));
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const std::string why = GREFFE_TRY(arguments.string("why"));
  const Status replicator = peers_.revoke("replicator", name.substr(0, name.find('/')), why);
  if (!replicator && replicator.error().code != Errc::not_found) return replicator.error();  // not_found: none had enrolled
  return Json();
}

// At an archive that was promoted: a code for the site that was this archive before, to bring back what it alone has.
Result<Json> ControlRoutes::returning_add(const Json& arguments) {
  const auto epoch = GREFFE_TRY(epoch_in(arguments));
  archive::Invitation invitation = GREFFE_TRY(peers_.returning(epoch));
  invitation.renews = GREFFE_TRY(renews(arguments));
  Json out;
  out.set("code", GREFFE_TRY(peers_.invite(invitation)));
  return out;
}

Result<Json> ControlRoutes::returning_revoke(const Json& arguments) {
  const auto epoch = GREFFE_TRY(epoch_in(arguments));
  const archive::Invitation invitation = GREFFE_TRY(peers_.returning(epoch));
  return revoke(invitation.role, Json(arguments).set("name", invitation.name));
}

// ---- reading what another site holds ----

// At a replica: a code with which an archive may read the copies of what it recorded.
Result<Json> ControlRoutes::reader_code(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const archive::Invitation invitation = GREFFE_TRY(peers_.reading(name));
  Json out;
  out.set("code", GREFFE_TRY(peers_.invite(invitation)));
  return out;
}

Result<Json> ControlRoutes::reader_revoke(const Json& arguments) { return revoke("reader", arguments); }

// At the archive whose copies these are.
Result<Json> ControlRoutes::site_add(const Json& arguments) {
  const std::string code = GREFFE_TRY(arguments.string("code"));
  Json out;
  out.set("name", GREFFE_TRY(sites_.add(code)));
  return out;
}

Result<Json> ControlRoutes::site_list(const Json&) { return sites_.report(); }

Result<Json> ControlRoutes::site_remove(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  GREFFE_TRY(sites_.remove(name));
  return Json();
}

// ---- officers, and what they declare lost ----

// A person whose signature, with another one's, lets the archive go on without what nobody has any more.
Result<Json> ControlRoutes::officer_add(const Json& arguments) {
  KeyEntry entry;
  entry.action = "added";
  entry.role = "officer";
  entry.name = GREFFE_TRY(arguments.string("name"));
  if (!is_valid_name(entry.name)) return fail(Errc::invalid, "an officer is named with 1 to 32 small letters, digits and '-'");
  const std::string key = GREFFE_TRY(arguments.string("key"));
  entry.key = GREFFE_TRY(public_key_from_hex(key));
  const std::vector<catalogue::KnownKey> known = GREFFE_TRY(main_log_.catalogue().keys("officer"));
  for (const catalogue::KnownKey& one : known) {
    if (one.revoked_since || (one.name != entry.name && one.key != entry.key)) continue;
    return fail(Errc::already_exists, "there is an officer " + one.name + (one.key == entry.key ? " with this key" : " already; revoke the old key first"));
  }
  entry.utc = clock_.utc_now();
  entry.since = entry.utc;
  GREFFE_TRY(main_log_.append(entry));
  return Json();
}

Result<Json> ControlRoutes::officer_list(const Json&) {
  const std::vector<catalogue::KnownKey> known = GREFFE_TRY(main_log_.catalogue().keys("officer"));
  Json::Array list;
  for (const catalogue::KnownKey& one : known) {
    Json officer;
    officer.set("key", one.key.hex()).set("name", one.name).set("since", one.since);
    if (one.revoked_since) officer.set("revoked", *one.revoked_since).set("why", one.revoked_why);
    list.push_back(std::move(officer));
  }
  Json out;
  out.set("officers", std::move(list));
  return out;
}

Result<Json> ControlRoutes::officer_revoke(const Json& arguments) { return revoke("officer", arguments); }

Result<archive::LostOrder> ControlRoutes::lost_order(const Json& arguments) const {
  const auto facts = GREFFE_TRY(main_log_.catalogue().archive_facts());
  if (facts && facts->role == "replica") return fail(Errc::denied, "this archive is a replica: what is lost is declared at the primary");
  archive::LostOrder out;
  if (arguments.has("hearing")) {
    const std::string id = GREFFE_TRY(arguments.string("hearing"));
    out.hearing = GREFFE_TRY(parse_hearing_id(id));
  }
  const std::vector<std::string> objects = GREFFE_TRY(arguments.strings("objects"));
  for (const std::string& object : objects) out.objects.push_back(GREFFE_TRY(digest_from_hex(object)));
  return out;
}

Result<Json> ControlRoutes::lost_statement(const Json& arguments) {
  const archive::LostOrder order = GREFFE_TRY(lost_order(arguments));
  Json out;
  out.set("statement", GREFFE_TRY(scrub_.lost().statement(order)));
  return out;
}

Result<Json> ControlRoutes::declare_lost(const Json& arguments) {
  const archive::LostOrder order = GREFFE_TRY(lost_order(arguments));
  const Json::Array list = GREFFE_TRY(arguments.array("signatures"));
  std::vector<archive::LostObjects::Signed> officers;
  for (const Json& one : list) {
    const std::string text = GREFFE_TRY(one.string("signature"));
    const Bytes bytes = GREFFE_TRY(from_base64(text));
    archive::LostObjects::Signed officer;
    officer.officer = GREFFE_TRY(one.string("officer"));
    if (bytes.size() != officer.signature.size()) return fail(Errc::invalid, "the signature of " + officer.officer + " has not 64 bytes");
    std::copy(bytes.begin(), bytes.end(), officer.signature.begin());
    officers.push_back(std::move(officer));
  }
  GREFFE_TRY(scrub_.lost().declare(order, officers));
  return Json();
}

// ---- people ----

Result<Json> ControlRoutes::user_add(const Json& arguments) {
  accounts::Account account;
  account.name = GREFFE_TRY(arguments.string("name"));
  account.display_name = GREFFE_TRY(arguments.string("display"));
  const std::vector<std::string> roles = GREFFE_TRY(arguments.strings("roles"));
  for (const std::string& role : roles) account.roles.insert(GREFFE_TRY(accounts::parse_role(role)));
  account.all_courts = GREFFE_TRY(arguments.boolean("all_courts"));
  account.courts = GREFFE_TRY(arguments.strings("courts"));
  account.language = GREFFE_TRY(arguments.string("language"));
  const std::string password = GREFFE_TRY(arguments.string("password"));
  const accounts::Account made = GREFFE_TRY(accounts_.add(account, password));
  GREFFE_TRY(snapshots_.store());
  return json_of(made);
}

Result<Json> ControlRoutes::user_list(const Json&) {
  const std::vector<accounts::Account> all = GREFFE_TRY(accounts_.list());
  Json::Array list;
  for (const accounts::Account& account : all) list.push_back(json_of(account).set("disabled", account.disabled));
  Json out;
  out.set("accounts", std::move(list));
  return out;
}

Result<Json> ControlRoutes::user_token(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const std::string label = GREFFE_TRY(arguments.string("label"));
  const std::uint64_t days = GREFFE_TRY(arguments.size("days"));
  if (days < 1 || days > 3660) return fail(Errc::invalid, "a token is good for 1 to 3,660 days");
  const UtcTime expires{clock_.utc_now().ms + static_cast<std::int64_t>(days) * kDayMs};
  const accounts::Accounts::NewToken made = GREFFE_TRY(accounts_.add_token(name, label, expires));
  GREFFE_TRY(snapshots_.store());
  Json out;
  out.set("expires", expires).set("id", made.token.id).set("secret", made.secret);
  return out;
}

Result<Json> ControlRoutes::user_password(const Json& arguments) {
  const std::string name = GREFFE_TRY(arguments.string("name"));
  const std::string password = GREFFE_TRY(arguments.string("password"));
  GREFFE_TRY(accounts_.set_password(name, password));
  GREFFE_TRY(snapshots_.store());
  return Json();
}

// ---- places, exports, status ----

Result<Json> ControlRoutes::place_set(const Json& arguments) {
  PlaceEntry entry;
  entry.court = GREFFE_TRY(arguments.string("court"));
  if (arguments.has("room")) entry.room = GREFFE_TRY(arguments.string("room"));
  if (arguments.has("zone")) entry.zone = GREFFE_TRY(arguments.string("zone"));
  if (!is_valid_name(entry.court) || (!entry.room.empty() && !is_valid_name(entry.room))) {
    return fail(Errc::invalid, "courts and rooms are named with 1 to 32 small letters, digits and '-'");
  }
  const Json names = GREFFE_TRY(arguments.object("names"));
  std::map<std::string, std::string> by_language;
  for (const auto& [language, name] : *names.as_object()) {
    if (name.as_string() == nullptr || name.as_string()->empty()) return fail(Errc::invalid, "a display name is empty");
    by_language.emplace(language, *name.as_string());
  }
  entry.names = GREFFE_TRY(archive::store_document(stores_.objects, write_place_names(by_language)));
  entry.utc = clock_.utc_now();
  GREFFE_TRY(main_log_.append(entry));
  return Json();
}

Result<Json> ControlRoutes::export_logged(const Json& arguments) {
  ExportEntry entry;
  const std::string id = GREFFE_TRY(arguments.string("hearing"));
  entry.hearing = GREFFE_TRY(parse_hearing_id(id));
  entry.account = "operator-socket";
  entry.root = GREFFE_TRY(arguments.digest("root"));
  entry.size = GREFFE_TRY(arguments.size("size"));
  entry.utc = clock_.utc_now();
  GREFFE_TRY(main_log_.append(entry));
  return Json();
}

Result<Json> ControlRoutes::status(const Json&) { return status_.status(); }
Result<Json> ControlRoutes::scrub(const Json&) { return scrub_.read_all_now(); }

// ---- volumes ----

Result<store::VolumeMembers*> ControlRoutes::members() {
  if (store::VolumeMembers* const volumes = pool_.members()) return volumes;
  return fail(Errc::invalid, "this archive's pool is not on disks of its own: the service under it takes disks in and out");
}

Result<Json> ControlRoutes::volume_add(const Json& arguments) {
  const std::string path = GREFFE_TRY(arguments.string("path"));
  const std::string domain = GREFFE_TRY(arguments.string("domain"));
  store::VolumeMembers* const volumes = GREFFE_TRY(members());
  const store::VolumeLabel label = GREFFE_TRY(volumes->add_volume(path, domain));
  keeper_.wake();
  Json out;
  out.set("volume", label.id);
  return out;
}

// By its id or by its path.
Result<Json> ControlRoutes::volume_drain(const Json& arguments) {
  const std::string asked = GREFFE_TRY(arguments.string("volume"));
  store::VolumeMembers* const volumes = GREFFE_TRY(members());
  for (const store::VolumeReport& volume : pool_.volumes()) {
    if (volume.id.empty() || (volume.id != asked && volume.path != asked)) continue;
    GREFFE_TRY(volumes->drain_volume(volume.id));
    keeper_.wake();
    Json out;
    out.set("volume", volume.id);
    return out;
  }
  return fail(Errc::not_found, "this pool has no volume " + asked + "; see greffe-archive volume list");
}

}  // namespace greffe::web
