#include "archive/foreign_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "archive/archive_keys.h"
#include "archive/excuses.h"
#include "archive/tlog/kept_checkpoints.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kPendingBytesMax = 1024ull * 1024 * 1024;  // documents are small; more is a mistake or an attack

struct ForeignLog {
  ForeignLog(tlog::LogWriter log_writer, VerifierKey key) : writer(std::move(log_writer)), log_key(std::move(key)) {}
  std::mutex mutex;
  tlog::LogWriter writer;
  VerifierKey log_key;
  std::set<Digest> deposited;  // not yet named by an entry
  std::uint64_t deposited_bytes = 0;
};

}  // namespace

struct ForeignLogs::State {
  State(Clock& c, Stores s, HearingLogs& h, MainLog& own, const PrivateKey& key, EntriesAhead* a)
      : clock(c), stores(s), hearings(h), own_log(own), holder_key(key),
        holder(holder_verifier(own.place().origin(), key.public_key())), ahead(a) {}

  Clock& clock;
  Stores stores;
  HearingLogs& hearings;
  MainLog& own_log;
  const PrivateKey& holder_key;
  const VerifierKey holder;
  EntriesAhead* const ahead;
  std::mutex mutex;  // guards `logs`
  std::map<std::string, std::shared_ptr<ForeignLog>> logs;

  Result<std::shared_ptr<ForeignLog>> get(const std::string& origin);
  Status may_write(const Peer& peer, const std::string& origin) const;
  Status may_read(const Peer& peer, const std::string& origin) const;
  struct Missing {
    std::optional<HearingId> hearing;  // of the entry that names it
    Digest digest;
  };
  Status find_missing(ForeignLog& log, std::uint64_t index, const std::string& text, std::vector<Missing>& missing);
  Result<std::vector<Digest>> not_excused(ForeignLog& log, const std::vector<std::string>& entries, const std::vector<ShownEntry>& shown,
                                          const std::vector<Missing>& missing);
  Status holds_hearing(const HearingCheckpointEntry& entry, std::uint64_t index, const std::string& origin);
  Result<Receipt> cosign(ForeignLog& log) { return cosign_head(clock, log.writer, holder, holder_key); }
};

Result<std::shared_ptr<ForeignLog>> ForeignLogs::State::get(const std::string& origin) {
  const std::lock_guard lock(mutex);
  if (const auto found = logs.find(origin); found != logs.end()) return found->second;
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(own_log.catalogue().keys("origin"));
  for (const catalogue::KnownKey& key : keys) {
    if (key.name != origin || key.revoked_since) continue;
    tlog::LogWriter writer =
        GREFFE_TRY(tlog::LogWriter::open(stores.objects, stores.heads, stores.stages, foreign_log_path(origin)));
    auto log = std::make_shared<ForeignLog>(std::move(writer), log_verifier(origin, key.key));
    logs.emplace(origin, log);
    return log;
  }
  return fail(Errc::not_found, "this archive does not hold copies of " + origin + "; an operator must add it with `origin add`");
}

Status ForeignLogs::State::may_write(const Peer& peer, const std::string& origin) const {
  if (peer.kind == Peer::Kind::replicator && peer.key.name == origin) return ok();
  return fail(Errc::denied, "only the replicator of " + origin + " may send its logs, and take them back");
}

Status ForeignLogs::State::may_read(const Peer& peer, const std::string& origin) const {
  const bool reads = peer.kind == Peer::Kind::replicator || peer.kind == Peer::Kind::reader;
  if (reads && peer.key.name == origin) return ok();
  return fail(Errc::denied, "only " + origin + " itself may read what its main log names");
}

