#include "archive/main_log.h"

#include <fmt/format.h>

#include "archive/archive_keys.h"
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

// The last word of each other site is kept in the pool: what it has confirmed cannot have gone away either.
Status check_cosigned(const catalogue::Catalogue& catalogue, store::HeadStore& heads, const tlog::LogReader& reader, std::uint64_t size) {
  const std::vector<catalogue::KnownKey> cosigners = GREFFE_TRY(catalogue.keys("cosigner"));
  for (const catalogue::KnownKey& known : cosigners) {
    const VerifierKey key = GREFFE_TRY(parse_verifier_key(known.cosigner));
    const auto newest = newest_cosigned(heads, main_log_path(), key);
    if (!newest && newest.error().code == Errc::not_found) continue;
    if (!newest) return newest.error();
    GREFFE_TRY(check_holds(reader, size, newest->checkpoint, "the site " + key.name + " has confirmed"));
  }
  return ok();
}

}  // namespace

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
  State(FileSystem& files, Log& program_log, Stores pool, std::string name, const std::string& state_directory)
      : log(program_log), stores(pool), archive_name(std::move(name)), guard(files, state_directory) {}

  Log& log;
  Stores stores;
  const std::string archive_name;
  const GuardFile guard;
  std::mutex catalogue_mutex;  // guards `builder`
  std::unique_ptr<catalogue::CatalogueBuilder> builder;
  std::unique_ptr<catalogue::Catalogue> catalogue;
  std::unique_ptr<DeclaredLost> declared_lost;
  std::unique_ptr<tlog::Sequencer> sequencer;  // last: its thread uses all of the above and is stopped first

  tlog::LogReader reader() const { return {stores.objects, stores.heads, main_log_path()}; }

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
    const Status kept = stores.objects.put(tlog::kept_checkpoint_path(main_log_path(), size), as_bytes(note));
    if (!kept) log.warn(kept.error().within("a checkpoint for second sites was not kept").message);
  }

  Status apply(const tlog::Committed& batch) {
    if (builder->next() != batch.first) return catalogue::catch_up(*builder, reader());
    for (std::size_t i = 0; i < batch.entries.size(); ++i) {
      GREFFE_TRY(builder->apply(batch.first + i, batch.entries[i]));
    }
    return builder->commit(batch.checkpoint.checkpoint.root);
  }
};

MainLog::MainLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
MainLog::~MainLog() = default;

Result<std::unique_ptr<MainLog>> MainLog::open(FileSystem& files, Log& log, Stores stores,
                                               const std::string& archive_name, const std::string& state_directory,
                                               PrivateKey key, bool accept_head) {
  auto state = std::make_unique<State>(files, log, stores, archive_name, state_directory);
  tlog::LogWriter writer =
      GREFFE_TRY(tlog::LogWriter::open(stores.objects, stores.heads, stores.stages, main_log_path()));
  if (!writer.head().empty()) {
    const SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(writer.head()));
    const Status signed_by_us = verify_note(head.note, log_verifier(archive_name, key.public_key()));
    if (!signed_by_us) return signed_by_us.error().within("the pool's main log is not this archive's");
  }
  const auto accepted = [&log, accept_head](const Status& held) {
    const bool tolerated = !held && accept_head && held.error().code == Errc::conflict;
    if (tolerated) log.warn(held.error().within("--accept-head was given").message);
    return held || tolerated;
  };
  const Status guarded = state->guard.check(state->reader(), writer.head());
  if (!accepted(guarded)) return guarded.error();

  const std::string path = join(state_directory, "catalogue.sqlite");
  catalogue::Opened opened =
      GREFFE_TRY(catalogue::open_or_rebuild(files, path, catalogue_sources(stores), state->reader()));
  // A new archive has no catalogue yet, and nothing to warn of.
  if (!opened.rebuilt_because.empty() && writer.size() > 0) log.warn("the catalogue was rebuilt from the logs: " + opened.rebuilt_because);
  state->builder = std::make_unique<catalogue::CatalogueBuilder>(std::move(opened.builder));
  catalogue::Catalogue catalogue = GREFFE_TRY(catalogue::Catalogue::open(path));
  state->catalogue = std::make_unique<catalogue::Catalogue>(std::move(catalogue));
  const Status confirmed = check_cosigned(*state->catalogue, stores.heads, state->reader(), writer.size());
  if (!accepted(confirmed)) return confirmed.error();

  state->declared_lost = std::make_unique<DeclaredLost>(stores.objects, stores.heads, *state->catalogue, archive_name);

  State* follower = state.get();
  state->sequencer = std::make_unique<tlog::Sequencer>(std::move(writer), archive_name, std::move(key),
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

// What is in the log stays there for ever: an entry that no reader would accept is not written.
Result<std::uint64_t> MainLog::append_texts(std::vector<std::string> texts) {
  for (const std::string& text : texts) {
    const auto readable = parse_main_entry(text);
    if (!readable) return readable.error().within("an entry for the main log is not well formed");
  }
  return state_->sequencer->append(std::move(texts));
}

SignedCheckpoint MainLog::head() const { return state_->sequencer->head(); }
tlog::LogReader MainLog::reader() const { return state_->reader(); }
const catalogue::Catalogue& MainLog::catalogue() const { return *state_->catalogue; }
DeclaredLost& MainLog::declared_lost() const { return *state_->declared_lost; }
const std::string& MainLog::archive_name() const { return state_->archive_name; }

Status MainLog::add_cosignature(const SignedCheckpoint& cosigned, const VerifierKey& cosigner) {
  const auto time = verify_cosignature(cosigned.note, cosigner);
  if (!time) return fail(Errc::denied, "the cosignature of " + cosigner.name + " does not verify: " + time.error().message);
  if (cosigned.checkpoint.origin != state_->archive_name || cosigned.checkpoint.size > head().checkpoint.size) {
    return fail(Errc::conflict, "that checkpoint is not one of this archive's main log");
  }
  const Digest root = GREFFE_TRY(reader().root_at(cosigned.checkpoint.size));
  if (root != cosigned.checkpoint.root) {
    return fail(Errc::conflict, "that checkpoint has another root than this archive's main log had at that size");
  }
  return keep_cosigned(state_->stores.heads, main_log_path(), cosigned, cosigner);
}

}  // namespace greffe::archive
