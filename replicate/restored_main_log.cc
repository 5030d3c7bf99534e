#include "replicate/restored_main_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/tlog/cosigned.h"
#include "archive/tlog/kept_checkpoints.h"
#include "replicate/kept_lines.h"

namespace greffe::replicate {
namespace {

Status put_kept(store::ObjectStore& objects, const std::string& path, std::uint64_t size, const std::string& note) {
  const Status put = objects.put(tlog::kept_checkpoint_path(path, size), as_bytes(note));
  return put || put.error().code == Errc::conflict ? ok() : put;  // conflict: there is one of that size already
}

}  // namespace

RestoredMainLog::Epoch::Epoch(EpochName n, std::string where, RestoreSite& site, tlog::LogStores pool)
    : name(std::move(n)), path(std::move(where)), log(site, pool, client::LogTarget{epoch_origin(name)}, path) {}

RestoredMainLog::RestoredMainLog(RestoreSite& site, tlog::LogStores pool, RestoreKeys keys)
    : site_(site), pool_(pool), keys_(std::move(keys)), declared_before_(keys_.name.archive), declared_(keys_.name.archive) {}

bool RestoredMainLog::is_here() const {
  return std::all_of(epochs_.begin(), epochs_.end(), [](const Epoch& epoch) { return epoch.log.is_here(); });
}

std::uint64_t RestoredMainLog::fetched() const {
  std::uint64_t out = 0;
  for (const Epoch& epoch : epochs_) out += epoch.log.fetched();
  return out;
}

// A new pool begins with the archive itself: nobody takes it for a copy. The one of a site that was promoted has a log of its own there, and that of
// the archive's first epoch where it took the copy (tlog::find_main_log).
Result<std::string> RestoredMainLog::first_path() const {
  if (keys_.name.epoch == 1) return main_log_path();
  const std::string copied = foreign_log_path(keys_.name.archive);
  const auto held = [this](const std::string& path) -> Result<bool> {
    const auto head = pool_.heads.read_head(checkpoint_path(path));
    if (!head && head.error().code == Errc::not_found) return false;
    return head ? Result<bool>(true) : Result<bool>(head.error());
  };
  const auto own = pool_.heads.read_head(checkpoint_path(main_log_path()));
  if (!own && own.error().code != Errc::not_found && own.error().code != Errc::corrupt) return own.error();
  const auto head = own ? parse_signed_checkpoint(*own) : Result<SignedCheckpoint>(own.error());
  if (!head) return GREFFE_TRY(held(copied)) ? copied : main_log_path();
  if (head->checkpoint.origin == keys_.name.archive) return main_log_path();
  if (GREFFE_TRY(held(foreign_log_path(keys_.log.name)))) return copied;
  return fail(Errc::conflict, fmt::format("the pool is that of {}, which is not {} in epoch {}; restore into new volumes", head->checkpoint.origin, keys_.name.archive,
                                          keys_.name.epoch));
}

// As the pool has it, or the site. Believed when its log was read.
Result<std::string> RestoredMainLog::first_entry(const std::string& path, const std::string& origin) const {
  auto here = tlog::LogReader(pool_.objects, pool_.heads, path).entries(0, 1);
  if (here) return std::move(here->front());
  client::LogPiece piece = GREFFE_TRY(site_.read_entries(client::LogTarget{origin}, 0, 1));
  if (piece.entries.empty()) return fail(Errc::not_found, "the second site has no entries of it");
  return std::move(piece.entries.front());
}

// From the newest one down: each says where the one before ended.
Status RestoredMainLog::find_epochs() {
  epochs_.clear();
  std::string path = GREFFE_TRY(first_path());
  std::optional<Checkpoint> end;
  for (EpochName name = keys_.name; name.epoch > 1; --name.epoch) {
    const std::string origin = epoch_origin(name);
    Epoch& epoch = epochs_.emplace_front(name, foreign_log_path(origin), site_, pool_);
    epoch.end = end;
    auto text = first_entry(epoch.path, origin);
    if (!text) return text.error().within("the main log of " + origin);
    const auto promotion = parse_promotion(*text);
    if (!promotion || promotion->name != name || promotion->previous.origin != epoch_origin({name.archive, name.epoch - 1})) {
      return fail(Errc::corrupt, "the main log of " + origin + " does not begin with the promotion to that epoch");
    }
    epoch.key = promotion->log_verifier();
    epoch.promotion = *std::move(text);
    end = promotion->previous;
  }
  epochs_.emplace_front(EpochName{keys_.name.archive, 1}, std::move(path), site_, pool_).end = end;
  Epoch& newest = epochs_.back();
  if (newest.key && *newest.key != keys_.log) return fail(Errc::denied, "the main log of " + keys_.log.name + " is signed with another key than the archive's");
  newest.key = keys_.log;
  for (std::size_t i = 1; i < epochs_.size(); ++i) epochs_[i].first = epochs_[i - 1].first + epochs_[i - 1].end->size;
  return ok();
}

void RestoredMainLog::add(Said said) {
  said_.hearings.merge(said.hearings);
  for (const auto& [id, head] : said.hearings) {  // those of which an epoch before spoke, too
    CommittedHead& newest = said_.hearings[id];
    if (head.size >= newest.size) newest = head;
  }
  said_.documents.insert(said_.documents.end(), said.documents.begin(), said.documents.end());
  said_.stations.merge(said.stations);
  if (said.began.ms != 0) said_.began = said.began;
}

// The entry with which an epoch begins.
Status RestoredMainLog::begin(Epoch& epoch, const MainEntry& entry, std::string_view text) {
  if (epoch.name.epoch == 1) {
    const auto* genesis = std::get_if<GenesisEntry>(&entry);
    if (genesis == nullptr || genesis->archive != keys_.name.archive) return fail(Errc::corrupt, "it does not begin as the main log of " + keys_.name.archive);
    now_.began = genesis->utc;
    if (epoch.end) epoch.key = VerifierKey{genesis->archive, KeyType::ed25519, genesis->log_key};
    return ok();
  }
  if (text != epoch.promotion) return fail(Errc::corrupt, "it begins with another promotion than a moment ago");
  const auto* promotion = std::get_if<PromotionEntry>(&entry);
  if (promotion == nullptr) return fail(Errc::corrupt, "it does not begin with a promotion");
  return declared_.officers().check(promotion_statement(*promotion), promotion->officers, promotion->signatures, "this promotion");
}

Status RestoredMainLog::take(Epoch& epoch, std::uint64_t index, std::string_view text) {
  if (epoch.end && index >= epoch.end->size) return ok();  // no part of the archive
  const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
  if (index == 0) GREFFE_TRY(begin(epoch, entry, text));
  if (const auto* key = std::get_if<KeyEntry>(&entry); key != nullptr && key->role == "station") now_.stations.insert(key->key);
  if (LostDeclarations::concerns(text)) static_cast<void>(declared_.take(entry).has_value());  // one that is not signed declares nothing
  if (const auto* commit = std::get_if<HearingCheckpointEntry>(&entry)) {
    const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(commit->note));
    CommittedHead& newest = now_.hearings[commit->hearing];
    if (note.checkpoint.size >= newest.size) newest = {note.checkpoint.size, note.checkpoint.root, commit->closed};
    return ok();
  }
  if (std::holds_alternative<MainLostEntry>(entry)) return ok();
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  const std::vector<Digest> named = named_objects(json);
  if (named.empty()) return ok();
  const auto id = json.has("hearing") ? json.string("hearing") : Result<std::string>(fail(Errc::not_found, "hearing"));
  const auto about = id ? parse_hearing_id(*id) : Result<HearingId>(id.error());
  for (const Digest& digest : named) now_.documents.push_back({digest, index, epoch.name.epoch, about ? std::optional(*about) : std::nullopt});
  return ok();
}