// The hearing is held here at least to the size that the main log commits to, and with the same root there.
Status ForeignLogs::State::holds_hearing(const HearingCheckpointEntry& entry, std::uint64_t index, const std::string& origin) {
  const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(entry.note));
  const std::string where = fmt::format("main-log entry {} of {}", index, origin);
  if (stated.checkpoint.origin != hearing_origin(origin, entry.hearing)) {
    return fail(Errc::invalid, where + " carries the checkpoint of another log");
  }
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(hearings.get(entry.hearing));
  const std::lock_guard lock(hearing->mutex);
  if (hearing->writer.size() < stated.checkpoint.size) {
    return fail(Errc::unavailable, fmt::format("{}: hearing {} is held here to {} entries, not to {}; send it first", where,
                                               entry.hearing.text(), hearing->writer.size(), stated.checkpoint.size));
  }
  const Digest root = GREFFE_TRY(hearings.reader(entry.hearing).root_at(stated.checkpoint.size));
  if (root != stated.checkpoint.root) {
    return fail(Errc::corrupt, where + ": the hearing held here has another root at that size; the two sites disagree");
  }
  return verify_note(stated.note, VerifierKey{stated.checkpoint.origin, KeyType::ed25519, hearing->open->station_key});
}

Status ForeignLogs::State::find_missing(ForeignLog& log, std::uint64_t index, const std::string& text,
                                        std::vector<Missing>& missing) {
  const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
  // What an old epoch gave back is read by whoever takes part in it, not by a copy of this version.
  if (std::holds_alternative<UnknownEntry>(entry) || std::holds_alternative<GraftEntry>(entry)) {
    return fail(Errc::invalid, fmt::format("main-log entry {}: this kind is not known here; upgrade the replica first", index));
  }
  if (const auto* checkpoint = std::get_if<HearingCheckpointEntry>(&entry)) {
    GREFFE_TRY(holds_hearing(*checkpoint, index, log.log_key.name));
  }
  if (std::holds_alternative<MainLostEntry>(entry)) return ok();
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  const auto about = json.has("hearing") ? json.string("hearing") : Result<std::string>(fail(Errc::not_found, ""));
  const auto hearing = about ? parse_hearing_id(*about) : Result<HearingId>(about.error());
  for (const Digest& digest : named_objects(json)) {
    const bool held = log.deposited.contains(digest) && GREFFE_TRY(stores.objects.prove_object(digest));
    if (!held) missing.push_back({hearing ? std::optional(*hearing) : std::nullopt, digest});
  }
  return ok();
}

// Every order among the entries must be signed, whether or not anything is missing because of it.
Result<std::vector<Digest>> ForeignLogs::State::not_excused(ForeignLog& log, const std::vector<std::string>& entries,
                                                            const std::vector<ShownEntry>& shown, const std::vector<Missing>& missing) {
  std::vector<Digest> out;
  if (missing.empty() && std::none_of(entries.begin(), entries.end(), LostDeclarations::concerns)) return out;
  DeclaredLost::Read with_entries = GREFFE_TRY(own_log.declared_lost().of(log.log_key.name));
  for (const std::string& text : entries) {
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    GREFFE_TRY(with_entries.declarations.take(entry));
  }
  with_entries.size += entries.size();
  const Excuses excuses = GREFFE_TRY(Excuses::read(shown, std::move(with_entries), log.log_key, std::nullopt));
  for (const Missing& one : missing) {
    if (!excuses.cover(one.hearing, one.digest)) out.push_back(one.digest);
  }
  return out;
}

ForeignLogs::ForeignLogs(Clock& clock, Stores stores, HearingLogs& hearings, MainLog& own_log, const PrivateKey& holder_key, EntriesAhead* ahead)
    : state_(std::make_unique<State>(clock, stores, hearings, own_log, holder_key, ahead)) {}
ForeignLogs::~ForeignLogs() = default;

Result<std::vector<Digest>> ForeignLogs::missing(const Peer& peer, const std::string& origin,
                                                 const std::vector<Digest>& digests) {
  GREFFE_TRY(state_->may_write(peer, origin));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const std::lock_guard lock(log->mutex);
  std::vector<Digest> out;
  for (const Digest& digest : digests) {
    if (!log->deposited.contains(digest)) out.push_back(digest);
  }
  return out;
}

