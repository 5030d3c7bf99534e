#include "replicate/passive_site.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/tlog/kept_checkpoints.h"
#include "archive/tlog/log_reader.h"
#include "replicate/kept_lines.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kPieceBytes = 1024 * 1024;
constexpr std::size_t kMostKnown = 65'536;      // objects: some 8 MB
constexpr std::int64_t kSaveEveryMs = 10'000;   // the grade, while a pass lasts

Error cancelled() { return fail(Errc::cancelled, "stopped on request"); }
bool is_main(const client::LogTarget& log) { return !std::holds_alternative<HearingId>(log.log); }

}  // namespace

bool is_drawn(unsigned percent) {
  std::uint8_t draw[2];
  fill_random(draw);
  return static_cast<unsigned>(draw[0] << 8 | draw[1]) <= 65'536 * percent / 100;  // never less than so many of a hundred
}

PassiveSite::PassiveSite(PassivePool& pool, const Source& source, CopyOwner owner, Clock& clock, Log& words, std::stop_token stop)
    : pool_(pool), source_(source), owner_(std::move(owner)), clock_(clock), words_(words), stop_(std::move(stop)), book_(clock, words) {}

Error PassiveSite::there(Error error) {
  if (error.code == Errc::cancelled) return error;
  if (error.code == Errc::io_error || error.code == Errc::unavailable) {
    pool_.doubt();
    error.code = Errc::unavailable;
  }
  return error.within("the copy " + name());
}

Result<std::shared_ptr<OpenedCopy>> PassiveSite::open() {
  auto opened = pool_.get();
  if (!opened) return opened;
  const std::lock_guard lock(mutex_);
  if (seen_.lock() == *opened) return opened;
  const Status loaded = book_.load(*(*opened)->pool);
  if (!loaded) return there(loaded.error());
  // Another process may have had it meanwhile.
  known_.clear();
  known_order_.clear();
  given_.clear();
  seen_ = *opened;
  return opened;
}

Status PassiveSite::is_there(store::WholePool& pool) {
  const auto text = pool.get(kCopyLabelKey);
  if (!text && text.error().code == Errc::not_found) return there(fail(Errc::unavailable, "what says whose copy it is, is gone: is the disk still mounted?"));
  return text ? ok() : Status(there(text.error()));
}

std::mutex& PassiveSite::mutex_of(const client::LogTarget& log) { return mutexes_[std::hash<std::string>{}(copied_path(log)) % mutexes_.size()]; }

bool PassiveSite::reads_all(const CopyLabel& label) const { return clock_.utc_now().ms - label.began.ms < kAllReadBackMs; }

bool PassiveSite::is_known(const Digest& digest) const {
  const std::lock_guard lock(mutex_);
  return known_.contains(digest);
}

void PassiveSite::know(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (!known_.insert(digest).second) return;
  known_order_.push_back(digest);
  if (known_order_.size() <= kMostKnown) return;
  known_.erase(known_order_.front());
  known_order_.pop_front();
}

// ---- objects ----

Result<bool> PassiveSite::read_back(store::WholePool& pool, const Digest& digest, std::uint64_t& bytes) {
  const store::ReadBackCount count = pool.read_back(digest);
  bytes += count.bytes;
  if (!count.damaged && count.good >= pool.traits().write_quorum) return true;
  const auto health = pool.repair_object(digest, store::ReadFrom::medium);
  if (!health && (health.error().code == Errc::corrupt || health.error().code == Errc::not_found)) return false;
  if (!health) return there(health.error());
  bytes += health->bytes;
  return health->good >= pool.traits().write_quorum;
}

Result<std::vector<Digest>> PassiveSite::have(const client::LogTarget&, const std::vector<Digest>& digests) {
  const auto copy = GREFFE_TRY(open());
  std::vector<Digest> missing;
  for (const Digest& digest : digests) {
    if (stop_.stop_requested()) return cancelled();
    const auto held = copy->pool->holds_object(digest);
    if (!held) return there(held.error());
    if (*held && is_known(digest)) continue;
    // Of a pass that was cut short after it was written: whether it was synced, and read back, nobody knows.
    const bool good = *held && GREFFE_TRY(settle(*copy->pool, digest));
    if (good) know(digest);
    else missing.push_back(digest);
  }
  return missing;
}