Status RestoredMainLog::check(const Epoch& epoch, const SignedCheckpoint& head) {
  const std::string origin = epoch_origin(epoch.name);
  if (head.checkpoint.origin != origin) return fail(Errc::conflict, "it is the log " + head.checkpoint.origin + ", not " + origin);
  if (!epoch.key) return ok();  // it is known when it was read
  const Status by_archive = verify_note(head.note, *epoch.key);
  if (!by_archive) return fail(Errc::denied, "its checkpoint is not signed with the archive's key: " + by_archive.error().message);
  return ok();
}

// What the next epoch pins stands for every entry before it.
Status RestoredMainLog::check_end(const Epoch& epoch) const {
  if (!epoch.end || epoch.meets_end) return ok();
  const std::uint64_t held = epoch.log.head().checkpoint.size;
  if (held < epoch.end->size) return fail(Errc::conflict, fmt::format("the next epoch goes on behind entry {}, and {} are held", epoch.end->size, held));
  return fail(Errc::conflict, fmt::format("the next epoch goes on from a state of {} entries that it never had", epoch.end->size));
}

Status RestoredMainLog::read(Epoch& epoch) {
  const auto site_head = [&](const SignedCheckpoint& head) -> Status {
    GREFFE_TRY(check(epoch, head));
    if (!keys_.holder) return ok();
    const auto held = verify_cosignature(head.note, *keys_.holder);
    if (held) return ok();
    return fail(Errc::denied, "the second site's confirmation is not signed with the key of its enrolment code: " + held.error().message);
  };
  std::optional<Error> bad;
  GREFFE_TRY(epoch.log.read(site_head, [&](std::uint64_t index, std::string_view text, const SiteLog::Root& root) {
    if (index == 0) {
      bad.reset();
      now_ = {};
      declared_ = declared_before_;
      epoch.meets_end = false;
    }
    if (epoch.end && index + 1 == epoch.end->size) epoch.meets_end = root() == epoch.end->root;
    if (bad) return;
    const Status taken = take(epoch, index, text);
    if (!taken) bad = taken.error().within(fmt::format("entry {}", index));
  }, epoch.end ? std::optional(epoch.end->size) : std::nullopt));
  GREFFE_TRY(check_end(epoch));
  if (bad) return *bad;
  GREFFE_TRY(check(epoch, epoch.log.head()));
  add(std::move(now_));
  declared_before_ = declared_;
  return ok();
}

