#include "archive/main_log.h"

#include <fmt/format.h>

#include <set>

#include "archive/archive_keys.h"
#include "archive/contradictions.h"
#include "archive/tlog/finished_log.h"
#include "archive/tlog/kept_checkpoints.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxGuardBytes = kMaxNoteBytes;

// `seen`: what somebody outside the pool remembers of this log; `who`: "this machine has published".
Status check_holds(const tlog::LogReader& reader, std::uint64_t size, const Checkpoint& seen, std::string_view who) {
  if (size < seen.size) {
    return fail(Errc::conflict,
                fmt::format("the pool's main log has {} entries, but {} {}; an older state of the pool was put in place. Bring back the "
                            "newer volumes or recover from the second site; to go on with the older state, losing what came after, "
                            "start with --accept-head",
                            size, who, seen.size));
  }
  const Digest root = GREFFE_TRY(reader.root_at(seen.size));
  if (root == seen.root) return ok();
  return fail(Errc::conflict,
              fmt::format("the pool's main log differs from the one of which {} {} entries: entry {} or an earlier one was replaced. Do not "
                          "write to this pool; compare it with the second site",
                          who, seen.size, seen.size - 1));
}

}  // namespace

Result<std::vector<VerifierKey>> cosigning_keys(const catalogue::Catalogue& catalogue, std::initializer_list<std::string_view> roles) {
  std::vector<VerifierKey> out;
  for (const std::string_view role : roles) {
    const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(catalogue.keys(role));
    for (const catalogue::KnownKey& key : keys) {
      if (!key.revoked_since) out.push_back(GREFFE_TRY(parse_verifier_key(key.cosigner)));
    }
  }
  return out;
}

catalogue::Sources catalogue_sources(Stores stores) {
  catalogue::Sources sources;
  sources.document = [stores](const Digest& digest) -> Result<std::string> {
    const Bytes bytes = GREFFE_TRY(stores.objects.read_object(digest));
    return std::string(as_text(bytes));
  };
  sources.hearing = [stores](const HearingId& id, std::uint64_t first, std::uint64_t last, const auto& visit) {
    return tlog::LogReader(stores.objects, stores.heads, hearing_log_path(id)).entries(first, last, visit);
  };
  sources.finished = [stores](const HearingId& id, const Checkpoint& end, std::span<const std::uint64_t> indices) {
    return tlog::finished_entries(stores.objects, hearing_log_path(id), end.size, end.root, indices);
  };
  return sources;
}

GuardFile::GuardFile(FileSystem& files, const std::string& state_directory)
    : files_(files), path_(join(state_directory, "guard")) {}

Result<std::string> GuardFile::read() const {
  const Bytes bytes = GREFFE_TRY(files_.read_file(path_, kMaxGuardBytes));
  return std::string(as_text(bytes));
}

Result<Checkpoint> GuardFile::checkpoint() const {
  const std::string note = GREFFE_TRY(read());
  const SignedCheckpoint guard = GREFFE_TRY(parse_signed_checkpoint(note));
  return guard.checkpoint;
}

Status GuardFile::write(const std::string& note) const { return files_.replace(path_, as_bytes(note), 0640); }

Status GuardFile::check(const tlog::LogReader& reader, std::string_view head) const {
  const auto note = read();
  if (!note && note.error().code == Errc::not_found) return ok();
  if (!note) return note.error();
  const SignedCheckpoint guard = GREFFE_TRY(parse_signed_checkpoint(*note));
  const std::uint64_t size = head.empty() ? 0 : GREFFE_TRY(parse_signed_checkpoint(head)).checkpoint.size;
  return check_holds(reader, size, guard.checkpoint, fmt::format("this machine has published ({})", path_));
}

struct MainLog::State {
  State(FileSystem& files, Log& program_log, Stores pool, tlog::MainLogPlace where, VerifierKey key, const std::string& state_directory, bool accept_head)
      : log(program_log), stores(pool), place(std::move(where)), log_key(std::move(key)), guard(files, state_directory), accepts(accept_head),
        contradictions(files, state_directory), chain(reader()) {}