// False: it is not good. A service was made to read it by the first of these.
Result<bool> PassiveSite::settle(store::WholePool& pool, const Digest& digest) {
  const auto proved = pool.prove_object(digest);
  if (!proved) return there(proved.error());
  std::uint64_t bytes = 0;
  return *proved && (pool.traits().verifies_itself || GREFFE_TRY(read_back(pool, digest, bytes)));
}

// A name that is taken by other bytes. A service compares by itself when it is given the good ones.
Status PassiveSite::make_way(store::WholePool& pool, const Digest& digest) {
  const auto held = pool.holds_object(digest);
  if (!held) return there(held.error());
  if (!*held || pool.traits().verifies_itself) return ok();
  const Status moved = pool.set_aside(digest);
  if (moved || moved.error().code == Errc::conflict) return ok();  // a replica is good
  return there(moved.error());
}

// Hashed as it goes: nothing gets a name but the one of its bytes.
Status PassiveSite::write(store::WholePool& pool, const Digest& digest, ReadableFile& bytes, const Pace& pace) {
  const auto cannot_read = [&](const std::string& why) { return fail(Errc::corrupt, "object " + digest.hex() + " cannot be read at the source: " + why); };
  const auto size = bytes.size();
  if (!size) return cannot_read(size.error().message);
  const auto writer = pool.begin_object(*size);
  if (!writer) return there(writer.error());
  Bytes piece(static_cast<std::size_t>(std::min<std::uint64_t>(*size, kPieceBytes)));
  for (std::uint64_t offset = 0; offset < *size;) {
    std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), *size - offset));
    if (pace) wanted = std::min(wanted, GREFFE_TRY(pace(wanted)));
    const auto got = bytes.read_at(offset, std::span(piece).first(wanted));
    if (!got) return cannot_read(got.error().message);
    if (*got != wanted) return cannot_read("it became shorter");
    const Status written = (*writer)->write(ByteView(piece).first(wanted));
    if (!written) return there(written.error());
    offset += wanted;
  }
  const Status stored = (*writer)->commit(digest);
  if (!stored && stored.error().code == Errc::conflict) return cannot_read(stored.error().message);
  return stored ? ok() : Status(there(stored.error()));
}

Status PassiveSite::put_object(const client::LogTarget&, const Digest& digest, std::shared_ptr<ReadableFile> bytes, Pace pace) {
  const auto copy = GREFFE_TRY(open());
  store::WholePool& pool = *copy->pool;
  GREFFE_TRY(make_way(pool, digest));
  GREFFE_TRY(write(pool, digest, *bytes, pace));
  const bool whole = reads_all(copy->label) || is_drawn(kReadBackPercent);
  std::uint64_t read = 0;
  bool good = false;
  if (whole) {
    good = GREFFE_TRY(read_back(pool, digest, read));
  } else {
    const auto proved = pool.prove_object(digest);  // its size, and what else the store knows without reading it
    if (!proved) return there(proved.error());
    good = *proved;
  }
  // The next pass finds it bad, and writes it again.
  if (!good) return there(fail(Errc::unavailable, "object " + digest.hex() + " does not read back as it was written; look at that disk or service"));
  know(digest);
  book_.written(read, whole);
  return ok();
}

Result<Bytes> PassiveSite::get_object(const client::LogTarget&, const Digest& digest) {
  const auto copy = GREFFE_TRY(open());
  auto bytes = copy->pool->read_object(digest);
  if (!bytes) return there(bytes.error());
  return bytes;
}

Result<client::KnownThere> PassiveSite::known_ahead(const client::LogTarget&) {
  return fail(Errc::not_found, "a copy that nobody answers for knows nothing ahead of what it holds");
}

Result<std::variant<client::KnownThere, client::AheadRefused>> PassiveSite::post_ahead(const client::LogTarget& log, std::uint64_t,
                                                                                       const std::vector<std::string>&, std::string_view) {
  return known_ahead(log).error();
}

