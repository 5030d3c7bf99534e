#include <algorithm>
#include <set>

#include "archive/format/entries.h"
#include "archive/format/members.h"

namespace greffe {
namespace {

Json begin(std::string_view kind, UtcTime utc) {
  Json out;
  out.set("kind", kind).set("utc", utc).set("v", kEntryVersion);
  return out;
}

// Optional members are left out when they say nothing.
void set_if(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json.set(key, text);
}

// ---- writers ----

Json to_json(const GenesisEntry& e) {
  Json out = begin("genesis", e.utc);
  out.set("archive", e.archive).set("holder", e.holder.text()).set("log_key", e.log_key.hex()).set("role", e.role);
  return out;
}

Json to_json(const KeyEntry& e) {
  Json out = begin("key", e.utc);
  out.set("action", e.action).set("key", e.key.hex()).set("name", e.name).set("role", e.role).set("since", e.since);
  set_if(out, "cosigner", e.cosigner);
  set_if(out, "court", e.court);
  set_if(out, "room", e.room);
  set_if(out, "why", e.why);
  return out;
}

Json to_json(const PlaceEntry& e) {
  Json out = begin("place", e.utc);
  out.set("court", e.court).set("names_sha256", e.names);
  set_if(out, "room", e.room);
  set_if(out, "zone", e.zone);
  return out;
}

Json to_json(const HearingCheckpointEntry& e) {
  Json out = begin("hearing-checkpoint", e.utc);
  out.set("closed", e.closed).set("hearing", e.hearing.text()).set("note", e.note);
  if (!e.beside.empty()) out.set("beside", Json::Array(e.beside.begin(), e.beside.end()));
  return out;
}

Json to_json(const DetailsEntry& e) {
  Json out = begin("details", e.utc);
  out.set("account", e.account).set("details_sha256", e.details).set("hearing", e.hearing.text());
  out.set("reason_sha256", e.reason);
  return out;
}

Json to_json(const MarkAddedEntry& e) {
  Json out = begin("mark", e.utc);
  out.set("account", e.account).set("at", e.at).set("hearing", e.hearing.text()).set("note_sha256", e.note);
  set_if(out, "stream", e.stream);
  return out;
}

Json to_json(const AccessEntry& e) {
  Json out = begin("access", e.utc);
  out.set("account", e.account).set("hearing", e.hearing.text()).set("purpose", e.purpose).set("session", e.session);
  return out;
}

Json to_json(const ScrubEntry& e) {
  Json out = begin("scrub", e.utc);
  out.set("bytes", e.bytes).set("failures", e.failures).set("finding", e.finding).set("objects", e.objects);
  out.set("volume", e.volume);
  set_if(out, "key", e.key);
  set_if(out, "action", e.action);
  if (!e.results) return out;
  out.set("began", e.results->began).set("root", e.results->root);
  if (e.results->oldest_ms) out.set("oldest_ms", *e.results->oldest_ms);
  return out;
}

Json to_json(const ExportEntry& e) {
  Json out = begin("export", e.utc);
  out.set("account", e.account).set("hearing", e.hearing.text()).set("root", e.root).set("size", e.size);
  return out;
}

Json to_json(const AccountEntry& e) {
  Json out = begin("account", e.utc);
  out.set("snapshot_sha256", e.snapshot);
  return out;
}

Json to_json(const MainLostEntry& e) {
  Json out = begin("lost", e.utc);
  out.set("objects", write_objects(e.objects)).set("officers", list_of(e.officers));
  if (e.hearing) out.set("hearing", e.hearing->text());
  if (!e.signatures.empty()) out.set("signatures", signature_list(e.signatures));
  return out;
}

Json to_json(const DrillEntry& e) {
  Json out = begin("drill", e.utc);
  out.set("archive", e.archive).set("failures", e.failures).set("objects", e.objects).set("report_sha256", e.report).set("root", e.root);
  out.set("seconds", e.seconds).set("size", e.size);
  return out;
}

Json to_json(const GraftEntry& e) {
  Json::Array hearings;
  for (const GraftedHearing& one : e.hearings) {
    Json hearing;
    hearing.set("hearing", one.hearing.text()).set("root", one.root).set("size", one.size);
    hearings.push_back(std::move(hearing));
  }
  Json out = begin("graft", e.utc);
  out.set("hearings", std::move(hearings)).set("origin", e.end.origin).set("root", e.end.root).set("size", e.end.size);
  return out;
}

Json to_json(const ShareEntry& e) {
  Json out = begin("share", e.utc);
  out.set("account", e.account).set("action", e.action).set("archive", e.archive).set("court", e.court).set("hearing", e.hearing.text());
  out.set("reason_sha256", e.reason);
  if (e.until) out.set("until", *e.until);
  return out;
}

Json to_json(const UnknownEntry&) {
  GREFFE_CHECK(!"an unknown entry is never written");
  return {};
}

// ---- readers ----

Result<MainEntry> read_genesis(const Json& json) {
  GenesisEntry e;
  e.archive = GREFFE_TRY(archive_name_member(json, "archive"));
  e.log_key = GREFFE_TRY(key_member(json, "log_key"));
  e.role = GREFFE_TRY(choice_member(json, "role", {"primary", "replica"}));
  const std::string holder = GREFFE_TRY(json.string("holder"));
  e.holder = GREFFE_TRY(parse_verifier_key(holder));
  if (e.holder.type != KeyType::cosignature_v1) return fail(Errc::invalid, "\"holder\" must be a cosigner's key (type 04)");
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_key(const Json& json) {
  KeyEntry e;
  e.action = GREFFE_TRY(choice_member(json, "action", {"added", "renewed", "revoked"}));
  e.role = GREFFE_TRY(choice_member(json, "role", {"station", "cosigner", "officer", "replicator", "returning", "origin", "reader", "witness"}));
  e.name = GREFFE_TRY(json.string("name"));
  // Stations and officers have short names; the others are named as they sign: like archives, cosigners and witnesses with a path; what
  // returns, like the log of its epoch.
  const bool short_name = e.role == "station" || e.role == "officer";
  const bool cosigns = e.role == "cosigner" || e.role == "witness";
  const bool good_name = short_name ? is_valid_name(e.name)
                         : cosigns ? is_valid_key_name(e.name)
                         : e.role == "returning" ? parse_epoch_origin(e.name).has_value() : is_valid_archive_name(e.name);
  if (!good_name) return fail(Errc::invalid, "\"name\" is not a name for the role " + e.role);
  e.key = GREFFE_TRY(key_member(json, "key"));
  if (cosigns) {
    e.cosigner = GREFFE_TRY(json.string("cosigner"));
    const VerifierKey verifier = GREFFE_TRY(parse_verifier_key(e.cosigner));
    if (verifier.type != KeyType::cosignature_v1 || verifier.key != e.key || verifier.name != e.name) {
      return fail(Errc::invalid, "\"cosigner\" does not agree with \"name\" and \"key\"");
    }
  }
  e.court = GREFFE_TRY(optional_name_member(json, "court"));
  e.room = GREFFE_TRY(optional_name_member(json, "room"));
  if (e.role == "station" && (e.court.empty() || e.room.empty())) {
    return fail(Errc::invalid, "a station's key needs \"court\" and \"room\"");
  }
  if (e.action == "revoked") e.why = GREFFE_TRY(choice_member(json, "why", {"retired", "stolen"}));
  e.since = GREFFE_TRY(json.utc("since"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_place(const Json& json) {
  PlaceEntry e;
  e.court = GREFFE_TRY(name_member(json, "court"));
  e.room = GREFFE_TRY(optional_name_member(json, "room"));
  e.names = GREFFE_TRY(json.digest("names_sha256"));
  if (json.has("zone")) e.zone = GREFFE_TRY(json.string("zone"));
  const bool zone_plain = std::all_of(e.zone.begin(), e.zone.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (e.zone.size() > 64 || !zone_plain) return fail(Errc::invalid, "\"zone\" is not the name of a time zone");
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<std::vector<std::uint64_t>> read_beside(const Json& json) {
  const Json::Array indices = GREFFE_TRY(json.array("beside"));
  const Error wrong = fail(Errc::invalid, "\"beside\" must be an ascending list of indices that begins with 0");
  std::vector<std::uint64_t> out;
  for (const Json& one : indices) {
    const std::int64_t* index = one.as_integer();
    if (index == nullptr || *index < 0 || (out.empty() ? *index != 0 : static_cast<std::uint64_t>(*index) <= out.back())) return wrong;
    out.push_back(static_cast<std::uint64_t>(*index));
  }
  if (out.empty() || out.size() > kMaxBeside) return wrong;
  return out;
}

Result<MainEntry> read_hearing_checkpoint(const Json& json) {
  HearingCheckpointEntry e;
  e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.note = GREFFE_TRY(json.string("note"));
  const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(e.note));
  const HearingOrigin origin = GREFFE_TRY(parse_hearing_origin(note.checkpoint.origin));
  if (origin.id != e.hearing) return fail(Errc::invalid, "\"note\" is the checkpoint of another hearing");
  e.closed = GREFFE_TRY(json.boolean("closed"));
  if (json.has("beside")) e.beside = GREFFE_TRY(read_beside(json));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_details(const Json& json) {
  DetailsEntry e;
  e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.details = GREFFE_TRY(json.digest("details_sha256"));
  e.reason = GREFFE_TRY(json.digest("reason_sha256"));
  e.account = GREFFE_TRY(id_member(json, "account"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_mark_added(const Json& json) {
  MarkAddedEntry e;
  e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.at = GREFFE_TRY(json.utc("at"));
  e.stream = GREFFE_TRY(optional_name_member(json, "stream"));
  e.note = GREFFE_TRY(json.digest("note_sha256"));
  e.account = GREFFE_TRY(id_member(json, "account"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_access(const Json& json) {
  AccessEntry e;
  e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.account = GREFFE_TRY(id_member(json, "account"));
  e.purpose = GREFFE_TRY(choice_member(json, "purpose", {"play", "export"}));
  e.session = GREFFE_TRY(id_member(json, "session"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<PassResults> read_results(const Json& json) {
  PassResults out;
  out.began = GREFFE_TRY(json.utc("began"));
  out.root = GREFFE_TRY(json.digest("root"));
  if (json.has("oldest_ms")) out.oldest_ms = GREFFE_TRY(duration_member(json, "oldest_ms"));
  return out;
}

Result<MainEntry> read_scrub(const Json& json) {
  ScrubEntry e;
  e.finding = GREFFE_TRY(choice_member(json, "finding", {"pass", "missing", "damaged"}));
  e.volume = GREFFE_TRY(token_member(json, "volume"));
  e.key = GREFFE_TRY(optional_token_member(json, "key"));
  if (json.has("action")) e.action = GREFFE_TRY(choice_member(json, "action", {"repaired", "not-repaired"}));
  if ((e.finding == "pass") != e.key.empty()) {
    return fail(Errc::invalid, "\"key\" names what was missing or damaged, and is left out for a pass");
  }
  e.objects = GREFFE_TRY(json.size("objects"));
  e.bytes = GREFFE_TRY(json.size("bytes"));
  e.failures = GREFFE_TRY(json.size("failures"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  const bool has_results = json.has("began") || json.has("root") || json.has("oldest_ms");
  if (has_results && e.finding != "pass") return fail(Errc::invalid, "\"began\", \"root\" and \"oldest_ms\" belong to a pass");
  if (has_results) e.results = GREFFE_TRY(read_results(json));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_export(const Json& json) {
  ExportEntry e;
  e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.account = GREFFE_TRY(id_member(json, "account"));
  e.root = GREFFE_TRY(json.digest("root"));
  e.size = GREFFE_TRY(json.size("size"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_account(const Json& json) {
  AccountEntry e;
  e.snapshot = GREFFE_TRY(json.digest("snapshot_sha256"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_lost(const Json& json) {
  MainLostEntry e;
  if (json.has("hearing")) e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.objects = GREFFE_TRY(objects_member(json, "objects"));
  e.officers = GREFFE_TRY(name_list_member(json, "officers"));
  if (json.has("signatures")) e.signatures = GREFFE_TRY(signatures_member(json, "signatures"));
  if (json.has("signatures") && e.signatures.size() != e.officers.size()) {
    return fail(Errc::invalid, "\"signatures\" must be one of each of the \"officers\", in their order");
  }
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_promotion_entry(const Json& json) {
  PromotionEntry e = GREFFE_TRY(read_promotion(json));
  return MainEntry(std::move(e));
}

Result<MainEntry> read_drill(const Json& json) {
  DrillEntry e;
  e.archive = GREFFE_TRY(archive_name_member(json, "archive"));
  e.failures = GREFFE_TRY(json.size("failures"));
  e.objects = GREFFE_TRY(json.size("objects"));
  e.report = GREFFE_TRY(json.digest("report_sha256"));
  e.root = GREFFE_TRY(json.digest("root"));
  e.seconds = GREFFE_TRY(duration_member(json, "seconds"));
  e.size = GREFFE_TRY(json.size("size"));
  if (e.size == 0) return fail(Errc::invalid, "\"size\" must be that of a log with entries");
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

Result<GraftedHearing> read_grafted(const Json& json) {
  GraftedHearing out;
  out.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  out.size = GREFFE_TRY(json.size("size"));
  out.root = GREFFE_TRY(json.digest("root"));
  if (out.size == 0) return fail(Errc::invalid, "\"size\" must be that of a log with entries");
  return out;
}

Result<MainEntry> read_graft(const Json& json) {
  GraftEntry e;
  e.end.origin = GREFFE_TRY(json.string("origin"));
  GREFFE_TRY(parse_epoch_origin(e.end.origin));
  e.end.size = GREFFE_TRY(json.size("size"));
  e.end.root = GREFFE_TRY(json.digest("root"));
  if (e.end.size == 0) return fail(Errc::invalid, "\"size\" must be that of a log with entries");
  std::set<HearingId> seen;
  const Json::Array hearings = GREFFE_TRY(json.array("hearings"));
  for (const Json& one : hearings) {
    e.hearings.push_back(GREFFE_TRY(read_grafted(one)));
    if (!seen.insert(e.hearings.back().hearing).second) return fail(Errc::invalid, "\"hearings\" names one twice");
  }
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

// A court of this archive, or one of another: "<archive>/<court>".
bool is_court_name(std::string_view text) {
  const std::size_t at = text.rfind('/');
  if (at == std::string_view::npos) return is_valid_name(text);
  return is_valid_archive_name(text.substr(0, at)) && is_valid_name(text.substr(at + 1));
}

Result<MainEntry> read_share(const Json& json) {
  ShareEntry e;
  e.action = GREFFE_TRY(choice_member(json, "action", {"granted", "revoked"}));
  e.archive = GREFFE_TRY(archive_name_member(json, "archive"));
  e.hearing = GREFFE_TRY(hearing_member(json, "hearing"));
  e.court = GREFFE_TRY(json.string("court"));
  if (!is_court_name(e.court)) return fail(Errc::invalid, "\"court\" is not the name of a court");
  if (json.has("until")) e.until = GREFFE_TRY(json.utc("until"));
  e.reason = GREFFE_TRY(json.digest("reason_sha256"));
  e.account = GREFFE_TRY(id_member(json, "account"));
  e.utc = GREFFE_TRY(json.utc("utc"));
  return MainEntry(std::move(e));
}

using Reader = Result<MainEntry> (*)(const Json&);
struct Kind {
  std::string_view name;
  Reader read;
};
constexpr Kind kKinds[] = {{"genesis", read_genesis},
                           {"key", read_key},
                           {"place", read_place},
                           {"hearing-checkpoint", read_hearing_checkpoint},
                           {"details", read_details},
                           {"mark", read_mark_added},
                           {"access", read_access},
                           {"scrub", read_scrub},
                           {"export", read_export},
                           {"account", read_account},
                           {"lost", read_lost},
                           {"promotion", read_promotion_entry},
                           {"drill", read_drill},
                           {"graft", read_graft},
                           {"share", read_share}};

}  // namespace

std::string write_main_entry(const MainEntry& entry) {
  return write_json(std::visit([](const auto& e) { return to_json(e); }, entry));
}

Result<MainEntry> parse_main_entry(std::string_view bytes) {
  RawEntry raw = GREFFE_TRY(read_raw_entry(bytes));
  for (const Kind& known : kKinds) {
    if (known.name != raw.kind || raw.version != kEntryVersion) continue;
    auto entry = known.read(raw.json);
    if (!entry) return entry.error().within("\"" + raw.kind + "\" entry");
    return entry;
  }
  return MainEntry(UnknownEntry{std::move(raw.kind), raw.version});
}

}  // namespace greffe