  Log& log;
  Stores stores;
  const tlog::MainLogPlace place;
  const VerifierKey log_key;  // its name is the origin of this epoch
  const GuardFile guard;
  const bool accepts;                   // `accept_head`
  mutable std::mutex signing_mutex;     // guards the five below
  Contradictions contradictions;
  std::set<std::string> accepted_from;  // whose first contradiction since the start was accepted
  std::string forbidden;                // why nothing is signed until an operator accepts the head; empty: it is not so
  std::string held_back;                // why nothing is signed for now
  std::string fenced;                   // that the archive goes on elsewhere
  tlog::LogChain chain;
  std::mutex catalogue_mutex;  // guards `builder`
  std::unique_ptr<catalogue::CatalogueBuilder> builder;
  std::unique_ptr<catalogue::Catalogue> catalogue;
  std::unique_ptr<DeclaredLost> declared_lost;
  std::unique_ptr<tlog::Sequencer> sequencer;  // last: its thread uses all of the above and is stopped first

  tlog::LogReader reader() const { return {stores.objects, stores.heads, place.path}; }

  // On the sequencer's thread, after publishing. A catalogue that cannot follow is only a cache that is late: the next
  // batch catches up, and the operator is told.
  void follow(const tlog::Committed& batch) {
    const Status guarded = guard.write(batch.checkpoint.note.write());
    if (!guarded) log.error(guarded.error().within("the guard file was not written").message);
    keep_checkpoint(batch);
    const std::lock_guard lock(catalogue_mutex);
    const Status followed = apply(batch);
    if (!followed) log.error(followed.error().within("the catalogue did not follow the main log; it will catch up").message);
  }

  void keep_checkpoint(const tlog::Committed& batch) {
    const std::uint64_t size = batch.checkpoint.checkpoint.size;
    if (!tlog::is_kept_checkpoint(batch.first, size)) return;
    const std::string note = batch.checkpoint.note.write();
    const Status kept = stores.objects.put(tlog::kept_checkpoint_path(place.path, size), as_bytes(note));
    if (!kept) log.warn(kept.error().within("a checkpoint for second sites was not kept").message);
  }

  Status tolerate(const Status& held, const Checkpoint& seen);
  Status check_guard(std::string_view head);
  Status check_cosigned(std::uint64_t size);
  Status check_standing(std::uint64_t size);
  Error contradicted(const SignedCheckpoint& seen, const std::string& who, const Error& why);
  bool accept_first(const Checkpoint& seen, const std::string& who, const Error& why);

  Status apply(const tlog::Committed& batch) {
    const std::uint64_t first = chain.newest().first + batch.first;
    if (builder->next() != first) return catalogue::catch_up(*builder, chain);
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
      GREFFE_TRY(builder->apply(first + i, batch.entries[i]));
    }
    return builder->commit(batch.checkpoint.checkpoint.root);
  }
};

// At the start, before anything is shared: what somebody remembers of the log is not so. ok: an operator accepted that, now or before.
Status MainLog::State::tolerate(const Status& held, const Checkpoint& seen) {
  if (held || held.error().code != Errc::conflict) return held;
  if (contradictions.is_accepted(seen)) return ok();
  if (!accepts) return held;
  GREFFE_TRY(contradictions.accept(seen));
  log.warn(held.error().within("--accept-head was given").message);
  return ok();
}

Status MainLog::State::check_guard(std::string_view head) {
  const Status held = guard.check(reader(), head);
  if (held || held.error().code != Errc::conflict) return held;
  const Checkpoint seen = GREFFE_TRY(guard.checkpoint());
  return tolerate(held, seen);
}

// The last word of each other site and witness is kept in the pool: what they have cosigned cannot have gone away either.
Status MainLog::State::check_cosigned(std::uint64_t size) {
  for (const std::string_view role : {"cosigner", "witness"}) {
    const std::vector<catalogue::KnownKey> cosigners = GREFFE_TRY(catalogue->keys(role));
    for (const catalogue::KnownKey& known : cosigners) {
      const VerifierKey key = GREFFE_TRY(parse_verifier_key(known.cosigner));
      const auto newest = newest_cosigned(stores.heads, place.path, key);
      if (!newest && newest.error().code == Errc::not_found) continue;
      if (!newest) return newest.error();
      const std::string who = role == "cosigner" ? "the site " + key.name + " has confirmed" : "the witness " + key.name + " has cosigned";
      GREFFE_TRY(tolerate(check_holds(reader(), size, newest->checkpoint, who), newest->checkpoint));
    }
  }
  return ok();
}