Result<std::vector<client::LostThere>> PassiveSite::lost_objects() {
  GREFFE_TRY(open());
  std::vector<client::LostThere> out;
  const CopyGrade known = book_.grade();
  for (const BadObject& one : known.bad) out.push_back({one.hearing, one.object});
  return out;
}

Status PassiveSite::return_object(const Digest& digest, ByteView bytes) {
  if (sha256(bytes) != digest) return fail(Errc::corrupt, "these are not the bytes of object " + digest.hex());
  const auto copy = GREFFE_TRY(open());
  store::WholePool& pool = *copy->pool;
  GREFFE_TRY(make_way(pool, digest));
  const auto writer = pool.begin_object(bytes.size());
  if (!writer) return there(writer.error());
  const Status written = (*writer)->write(bytes);
  if (!written) return there(written.error());
  const Status stored = (*writer)->commit(digest);
  if (!stored) return there(stored.error());
  std::uint64_t read = 0;
  if (!GREFFE_TRY(read_back(pool, digest, read))) return there(fail(Errc::unavailable, "object " + digest.hex() + " was written anew and does not read back as it should"));
  know(digest);
  book_.mended(digest);
  return ok();
}

// ---- logs ----

Result<client::HeldCheckpoint> PassiveSite::checkpoint(const client::LogTarget& log) {
  const auto copy = GREFFE_TRY(open());
  auto text = copy->pool->read_head(checkpoint_path(copied_path(log)));
  if (!text && text.error().code == Errc::not_found) {
    GREFFE_TRY(is_there(*copy->pool));
    return client::HeldCheckpoint{};
  }
  if (!text) return there(text.error());
  const auto head = parse_signed_checkpoint(*text);
  if (!head) return there(head.error());
  // Who can write there could make it up; of a hearing, the roots at the source decide.
  if (is_main(log)) {
    const std::string& origin = std::get<std::string>(log.log);
    const VerifierKey key = GREFFE_TRY(key_of(origin));
    if (!verify_note(head->note, key)) {
      return there(fail(Errc::denied, "what it says that it has of the main log of " + origin + " is not signed by it; nothing is written there"));
    }
  }
  client::HeldCheckpoint out;
  out.size = head->checkpoint.size;
  out.note = *std::move(text);
  return out;
}

Result<client::HeldCheckpoint> PassiveSite::checkpoint_from(const client::LogTarget& log, std::uint64_t from) {
  client::HeldCheckpoint out = GREFFE_TRY(checkpoint(log));
  if (out.note.empty() || from > out.size) return out;
  const auto copy = GREFFE_TRY(open());
  auto proof = tlog::LogReader(*copy->pool, *copy->pool, copied_path(log)).consistency(from, out.size);
  if (!proof) return there(proof.error());
  out.consistency = *std::move(proof);
  return out;
}

// Of the main log of one epoch.
Result<VerifierKey> PassiveSite::key_of(const std::string& origin) const {
  if (owner_.log.name == origin) return owner_.log;
  const auto found = std::find_if(owner_.later.begin(), owner_.later.end(), [&](const VerifierKey& key) { return key.name == origin; });
  if (found != owner_.later.end()) return *found;
  return fail(Errc::invalid, origin + " is the main log of no epoch that the archive's own pool has");
}

// How an epoch ended, as the archive keeps it (archive/epoch_end.h): the copy may have more of that log.
Status PassiveSite::keep_end(store::WholePool& pool, const Checkpoint& end) {
  for (const tlog::LogChain::Link& link : source_.main.links()) {
    if (source_.origin(link) != end.origin) continue;
    const auto note = source_.objects.get(tlog::kept_checkpoint_path(source_.path(link), end.size));
    if (!note) return note.error().code == Errc::not_found ? ok() : Status(note.error());  // then its newest checkpoint is that
    const std::string path = foreign_log_path(end.origin);
    const Status kept = pool.put(tlog::kept_checkpoint_path(path, end.size), *note);
    if (!kept && kept.error().code != Errc::conflict) return there(kept.error());
    return keep_older(pool, path, GREFFE_TRY(parse_signed_checkpoint(as_text(*note))));  // nobody signs another state of it any more
  }
  return ok();
}

