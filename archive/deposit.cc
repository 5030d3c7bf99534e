#include "archive/deposit.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <span>
#include <thread>
#include <utility>

#include "archive/archive_keys.h"
#include "archive/excuses.h"
#include "archive/hearing_rules.h"
#include "archive/old_epoch.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kCaughtUpAtOnce = 256;  // hearings, after a start

// An object on its way within its station's quota.
class AdmittedWriter : public store::ObjectWriter {
 public:
  AdmittedWriter(std::unique_ptr<store::ObjectWriter> writer, UnfiledBytes::Admission admission)
      : writer_(std::move(writer)), admission_(std::move(admission)) {}
  Status write(ByteView bytes) override { return writer_->write(bytes); }
  Status commit(const Digest& expected) override { return writer_->commit(expected); }

 private:
  const std::unique_ptr<store::ObjectWriter> writer_;
  const UnfiledBytes::Admission admission_;
};

}  // namespace

struct Deposit::State {
  State(Clock& c, Log& l, Stores s, HearingLogs& h, MainLog& m, UnfiledBytes& u, const PrivateKey& key, std::string r, Limits limit, EntriesAhead* a)
      : clock(c), log(l), stores(s), hearings(h), main_log(m), unfiled(u), holder_key(key),
        holder(holder_verifier(m.place().origin(), key.public_key())), role(std::move(r)), limits(limit), ahead(a) {}

  Clock& clock;
  Log& log;
  Stores stores;
  HearingLogs& hearings;
  MainLog& main_log;
  UnfiledBytes& unfiled;
  const PrivateKey& holder_key;
  const VerifierKey holder;
  const std::string role;
  const Limits limits;
  EntriesAhead* const ahead;

  std::mutex catching_up;  // one at a time: it holds many hearings at once
  std::mutex due_mutex;  // guards the two below
  std::condition_variable_any due_changed;
  std::map<HearingId, std::int64_t> due;  // hearings whose newest head is not in the main log -> monotonic ms when it is due
  std::atomic<bool> is_behind = false;    // catch_up() waits until the main log is signed: then "gr-commit" does it
  std::jthread committer;                 // "gr-commit": appends them when they fall due, and syncs `unfiled`

  bool is_primary() const { return role == "primary"; }
  Status main_log_is_signed() const;
  Status may_write(const Peer& peer, const HearingId& id, const HearingState& hearing) const;
  Status may_bring_back(const HearingId& id, const OpenEntry& open, bool is_held) const;
  static Status may_add(const catalogue::KnownKey& station, const HearingId& id, bool is_held);
  static Error revoked(const catalogue::KnownKey& key);
  Result<OpenEntry> checked_open(const Peer& peer, const HearingId& id, const OpenEntry& open) const;
  Result<std::vector<Digest>> unproved(HearingState& hearing, const ReadEntries& read);
  struct Declared {
    DeclaredLost::Read held;
    std::vector<tlog::SignedLog> main_logs;
  };
  Result<std::optional<Declared>> declared_over_there(const Peer& peer, const OpenEntry& open) const;
  Status excuse(const Peer& peer, const HearingId& id, const OpenEntry& open, const std::vector<ShownEntry>& shown, std::vector<Digest>& missing, ReadEntries& read);
  Result<std::uint64_t> size_of(const HearingState& hearing, const Digest& digest);
  Status check_sizes(const HearingState& hearing, const ReadEntries& read);
  Result<std::optional<Unready>> divergence(const HearingId& id, HearingState& hearing, const Checkpoint& wanted);
  Result<bool> had_main_log(const OpenEntry& open) const;
  Result<HearingCheckpointEntry> checkpoint_of(const HearingId& id, const HearingState& hearing) const;
  Status note_in_main_log(const HearingId& id, HearingState& hearing);
  Status append_to_main_log(const HearingId& id, HearingState& hearing);
  Result<bool> may_be_in_main_log(const HearingState& hearing) const;
  Result<bool> lacks_in_main_log(const HearingId& id, HearingState& hearing) const;
  Status ensure_in_main_log(const HearingId& id, HearingState& hearing);
  Status catch_up(std::span<const HearingId> begun);
  Status commit_when_due(const HearingId& id, HearingState& hearing, bool at_once);
  Result<Receipt> cosign(HearingState& hearing) { return cosign_head(clock, hearing.writer, holder, holder_key); }
  Status catch_up();
  void run_committer(std::stop_token stop);
};

