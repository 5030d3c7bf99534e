#include "archive/foreign_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "archive/archive_keys.h"
#include "archive/excuses.h"
#include "archive/old_epoch.h"
#include "archive/tlog/copied_main_log.h"
#include "archive/tlog/kept_checkpoints.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kPendingBytesMax = 1024ull * 1024 * 1024;  // documents are small; more is a mistake or an attack

struct ForeignLog {
  ForeignLog(EpochName n, std::string where, tlog::LogWriter log_writer, bool comes_back)
      : name(std::move(n)), path(std::move(where)), returning(comes_back), writer(std::move(log_writer)) {}
  const EpochName name;
  const std::string path;
  const bool returning;  // of an earlier epoch of the archive that writes here: it has no end but its own
  std::mutex mutex;
  tlog::LogWriter writer;
  std::optional<VerifierKey> log_key;  // none: of a later epoch, of which nothing is held yet
  std::set<Digest> deposited;  // not yet named by an entry
  std::uint64_t deposited_bytes = 0;
};

// Whose log this is; an origin that is none belongs to nobody.
std::string archive_of(const std::string& origin) {
  const auto name = parse_epoch_origin(origin);
  return name ? name->archive : std::string();
}

}  // namespace

struct ForeignLogs::State {
  State(Clock& c, Stores s, HearingLogs& h, MainLog& own, Epochs& e, const PrivateKey& key, EntriesAhead* a)
      : clock(c), stores(s), hearings(h), own_log(own), epochs(e), holder_key(key),
        holder(holder_verifier(own.place().origin(), key.public_key())), ahead(a) {}

  Clock& clock;
  Stores stores;
  HearingLogs& hearings;
  MainLog& own_log;
  Epochs& epochs;
  const PrivateKey& holder_key;
  const VerifierKey holder;
  EntriesAhead* const ahead;
  std::mutex mutex;  // guards `logs`
  std::map<std::string, std::shared_ptr<ForeignLog>> logs;

  Result<std::shared_ptr<ForeignLog>> get(const std::string& origin);
  Result<std::shared_ptr<ForeignLog>> open(const EpochName& name) /* mutex held */;
  Result<std::shared_ptr<ForeignLog>> open_old_epoch(const EpochName& name);
  Status may_write(const Peer& peer, const std::string& origin) const;
  Status may_read(const Peer& peer, const std::string& origin) const;
  struct Missing {
    std::optional<HearingId> hearing;  // of the entry that names it
    Digest digest;
  };
  Status find_missing(ForeignLog& log, std::uint64_t index, const std::string& text, std::vector<Missing>& missing);
  Result<std::vector<tlog::SignedLog>> logs_with(const ForeignLog& log, const VerifierKey& key, const std::vector<std::string>& entries);
  Result<std::vector<Digest>> not_excused(const ForeignLog& log, const VerifierKey& key, const std::vector<std::string>& entries,
                                          const std::vector<ShownEntry>& shown, const std::vector<Missing>& missing);
  Status holds_hearing(const HearingCheckpointEntry& entry, std::uint64_t index, const EpochName& log);
  Result<PromotionEntry> take_promotion(const EpochName& name, const std::string& text);
  Result<VerifierKey> signer(const ForeignLog& log, std::uint64_t first, const std::vector<std::string>& entries);
  Result<std::optional<std::uint64_t>> end_of(const EpochName& name);
  Result<Receipt> cosign(ForeignLog& log) { return cosign_head(clock, log.writer, holder, holder_key); }
};

Result<std::shared_ptr<ForeignLog>> ForeignLogs::State::get(const std::string& origin) {
  const std::lock_guard lock(mutex);
  if (const auto found = logs.find(origin); found != logs.end()) return found->second;
  const EpochName name = GREFFE_TRY(parse_epoch_origin(origin));
  auto log = name.archive == own_log.archive_name() ? open_old_epoch(name) : open(name);
  if (log) logs.emplace(origin, *log);
  return log;
}

Result<std::shared_ptr<ForeignLog>> ForeignLogs::State::open_old_epoch(const EpochName& name) {
  const OldEpoch epoch = GREFFE_TRY(old_epoch(own_log, epoch_origin(name)));
  tlog::LogWriter writer = GREFFE_TRY(tlog::LogWriter::open(stores.objects, stores.heads, stores.stages, epoch.link.path));
  auto log = std::make_shared<ForeignLog>(name, epoch.link.path, std::move(writer), true);
  log->log_key = epoch.log_key;
  return log;
}