// A later epoch begins where the one before is held there to the state that it goes on from.
Status PassiveSite::follows(store::WholePool& pool, const EpochName& name, std::string_view promotion) {
  const PromotionEntry entry = GREFFE_TRY(parse_promotion(promotion));
  const Checkpoint& pinned = entry.previous;
  const auto chain = tlog::LogChain::open(pool, pool, {{name.archive, name.epoch - 1}, {}, foreign_log_path(name.archive)});
  if (!chain) return there(chain.error());
  const auto root = chain->newest().reader.root_at(pinned.size);
  if (!root && root.error().code != Errc::invalid) return there(root.error());
  if (root && *root == pinned.root) return keep_end(pool, pinned);
  return fail(Errc::invalid, fmt::format("{} goes on behind entry {} of {}, and that state is not in the copy {}", epoch_origin(name), pinned.size, pinned.origin, this->name()));
}

Status PassiveSite::check_signature(const client::LogTarget& log, std::uint64_t first, const std::vector<std::string>& entries,
                                    const SignedCheckpoint& wanted) const {
  const auto* id = std::get_if<HearingId>(&log.log);
  const std::string origin = id != nullptr ? hearing_origin(source_.archive, *id) : std::get<std::string>(log.log);
  VerifierKey key;
  if (id == nullptr) {
    key = GREFFE_TRY(key_of(origin));
  } else {
    const tlog::LogReader reader(source_.objects, source_.heads, hearing_log_path(*id));
    const std::vector<std::string> begin = first == 0 ? std::vector<std::string>{entries.front()} : GREFFE_TRY(reader.entries(0, 1));
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(begin.front()));
    const auto* open_entry = std::get_if<OpenEntry>(&entry);
    if (open_entry == nullptr || open_entry->archive != source_.archive || open_entry->hearing != *id) {
      return fail(Errc::invalid, "the log of hearing " + id->text() + " does not begin as that of a hearing of " + source_.archive);
    }
    key = VerifierKey{origin, KeyType::ed25519, open_entry->station_key};
  }
  if (wanted.checkpoint.origin != origin) return fail(Errc::invalid, "the checkpoint is of " + wanted.checkpoint.origin + ", not of " + origin);
  const Status by_owner = verify_note(wanted.note, key);
  if (by_owner) return ok();
  return fail(Errc::invalid, "the checkpoint of " + origin + " is not signed by who writes that log: " + by_owner.error().message);
}

Result<PassiveSite::Named> PassiveSite::read_hearing(const std::vector<std::string>& entries) {
  Named out;
  for (const std::string& text : entries) {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(text));
    if (const auto* lost = std::get_if<LostEntry>(&entry)) {
      out.excused.insert(lost->objects.begin(), lost->objects.end());
      continue;
    }
    out.closes = out.closes || std::holds_alternative<CloseEntry>(entry);
    const Json json = GREFFE_TRY(parse_canonical_json(text));
    for (const Digest& digest : named_objects(json)) out.objects.insert(digest);
  }
  return out;
}

Result<PassiveSite::Named> PassiveSite::read_main(const std::vector<std::string>& entries) {
  Named out;
  for (const std::string& text : entries) {
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    if (const auto* lost = std::get_if<MainLostEntry>(&entry)) {
      out.excused.insert(lost->objects.begin(), lost->objects.end());
      continue;
    }
    if (const auto* commit = std::get_if<HearingCheckpointEntry>(&entry)) out.hearings.push_back(*commit);
    const Json json = GREFFE_TRY(parse_canonical_json(text));
    for (const Digest& digest : named_objects(json)) out.objects.insert(digest);
  }
  return out;
}

