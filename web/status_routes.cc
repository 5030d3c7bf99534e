#include "web/status_routes.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"
#include "web/drill_routes.h"
#include "web/json_of.h"

namespace greffe::web {
namespace {

// The second site is late when it has not covered the newest main-log state for this long.
constexpr std::int64_t kSecondSiteLateMs = 15 * 60'000;
// Reading back is late when what was confirmed this long ago has not been read from the disks.
constexpr std::int64_t kReadBackLateMs = 10 * 60'000;
// A station is spoken of when it uses so much of its quota: an honest one needs no tenth.
constexpr std::uint64_t kMuchUnfiled = 2;
constexpr std::int64_t kDayMs = 86'400'000;

// `what` and `todo` are English, for the command line; pages say the same in their own words, by code and facts.
Json reason(std::string_view code, Json facts, const std::string& what, const std::string& todo) {
  Json out;
  out.set("code", code).set("facts", std::move(facts)).set("todo", todo).set("what", what);
  return out;
}

Json about_volume(const store::VolumeReport& volume, const std::string& state) {
  Json facts;
  facts.set("detail", volume.reason).set("path", volume.path);
  Json out = reason("volume-" + state, std::move(facts), fmt::format("Volume {} is {}: {}", volume.path, state, volume.reason),
                    state == "full" ? "Add a volume or free space on this one."
                                    : "Look at the disk and its cable; mount it again or replace it, then run scrub.");
  out.set("since", volume.since);
  return out;
}

Json about_unfiled(const std::string& station, std::uint64_t bytes) {
  Json facts;
  facts.set("size", human_bytes(bytes)).set("station", station);
  return reason("station-unfiled", std::move(facts),
                fmt::format("Station {} has sent {} without the entries that say what it is", station, human_bytes(bytes)),
                "Look at the station: greffe-ingest status there says what it waits for. When its quota is used up, it waits.");
}

// Of what is known of one archive and not held; nothing: everything that is known is held.
std::optional<Json> about_ahead(const std::vector<archive::AheadFacts>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const archive::AheadFacts& one) { return one.archive == name; });
  if (found == all.end()) return std::nullopt;
  Json out;
  out.set("bytes", found->bytes).set("counted", found->counted).set("entries", found->entries).set("hearings", found->hearings);
  out.set("main_entries", found->main_entries).set("objects", found->objects);
  if (found->oldest) out.set("oldest", *found->oldest);
  return out;
}

}  // namespace

StatusRoutes::StatusRoutes(Clock& clock, const archive::Settings& settings, store::WholePool& pool,
                           archive::MainLog& main_log, archive::Peers& peers, Upkeep upkeep, std::uint64_t epoch)
    : clock_(clock), settings_(settings), pool_(pool), main_log_(main_log), peers_(peers), upkeep_(upkeep), epoch_(epoch) {}

Result<Json::Array> StatusRoutes::volumes(Json::Array& reasons) {
  Json::Array out;
  for (const store::VolumeReport& volume : pool_.volumes()) {
    Json v;
    const std::string state(store::name_of(volume.state));
    v.set("domain", volume.domain).set("id", volume.id).set("path", volume.path).set("state", state);
    v.set("total_bytes", volume.total_bytes).set("used_bytes", volume.total_bytes - volume.free_bytes);
    if (state != "active") v.set("reason", volume.reason).set("since", volume.since);
    const bool asked_for = volume.state == store::VolumeState::draining || volume.state == store::VolumeState::retired;
    if (state != "active" && !asked_for) reasons.push_back(about_volume(volume, state));
    out.push_back(std::move(v));
  }
  return out;
}