// ---- rules ----

// A receipt promises that the main log commits to the hearing in time: none is given while that is not signed.
Status Deposit::State::main_log_is_signed() const {
  if (!is_primary()) return ok();
  const auto why = main_log.refusal();
  return why ? Status(fail(Errc::unavailable, "this archive takes nothing at the moment, because it does not sign its main log: " + *why)) : ok();
}

Status Deposit::State::may_write(const Peer& peer, const HearingId& id, const HearingState& hearing) const {
  if (peer.kind == Peer::Kind::reader) return fail(Errc::denied, "this key may only read");
  if (peer.kind == Peer::Kind::replicator) {
    if (is_primary()) return fail(Errc::denied, "this archive is a primary: only stations may deposit here");
    if (hearing.open && hearing.open->archive != peer.key.name) {
      return fail(Errc::denied, "this hearing belongs to another archive than " + peer.key.name);
    }
    return ok();
  }
  if (!is_primary()) return fail(Errc::denied, "this archive is a replica: stations deposit at the primary");
  if (peer.kind == Peer::Kind::returning) return hearing.open ? may_bring_back(id, *hearing.open, true) : ok();
  if (hearing.open && hearing.open->station_key != peer.key.key) {
    return fail(Errc::denied, "this hearing belongs to station " + hearing.open->station + ", not to " + peer.key.name);
  }
  return may_add(peer.key, id, hearing.open.has_value());
}

// Whoever stole a key must not add to what its station had begun. A retired one may bring what was recorded under it, also
// what this archive has not seen yet; verification says so of such a hearing.
Status Deposit::State::may_add(const catalogue::KnownKey& station, const HearingId& id, bool is_held) {
  const bool stolen = station.revoked_why == "stolen";
  if (station.revoked_since && (stolen || (!is_held && id.time() >= *station.revoked_since))) return revoked(station);
  return ok();
}

// Of a station that only the old site had enrolled nothing is known here yet: its key comes back with the graft, and then its hearings count.
Status Deposit::State::may_bring_back(const HearingId& id, const OpenEntry& open, bool is_held) const {
  if (open.archive != main_log.archive_name()) return fail(Errc::denied, "this hearing belongs to another archive than " + main_log.archive_name());
  const auto station = GREFFE_TRY(main_log.catalogue().key("station", open.station_key));
  if (!station) return ok();
  if (station->name != open.station || station->court != open.court || station->room != open.room) {
    return fail(Errc::denied, fmt::format("hearing {}: its key is enrolled for station {} in {}/{}, not for {} in {}/{}", id.text(), station->name, station->court, station->room,
                                          open.station, open.court, open.room));
  }
  return may_add(*station, id, is_held);
}

Error Deposit::State::revoked(const catalogue::KnownKey& key) {
  return fail(Errc::denied, fmt::format("the key of station {} was revoked ({}) on {}; {}. Ask the court's IT to enrol the station again",
                                        key.name, key.revoked_why, to_date(*key.revoked_since),
                                        key.revoked_why == "stolen" ? "nothing more is taken from it"
                                                                    : "it may bring the hearings it had begun, but not begin another"));
}