// Of what the entries name; but what they, or entries further on, declare lost.
Result<std::vector<Digest>> PassiveSite::not_there(store::WholePool& pool, Named named, const std::vector<ShownEntry>& shown) {
  for (const ShownEntry& one : shown) {
    const Json json = GREFFE_TRY(parse_canonical_json(one.entry));
    const std::string kind = GREFFE_TRY(json.string("kind"));
    if (kind != "lost") continue;
    for (const Digest& digest : named_objects(json)) named.excused.insert(digest);
  }
  std::vector<Digest> out;
  for (const Digest& digest : named.objects) {
    if (named.excused.contains(digest) || is_known(digest)) continue;
    const auto held = pool.holds_object(digest);
    if (!held) return there(held.error());
    if (!*held) out.push_back(digest);
  }
  return out;
}

// Each at least to the size that the main log commits to, and with the same root there.
Status PassiveSite::holds_hearings(store::WholePool& pool, const std::vector<HearingCheckpointEntry>& hearings) {
  for (const HearingCheckpointEntry& commit : hearings) {
    const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(commit.note));
    const CopiedLog log(pool, source_, client::LogTarget{commit.hearing});
    const auto head = log.head();
    if (!head && head.error().code != Errc::not_found) return there(head.error());
    if (!head || head->checkpoint.size < stated.checkpoint.size) {
      return there(fail(Errc::unavailable, fmt::format("hearing {} is held there to {} entries, not to {}, as it was a moment ago", commit.hearing.text(),
                                                       head ? head->checkpoint.size : 0, stated.checkpoint.size)));
    }
    if (head->checkpoint == stated.checkpoint) continue;
    const auto root = tlog::LogReader(pool, pool, log.path()).root_at(stated.checkpoint.size);
    if (!root) return there(root.error());
    if (*root != stated.checkpoint.root) return there(fail(Errc::corrupt, "hearing " + commit.hearing.text() + " has another root there than the main log states"));
  }
  return ok();
}

Result<std::variant<std::string, client::EntriesRefused>> PassiveSite::post_entries(const client::LogTarget& log, std::uint64_t first,
                                                                                    const std::vector<std::string>& entries,
                                                                                    std::string_view checkpoint_note,
                                                                                    const std::vector<ShownEntry>& shown) {
  using Answer = std::variant<std::string, client::EntriesRefused>;
  const auto copy = GREFFE_TRY(open());
  store::WholePool& pool = *copy->pool;
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(checkpoint_note));
  const std::uint64_t size = wanted.checkpoint.size;
  const std::lock_guard lock(mutex_of(log));
  CopiedLog copied(pool, source_, log);
  auto opened = copied.writer();
  if (!opened) return there(opened.error());
  tlog::LogWriter& writer = *opened;
  if (writer.size() > 0 && writer.size() == size && writer.root() == wanted.checkpoint.root) return Answer(writer.head());
  if (first != writer.size()) return Answer(client::EntriesRefused{writer.size(), {}, "the copy has another size than was thought", false});
  if (entries.empty() || size != first + entries.size() || writer.preview(entries).root() != wanted.checkpoint.root) {
    return fail(Errc::invalid, fmt::format("the entries from {} on do not lead to the root of the checkpoint of {}", first, wanted.checkpoint.origin));
  }
  GREFFE_TRY(check_signature(log, first, entries, wanted));
  if (is_main(log) && first == 0) {
    const EpochName epoch = GREFFE_TRY(parse_epoch_origin(wanted.checkpoint.origin));
    if (epoch.epoch > 1) GREFFE_TRY(follows(pool, epoch, entries.front()));
  }
  const Named named = GREFFE_TRY(is_main(log) ? read_main(entries) : read_hearing(entries));
  std::vector<Digest> missing = GREFFE_TRY(not_there(pool, named, shown));
  if (!missing.empty()) return Answer(client::EntriesRefused{std::nullopt, std::move(missing), "objects that the entries name are not there", false});
  GREFFE_TRY(holds_hearings(pool, named.hearings));
  if (is_main(log)) save_grade_at_times();
  // Objects, and of the main log its hearings, are durable and read back: from here on a crash leaves this size or the one before.
  const std::string note = wanted.note.write();
  const Status appended = writer.append(entries, [&](std::uint64_t, const Digest&) -> Result<std::string> { return note; });
  if (!appended) return there(appended.error());
  if (is_main(log) && tlog::is_kept_checkpoint(first, size)) {
    const Status kept = pool.put(tlog::kept_checkpoint_path(copied.path(), size), as_bytes(note));
    if (!kept && kept.error().code != Errc::conflict) return there(kept.error());  // one of that size is there
  }
  const Status finished = named.closes ? writer.finalise() : ok();
  if (!finished) words_.warn(there(finished.error()).within("the tail of a finished hearing stays as it is").message);  // its stage says the same
  return Answer(writer.head());
}