Result<std::unique_ptr<store::ObjectWriter>> ForeignLogs::begin_object(const Peer& peer, const std::string& origin,
                                                                       std::uint64_t size) {
  GREFFE_TRY(state_->may_write(peer, origin));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  {
    const std::lock_guard lock(log->mutex);
    if (log->deposited_bytes + size > kPendingBytesMax) {
      return fail(Errc::no_space, "too many bytes were sent without main-log entries that name them; send the entries first");
    }
  }
  return state_->stores.objects.begin_object(size);
}

Status ForeignLogs::deposited(const std::string& origin, const Digest& digest, std::uint64_t size) {
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const std::lock_guard lock(log->mutex);
  if (log->deposited.insert(digest).second) log->deposited_bytes += size;
  return ok();
}

Result<std::variant<Receipt, Unready>> ForeignLogs::append(const Peer& peer, const std::string& origin, std::uint64_t first,
                                                           const std::vector<std::string>& entries,
                                                           std::string_view checkpoint_note, const std::vector<ShownEntry>& shown) {
  using Answer = std::variant<Receipt, Unready>;
  GREFFE_TRY(state_->may_write(peer, origin));
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(checkpoint_note));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const std::lock_guard lock(log->mutex);
  tlog::LogWriter& writer = log->writer;
  if (wanted.checkpoint.origin != origin) return fail(Errc::invalid, "the checkpoint is not of the log " + origin);
  const Status by_origin = verify_note(wanted.note, log->log_key);
  if (!by_origin) return fail(Errc::denied, "the checkpoint is not signed by " + origin + ": " + by_origin.error().message);
  if (is_held(writer, wanted.checkpoint)) {
    if (state_->ahead != nullptr) state_->ahead->covered(ahead_path_of_main_log(origin), writer.size());
    Receipt again = GREFFE_TRY(state_->cosign(*log));
    return Answer(std::move(again));
  }
  std::optional<Unready> elsewhere = GREFFE_TRY(check_growth(writer, first, entries, wanted.checkpoint));
  if (elsewhere) return Answer(std::move(*elsewhere));
  if (state_->ahead != nullptr) {
    auto two_stories = GREFFE_TRY(state_->ahead->contradiction(ahead_path_of_main_log(origin), writer.preview({}), entries, wanted.checkpoint));
    if (two_stories) return Answer(Unready{std::nullopt, {}, std::move(*two_stories), true});
  }
  std::vector<State::Missing> unsent;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    GREFFE_TRY(state_->find_missing(*log, first + i, entries[i], unsent));
  }
  std::vector<Digest> missing = GREFFE_TRY(state_->not_excused(*log, entries, shown, unsent));
  if (!missing.empty()) {
    return Answer(Unready{std::nullopt, std::move(missing), "documents that the entries name were not sent"});
  }
  const Status appended = writer.append(entries, [&](std::uint64_t, const Digest&) -> Result<std::string> {
    return wanted.note.write();
  });
  if (!appended) {
    const std::lock_guard logs_lock(state_->mutex);
    state_->logs.erase(origin);  // opened again by the next call
    return appended.error();
  }
  log->deposited.clear();
  log->deposited_bytes = 0;
  if (state_->ahead != nullptr) state_->ahead->covered(ahead_path_of_main_log(origin), writer.size());
  if (tlog::is_kept_checkpoint(first, wanted.checkpoint.size)) {
    const std::string note = wanted.note.write();
    GREFFE_TRY(state_->stores.objects.put(tlog::kept_checkpoint_path(foreign_log_path(origin), wanted.checkpoint.size), as_bytes(note)));
  }
  Receipt receipt = GREFFE_TRY(state_->cosign(*log));
  return Answer(std::move(receipt));
}