Result<Json::Array> StatusRoutes::stations(Json::Array& reasons) {
  Json::Array out;
  const std::map<std::string, std::uint64_t> unfiled = upkeep_.unfiled.by_station();
  const std::vector<catalogue::StationFacts> stations = GREFFE_TRY(main_log_.catalogue().stations());
  const std::vector<catalogue::Court> places = GREFFE_TRY(main_log_.catalogue().places());
  for (const catalogue::StationFacts& station : stations) {
    Json s;
    s.set("court", station.key.court).set("name", station.key.name).set("room", station.key.room);
    s.set("open_hearings", station.open_hearings).set("state", station.key.revoked_since ? "revoked" : "enrolled");
    for (const catalogue::Court& court : places) {
      if (court.court != station.key.court) continue;
      s.set("court_names", json_of(court.names));
      for (const catalogue::Room& room : court.rooms) {
        if (room.room == station.key.room) s.set("room_names", json_of(room.names));
      }
    }
    if (station.last_receipt) s.set("last_receipt", *station.last_receipt);
    if (const auto found = unfiled.find(station.key.name); found != unfiled.end()) {
      s.set("unfiled_bytes", found->second);
      if (found->second >= upkeep_.unfiled.quota_bytes() / kMuchUnfiled) reasons.push_back(about_unfiled(station.key.name, found->second));
    }
    out.push_back(std::move(s));
  }
  return out;
}

// When the entry at `index` was written: the first that a cosigner lacks. Nothing: it lacks none.
std::optional<UtcTime> StatusRoutes::written(std::uint64_t index, std::uint64_t size) const {
  if (index >= size) return std::nullopt;
  const auto entries = main_log_.reader().entries(index, index + 1);
  const auto json = entries ? parse_canonical_json(entries->front()) : Result<Json>(entries.error());
  const auto utc = json && json->has("utc") ? json->utc("utc") : Result<UtcTime>(fail(Errc::not_found, "it states no time"));
  return utc ? *utc : UtcTime{0};  // one that cannot be read has been there for too long
}

Result<Json> StatusRoutes::log(Json::Array& reasons) {
  const SignedCheckpoint head = main_log_.head();
  Json out;
  out.set("root", head.checkpoint.root).set("size", head.checkpoint.size);
  Json::Array list;
  const std::vector<VerifierKey> cosigners = GREFFE_TRY(peers_.cosigners());
  for (const VerifierKey& cosigner : cosigners) {
    Json c;
    c.set("name", cosigner.name);
    const auto newest = archive::newest_cosigned(pool_, main_log_.place().path, cosigner);
    const auto time = newest ? verify_cosignature(newest->note, cosigner) : Result<UtcTime>(newest.error());
    if (time) {
      const std::int64_t age_ms = clock_.utc_now().ms - time->ms;
      c.set("age_ms", age_ms).set("size", newest->checkpoint.size).set("utc", *time);
      const std::optional<UtcTime> lacks = written(newest->checkpoint.size, head.checkpoint.size);
      if (lacks && clock_.utc_now().ms - lacks->ms > kSecondSiteLateMs) {
        const std::uint64_t behind = head.checkpoint.size - newest->checkpoint.size;
        Json facts;
        facts.set("name", cosigner.name).set("n", behind);
        Json why = reason("second-site-late", std::move(facts), fmt::format("{} has not confirmed the newest {} log entries", cosigner.name, behind),
                          "Look whether greffe-replicate runs and whether the other site can be reached.");
        why.set("since", *lacks);
        reasons.push_back(std::move(why));
      }
    } else {
      Json facts;
      facts.set("name", cosigner.name);
      reasons.push_back(reason("second-site-silent", std::move(facts), cosigner.name + " has not confirmed anything yet",
                               "Start greffe-replicate, or look at its messages."));
    }
    list.push_back(std::move(c));
  }
  if (cosigners.empty() && settings_.role == "primary") {
    reasons.push_back(reason("no-second-site", Json(), "No second site confirms what this archive holds",
                             "Set up a replica and enrol it with `cosigner add`; until then a lost building is a lost archive."));
  }
  out.set("cosigners", std::move(list)).set("witnesses", witnesses(reasons));
  const auto refusal = main_log_.refusal();
  out.set("signed", !refusal);
  if (refusal) {
    Json facts;
    facts.set("detail", *refusal);
    reasons.push_back(reason("not-signing", std::move(facts), "This archive signs nothing, and so takes nothing: " + *refusal,
                             "If it is about a witness that does not answer, wait. If somebody holds more of this archive's log than there is: bring back the "
                             "volumes with the newest state; only if they are gone for good, start with --accept-head."));
  }
  return out;
}