// What a cosigner said of an earlier size of the log, beside it. Never goes back.
Status PassiveSite::keep_older(store::WholePool& pool, const std::string& log_path, const SignedCheckpoint& note) {
  const Status kept = keep_lines(pool, log_path, note);
  return kept ? ok() : Status(there(kept.error()));
}

Status PassiveSite::give_signatures(const client::LogTarget& log, const std::vector<std::string>& notes) {
  const auto copy = GREFFE_TRY(open());
  store::WholePool& pool = *copy->pool;
  const std::lock_guard log_lock(mutex_of(log));
  {
    const std::lock_guard lock(mutex_);
    if (is_main(log) && given_ == notes) return ok();
  }
  const std::string path = copied_path(log);
  const auto text = pool.read_head(checkpoint_path(path));
  if (!text && text.error().code == Errc::not_found) return ok();
  if (!text) return there(text.error());
  SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(*text));
  const std::size_t before = head.note.signatures.size();
  bool all = true;
  for (const std::string& one : notes) {
    const auto note = parse_signed_checkpoint(one);
    if (!note || note->checkpoint.origin != head.checkpoint.origin) continue;
    // A verifier would take what is said of more than is here for a log that was cut.
    if (note->checkpoint.size > head.checkpoint.size) {
      all = false;
      continue;
    }
    if (note->checkpoint != head.checkpoint) {
      GREFFE_TRY(keep_older(pool, path, *note));
      continue;
    }
    for (const NoteSignature& line : note->note.signatures) {
      const auto same = [&](const NoteSignature& there_already) { return there_already.name == line.name && there_already.key_id == line.key_id; };
      const bool has = std::any_of(head.note.signatures.begin(), head.note.signatures.end(), same);
      if (!has && head.note.signatures.size() < kMaxNoteSignatures) head.note.signatures.push_back(line);
    }
  }
  if (head.note.signatures.size() > before) {
    const Status swapped = pool.swap_head(checkpoint_path(path), *text, head.note.write());
    if (!swapped) return there(swapped.error());
  }
  const std::lock_guard lock(mutex_);
  if (is_main(log) && all) given_ = notes;
  return ok();
}

Result<std::uint64_t> PassiveSite::echo(const std::string&) {
  const auto copy = GREFFE_TRY(open());
  GREFFE_TRY(is_there(*copy->pool));
  const auto text = copy->pool->get(kCopyLabelKey);
  if (!text) return there(text.error());
  if (as_text(*text) == write_copy_label(copy->label)) return std::uint64_t{1};
  return there(fail(Errc::unavailable, "it says something else of whose copy it is than when it was opened"));  // to be opened anew
}

// ---- grade ----

Result<CopyGrade> PassiveSite::grade() {
  GREFFE_TRY(open());
  return book_.grade();
}

Status PassiveSite::save_grade() {
  if (!may_write()) return ok();
  const auto copy = GREFFE_TRY(open());
  const Status saved = book_.save(*copy->pool);
  return saved ? ok() : Status(there(saved.error()));
}

// Nothing waits for it: what is not saved now is saved later, or was not seen.
void PassiveSite::save_grade_at_times() {
  const std::int64_t now_ms = clock_.monotonic_ms();
  {
    const std::lock_guard lock(mutex_);
    if (saved_ms_ != 0 && now_ms - saved_ms_ < kSaveEveryMs) return;
    saved_ms_ = now_ms;
  }
  const Status saved = save_grade();
  if (!saved) words_.warn(saved.error().message);
}

}  // namespace greffe::replicate