Result<std::shared_ptr<ForeignLog>> ForeignLogs::State::open(const EpochName& name) {
  const std::string origin = epoch_origin(name);
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(own_log.catalogue().keys("origin"));
  for (const catalogue::KnownKey& key : keys) {
    if (key.name != name.archive || key.revoked_since) continue;
    const std::string path = GREFFE_TRY(tlog::copied_log_path(stores.heads, origin));
    tlog::LogWriter writer = GREFFE_TRY(tlog::LogWriter::open(stores.objects, stores.heads, stores.stages, path));
    auto log = std::make_shared<ForeignLog>(name, path, std::move(writer), false);
    if (name.epoch == 1) {
      log->log_key = log_verifier(origin, key.key);
    } else if (log->writer.size() > 0) {
      const std::vector<std::string> entries = GREFFE_TRY(tlog::LogReader(stores.objects, stores.heads, path).entries(0, 1));
      log->log_key = GREFFE_TRY(parse_promotion(entries.front())).log_verifier();
    }
    return log;
  }
  return fail(Errc::not_found, "this archive does not hold copies of " + origin + "; an operator must add it with `origin add`");
}

Status ForeignLogs::State::may_write(const Peer& peer, const std::string& origin) const {
  const std::string archive = archive_of(origin);
  const EpochName& own = own_log.place().name;
  if (own.epoch > 1 && archive == own.archive) {
    if (peer.kind == Peer::Kind::returning && peer.key.name == origin) return ok();
    return fail(Errc::denied, "only the site that wrote " + origin + " may bring back what it alone has of that; an operator makes a code for it with `returning add`");
  }
  if (peer.kind == Peer::Kind::replicator && peer.key.name == archive) return ok();
  return fail(Errc::denied, "only the replicator of " + archive + " may send its logs, and take them back");
}

Status ForeignLogs::State::may_read(const Peer& peer, const std::string& origin) const {
  const bool reads = peer.kind == Peer::Kind::replicator || peer.kind == Peer::Kind::reader;
  if (reads && peer.key.name == archive_of(origin)) return ok();
  return fail(Errc::denied, "only " + archive_of(origin) + " itself may read what its main log names");
}

// The first entry of a later epoch, judged. A crash after the certificate was taken: the epoch before ends all the same.
Result<PromotionEntry> ForeignLogs::State::take_promotion(const EpochName& name, const std::string& text) {
  auto promotion = parse_promotion(text);
  if (!promotion || promotion->name != name) return fail(Errc::invalid, "the log of " + epoch_origin(name) + " does not begin with the promotion to that epoch");
  const Checkpoint& pinned = promotion->previous;
  const tlog::MainLogPlace before{{name.archive, name.epoch - 1}, {}, GREFFE_TRY(tlog::copied_log_path(stores.heads, name.archive))};
  const auto chain = tlog::LogChain::open(stores.objects, stores.heads, before);
  const auto head = chain ? chain->checkpoint() : Result<SignedCheckpoint>(chain.error());
  if (!head && head.error().code != Errc::not_found) return head.error();
  if (!head || head->checkpoint.size < pinned.size) {
    return fail(Errc::invalid, fmt::format("{} goes on behind entry {} of {}; send that first", epoch_origin(name), pinned.size, pinned.origin));
  }
  if (GREFFE_TRY(chain->newest().reader.root_at(pinned.size)) != pinned.root) {
    return fail(Errc::denied, fmt::format("{} goes on from a state that {}, as it is held here, never had", epoch_origin(name), pinned.origin));
  }
  const Officers officers = GREFFE_TRY(tlog::officers_before(*chain, chain->newest().first + pinned.size));
  const auto taken = epochs.take(text, officers);
  if (taken) return promotion;
  return taken.error().code == Errc::conflict ? fail(Errc::denied, taken.error().message) : taken.error();
}

Result<VerifierKey> ForeignLogs::State::signer(const ForeignLog& log, std::uint64_t first, const std::vector<std::string>& entries) {
  if (log.log_key) return *log.log_key;
  if (first == 0 && !entries.empty()) return GREFFE_TRY(take_promotion(log.name, entries.front())).log_verifier();
  const auto known = epochs.certificate(log.name.archive);
  if (known && known->promotion.name == log.name) return known->promotion.log_verifier();
  return fail(Errc::invalid, "nothing is held of " + epoch_origin(log.name) + ": send it from its first entry");
}