Result<OpenEntry> Deposit::State::checked_open(const Peer& peer, const HearingId& id, const OpenEntry& open) const {
  const std::string& archive = is_primary() ? main_log.archive_name() : peer.key.name;
  if (open.archive != archive) {
    return fail(Errc::invalid, "the hearing's \"open\" entry names the archive " + open.archive + ", not " + archive);
  }
  if (open.hearing != id) return fail(Errc::invalid, "the hearing's \"open\" entry names another hearing");
  if (peer.kind == Peer::Kind::returning) {
    GREFFE_TRY(may_bring_back(id, open, false));
    return open;
  }
  if (is_primary() && open.station != peer.key.name) {
    return fail(Errc::denied, "the hearing's \"open\" entry names station " + open.station + "; the key that sent it is enrolled as " + peer.key.name);
  }
  if (is_primary() && (open.station_key != peer.key.key || open.court != peer.key.court || open.room != peer.key.room)) {
    return fail(Errc::denied, fmt::format("the hearing's \"open\" entry names a key or a courtroom ({}/{}) that is not the "
                                          "one station {} was enrolled for ({}/{})",
                                          open.court, open.room, peer.key.name, peer.key.court, peer.key.room));
  }
  if (peer.key.revoked_since && is_primary() && open.start >= *peer.key.revoked_since) return revoked(peer.key);
  return open;
}

// Objects that the entries name and that this hearing does not hold durably. A cosignature promises none of what a `lost`
// entry at or below its size names.
Result<std::vector<Digest>> Deposit::State::unproved(HearingState& hearing, const ReadEntries& read) {
  std::vector<Digest> missing;
  for (const Digest& digest : read.named) {
    if (hearing.named.contains(digest) || read.lost.contains(digest)) continue;
    const bool held = hearing.deposited.contains(digest) && GREFFE_TRY(stores.objects.prove_object(digest));
    if (!held) missing.push_back(digest);
  }
  return missing;
}

// What may excuse that an object is not sent: at a second site what is declared lost over there, at a promoted one what the old site declared
// lost behind the state that this epoch goes on from, by officers of this archive. None: nothing does.
Result<std::optional<Deposit::State::Declared>> Deposit::State::declared_over_there(const Peer& peer, const OpenEntry& open) const {
  if (peer.kind == Peer::Kind::station) return std::optional<Declared>();
  DeclaredLost::Read held = GREFFE_TRY(main_log.declared_lost().of(open.archive));
  if (peer.kind == Peer::Kind::returning) {
    const OldEpoch epoch = GREFFE_TRY(old_epoch(main_log, peer.key.name));
    held.size = epoch.next_first;  // what is shown stands behind that in the old log
    return std::optional(Declared{std::move(held), {{epoch.log_key, epoch.link.first}}});
  }
  const std::vector<catalogue::KnownKey> origins = GREFFE_TRY(main_log.catalogue().keys("origin"));
  const auto origin = std::find_if(origins.begin(), origins.end(), [&](const auto& key) { return key.name == open.archive && !key.revoked_since; });
  if (origin == origins.end()) return std::optional<Declared>();
  std::vector<tlog::SignedLog> main_logs = {{log_verifier(open.archive, origin->key), 0}};
  const auto chain = tlog::open_copied_log(stores.objects, stores.heads, open.archive);
  if (chain) main_logs = GREFFE_TRY(tlog::signed_logs(*chain, main_logs.front().key));
  else if (chain.error().code != Errc::not_found) return chain.error();  // not_found: nothing is held of it yet
  return std::optional(Declared{std::move(held), std::move(main_logs)});
}

Status Deposit::State::excuse(const Peer& peer, const HearingId& id, const OpenEntry& open, const std::vector<ShownEntry>& shown, std::vector<Digest>& missing,
                              ReadEntries& read) {
  if (missing.empty()) return ok();
  std::optional<Declared> declared = GREFFE_TRY(declared_over_there(peer, open));
  if (!declared) return ok();
  const VerifierKey by_station{hearing_origin(open.archive, id), KeyType::ed25519, open.station_key};
  const std::vector<ShownEntry> taken = peer.kind == Peer::Kind::returning ? without_keys(shown) : shown;
  const Excuses excuses = GREFFE_TRY(Excuses::read(taken, std::move(declared->held), declared->main_logs, by_station));
  std::erase_if(missing, [&](const Digest& digest) {
    if (!excuses.cover(id, digest)) return false;
    read.lost.insert(digest);
    return true;
  });
  return ok();
}