// What was shown before the restart.
Status MainLog::State::check_standing(std::uint64_t size) {
  const std::optional<Contradiction> standing = contradictions.standing();
  if (!standing) return ok();
  const Checkpoint& seen = standing->checkpoint.checkpoint;
  const Status held = check_holds(reader(), size, seen, standing->who + " has cosigned");
  const Status settled = tolerate(held, seen);
  if (!settled && settled.error().code != Errc::conflict) return settled;
  if (settled) return contradictions.settle();
  forbidden = settled.error().message;
  log.error("nothing is signed: " + forbidden);
  return ok();
}

// With the lock. Whether an operator has taken this into account.
bool MainLog::State::accept_first(const Checkpoint& seen, const std::string& who, const Error& why) {
  if (contradictions.is_accepted(seen)) return true;
  if (!accepts || !accepted_from.insert(who).second) return false;
  const Status accepted = contradictions.accept(seen);
  if (accepted) {
    log.warn(why.within("--accept-head was given").message);
  } else {
    log.error(accepted.error().within("what --accept-head accepts cannot be stored").message);
  }
  return accepted.has_value();
}

// Somebody has shown a tree with our own signature that this log does not continue: a log that was set back, or a second one. Each further
// signature would make it worse.
Error MainLog::State::contradicted(const SignedCheckpoint& seen, const std::string& who, const Error& why) {
  const std::lock_guard lock(signing_mutex);
  if (accept_first(seen.checkpoint, who, why)) return fail(Errc::already_exists, why.message);
  const Status stored = contradictions.stand({who, seen});
  if (!stored) log.error(stored.error().within("why nothing is signed is not stored").message);
  if (forbidden.empty()) log.error("nothing is signed any more: " + why.message);
  forbidden = why.message;
  return why;
}

MainLog::MainLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
MainLog::~MainLog() = default;

Result<std::unique_ptr<MainLog>> MainLog::open(FileSystem& files, Log& log, Stores stores,
                                               const tlog::MainLogPlace& place, const std::string& state_directory,
                                               PrivateKey key, bool accept_head) {
  const VerifierKey log_key = log_verifier(place.origin(), key.public_key());
  auto state = std::make_unique<State>(files, log, stores, place, log_key, state_directory, accept_head);
  GREFFE_TRY(state->contradictions.load());
  tlog::LogWriter writer =
      GREFFE_TRY(tlog::LogWriter::open(stores.objects, stores.heads, stores.stages, place.path));
  if (!writer.head().empty()) {
    const SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(writer.head()));
    const Status signed_by_us = verify_note(head.note, log_key);
    if (!signed_by_us) return signed_by_us.error().within("the pool's main log is not this archive's");
  }
  GREFFE_TRY(state->check_guard(writer.head()));
  if (place.name.epoch > 1) state->chain = GREFFE_TRY(tlog::LogChain::open(stores.objects, stores.heads, place));

  const std::string path = join(state_directory, "catalogue.sqlite");
  catalogue::Opened opened =
      GREFFE_TRY(catalogue::open_or_rebuild(files, path, catalogue_sources(stores), state->chain));
  // A new archive has no catalogue yet, and nothing to warn of.
  if (!opened.rebuilt_because.empty() && writer.size() > 0) log.warn("the catalogue was rebuilt from the logs: " + opened.rebuilt_because);
  state->builder = std::make_unique<catalogue::CatalogueBuilder>(std::move(opened.builder));
  catalogue::Catalogue catalogue = GREFFE_TRY(catalogue::Catalogue::open(path));
  state->catalogue = std::make_unique<catalogue::Catalogue>(std::move(catalogue));
  GREFFE_TRY(state->check_cosigned(writer.size()));
  GREFFE_TRY(state->check_standing(writer.size()));

  state->declared_lost = std::make_unique<DeclaredLost>(stores.objects, stores.heads, *state->catalogue, place);

  State* follower = state.get();
  state->sequencer = std::make_unique<tlog::Sequencer>(std::move(writer), place.origin(), std::move(key),
                                                       [follower](const tlog::Committed& batch) { follower->follow(batch); });
  return std::unique_ptr<MainLog>(new MainLog(std::move(state)));
}

Result<std::uint64_t> MainLog::append(const MainEntry& entry) { return append(std::vector<MainEntry>{entry}); }

