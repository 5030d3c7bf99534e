#include "archive/verify/main_facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/members.h"

namespace greffe::verify {
namespace {

std::string hearing_of(const MainEntry& entry) {
  return std::visit(
      [](const auto& e) -> std::string {
        if constexpr (requires { e.hearing.text(); }) {
          return e.hearing.text();
        } else {
          return {};
        }
      },
      entry);
}

}  // namespace

MainFacts::MainFacts(std::string origin, Report& report) : origin_(std::move(origin)), report_(report), lost_(origin_) {}

void MainFacts::found(Verdict verdict, const char* code, std::string what, std::uint64_t index, const std::string& hearing) {
  Finding f;
  f.verdict = verdict;
  f.code = code;
  f.what = std::move(what);
  f.hearing = hearing;
  f.log = "main";
  f.entry = index;
  report_.add(std::move(f));
}

void MainFacts::add(std::uint64_t index, std::string_view text, const Policy& policy) {
  const auto entry = parse_main_entry(text);
  if (!entry) {
    found(Verdict::tampered, "entry-format", "a main-log entry is not well formed: " + entry.error().message, index);
    return;
  }
  if (const auto* unknown = std::get_if<UnknownEntry>(&*entry)) {
    found(Verdict::unknown_format, "unknown-kind",
          fmt::format("the main log has an entry of kind \"{}\", version {}, which this verifier does not know", unknown->kind,
                      unknown->version),
          index);
    return;
  }
  if (std::holds_alternative<PromotionEntry>(*entry)) return found(Verdict::tampered, "promotion", "a promotion stands only where a log of a later epoch begins", index);
  const bool is_genesis = std::holds_alternative<GenesisEntry>(*entry);
  if (is_genesis != (index == 0)) {
    found(Verdict::tampered, "genesis", "a main log begins with its one \"genesis\" entry", index);
  }
  if (is_genesis) add_genesis(index, std::get<GenesisEntry>(*entry), policy);
  if (const auto* key = std::get_if<KeyEntry>(&*entry)) {
    if (key->role == "station") stations_[key->key].push_back({index, *key});
    if (key->role == "cosigner" && key->action != "revoked") {
      if (const auto cosigner = parse_verifier_key(key->cosigner)) cosigners_.push_back(*cosigner);
    }
  }
  if (const auto* commit = std::get_if<HearingCheckpointEntry>(&*entry)) add_commit(index, *commit);
  if (const auto* graft = std::get_if<GraftEntry>(&*entry)) add_graft(index, *graft);
  const Status declared = lost_.take(*entry);
  if (const auto* lost = std::get_if<MainLostEntry>(&*entry)) {
    if (!declared) {
      found(Verdict::tampered, "lost-signature", "objects are declared lost without the orders of two officers: " + declared.error().message, index,
            lost->hearing ? lost->hearing->text() : std::string());
    }
    return;  // what it names is exactly what cannot be there
  }
  name_documents(index, text, hearing_of(*entry));
}

void MainFacts::add_genesis(std::uint64_t index, const GenesisEntry& entry, const Policy& policy) {
  genesis_ = entry;
  holders_.push_back({index, entry.holder});
  const bool trusted = std::any_of(policy.logs.begin(), policy.logs.end(), [&](const VerifierKey& key) {
    return key.name == origin_ && key.key == entry.log_key;
  });
  if (entry.archive != origin_ || !trusted) {
    found(Verdict::tampered, "genesis", "the \"genesis\" entry is of another archive or names another log key", index);
  }
}

void MainFacts::add_commit(std::uint64_t index, const HearingCheckpointEntry& entry) {
  const std::string hearing = entry.hearing.text();
  const auto note = parse_signed_checkpoint(entry.note);
  if (!note || note->checkpoint.origin != hearing_origin(origin_, entry.hearing)) {
    found(Verdict::tampered, "commit-signature", "the main log carries a checkpoint of another log for this hearing", index,
          hearing);
    return;
  }
  HearingFacts& facts = hearings_[entry.hearing];
  const auto signed_by = [&](const PublicKey& key) {
    return verify_note(note->note, VerifierKey{note->checkpoint.origin, KeyType::ed25519, key}).has_value();
  };
  // Nearly always the key of the hearing's earlier checkpoints; only the first time are all stations tried.
  bool good = !facts.commits.empty() && signed_by(facts.station_key);
  for (auto station = stations_.begin(); !good && facts.commits.empty() && station != stations_.end(); ++station) {
    good = signed_by(station->first);
    if (good) facts.station_key = station->first;
  }
  if (!good) {
    found(Verdict::tampered, "commit-signature",
          "the hearing's checkpoint in the main log is not signed by a station that the log had enrolled before", index, hearing);
    return;
  }
  facts.commits.push_back({index, note->checkpoint.size, note->checkpoint.root, entry.closed});
}

void MainFacts::add_graft(std::uint64_t index, const GraftEntry& entry) {
  grafts_.push_back({index, entry});
  for (const GraftedHearing& one : entry.hearings) hearings_[one.hearing].came_back.push_back({index, one.size, one.root});
}

void MainFacts::name_documents(std::uint64_t index, std::string_view text, const std::string& hearing) {
  const auto json = parse_canonical_json(text);
  if (!json) return;
  for (const Digest& digest : named_objects(*json)) documents_.push_back({index, digest, hearing});
}

const HearingFacts* MainFacts::hearing(const HearingId& id) const {
  const auto found_hearing = hearings_.find(id);
  return found_hearing == hearings_.end() ? nullptr : &found_hearing->second;
}

std::vector<KeyEvent> MainFacts::station_events(const PublicKey& key) const {
  const auto events = stations_.find(key);
  return events == stations_.end() ? std::vector<KeyEvent>() : events->second;
}

bool MainFacts::is_holder(const VerifierKey& key) const {
  return std::any_of(holders_.begin(), holders_.end(), [&key](const Holder& one) { return one.key == key; });
}

bool MainFacts::is_holder(const VerifierKey& key, std::uint64_t index) const {
  const auto next = std::find_if(holders_.begin(), holders_.end(), [index](const Holder& one) { return one.since > index; });
  const auto first = next == holders_.begin() ? next : next - 1;
  return std::any_of(first, holders_.end(), [&key](const Holder& one) { return one.key == key; });
}

std::vector<VerifierKey> MainFacts::cosigners(const Policy& policy) const {
  std::vector<VerifierKey> out = cosigners_;
  for (const Holder& holder : holders_) out.push_back(holder.key);
  for (const Policy::Witness& witness : policy.witnesses) out.push_back(witness.key);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace greffe::verify