Status RestoredMainLog::read() {
  said_ = {};
  declared_before_ = LostDeclarations(keys_.name.archive);
  GREFFE_TRY(find_epochs());
  for (Epoch& epoch : epochs_) {
    const Status done = read(epoch);
    if (!done) return done.error().within("the main log of " + epoch_origin(epoch.name));
  }
  return ok();
}

// Who shows a part of an epoch that has ended shows it as it ended, however much of its log is held (archive/epoch_end.h). Its cosigners sign no
// other state of it any more: their lines are kept as every other.
Status RestoredMainLog::keep_end(const Epoch& epoch) {
  const std::uint64_t size = epoch.end->size;
  if (epoch.log.head().checkpoint.size == size) return put_kept(pool_.objects, epoch.path, size, epoch.log.head().note.write());
  const auto kept = pool_.objects.get(tlog::kept_checkpoint_path(epoch.path, size));
  if (kept) return keep_lines(pool_.heads, epoch.path, GREFFE_TRY(parse_signed_checkpoint(as_text(*kept))));
  if (kept.error().code != Errc::not_found) return kept.error();
  lacking_.push_back(fmt::format("the signed checkpoint of the {} entries of {} that the next epoch goes on from: exports and proofs of what it says cannot be made without it. The "
                                 "site that was promoted had it as {}", size, epoch_origin(epoch.name), tlog::kept_checkpoint_path(epoch.path, size)));
  return ok();
}

Status RestoredMainLog::store(Epoch& epoch) {
  for (const std::string& note : epoch.log.kept()) {
    const SignedCheckpoint kept = GREFFE_TRY(parse_signed_checkpoint(note));
    if (check(epoch, kept)) GREFFE_TRY(put_kept(pool_.objects, epoch.path, kept.checkpoint.size, note));
  }
  if (!epoch.log.is_here()) {
    GREFFE_TRY(tlog::import_log(pool_, epoch.path, epoch.log.site_head()->note.write(), [&](std::uint64_t index) { return epoch.log.bundle(index); }));
  }
  if (epoch.end) GREFFE_TRY(keep_end(epoch));
  // What it confirmed of more than is here a verifier would take for a log that was cut.
  const auto& there = epoch.log.site_head();
  if (!there || !keys_.holder || there->checkpoint.size > epoch.log.head().checkpoint.size) return ok();
  return tlog::keep_cosigned(pool_.heads, epoch.path, *there, *keys_.holder);
}

Status RestoredMainLog::store() {
  lacking_.clear();
  for (Epoch& epoch : epochs_) {
    const Status stored = store(epoch);
    if (!stored) return stored.error().within("the main log of " + epoch_origin(epoch.name));
  }
  return ok();
}

}  // namespace greffe::replicate
