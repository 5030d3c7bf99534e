#include "archive/format/successors.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "archive/base/bytes.h"
#include "archive/format/merkle.h"
#include "archive/format/names.h"
#include "archive/format/officers.h"
#include "archive/format/tiles.h"

namespace greffe {
namespace {

constexpr std::size_t kMaxInclusion = 63;

Result<std::vector<Digest>> digests_of(const std::vector<std::string>& texts) {
  std::vector<Digest> out;
  for (const std::string& text : texts) out.push_back(GREFFE_TRY(digest_from_hex(text)));
  return out;
}

Result<ProvedEntry> read_entry(const Json& json) {
  ProvedEntry out;
  out.entry = GREFFE_TRY(json.string("entry"));
  out.epoch = GREFFE_TRY(json.size("epoch"));
  out.index = GREFFE_TRY(json.size("index"));
  const std::vector<std::string> inclusion = GREFFE_TRY(json.strings("inclusion"));
  if (out.entry.empty() || out.entry.size() > kMaxEntryBytes) return fail(Errc::invalid, "\"entry\" must have 1 to 65,535 bytes");
  if (out.epoch < 1 || out.epoch > kEpochMax) return fail(Errc::invalid, "\"epoch\" must be 1 or more");
  if (inclusion.size() > kMaxInclusion) return fail(Errc::invalid, "\"inclusion\" must have at most 63 hashes");
  out.inclusion = GREFFE_TRY(digests_of(inclusion));
  return out;
}

Result<SuccessorSite> read_site(const Json& json) {
  SuccessorSite out;
  out.address = GREFFE_TRY(json.string("address"));
  out.server_key = GREFFE_TRY(json.digest("server_key"));
  if (!is_https_origin(out.address)) return fail(Errc::invalid, "\"address\" must be https:// with host and port");
  return out;
}

Status check_order(const std::vector<ProvedEntry>& entries) {
  const auto place = [](const ProvedEntry& one) { return std::pair(one.epoch, one.index); };
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (place(entries[i - 1]) >= place(entries[i])) return fail(Errc::invalid, "the officers' entries are not in the order of the log");
  }
  return ok();
}

// Of the part of a log that a promotion pins.
bool is_pinned(const ProvedEntry& one, const PromotionEntry& promotion) {
  const std::uint64_t before = promotion.name.epoch - 1;
  return one.epoch < before || (one.epoch == before && one.index < promotion.previous.size);
}

}  // namespace

std::string write_successors(const Successors& successors) {
  Json::Array entries;
  for (const ProvedEntry& one : successors.entries) {
    Json::Array inclusion;
    for (const Digest& hash : one.inclusion) inclusion.emplace_back(hash);
    entries.push_back(Json().set("entry", one.entry).set("epoch", one.epoch).set("inclusion", std::move(inclusion)).set("index", one.index));
  }
  Json::Array sites;
  for (const SuccessorSite& site : successors.sites) sites.push_back(Json().set("address", site.address).set("server_key", site.server_key));
  Json out;
  out.set("checkpoint", successors.checkpoint).set("entries", std::move(entries)).set("sites", std::move(sites));
  if (!successors.ends.empty()) out.set("ends", Json::Array(successors.ends.begin(), successors.ends.end()));
  return write_json(out);
}

Result<Successors> parse_successors(std::string_view text) {
  if (text.size() > kSuccessorsBytesMax) return fail(Errc::invalid, "it has more than 4 MiB");
  const Json json = GREFFE_TRY(parse_json(text));
  Successors out;
  out.checkpoint = GREFFE_TRY(json.string("checkpoint"));
  if (out.checkpoint.size() > kMaxNoteBytes) return fail(Errc::invalid, "\"checkpoint\" is too long");
  const Json::Array entries = GREFFE_TRY(json.array("entries"));
  const Json::Array sites = GREFFE_TRY(json.array("sites"));
  if (entries.size() > kSuccessorEntriesMax) return fail(Errc::invalid, "\"entries\" must be at most 1,024");
  if (sites.size() > kSuccessorSitesMax) return fail(Errc::invalid, "\"sites\" must be at most 8");
  for (const Json& one : entries) out.entries.push_back(GREFFE_TRY(read_entry(one)));
  for (const Json& one : sites) out.sites.push_back(GREFFE_TRY(read_site(one)));
  if (json.has("ends")) out.ends = GREFFE_TRY(json.strings("ends"));
  const bool too_long = std::any_of(out.ends.begin(), out.ends.end(), [](const std::string& note) { return note.size() > kMaxNoteBytes; });
  if (out.ends.size() > kSuccessorEndsMax || too_long) return fail(Errc::invalid, "\"ends\" must be at most 64 signed checkpoints");
  GREFFE_TRY(check_order(out.entries));
  return out;
}