// Is the tree that the sender signed another one than the tree that is held, as far as both go?
Result<std::optional<Unready>> Deposit::State::divergence(const HearingId& id, HearingState& hearing, const Checkpoint& wanted) {
  if (hearing.writer.size() == 0 || wanted.size == 0 || wanted.size > hearing.writer.size()) return std::optional<Unready>();
  const Digest held = GREFFE_TRY(hearings.reader(id).root_at(wanted.size));
  if (held == wanted.root) return std::optional<Unready>();
  return std::optional(Unready{std::nullopt, {}, fmt::format("this archive holds another log of this hearing: its first {} entries are "
                                                             "not those of the checkpoint", wanted.size), true});
}

// "Not before": an honest station can only have seen a tree that this log once had.
Result<bool> Deposit::State::had_main_log(const OpenEntry& open) const {
  if (!is_primary() || open.main_size == 0) return true;
  // The station saw the log of some epoch. Of one that was lost it may have seen more than was pinned: that proves nothing, and is no reason
  // to refuse a hearing.
  const std::vector<tlog::LogChain::Link>& links = main_log.chain().links();
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    const SignedCheckpoint head = GREFFE_TRY(link->reader.checkpoint());
    if (open.main_size <= head.checkpoint.size && GREFFE_TRY(link->reader.root_at(open.main_size)) == open.main_root) return true;
  }
  return links.size() > 1;
}

// What was just deposited has the size that its digest was computed over; only what an earlier entry names already is
// looked at.
Result<std::uint64_t> Deposit::State::size_of(const HearingState& hearing, const Digest& digest) {
  if (const auto found = hearing.deposited.find(digest); found != hearing.deposited.end()) return found->second;
  const auto file = GREFFE_TRY(stores.objects.open_object(digest));
  return file->size();
}

Status Deposit::State::check_sizes(const HearingState& hearing, const ReadEntries& read) {
  for (const HearingEntry& entry : read.entries) {
    const auto* segment = std::get_if<SegmentEntry>(&entry);
    if (segment == nullptr || read.lost.contains(segment->sha256)) continue;
    const std::uint64_t bytes = GREFFE_TRY(size_of(hearing, segment->sha256));
    if (bytes != segment->bytes) {
      return fail(Errc::invalid, fmt::format("segment {} of stream {} states {} bytes; its object has {}", segment->seq,
                                             segment->stream, segment->bytes, bytes));
    }
  }
  return ok();
}

// ---- main log ----

Result<HearingCheckpointEntry> Deposit::State::checkpoint_of(const HearingId& id, const HearingState& hearing) const {
  HearingCheckpointEntry entry;
  entry.hearing = id;
  // The station's note verbatim: cosignatures are said elsewhere.
  SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(hearing.writer.head()));
  std::erase_if(head.note.signatures, [&](const NoteSignature& s) { return s.name != head.checkpoint.origin; });
  entry.note = head.note.write();
  entry.closed = hearing.closed;
  entry.utc = clock.utc_now();
  entry.beside = hearing.finished.beside();
  return entry;
}

// Once its newest checkpoint is there.
Status Deposit::State::note_in_main_log(const HearingId& id, HearingState& hearing) {
  hearing.committed_size = hearing.writer.size();
  hearing.committed_mono_ms = clock.monotonic_ms();
  if (hearing.closed) GREFFE_TRY(hearings.mark_finished(id));
  return ok();
}

Status Deposit::State::append_to_main_log(const HearingId& id, HearingState& hearing) {
  const HearingCheckpointEntry entry = GREFFE_TRY(checkpoint_of(id, hearing));
  GREFFE_TRY(main_log.append(entry));
  return note_in_main_log(id, hearing);
}

// The main log has hearings only of stations that it has enrolled before. What an old site brings back may be of one that it has not, until
// the graft: then catch_up() finds it. One whose key was declared stolen meanwhile begins nothing.
Result<bool> Deposit::State::may_be_in_main_log(const HearingState& hearing) const {
  if (main_log.place().name.epoch == 1) return true;  // only stations deposit here
  const auto station = GREFFE_TRY(main_log.catalogue().key("station", hearing.open->station_key));
  return station && (station->revoked_why != "stolen" || hearing.committed_size > 0);
}

