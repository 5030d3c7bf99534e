#include "archive/ahead_intake.h"

#include <fmt/format.h>

#include "archive/hearing_rules.h"

namespace greffe::archive {
namespace {

using Taken = std::variant<AheadIntake::State, NotAhead>;

Taken answer(std::uint64_t held_size, std::variant<KnownAhead, NotAhead> done) {
  if (auto* why = std::get_if<NotAhead>(&done)) return std::move(*why);
  return AheadIntake::State{held_size, std::get<KnownAhead>(done)};
}

Status check_open(const OpenEntry& open, const Peer& peer, const HearingId& id) {
  if (open.archive != peer.key.name) return fail(Errc::denied, "this hearing belongs to another archive than " + peer.key.name);
  if (open.hearing != id) return fail(Errc::invalid, "the hearing's \"open\" entry names another hearing");
  return ok();
}

}  // namespace

// What the log is at this moment; that it grows right afterwards does no harm, because pieces say themselves what they continue.
Result<AheadIntake::HeldHearing> AheadIntake::held(const Peer& peer, const HearingId& id) {
  if (peer.kind != Peer::Kind::replicator) return fail(Errc::denied, "only an archive's replicator sends entries ahead");
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(hearings_.get(id));
  const std::lock_guard lock(hearing->mutex);
  if (hearing->open) GREFFE_TRY(check_open(*hearing->open, peer, id));
  return HeldHearing{hearing->writer.preview({}), hearing->open, hearing->closed};
}

Result<AheadIntake::State> AheadIntake::known(const Peer& peer, const HearingId& id) {
  const HeldHearing hearing = GREFFE_TRY(held(peer, id));
  if (!hearing.open) {
    const AheadEnd end = GREFFE_TRY(ahead_.end(ahead_path(id), 0));
    const auto opening = end.opening.empty() ? Result<HearingEntry>(UnknownEntry{}) : parse_hearing_entry(end.opening);
    const auto* open = opening ? std::get_if<OpenEntry>(&*opening) : nullptr;
    if (open != nullptr) GREFFE_TRY(check_open(*open, peer, id));
  }
  return State{hearing.edge.size(), GREFFE_TRY(ahead_.known(ahead_path(id), hearing.edge))};
}

Result<AheadIntake::State> AheadIntake::known(const Peer& peer, const std::string& origin) {
  const TreeEdge edge = GREFFE_TRY(foreign_.held(peer, origin));
  return State{edge.size(), GREFFE_TRY(ahead_.known(ahead_path_of_main_log(origin), edge))};
}

Result<Taken> AheadIntake::take(const Peer& peer, const HearingId& id, std::uint64_t first, const std::vector<std::string>& entries,
                                std::string_view checkpoint) {
  const std::string folder = ahead_path(id);
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(checkpoint));
  HeldHearing hearing = GREFFE_TRY(held(peer, id));
  const AheadEnd end = GREFFE_TRY(ahead_.end(folder, hearing.edge.size()));
  const ReadEntries read = GREFFE_TRY(read_entries(first, entries, (hearing.closed && first >= hearing.edge.size()) || (end.closed && first >= end.size)));
  if (!hearing.open && !end.opening.empty()) {
    const HearingEntry opening = GREFFE_TRY(parse_hearing_entry(end.opening));
    if (const auto* open = std::get_if<OpenEntry>(&opening)) hearing.open = *open;
  }
  if (!hearing.open && !read.open) return Taken(NotAhead{0, "nothing is known of this hearing; send it from its beginning", false});
  const OpenEntry& open = hearing.open ? *hearing.open : *read.open;
  GREFFE_TRY(check_open(open, peer, id));
  const std::string origin = hearing_origin(open.archive, id);
  if (wanted.checkpoint.origin != origin) return fail(Errc::invalid, "the checkpoint is of the log " + wanted.checkpoint.origin + ", not of " + origin);
  const Status by_station = verify_note(wanted.note, VerifierKey{origin, KeyType::ed25519, open.station_key});
  if (!by_station) return fail(Errc::denied, "the checkpoint is not signed by the key that opened the hearing: " + by_station.error().message);
  auto done = GREFFE_TRY(ahead_.take(folder, hearing.edge, first, entries, wanted));
  return answer(hearing.edge.size(), std::move(done));
}

Result<Taken> AheadIntake::take(const Peer& peer, const std::string& origin, std::uint64_t first, const std::vector<std::string>& entries,
                                std::string_view checkpoint) {
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(checkpoint));
  const TreeEdge edge = GREFFE_TRY(foreign_.held(peer, origin));
  const VerifierKey key = GREFFE_TRY(foreign_.signer(peer, origin, first, entries));
  if (wanted.checkpoint.origin != origin) return fail(Errc::invalid, "the checkpoint is not of the log " + origin);
  const Status by_origin = verify_note(wanted.note, key);
  if (!by_origin) return fail(Errc::denied, "the checkpoint is not signed by " + origin + ": " + by_origin.error().message);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto entry = parse_main_entry(entries[i]);
    if (!entry) return entry.error().within(fmt::format("main-log entry {}", first + i));
    if (std::holds_alternative<UnknownEntry>(*entry)) {
      return fail(Errc::invalid, fmt::format("main-log entry {}: this kind is not known here; upgrade the replica first", first + i));
    }
  }
  auto done = GREFFE_TRY(ahead_.take(ahead_path_of_main_log(origin), edge, first, entries, wanted));
  return answer(edge.size(), std::move(done));
}

}  // namespace greffe::archive