// Who played what while nothing was signed, and is not in the main log yet.
Json StatusRoutes::accesses(Json::Array& reasons) {
  const archive::AccessJournal::Waiting waiting = upkeep_.accesses.waiting();
  Json out;
  out.set("waiting", std::uint64_t{waiting.count});
  if (!waiting.since) return out;
  out.set("since", *waiting.since);
  Json facts;
  facts.set("n", std::uint64_t{waiting.count}).set("path", upkeep_.accesses.path());
  // An archive that goes on at another site never goes on here.
  const bool stays = upkeep_.epochs.highest(main_log_.archive_name()) > epoch_;
  const std::string what = fmt::format("{} accesses (who played what while nothing was signed) are in {} and not in the main log, since {}", waiting.count,
                                       upkeep_.accesses.path(), to_text(*waiting.since));
  Json why = stays ? reason("accesses-stay", std::move(facts), what + "; they stay there, because this archive goes on at another site",
                            "Keep that file: nothing else says who played then. greffe-archive rejoin leaves it where it is.")
                   : reason("accesses-waiting", std::move(facts), what, "Keep that file. They are appended by themselves when the log goes on; see why nothing is signed.");
  why.set("since", *waiting.since);
  reasons.push_back(std::move(why));
  return out;
}

// Those who have seen the main log and hold nothing of it.
Json::Array StatusRoutes::witnesses(Json::Array& reasons) {
  Json::Array out;
  for (const archive::WitnessFacts& one : upkeep_.witnesses.facts()) {
    out.push_back(json_of(one));
    if (!one.alarm) continue;
    Json facts;
    facts.set("detail", one.problem).set("name", one.name).set("n", one.silent_ms / 60'000);
    const std::string detail = one.problem.empty() ? std::string() : ": " + one.problem;
    Json why = one.claims ? reason("witness-ahead", std::move(facts), fmt::format("The witness {} claims to have cosigned {} entries of this log{}", one.name, *one.claims, detail),
                                   "Ask its operator for what it has cosigned: `witness take` believes it only with this archive's own signature.")
                          : reason("witness-late", std::move(facts), fmt::format("The witness {} has not cosigned this log for {}{}", one.name,
                                                                                 human_duration(one.silent_ms / 1000), detail),
                                   "Look at the line and ask its operator; one that is gone for good: witness remove. One that is reached by hand: witness request.");
    why.set("since", UtcTime{clock_.utc_now().ms - one.silent_ms});
    reasons.push_back(std::move(why));
  }
  return out;
}

// At a replica: the archives whose copies it holds, and whether each of them is heard of.
Result<Json::Array> StatusRoutes::origins(Json::Array& reasons) {
  Json::Array out;
  const std::vector<archive::OriginFacts> origins = GREFFE_TRY(upkeep_.origins.origins());
  const std::vector<archive::AheadFacts> ahead = origins.empty() ? std::vector<archive::AheadFacts>() : GREFFE_TRY(upkeep_.ahead.facts());
  for (const archive::OriginFacts& origin : origins) {
    Json one;
    one.set("alarm", origin.alarm).set("heard", origin.heard).set("name", origin.name).set("silent_ms", origin.silent_ms);
    if (auto of_it = about_ahead(ahead, origin.name)) one.set("ahead", std::move(*of_it));
    out.push_back(std::move(one));
    if (!origin.alarm) continue;
    Json facts;
    facts.set("name", origin.name).set("n", origin.silent_ms / 60'000);
    Json why = reason("origin-silent", std::move(facts),
                      fmt::format("Nothing was heard of {} for {}: what it records now is not copied here", origin.name, human_duration(origin.silent_ms / 1000)),
                      "Look at the line, at greffe-replicate there, and whether that archive is still there at all.");
    why.set("since", origin.heard);
    reasons.push_back(std::move(why));
  }
  return out;
}

// At a replica: whether it was tried lately that the copies would do.
Result<Json::Array> StatusRoutes::drills(Json::Array& reasons) {
  Json::Array out;
  const std::vector<archive::DrillFacts> facts = GREFFE_TRY(upkeep_.drills.facts());
  const UtcTime now = clock_.utc_now();
  for (const archive::DrillFacts& one : facts) {
    out.push_back(json_of(one));
    if (one.failures > 0) {
      Json of;
      of.set("n", one.failures).set("name", one.archive);
      Json why = reason("drill-failed", std::move(of), fmt::format("The last drill of the copy of {} found {} failures", one.archive, one.failures),
                        "Its report names each (page Audit). What is missing here, `greffe-replicate compare --repair` at the first site brings again; "
                        "then `greffe-replicate drill` here.");
      if (one.last) why.set("since", *one.last);
      reasons.push_back(std::move(why));
    }
    if (!one.late) continue;
    const UtcTime since = one.good.value_or(one.since);
    const std::int64_t days = (now.ms - since.ms) / kDayMs;
    Json of;
    of.set("detail", one.problem).set("n", days).set("name", one.archive);
    const std::string detail = one.problem.empty() ? std::string() : ": " + one.problem;
    Json why = reason("drill-late", std::move(of), fmt::format("No drill of the copy of {} has gone well for {} days{}", one.archive, days, detail),
                      "Run greffe-replicate drill here: it says what stands in the way.");
    why.set("since", since);
    reasons.push_back(std::move(why));
  }
  return out;
}

Json StatusRoutes::read_back(Json::Array& reasons) {
  const archive::ReadBackFacts facts = upkeep_.read_back.facts();
  Json out;
  out.set("held_back", facts.held_back).set("lagging", facts.lagging).set("oldest_age_ms", facts.oldest_age_ms);
  if (facts.held_back == 0 && facts.oldest_age_ms <= kReadBackLateMs) return out;
  Json of;
  of.set("detail", facts.problem).set("n", facts.lagging);
  const std::string detail = facts.problem.empty() ? std::string() : ": " + facts.problem;
  Json why = reason("read-back-late", std::move(of),
                    fmt::format("{} hearings are stored and not read back from the disks; their courtrooms show no green lamp{}", facts.lagging, detail),
                    "Look at the volumes; what no volume has any more, restore from the second site. After a start, or while much is sent at once, it takes its time.");
  why.set("since", UtcTime{clock_.utc_now().ms - facts.oldest_age_ms});
  reasons.push_back(std::move(why));
  return out;
}

Result<Json> StatusRoutes::status() {
  Json::Array reasons;
  Json out;
  Json node;
  node.set("machine_url", settings_.machine_url).set("machines", std::max<std::uint64_t>(settings_.nodes.size(), 1)).set("writes", true);
  out.set("node", std::move(node));
  out.set("volumes", GREFFE_TRY(volumes(reasons)));
  out.set("stations", GREFFE_TRY(stations(reasons)));
  Json log_json = GREFFE_TRY(log(reasons));
  const std::uint64_t size = GREFFE_TRY(log_json.size("size"));
  Json::Array second_sites;
  for (const Json& cosigner : *log_json.find("cosigners")->as_array()) {
    Json site;
    site.set("name", *cosigner.find("name"));
    const std::uint64_t covered = cosigner.has("size") ? GREFFE_TRY(cosigner.size("size")) : 0;
    site.set("entries_behind", size - std::min(size, covered)).set("main_size", covered);
    if (cosigner.has("utc")) site.set("last_utc", *cosigner.find("utc"));
    second_sites.push_back(std::move(site));
  }
  out.set("second_sites", std::move(second_sites)).set("origins", GREFFE_TRY(origins(reasons)));
  out.set("drills", GREFFE_TRY(drills(reasons)));
  out.set("log", std::move(log_json)).set("read_back", read_back(reasons)).set("keeping", keeping(reasons));
  out.set("scrubbing", scrubbing(reasons)).set("accesses", accesses(reasons));
  const catalogue::ScrubFacts scrub = GREFFE_TRY(main_log_.catalogue().scrub_facts());
  if (scrub.utc) {
    Json s;
    s.set("bytes", scrub.bytes).set("failures", scrub.failures);
    s.set("objects", scrub.objects).set("utc", *scrub.utc);
    out.set("scrub", std::move(s));
  }
  if (scrub.open_findings > 0) {
    Json facts;
    facts.set("n", scrub.open_findings);
    Json why = reason("scrub", std::move(facts), fmt::format("{} damaged or missing copies could not be repaired", scrub.open_findings),
                      "Run scrub again; if they stay, restore them from the second site.");
    if (scrub.open_since) why.set("since", *scrub.open_since);
    reasons.push_back(std::move(why));
  }
  const std::vector<catalogue::Problem> problems = GREFFE_TRY(main_log_.catalogue().problems(1));
  if (!problems.empty()) {
    Json facts;
    facts.set("detail", problems[0].message).set("entry", problems[0].entry_index);
    reasons.push_back(reason("log-entry", std::move(facts), fmt::format("Log entry {} is not understood: {}", problems[0].entry_index, problems[0].message),
                             "Upgrade this archive, then run rebuild-catalogue."));
  }
  Json self;
  self.set("epoch", epoch_).set("name", settings_.name).set("role", settings_.role).set("version", GREFFE_VERSION);
  out.set("archive", std::move(self)).set("now", clock_.utc_now());
  out.set("state", reasons.empty() ? "well" : "attention").set("reasons", std::move(reasons));
  return out;
}

// Whether everything is on as many volumes as it should be, and what is done about it.
Json StatusRoutes::keeping(Json::Array& reasons) {
  const archive::KeepingFacts facts = upkeep_.keeper.facts();
  Json out;
  out.set("running", facts.running).set("objects", facts.objects.objects).set("lacking", facts.objects.lacking);
  out.set("written", facts.objects.written).set("stuck", facts.objects.stuck).set("logs", facts.logs);
  out.set("percent", std::uint64_t{facts.objects.finished ? 100 : facts.objects.share_of_names * 100 / 65'536});
  if (facts.finished) out.set("finished", *facts.finished);
  out.set("room", room(reasons));
  if (facts.problem.empty()) return out;
  Json of;
  of.set("detail", facts.problem).set("n", facts.objects.stuck);
  Json why = reason("replicas-lacking", std::move(of), "Some recordings are on fewer volumes than they should be: " + facts.problem,
                    "Bring the missing volume back, or add one: greffe-archive volume add. What no volume has any more, restore from the second site.");
  if (facts.finished) why.set("since", *facts.finished);
  reasons.push_back(std::move(why));
  return out;
}

// Whether new recordings find volumes with room, and what is moved for it.
Json StatusRoutes::room(Json::Array& reasons) {
  const archive::RoomFacts facts = upkeep_.keeper.room();
  Json out;
  out.set("running", facts.running).set("moved", facts.totals.moved).set("moved_bytes", facts.totals.moved_bytes);
  out.set("removed", facts.totals.removed).set("lacking_bytes", facts.totals.lacking_bytes);
  if (facts.finished) out.set("finished", *facts.finished);
  if (facts.problem.empty()) return out;
  Json of;
  of.set("detail", facts.problem);
  Json why = reason("room-lacking", std::move(of), "Soon there will be no room for new recordings: " + facts.problem,
                    "Add a volume: greffe-archive volume add. What is stored moves to it by itself, as far as that is needed.");
  if (facts.finished) why.set("since", *facts.finished);
  reasons.push_back(std::move(why));
  return out;
}

namespace {

constexpr std::size_t kLostTold = 100;

Json json_of(const archive::ScrubProgress& one, UtcTime now) {
  Json out;
  out.set("began", one.began).set("bytes", one.bytes).set("failures", one.failures).set("late", one.late).set("objects", one.objects);
  out.set("passes", one.passes).set("path", one.path).set("percent", static_cast<std::int64_t>(one.share * 100)).set("there", one.there);
  out.set("volume", one.volume);
  if (one.left_ms) out.set("ends", UtcTime{now.ms + *one.left_ms}).set("left_ms", *one.left_ms);
  if (one.oldest) out.set("oldest", *one.oldest);
  if (!one.problem.empty()) out.set("problem", one.problem);
  return out;
}

}  // namespace

// How far each volume is read again, and what could not be read any more.
Json StatusRoutes::scrubbing(Json::Array& reasons) {
  const archive::ScrubReport report = upkeep_.scrub.report();
  const UtcTime now = clock_.utc_now();
  const std::int64_t period_ms = upkeep_.scrub.period_ms();
  Json::Array volumes;
  for (const archive::ScrubProgress& one : report.volumes) {
    volumes.push_back(json_of(one, now));
    if (!one.late) continue;
    Json facts;
    facts.set("n", period_ms / kDayMs).set("path", one.path);
    Json why = reason("scrub-late", std::move(facts), fmt::format("Something on volume {} was not read again for more than {} days", one.path, period_ms / kDayMs),
                      "Bring the volume back if it is away; else the disk or scrub_bytes_per_second in archive.toml is too slow for what there is.");
    if (one.oldest) why.set("since", UtcTime{one.oldest->ms + period_ms});
    reasons.push_back(std::move(why));
  }
  Json logs;
  logs.set("began", report.logs.began).set("failures", report.logs.failures).set("logs", report.logs.logs).set("passes", report.logs.passes);
  Json::Array lost;
  for (const auto& [digest, object] : upkeep_.scrub.lost().all()) {
    if (lost.size() < kLostTold) lost.push_back(archive::json_of(digest, object));
  }
  Json out;
  out.set("asked", report.asked).set("asked_bytes", report.asked_bytes).set("asked_permille", static_cast<std::int64_t>(report.asked_share * 1000));
  out.set("by_service", report.by_service).set("logs", std::move(logs)).set("lost", upkeep_.scrub.lost().count());
  out.set("lost_objects", std::move(lost)).set("period_s", period_ms / 1000).set("volumes", std::move(volumes));
  return out;
}

Status StatusRoutes::drill_metrics(Metrics& metrics) {
  const std::vector<archive::DrillFacts> facts = GREFFE_TRY(upkeep_.drills.facts());
  const UtcTime now = clock_.utc_now();
  for (const archive::DrillFacts& one : facts) {
    const Metrics::Labels labels{{"archive", one.archive}};
    metrics.set("greffe_drill_age_seconds", "Since the last drill of this copy that found no failure; without one, since it is held",
                static_cast<double>(now.ms - one.good.value_or(one.since).ms) / 1000, labels);
    metrics.set("greffe_drill_failures", "Failures that the last drill of this copy found", static_cast<double>(one.failures), labels);
    metrics.set("greffe_drill_alarm", "1 when the last good drill is longer ago than twice drill_every_s", one.late ? 1 : 0, labels);
  }
  return ok();
}

Result<std::string> StatusRoutes::metrics_text() {
  Metrics metrics;
  for (const store::VolumeReport& volume : pool_.volumes()) {
    const Metrics::Labels labels{{"volume", volume.id.empty() ? volume.path : volume.id}, {"domain", volume.domain}};
    metrics.set("greffe_volume_free_bytes", "Free space for objects", static_cast<double>(volume.free_bytes), labels);
    metrics.set("greffe_volume_active", "1 while the volume takes writes", store::name_of(volume.state) == "active" ? 1 : 0, labels);
  }
  metrics.set("greffe_writes", "1 while this machine is the one of its archive that writes", 1);
  const SignedCheckpoint head = main_log_.head();
  metrics.set("greffe_main_log_entries", "Entries of the main log", static_cast<double>(head.checkpoint.size));
  const std::vector<VerifierKey> cosigners = GREFFE_TRY(peers_.cosigners());
  for (const VerifierKey& cosigner : cosigners) {
    const auto newest = archive::newest_cosigned(pool_, main_log_.place().path, cosigner);
    const std::uint64_t covered = newest ? newest->checkpoint.size : 0;
    metrics.set("greffe_cosigner_entries_behind", "Main-log entries that this cosigner has not confirmed",
                static_cast<double>(head.checkpoint.size - covered), {{"cosigner", cosigner.name}});
  }
  const archive::AccessJournal::Waiting accesses = upkeep_.accesses.waiting();
  const double oldest_ms = accesses.since ? static_cast<double>(clock_.utc_now().ms - accesses.since->ms) : 0;
  metrics.set("greffe_accesses_waiting", "Accesses that are not in the main log yet, because it is not continued", static_cast<double>(accesses.count));
  metrics.set("greffe_accesses_oldest_seconds", "Age of the oldest of those", oldest_ms / 1000);
  metrics.set("greffe_main_log_signed", "1 while new entries of the main log are signed", main_log_.refusal() ? 0 : 1);
  for (const archive::WitnessFacts& one : upkeep_.witnesses.facts()) {
    const Metrics::Labels labels{{"witness", one.name}};
    const std::uint64_t behind = head.checkpoint.size - std::min(head.checkpoint.size, one.size);
    metrics.set("greffe_witness_entries_behind", "Main-log entries that this witness has not cosigned", static_cast<double>(behind), labels);
    metrics.set("greffe_witness_silent_seconds", "Since this witness agreed last", static_cast<double>(one.silent_ms) / 1000, labels);
    metrics.set("greffe_witness_alarm", "1 while that is too long, or it contradicts the log", one.alarm ? 1 : 0, labels);
  }
  const std::vector<archive::OriginFacts> origins = GREFFE_TRY(upkeep_.origins.origins());
  for (const archive::OriginFacts& origin : origins) {
    const Metrics::Labels labels{{"origin", origin.name}};
    metrics.set("greffe_origin_silent_seconds", "Since this archive, whose copies are held here, was heard of", static_cast<double>(origin.silent_ms) / 1000, labels);
    metrics.set("greffe_origin_alarm", "1 while that is longer than alarm_after_s", origin.alarm ? 1 : 0, labels);
  }
  const std::vector<archive::AheadFacts> ahead = origins.empty() ? std::vector<archive::AheadFacts>() : GREFFE_TRY(upkeep_.ahead.facts());
  for (const archive::AheadFacts& one : ahead) {
    const Metrics::Labels labels{{"origin", one.archive}};
    metrics.set("greffe_ahead_hearings", "Hearings of which more entries are known than held with all that they name", static_cast<double>(one.hearings), labels);
    metrics.set("greffe_ahead_entries", "Those entries, and those of the main log", static_cast<double>(one.entries + one.main_entries), labels);
    metrics.set("greffe_ahead_objects", "Objects that they name", static_cast<double>(one.objects), labels);
    metrics.set("greffe_ahead_bytes", "Sound and picture of these", static_cast<double>(one.bytes), labels);
  }
  GREFFE_TRY(drill_metrics(metrics));
  const auto open = GREFFE_TRY(main_log_.catalogue().open_hearings(catalogue::CourtSet::everything()));
  metrics.set("greffe_open_hearings", "Hearings that are not finished", static_cast<double>(open.size()));
  const archive::ReadBackFacts read_back = upkeep_.read_back.facts();
  const archive::KeepingFacts keeping = upkeep_.keeper.facts();
  const UtcTime now = clock_.utc_now();
  for (const archive::ScrubProgress& one : upkeep_.scrub.report().volumes) {
    const Metrics::Labels labels{{"volume", one.volume}};
    metrics.set("greffe_scrub_pass_ratio", "How much of the volume was read in this pass of the scrub, 0 to 1", one.share, labels);
    metrics.set("greffe_scrub_late", "1 when something on the volume was not read for longer than the period", one.late ? 1 : 0, labels);
    metrics.set("greffe_scrub_failures", "Missing and damaged copies of this pass", static_cast<double>(one.failures), labels);
    if (one.left_ms) metrics.set("greffe_scrub_left_seconds", "Until this pass is over", static_cast<double>(*one.left_ms) / 1000, labels);
    if (one.oldest) {
      metrics.set("greffe_scrub_oldest_seconds", "No copy on the volume was last read longer ago", static_cast<double>(now.ms - one.oldest->ms) / 1000, labels);
    }
  }
  metrics.set("greffe_objects_lost", "Objects without a good copy in this archive", static_cast<double>(upkeep_.scrub.lost().count()));
  metrics.set("greffe_objects_lacking_replicas", "Objects that no pass could bring to R replicas", static_cast<double>(keeping.objects.stuck));
  for (const auto& [station, bytes] : upkeep_.unfiled.by_station()) {
    metrics.set("greffe_station_unfiled_bytes", "Deposited, and named by no entry yet", static_cast<double>(bytes), {{"station", station}});
  }
  const archive::RoomFacts room = upkeep_.keeper.room();
  metrics.set("greffe_room_lacking_bytes", "Room that the R volumes with most of it should have more", static_cast<double>(room.totals.lacking_bytes));
  metrics.set("greffe_room_moved_bytes", "Moved to other volumes by the last search for room", static_cast<double>(room.totals.moved_bytes));
  metrics.set("greffe_read_back_lagging_hearings", "Hearings with confirmed entries whose objects are not read back from the disks",
              static_cast<double>(read_back.lagging));
  metrics.set("greffe_read_back_oldest_seconds", "Age of the oldest of those entries", static_cast<double>(read_back.oldest_age_ms) / 1000);
  metrics.set("greffe_read_back_held_back_hearings", "Hearings with an object that could not be read back",
              static_cast<double>(read_back.held_back));
  return metrics.text();
}

std::vector<http::Route> StatusRoutes::routes(const SignIn& sign_in) {
  return {{"GET", "/v1/status", sign_in.guard([this](const http::Request&, const accounts::Session& session) -> Result<http::Response> {
             if (!accounts::may_see_status(session.account)) return fail(Errc::denied, "The status is shown to operators and auditors.");
             const Json json = GREFFE_TRY(status());
             return http::json_response(200, write_json(json));
           })}};
}

std::vector<http::Route> StatusRoutes::loopback_routes() {
  const http::Handler metrics = [this](const http::Request&) -> http::Response {
    const auto text = metrics_text();
    return text ? http::text_response(200, *text, "text/plain; version=0.0.4") : http::problem(text.error());
  };
  const http::Handler alive = [](const http::Request&) { return http::text_response(200, "alive\n"); };
  const http::Handler ready = [this](const http::Request&) -> http::Response {
    const auto applied = main_log_.catalogue().applied();
    return applied ? http::text_response(200, "ready\n") : http::problem(applied.error());
  };
  return {{"GET", "/metrics", metrics}, {"GET", "/healthz", alive}, {"GET", "/readyz", ready}};
}

}  // namespace greffe::web