// After a restart, or when an earlier try broke off: what the main log already says is asked before anything is added.
Result<bool> Deposit::State::lacks_in_main_log(const HearingId& id, HearingState& hearing) const {
  if (!is_primary() || hearing.committed_size == hearing.writer.size()) return false;
  const auto record = main_log.catalogue().hearing(id, catalogue::CourtSet::everything());
  if (!record && record.error().code != Errc::not_found) return record.error();
  hearing.committed_size = record ? record->log_size : 0;
  if (hearing.committed_size == hearing.writer.size()) return false;
  return may_be_in_main_log(hearing);
}

Status Deposit::State::ensure_in_main_log(const HearingId& id, HearingState& hearing) {
  const bool lacks = GREFFE_TRY(lacks_in_main_log(id, hearing));
  return lacks ? append_to_main_log(id, hearing) : ok();
}

// The first checkpoint, the last, and one with a correction (a hearing may turn out not to be public) go into the main
// log at once; those between at most once per interval. The limit delays the newest, it never drops it.
Status Deposit::State::commit_when_due(const HearingId& id, HearingState& hearing, bool at_once) {
  if (!is_primary()) {
    if (hearing.closed) GREFFE_TRY(hearings.mark_finished(id));
    return ok();
  }
  const bool may = GREFFE_TRY(may_be_in_main_log(hearing));
  if (!may) return ok();
  const std::int64_t now = clock.monotonic_ms();
  const std::int64_t due_ms = hearing.committed_mono_ms + limits.commit_interval_ms;
  if (at_once || hearing.closed || due_ms <= now) {
    {
      const std::lock_guard lock(due_mutex);
      due.erase(id);
    }
    return append_to_main_log(id, hearing);
  }
  const std::lock_guard lock(due_mutex);
  due.emplace(id, due_ms);
  due_changed.notify_one();
  return ok();
}

// One batch of entries for all of these: when a site is lost, every courtroom of a province has been heard since its last entry. Nobody else
// waits for a hearing while he holds another one.
Status Deposit::State::catch_up(std::span<const HearingId> begun) {
  std::vector<std::shared_ptr<HearingState>> held;
  std::vector<std::unique_lock<std::mutex>> locks;  // released before `held`
  std::vector<std::pair<HearingId, HearingState*>> lacking, closed;
  std::vector<MainEntry> entries;
  for (const HearingId& id : begun) {
    held.push_back(GREFFE_TRY(hearings.get(id)));
    HearingState& hearing = *held.back();
    locks.emplace_back(hearing.mutex);
    if (hearing.writer.size() == 0) continue;  // the marker was written, the first entries were not
    const bool lacks = GREFFE_TRY(lacks_in_main_log(id, hearing));
    if (lacks) entries.push_back(GREFFE_TRY(checkpoint_of(id, hearing)));
    if (lacks) lacking.emplace_back(id, &hearing);
    const bool waits = is_primary() && !lacks && hearing.committed_size < hearing.writer.size();  // for its station's key
    if (hearing.closed && !waits) closed.emplace_back(id, &hearing);
  }
  if (!entries.empty()) GREFFE_TRY(main_log.append(entries));
  for (const auto& [id, hearing] : lacking) GREFFE_TRY(note_in_main_log(id, *hearing));
  for (const auto& [id, hearing] : closed) {
    GREFFE_TRY(hearing->writer.finalise());
    GREFFE_TRY(hearings.mark_finished(id));
  }
  return ok();
}