Result<std::uint64_t> MainLog::append(const std::vector<MainEntry>& entries) {
  std::vector<std::string> texts;
  texts.reserve(entries.size());
  for (const MainEntry& entry : entries) texts.push_back(write_main_entry(entry));
  return append_texts(std::move(texts));
}

Result<std::uint64_t> MainLog::append_texts(std::vector<std::string> texts) {
  for (const std::string& text : texts) {
    // What is in the log stays there for ever: an entry that no reader would accept is not written.
    const auto readable = parse_main_entry(text);
    if (!readable) return readable.error().within("an entry for the main log is not well formed");
  }
  if (const auto why = refusal()) return fail(Errc::unavailable, "this archive signs nothing at the moment: " + *why);
  return state_->chain.newest().first + GREFFE_TRY(state_->sequencer->append(std::move(texts)));
}

SignedCheckpoint MainLog::head() const { return state_->sequencer->head(); }
tlog::LogReader MainLog::reader() const { return state_->reader(); }
const tlog::LogChain& MainLog::chain() const { return state_->chain; }
const tlog::MainLogPlace& MainLog::place() const { return state_->place; }
const catalogue::Catalogue& MainLog::catalogue() const { return *state_->catalogue; }
DeclaredLost& MainLog::declared_lost() const { return *state_->declared_lost; }
const std::string& MainLog::archive_name() const { return state_->place.name.archive; }

Status MainLog::add_cosignature(const SignedCheckpoint& cosigned, const VerifierKey& cosigner) {
  const auto time = verify_cosignature(cosigned.note, cosigner);
  if (!time) return fail(Errc::denied, "the cosignature of " + cosigner.name + " does not verify: " + time.error().message);
  const Error not_ours = fail(Errc::conflict, "that checkpoint is not one of this archive's main log");
  if (cosigned.checkpoint.origin != state_->log_key.name) return not_ours;
  const Status held = check(cosigned.checkpoint, cosigner.name);
  if (!held && held.error().code != Errc::conflict) return held;
  if (!held) return verify_note(cosigned.note, state_->log_key) ? state_->contradicted(cosigned, cosigner.name, held.error()) : not_ours;
  return keep_cosigned(state_->stores.heads, state_->place.path, cosigned, cosigner);
}

// Against what is published, which is never behind what anybody can have seen.
Status MainLog::check(const Checkpoint& seen, const std::string& who) const {
  const tlog::LogReader log = reader();
  const SignedCheckpoint head = GREFFE_TRY(log.checkpoint());
  return check_holds(log, head.checkpoint.size, seen, who + " has cosigned");
}

Status MainLog::compare(const SignedCheckpoint& seen, const std::string& who) {
  const bool is_ours = seen.checkpoint.origin == state_->log_key.name && verify_note(seen.note, state_->log_key);
  if (!is_ours) return fail(Errc::denied, "what " + who + " shows does not bear this archive's signature");
  const Status held = check(seen.checkpoint, who);
  if (held || held.error().code != Errc::conflict) return held;
  return state_->contradicted(seen, who, held.error());
}

Result<SignedCheckpoint> MainLog::published() const {
  SignedCheckpoint out = GREFFE_TRY(reader().checkpoint());
  const std::vector<VerifierKey> keys = GREFFE_TRY(cosigning_keys(catalogue(), {"cosigner", "witness"}));
  for (const VerifierKey& key : keys) {
    const auto newest = newest_cosigned(state_->stores.heads, state_->place.path, key);
    if (!newest || newest->checkpoint != out.checkpoint) continue;
    for (const NoteSignature& line : newest->note.signatures) {
      if (line.name == key.name && line.key_id == key.id()) put_signature(out.note, line);
    }
  }
  return out;
}

std::optional<std::string> MainLog::refusal() const {
  const std::lock_guard lock(state_->signing_mutex);
  const std::string& why = !state_->fenced.empty() ? state_->fenced : state_->forbidden.empty() ? state_->held_back : state_->forbidden;
  return why.empty() ? std::nullopt : std::optional(why);
}

void MainLog::fence(std::string why) {
  const std::lock_guard lock(state_->signing_mutex);
  state_->fenced = std::move(why);
}

void MainLog::hold(std::string why) {
  const std::lock_guard lock(state_->signing_mutex);
  state_->held_back = std::move(why);
}

void MainLog::release() { hold({}); }

}  // namespace greffe::archive