// From the newest entry to the oldest: what pins an epoch is proved before what stands in it.
Status check_successors(const Successors& successors, const VerifierKey& log) {
  const SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(successors.checkpoint));
  if (head.checkpoint.origin != log.name) return fail(Errc::denied, "the checkpoint is of the log " + head.checkpoint.origin + ", not of " + log.name);
  const Status by_log = verify_note(head.note, log);
  if (!by_log) return fail(Errc::denied, "the checkpoint is not signed by " + log.name + ": " + by_log.error().message);
  const EpochName newest = GREFFE_TRY(parse_epoch_origin(log.name));
  GREFFE_TRY(check_order(successors.entries));
  std::map<std::uint64_t, Checkpoint> states = {{newest.epoch, head.checkpoint}};
  for (auto one = successors.entries.rbegin(); one != successors.entries.rend(); ++one) {
    const auto state = states.find(one->epoch);
    if (state == states.end()) return fail(Errc::invalid, fmt::format("nothing pins epoch {}, of which an entry is shown", one->epoch));
    GREFFE_TRY(verify_inclusion(one->index, state->second.size, leaf_hash(as_bytes(one->entry)), one->inclusion, state->second.root));
    if (one->index == 0 && one->epoch > 1) {
      const PromotionEntry promotion = GREFFE_TRY(parse_promotion(one->entry));
      if (promotion.name != EpochName{newest.archive, one->epoch}) return fail(Errc::invalid, "a promotion is that of another epoch than the one that it begins");
      states.emplace(one->epoch - 1, promotion.previous);
      continue;
    }
    const MainEntry entry = GREFFE_TRY(parse_main_entry(one->entry));
    const auto* key = std::get_if<KeyEntry>(&entry);
    if (key == nullptr || key->role != "officer") return fail(Errc::invalid, fmt::format("entry {} of epoch {} is not about an officer", one->index, one->epoch));
  }
  return ok();
}

namespace {

// One who goes through the epochs that he slept through.
class CatchingUp {
 public:
  CatchingUp(const Successors& known, std::uint64_t epoch, const Successors& told) : told_(told) {
    for (const ProvedEntry& one : known.entries) {
      if (one.epoch <= epoch) entries_.emplace(std::pair(one.epoch, one.index), one);
    }
  }

  // The epoch after all that is known: its promotion, then the officers that it names itself.
  Status step(const EpochName& name) {
    const PromotionEntry promotion = GREFFE_TRY(promotion_to(name));
    GREFFE_TRY(follows(promotion));
    GREFFE_TRY(check_promotion(known(), promotion));
    // From here on the officers' signatures stand for what it pins.
    GREFFE_TRY(take(name.epoch - 1, promotion.previous));
    end_ = GREFFE_TRY(end_of(promotion.log_verifier()));
    return take(name.epoch, *end_);
  }

  Status follows(const PromotionEntry& promotion) const {
    if (!end_ || promotion.previous == *end_) return ok();
    return fail(Errc::denied, fmt::format("it goes on from another state of {} than is shown", end_->origin));
  }

  Successors known() const {
    Successors out;
    for (const auto& [place, entry] : entries_) out.entries.push_back(entry);
    return out;
  }

 private:
  Result<PromotionEntry> promotion_to(const EpochName& name) const {
    for (const ProvedEntry& one : told_.entries) {
      if (one.epoch != name.epoch || one.index != 0) continue;
      PromotionEntry out = GREFFE_TRY(parse_promotion(one.entry));
      if (out.name == name && out.previous.origin == epoch_origin({name.archive, name.epoch - 1})) return out;
    }
    return fail(Errc::denied, "nothing is shown that leads to it");
  }

  Result<Checkpoint> end_of(const VerifierKey& log) const {
    for (const std::string& note : told_.ends) {
      const SignedCheckpoint end = GREFFE_TRY(parse_signed_checkpoint(note));
      if (end.checkpoint.origin != log.name) continue;
      const Status by_log = verify_note(end.note, log);
      if (!by_log) return fail(Errc::denied, "how it ended is not signed by the key that its promotion names: " + by_log.error().message);
      return end.checkpoint;
    }
    return fail(Errc::denied, "nothing is shown of how it ended");
  }

  // Entries of this epoch about officers, as far as they are not known.
  Status take(std::uint64_t epoch, const Checkpoint& state) {
    for (const ProvedEntry& one : told_.entries) {
      if (one.epoch != epoch) continue;
      GREFFE_TRY(verify_inclusion(one.index, state.size, leaf_hash(as_bytes(one.entry)), one.inclusion, state.root));
      entries_.emplace(std::pair(one.epoch, one.index), one);
    }
    return ok();
  }

  const Successors& told_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, ProvedEntry> entries_;  // by epoch and index
  std::optional<Checkpoint> end_;  // of the newest epoch that is known
};

}  // namespace

Result<Successors> known_after(const Successors& known, std::uint64_t epoch, const Successors& told, const PromotionEntry& newest) {
  CatchingUp catching_up(known, epoch, told);
  for (std::uint64_t next = epoch + 1; next < newest.name.epoch; ++next) {
    const Status done = catching_up.step({newest.name.archive, next});
    if (!done) return done.error().within(fmt::format("on the way to epoch {}, epoch {}", newest.name.epoch, next));
  }
  const Status last = catching_up.follows(newest);
  if (!last) return last.error().within(fmt::format("epoch {}", newest.name.epoch));
  return catching_up.known();
}

Status check_promotion(const Successors& known, const PromotionEntry& promotion) {
  Officers officers;
  std::vector<PublicKey> revoked_since;
  for (const ProvedEntry& one : known.entries) {
    const auto entry = parse_main_entry(one.entry);
    const auto* key = entry ? std::get_if<KeyEntry>(&*entry) : nullptr;
    if (key == nullptr) continue;  // a promotion
    if (is_pinned(one, promotion)) {
      officers.take(*key);
    } else if (key->action == "revoked") {
      revoked_since.push_back(key->key);
    }
  }
  GREFFE_TRY(officers.check(promotion_statement(promotion), promotion.officers, promotion.signatures, "this promotion"));
  for (const std::string& name : promotion.officers) {
    const PublicKey& key = officers.all().at(name);
    if (std::find(revoked_since.begin(), revoked_since.end(), key) == revoked_since.end()) continue;
    return fail(Errc::denied, fmt::format("the key of the officer {} was revoked", name));
  }
  return ok();
}

}  // namespace greffe