// While the main log is not signed it is done later, by "gr-commit".
Status Deposit::State::catch_up() {
  if (is_primary() && main_log.refusal()) {
    is_behind = true;
    return ok();
  }
  const std::lock_guard one_at_a_time(catching_up);
  const std::vector<HearingId> begun = GREFFE_TRY(hearings.begun());
  for (std::size_t at = 0; at < begun.size(); at += kCaughtUpAtOnce) {
    GREFFE_TRY(catch_up(std::span(begun).subspan(at, std::min(kCaughtUpAtOnce, begun.size() - at))));
  }
  for (const HearingId& id : unfiled.hearings()) {
    const auto hearing = hearings.get(id);
    if (!hearing) continue;  // then it is counted still
    const std::lock_guard lock((*hearing)->mutex);
    unfiled.named({(*hearing)->named.begin(), (*hearing)->named.end()});
  }
  is_behind = false;
  return ok();
}

void Deposit::State::run_committer(std::stop_token stop) {
  name_thread("gr-commit");
  std::string unfiled_problem;
  while (!stop.stop_requested()) {
    std::vector<HearingId> now_due;
    {
      std::unique_lock lock(due_mutex);
      due_changed.wait_for(lock, stop, std::chrono::milliseconds(500), [] { return false; });
      const std::int64_t now = clock.monotonic_ms();
      for (const auto& [id, at] : due) {
        if (at <= now || stop.stop_requested()) now_due.push_back(id);
      }
      for (const HearingId& id : now_due) due.erase(id);
    }
    if (is_behind && !main_log.refusal()) {
      const Status caught = catch_up();
      if (!caught) log.error(caught.error().within("what was received before the start is not in the main log yet; trying again").message);
    }
    const Status counted = unfiled.sync();
    const std::string problem = counted ? std::string() : counted.error().message;
    if (!problem.empty() && problem != unfiled_problem) log.warn("the list of what stations sent without entries is behind: " + problem);
    unfiled_problem = problem;
    for (const HearingId& id : now_due) {
      const auto hearing = hearings.get(id);
      Status done = hearing ? ok() : Status(hearing.error());
      if (hearing) {
        const std::lock_guard lock((*hearing)->mutex);
        if ((*hearing)->committed_size < (*hearing)->writer.size()) done = append_to_main_log(id, **hearing);
      }
      if (!done) {
        log.error(done.error().within("hearing " + id.text() + " is not in the main log yet; trying again").message);
        const std::lock_guard lock(due_mutex);
        due.emplace(id, clock.monotonic_ms() + limits.commit_interval_ms);
      }
    }
  }
}

// ---- public ----

Deposit::Deposit(Clock& clock, Log& log, Stores stores, HearingLogs& hearings, MainLog& main_log, UnfiledBytes& unfiled,
                 const PrivateKey& holder_key, std::string role, Limits limits, EntriesAhead* ahead)
    : state_(std::make_unique<State>(clock, log, stores, hearings, main_log, unfiled, holder_key, std::move(role), limits, ahead)) {
  state_->committer = std::jthread([state = state_.get()](std::stop_token stop) { state->run_committer(stop); });
}

Deposit::~Deposit() = default;

Status Deposit::catch_up() { return state_->catch_up(); }

Result<std::vector<Digest>> Deposit::missing(const HearingId& id, const std::vector<Digest>& digests) {
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(state_->hearings.get(id));
  const std::lock_guard lock(hearing->mutex);
  std::vector<Digest> out;
  for (const Digest& digest : digests) {
    if (!hearing->named.contains(digest) && !hearing->deposited.contains(digest)) out.push_back(digest);
  }
  return out;
}

Result<std::unique_ptr<store::ObjectWriter>> Deposit::begin_object(const Peer& peer, const HearingId& id,
                                                                   const Digest& digest, std::uint64_t size) {
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(state_->hearings.get(id));
  bool counts = peer.kind == Peer::Kind::station;
  {
    const std::lock_guard lock(hearing->mutex);
    GREFFE_TRY(state_->may_write(peer, id, *hearing));
    const bool named = hearing->named.contains(digest);
    counts = counts && !named;
    if (hearing->closed && !named) {
      return fail(Errc::invalid, "the hearing is finished; objects that it does not name are not taken");
    }
    if (hearing->deposited_bytes + size > state_->limits.pending_bytes_per_hearing) {
      return fail(Errc::no_space, "too many bytes were sent for this hearing without entries that name them; send the "
                                  "entries first");
    }
  }
  if (!counts) return state_->stores.objects.begin_object(size);
  UnfiledBytes::Admission admission = GREFFE_TRY(state_->unfiled.admit(peer.key.name, digest, size));
  auto writer = GREFFE_TRY(state_->stores.objects.begin_object(size));
  return std::unique_ptr<store::ObjectWriter>(std::make_unique<AdmittedWriter>(std::move(writer), std::move(admission)));
}

