#include "replicate/restored_main_log.h"

#include <fmt/format.h>

#include "archive/tlog/cosigned.h"
#include "archive/tlog/kept_checkpoints.h"

namespace greffe::replicate {

RestoredMainLog::RestoredMainLog(RestoreSite& site, tlog::LogStores pool, RestoreKeys keys)
    : pool_(pool), keys_(std::move(keys)), log_(site, pool, client::LogTarget{keys_.log.name}, main_log_path()), declared_(keys_.log.name) {}

void RestoredMainLog::forget() {
  hearings_.clear();
  documents_.clear();
  declared_ = LostDeclarations(keys_.log.name);
  stations_.clear();
}

Status RestoredMainLog::take(std::uint64_t index, std::string_view text) {
  if (index == 0) forget();
  const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
  if (index == 0) {
    const auto* genesis = std::get_if<GenesisEntry>(&entry);
    if (genesis == nullptr || genesis->archive != keys_.log.name) return fail(Errc::corrupt, "it does not begin as the main log of " + keys_.log.name);
    began_ = genesis->utc;
  }
  if (const auto* key = std::get_if<KeyEntry>(&entry); key != nullptr && key->role == "station") stations_.insert(key->key);
  if (LostDeclarations::concerns(text)) static_cast<void>(declared_.take(entry).has_value());  // one that is not signed declares nothing
  if (const auto* commit = std::get_if<HearingCheckpointEntry>(&entry)) {
    const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(commit->note));
    CommittedHead& newest = hearings_[commit->hearing];
    if (note.checkpoint.size >= newest.size) newest = {note.checkpoint.size, note.checkpoint.root, commit->closed};
    return ok();
  }
  if (std::holds_alternative<MainLostEntry>(entry)) return ok();
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  const std::vector<Digest> named = named_objects(json);
  if (named.empty()) return ok();
  const auto id = json.has("hearing") ? json.string("hearing") : Result<std::string>(fail(Errc::not_found, "hearing"));
  const auto about = id ? parse_hearing_id(*id) : Result<HearingId>(id.error());
  for (const Digest& digest : named) documents_.push_back({digest, index, about ? std::optional(*about) : std::nullopt});
  return ok();
}

Status RestoredMainLog::check(const SignedCheckpoint& head) const {
  if (head.checkpoint.origin != keys_.log.name) {
    return fail(Errc::conflict, "it is the log " + head.checkpoint.origin + ", not " + keys_.log.name);
  }
  const Status by_archive = verify_note(head.note, keys_.log);
  if (!by_archive) return fail(Errc::denied, "its checkpoint is not signed with the archive's key: " + by_archive.error().message);
  return ok();
}

Status RestoredMainLog::read() {
  const auto site_head = [this](const SignedCheckpoint& head) -> Status {
    GREFFE_TRY(check(head));
    if (!keys_.holder) return ok();
    const auto held = verify_cosignature(head.note, *keys_.holder);
    if (held) return ok();
    return fail(Errc::denied, "the second site's confirmation is not signed with the key of its enrolment code: " + held.error().message);
  };
  std::optional<Error> bad;
  Status done = log_.read(site_head, [&](std::uint64_t index, std::string_view text, const SiteLog::Root&) {
    if (index == 0) bad.reset();
    if (bad) return;
    const Status taken = take(index, text);
    if (!taken) bad = taken.error().within(fmt::format("entry {}", index));
  });
  if (done) done = check(log_.head());
  if (done && bad) done = *bad;
  return done ? ok() : Status(done.error().within("the main log of " + keys_.log.name));
}

Status RestoredMainLog::store() {
  const std::string path = main_log_path();
  for (const std::string& note : log_.kept()) {
    const SignedCheckpoint kept = GREFFE_TRY(parse_signed_checkpoint(note));
    if (!check(kept)) continue;
    const Status put = pool_.objects.put(tlog::kept_checkpoint_path(path, kept.checkpoint.size), as_bytes(note));
    if (!put && put.error().code != Errc::conflict) return put;  // there is one of that size already
  }
  if (!log_.is_here()) {
    GREFFE_TRY(tlog::import_log(pool_, path, log_.site_head()->note.write(), [this](std::uint64_t index) { return log_.bundle(index); }));
  }
  return log_.site_head() && keys_.holder ? tlog::keep_cosigned(pool_.heads, path, *log_.site_head(), *keys_.holder) : ok();
}

}  // namespace greffe::replicate