// Where the log of this epoch ends, by what is known of the next one; nothing: nobody has heard of that.
Result<std::optional<std::uint64_t>> ForeignLogs::State::end_of(const EpochName& name) {
  const auto newest = epochs.certificate(name.archive);
  if (!newest || newest->promotion.name.epoch <= name.epoch) return std::optional<std::uint64_t>();
  if (newest->promotion.name.epoch == name.epoch + 1) return std::optional(newest->promotion.previous.size);
  const std::string next = foreign_log_path(epoch_origin({name.archive, name.epoch + 1}));
  const auto first = tlog::LogReader(stores.objects, stores.heads, next).entries(0, 1);
  if (!first && first.error().code == Errc::not_found) return std::optional<std::uint64_t>();
  if (!first) return first.error();
  return std::optional(GREFFE_TRY(parse_promotion(first->front())).previous.size);
}

// The hearing is held here at least to the size that the main log commits to, and with the same root there.
Status ForeignLogs::State::holds_hearing(const HearingCheckpointEntry& entry, std::uint64_t index, const EpochName& log) {
  const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(entry.note));
  const std::string where = fmt::format("main-log entry {} of {}", index, epoch_origin(log));
  if (stated.checkpoint.origin != hearing_origin(log.archive, entry.hearing)) {
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
  if (std::holds_alternative<UnknownEntry>(entry)) {
    return fail(Errc::invalid, fmt::format("main-log entry {}: this kind is not known here; upgrade the replica first", index));
  }
  if (std::holds_alternative<PromotionEntry>(entry) != (log.name.epoch > 1 && index == 0)) {
    return fail(Errc::invalid, fmt::format("main-log entry {}: a promotion is the first entry of a later epoch, and nothing else is", index));
  }
  if (const auto* checkpoint = std::get_if<HearingCheckpointEntry>(&entry)) {
    GREFFE_TRY(holds_hearing(*checkpoint, index, log.name));
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

// The logs of all epochs that are held, and this one, whose first entry may be among those that come.
Result<std::vector<tlog::SignedLog>> ForeignLogs::State::logs_with(const ForeignLog& log, const VerifierKey& key, const std::vector<std::string>& entries) {
  const auto chain = tlog::open_copied_log(stores.objects, stores.heads, log.name.archive);
  if (!chain && chain.error().code == Errc::not_found) return std::vector<tlog::SignedLog>{{key, 0}};
  if (!chain) return chain.error();
  VerifierKey first = key;
  if (log.name.epoch > 1) {
    const std::shared_ptr<ForeignLog> of_first = GREFFE_TRY(get(log.name.archive));
    const std::lock_guard lock(of_first->mutex);  // nobody takes one of a later epoch with this one held
    first = *of_first->log_key;
  }
  std::vector<tlog::SignedLog> out = GREFFE_TRY(tlog::signed_logs(*chain, first));
  if (out.size() < log.name.epoch) out.push_back({key, out.back().first + GREFFE_TRY(parse_promotion(entries.front())).previous.size});
  return out;
}

// Every order among the entries must be signed, whether or not anything is missing because of it.
Result<std::vector<Digest>> ForeignLogs::State::not_excused(const ForeignLog& log, const VerifierKey& key, const std::vector<std::string>& entries,
                                                            const std::vector<ShownEntry>& shown, const std::vector<Missing>& missing) {
  std::vector<Digest> out;
  if (missing.empty() && (log.returning || std::none_of(entries.begin(), entries.end(), LostDeclarations::concerns))) return out;
  DeclaredLost::Read with_entries = GREFFE_TRY(own_log.declared_lost().of(log.name.archive));
  for (const std::string& text : entries) {
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    // What comes back makes nobody an officer here: an order that officers of this archive did not sign excuses nothing.
    if (log.returning && !std::holds_alternative<MainLostEntry>(entry)) continue;
    const Status taken = with_entries.declarations.take(entry);
    if (!taken && !log.returning) return taken.error();
  }
  // What is shown stands further on; of a log that comes back, in that log.
  std::vector<tlog::SignedLog> main_logs = {{key, 0}};
  if (!log.returning) main_logs = GREFFE_TRY(logs_with(log, key, entries));
  const auto of_log = std::find_if(main_logs.begin(), main_logs.end(), [&key](const tlog::SignedLog& one) { return one.key.name == key.name; });
  with_entries.size = of_log->first + log.writer.size() + entries.size();
  const Excuses excuses =
      GREFFE_TRY(Excuses::read(log.returning ? without_keys(shown) : shown, std::move(with_entries), std::move(main_logs), std::nullopt));
  for (const Missing& one : missing) {
    if (!excuses.cover(one.hearing, one.digest)) out.push_back(one.digest);
  }
  return out;
}

ForeignLogs::ForeignLogs(Clock& clock, Stores stores, HearingLogs& hearings, MainLog& own_log, Epochs& epochs, const PrivateKey& holder_key,
                         EntriesAhead* ahead)
    : state_(std::make_unique<State>(clock, stores, hearings, own_log, epochs, holder_key, ahead)) {}
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
  const VerifierKey key = GREFFE_TRY(state_->signer(*log, first, entries));
  const Status by_origin = verify_note(wanted.note, key);
  if (!by_origin) return fail(Errc::denied, "the checkpoint is not signed by " + origin + ": " + by_origin.error().message);
  if (is_held(writer, wanted.checkpoint)) {
    if (state_->ahead != nullptr) state_->ahead->covered(ahead_path_of_main_log(origin), writer.size());
    Receipt again = GREFFE_TRY(state_->cosign(*log));
    return Answer(std::move(again));
  }
  const std::optional<std::uint64_t> end = log->returning ? std::nullopt : GREFFE_TRY(state_->end_of(log->name));
  if (end && wanted.checkpoint.size > *end) {
    return fail(Errc::denied, fmt::format("{} has ended with entry {}: the archive goes on in a later epoch, and nothing behind that is taken", origin, *end));
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
  std::vector<Digest> missing = GREFFE_TRY(state_->not_excused(*log, key, entries, shown, unsent));
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
  log->log_key = key;
  log->deposited.clear();
  log->deposited_bytes = 0;
  if (state_->ahead != nullptr) state_->ahead->covered(ahead_path_of_main_log(origin), writer.size());
  if (tlog::is_kept_checkpoint(first, wanted.checkpoint.size)) {
    const std::string note = wanted.note.write();
    GREFFE_TRY(state_->stores.objects.put(tlog::kept_checkpoint_path(log->path, wanted.checkpoint.size), as_bytes(note)));
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

Result<TreeEdge> ForeignLogs::held(const Peer& peer, const std::string& origin) {
  GREFFE_TRY(state_->may_write(peer, origin));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const std::lock_guard lock(log->mutex);
  return log->writer.preview({});
}

Result<VerifierKey> ForeignLogs::signer(const Peer& peer, const std::string& origin, std::uint64_t first, const std::vector<std::string>& entries) {
  GREFFE_TRY(state_->may_write(peer, origin));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const std::lock_guard lock(log->mutex);
  return state_->signer(*log, first, entries);
}

Result<std::shared_ptr<ReadableFile>> ForeignLogs::open_document(const Peer& peer, const std::string& origin, const Digest& digest,
                                                                 const std::optional<std::uint64_t>& entry) {
  GREFFE_TRY(state_->may_read(peer, origin));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  const tlog::LogReader reader(state_->stores.objects, state_->stores.heads, log->path);
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
  if (!named) {
    const tlog::LogChain chain = GREFFE_TRY(tlog::open_copied_log(state_->stores.objects, state_->stores.heads, log->name.archive));
    const std::uint64_t size = GREFFE_TRY(chain.size());
    GREFFE_TRY(chain.entries(0, size, look));
  }
  if (!named) return fail(Errc::not_found, "no entry of the main log of " + log->name.archive + " that is held here names this object");
  return state_->stores.objects.open_object(digest);
}

Result<tlog::LogPiece> ForeignLogs::read_entries(const Peer& peer, const std::string& origin, std::uint64_t first, std::optional<std::uint64_t> last) {
  GREFFE_TRY(state_->may_write(peer, origin));
  SignedCheckpoint head = GREFFE_TRY(checkpoint(origin));
  const std::shared_ptr<ForeignLog> log = GREFFE_TRY(state_->get(origin));
  return tlog::read_piece(state_->stores.objects, state_->stores.heads, log->path, std::move(head), first, last);
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
  return tlog::hearings_of(state_->stores.objects, state_->stores.heads, archive_of(origin), day);
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
  for (const tlog::LogChain::Link& link : state_->own_log.chain().links()) {
    const bool earlier = &link != &state_->own_log.chain().newest();
    if (earlier && sha256(as_bytes(epoch_origin(link.name))) == digest) return epoch_origin(link.name);
  }
  const std::vector<std::string> held = GREFFE_TRY(origins());
  for (const std::string& archive : held) {
    const std::uint64_t last = state_->epochs.highest(archive) + 1;
    for (std::uint64_t epoch = 1; epoch <= last; ++epoch) {
      const std::string origin = epoch_origin({archive, epoch});
      if (sha256(as_bytes(origin)) == digest) return origin;
    }
  }
  return fail(Errc::not_found, "this archive does not hold a log of that name");
}

}  // namespace greffe::archive