void Deposit::deposited(const Peer& peer, const HearingId& id, const Digest& digest, std::uint64_t size) {
  const auto hearing = state_->hearings.get(id);
  if (!hearing) return;  // it will be asked for again
  const std::lock_guard lock((*hearing)->mutex);
  if ((*hearing)->named.contains(digest)) return;
  if ((*hearing)->deposited.emplace(digest, size).second) (*hearing)->deposited_bytes += size;
  if (peer.kind == Peer::Kind::station) state_->unfiled.deposited(peer.key.name, id, digest, size);
}

Result<std::variant<Receipt, Unready>> Deposit::append(const Peer& peer, const HearingId& id, std::uint64_t first,
                                                       const std::vector<std::string>& entries,
                                                       std::string_view checkpoint_note, const std::vector<ShownEntry>& shown) {
  using Answer = std::variant<Receipt, Unready>;
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(checkpoint_note));
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(state_->hearings.get(id));
  const std::lock_guard lock(hearing->mutex);
  GREFFE_TRY(state_->may_write(peer, id, *hearing));
  GREFFE_TRY(state_->main_log_is_signed());
  tlog::LogWriter& writer = hearing->writer;

  if (is_held(writer, wanted.checkpoint)) {
    // The answer to the first sending was lost, or the first try broke off after the head had moved.
    if (hearing->closed) GREFFE_TRY(state_->ensure_in_main_log(id, *hearing));
    if (state_->ahead != nullptr) state_->ahead->covered(ahead_path(id), writer.size());
    Receipt again = GREFFE_TRY(state_->cosign(*hearing));
    if (hearing->closed) GREFFE_TRY(writer.finalise());
    return Answer(std::move(again));
  }
  if (auto diverged = GREFFE_TRY(state_->divergence(id, *hearing, wanted.checkpoint))) return Answer(std::move(*diverged));
  std::optional<Unready> elsewhere = GREFFE_TRY(check_growth(writer, first, entries, wanted.checkpoint));
  if (elsewhere) return Answer(std::move(*elsewhere));
  ReadEntries read = GREFFE_TRY(read_entries(first, entries, hearing->closed));
  const std::optional<OpenEntry> open =
      hearing->open ? hearing->open : std::optional(GREFFE_TRY(state_->checked_open(peer, id, *read.open)));
  const std::string origin = hearing_origin(open->archive, id);
  if (wanted.checkpoint.origin != origin) {
    return fail(Errc::invalid, "the checkpoint is of the log " + wanted.checkpoint.origin + ", not of " + origin);
  }
  const Status by_station = verify_note(wanted.note, VerifierKey{origin, KeyType::ed25519, open->station_key});
  if (!by_station) {
    return fail(Errc::denied, "the checkpoint is not signed by the key that opened the hearing: " + by_station.error().message);
  }
  if (writer.size() == 0 && !GREFFE_TRY(state_->had_main_log(*open))) {
    return Answer(Unready{std::nullopt, {}, fmt::format("the hearing's \"open\" entry says that the station had seen {} entries of this "
                                                        "archive's main log; this archive never had that log", open->main_size), true});
  }
  if (state_->ahead != nullptr) {
    auto two_stories = GREFFE_TRY(state_->ahead->contradiction(ahead_path(id), writer.preview({}), entries, wanted.checkpoint));
    if (two_stories) return Answer(Unready{std::nullopt, {}, std::move(*two_stories), true});
  }
  std::vector<Digest> missing = GREFFE_TRY(state_->unproved(*hearing, read));
  GREFFE_TRY(state_->excuse(peer, id, *open, shown, missing, read));
  if (!missing.empty()) {
    const std::string detail = fmt::format("{} objects that the entries name were not deposited for this hearing", missing.size());
    return Answer(Unready{std::nullopt, std::move(missing), detail});
  }
  GREFFE_TRY(state_->check_sizes(*hearing, read));

  // From here on a crash leaves either the old head or the new one; both are complete.
  const bool is_first = writer.size() == 0;
  if (is_first) GREFFE_TRY(state_->hearings.mark_begun(id));
  const Status appended = writer.append(entries, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
    GREFFE_CHECK(size == wanted.checkpoint.size && root == wanted.checkpoint.root);
    return wanted.note.write();
  });
  if (!appended) {
    state_->hearings.forget(id);  // the outcome may be unknown: the next call opens the log again
    return appended.error();
  }
  hearing->open = open;
  hearing->closed = read.closes;
  if (state_->ahead != nullptr) state_->ahead->covered(ahead_path(id), writer.size());
  for (std::size_t i = 0; i < read.entries.size(); ++i) hearing->finished.take(first + i, read.entries[i]);
  for (const Digest& digest : read.named) {
    hearing->named.insert(digest);
    const auto deposited = hearing->deposited.find(digest);
    if (deposited == hearing->deposited.end()) continue;
    hearing->deposited_bytes -= deposited->second;
    hearing->deposited.erase(deposited);
  }
  state_->unfiled.named(read.named);
  GREFFE_TRY(state_->commit_when_due(id, *hearing, is_first || read.corrects));
  Receipt receipt = GREFFE_TRY(state_->cosign(*hearing));
  if (read.closes) GREFFE_TRY(writer.finalise());
  return Answer(std::move(receipt));
}