Result<SignedCheckpoint> ForeignLogs::checkpoint(const std::string& origin) {
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const std::lock_guard lock(log->mutex);
  if (log->writer.size() == 0) return fail(Errc::not_found, "nothing is held of " + origin);
  Receipt receipt = GREFFE_TRY(state_->cosign(*log));
  return std::move(receipt.checkpoint);
}

Result<ForeignLogs::Held> ForeignLogs::held(const Peer& peer, const std::string& origin) {
  GREFFE_TRY(state_->may_write(peer, origin));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const std::lock_guard lock(log->mutex);
  return Held{log->log_key, log->writer.preview({})};
}

Result<std::shared_ptr<ReadableFile>> ForeignLogs::open_document(const Peer& peer, const std::string& origin, const Digest& digest,
                                                                 const std::optional<std::uint64_t>& entry) {
  GREFFE_TRY(state_->may_read(peer, origin));
  const tlog::LogReader reader(state_->stores.objects, state_->stores.heads, foreign_log_path(origin));
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  const std::string hex = digest.hex();
  bool named = false;
  const auto look = [&](std::uint64_t, std::string_view text) {
    const auto json = text.find(hex) == std::string_view::npos ? Result<Json>(Json()) : parse_json(text);
    const std::vector<Digest> objects = json ? named_objects(*json) : std::vector<Digest>();
    named = std::find(objects.begin(), objects.end(), digest) != objects.end();
    return !named;
  };
  if (entry && *entry < head.checkpoint.size) GREFFE_TRY(reader.entries(*entry, *entry + 1, look));
  if (!named) GREFFE_TRY(reader.entries(0, head.checkpoint.size, look));
  if (!named) return fail(Errc::not_found, "no entry of the main log of " + origin + " that is held here names this object");
  return state_->stores.objects.open_object(digest);
}

Result<tlog::LogPiece> ForeignLogs::read_entries(const Peer& peer, const std::string& origin, std::uint64_t first, std::optional<std::uint64_t> last) {
  GREFFE_TRY(state_->may_write(peer, origin));
  SignedCheckpoint head = GREFFE_TRY(checkpoint(origin));
  return tlog::read_piece(state_->stores.objects, state_->stores.heads, foreign_log_path(origin), std::move(head), first, last);
}

Result<tlog::LogPiece> ForeignLogs::read_entries(const Peer& peer, const HearingId& id, std::uint64_t first, std::optional<std::uint64_t> last) {
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(state_->hearings.get(id));
  Receipt held;
  {
    const std::lock_guard lock(hearing->mutex);
    if (!hearing->open) return fail(Errc::not_found, "nothing is held of hearing " + id.text());
    GREFFE_TRY(state_->may_write(peer, hearing->open->archive));
    held = GREFFE_TRY(cosign_head(state_->clock, hearing->writer, state_->holder, state_->holder_key));
  }
  return tlog::read_piece(state_->stores.objects, state_->stores.heads, hearing_log_path(id), std::move(held.checkpoint), first, last);
}

Result<std::vector<HearingId>> ForeignLogs::hearings_of_day(const Peer& peer, const std::string& origin, std::string_view day) {
  GREFFE_TRY(state_->may_write(peer, origin));
  return tlog::hearings_of(state_->stores.objects, state_->stores.heads, origin, day);
}

Result<std::vector<std::string>> ForeignLogs::origins() const {
  std::vector<std::string> out;
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(state_->own_log.catalogue().keys("origin"));
  for (const catalogue::KnownKey& key : keys) {
    if (!key.revoked_since) out.push_back(key.name);
  }
  return out;
}

Result<std::string> ForeignLogs::origin_of(const Digest& digest) const {
  const std::vector<std::string> held = GREFFE_TRY(origins());
  for (const std::string& origin : held) {
    if (sha256(as_bytes(origin)) == digest) return origin;
  }
  return fail(Errc::not_found, "this archive does not hold a log of that name");
}

}  // namespace greffe::archive