Result<SignedCheckpoint> Deposit::checkpoint(const HearingId& id) {
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(state_->hearings.get(id));
  const std::lock_guard lock(hearing->mutex);
  if (hearing->writer.size() == 0) return fail(Errc::not_found, "nothing is held of hearing " + id.text());
  Receipt receipt = GREFFE_TRY(state_->cosign(*hearing));
  return std::move(receipt.checkpoint);
}

Result<std::vector<Digest>> Deposit::consistency(const HearingId& id, std::uint64_t old_size, std::uint64_t size) {
  return state_->hearings.reader(id).consistency(old_size, size);
}

Status Deposit::add_cosignature(const HearingId& id, const SignedCheckpoint& cosigned, const VerifierKey& cosigner) {
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(state_->hearings.get(id));
  const std::lock_guard lock(hearing->mutex);
  if (!verify_cosignature(cosigned.note, cosigner)) {
    return fail(Errc::denied, "the cosignature of " + cosigner.name + " does not verify");
  }
  const auto head = parse_signed_checkpoint(hearing->writer.head());
  if (!head || head->checkpoint.origin != cosigned.checkpoint.origin || cosigned.checkpoint.size > head->checkpoint.size) {
    return fail(Errc::conflict, "that checkpoint is not one of hearing " + id.text());
  }
  const Digest root = GREFFE_TRY(state_->hearings.reader(id).root_at(cosigned.checkpoint.size));
  if (root != cosigned.checkpoint.root) return fail(Errc::conflict, "that checkpoint has another root than the hearing had");
  GREFFE_TRY(keep_cosigned(state_->stores.heads, hearing_log_path(id), cosigned, cosigner));
  if (cosigned.checkpoint != head->checkpoint) return ok();  // of an earlier size: kept above, not a line of the head
  SignedCheckpoint merged = *head;
  for (const NoteSignature& line : cosigned.note.signatures) {
    if (line.name == cosigner.name && line.key_id == cosigner.id()) put_signature(merged.note, line);
  }
  return hearing->writer.add_signatures(merged.note.write());
}

}  // namespace greffe::archive
