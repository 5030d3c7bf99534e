#include "archive/grafts.h"

#include <fmt/format.h>

#include <map>

#include "archive/format/said_again.h"
#include "archive/own_words.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kGraftsAtOnce = 64;

}  // namespace

// All that the old log says behind the state that this archive goes on from.
struct Grafts::End {
  struct Station {
    std::string enrolment;    // the entry that first named its key
    bool stolen = false;
  };
  std::set<Digest> leaves;                  // of what is said again
  std::map<std::string, Station> stations;  // by key
  std::set<HearingId> hearings;
  std::uint64_t entries = 0;
};

// As much of it as one graft brings back.
struct Grafts::Piece {
  std::uint64_t to = 0;  // it ends before this entry
  std::vector<GraftedHearing> hearings;
  std::vector<std::string> entries;
};

Grafts::Grafts(Clock& clock, HearingLogs& hearings, MainLog& main_log, Deposit& deposit, ForeignLogs& foreign, Limits limits)
    : clock_(clock), hearings_(hearings), main_log_(main_log), deposit_(deposit), foreign_(foreign), limits_(limits) {}
Grafts::Grafts(Clock& clock, HearingLogs& hearings, MainLog& main_log, Deposit& deposit, ForeignLogs& foreign)
    : Grafts(clock, hearings, main_log, deposit, foreign, Limits()) {}

Result<Grafts::End> Grafts::read_end(const OldEpoch& epoch, std::uint64_t size) const {
  End out;
  LostDeclarations orders = GREFFE_TRY(main_log_.declared_lost().of(main_log_.archive_name())).declarations;
  Status parsed = ok();
  GREFFE_TRY(epoch.link.reader.entries(epoch.pin, size, [&](std::uint64_t, std::string_view text) {
    const auto entry = parse_main_entry(text);
    if (!entry) {
      parsed = entry.error();
      return false;
    }
    if (const auto* commit = std::get_if<HearingCheckpointEntry>(&*entry)) out.hearings.insert(commit->hearing);
    if (!is_said_again(*entry)) return true;
    out.leaves.insert(leaf_hash(as_bytes(text)));
    if (!std::holds_alternative<MainLostEntry>(*entry) || orders.take(*entry)) ++out.entries;
    if (const auto* key = std::get_if<KeyEntry>(&*entry)) {
      End::Station& station = out.stations[key->key.hex()];
      if (key->action != "revoked" && station.enrolment.empty()) station.enrolment = text;
      station.stolen = station.stolen || key->why == "stolen";
    }
    return true;
  }));
  if (!parsed) return parsed.error();
  return out;
}

Result<Grafts::Piece> Grafts::read_piece(const OldEpoch& epoch, std::uint64_t from, std::uint64_t size) const {
  Piece out;
  out.to = from;
  std::map<HearingId, std::size_t> known;
  std::size_t bytes = 0;
  // An order to do without an object that officers of this archive did not sign would excuse nothing here: it stays in the old log.
  LostDeclarations orders = GREFFE_TRY(main_log_.declared_lost().of(main_log_.archive_name())).declarations;
  Status parsed = ok();
  const auto take = [&](std::uint64_t index, std::string_view text) -> Result<bool> {
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    if (const auto* commit = std::get_if<HearingCheckpointEntry>(&entry)) {
      const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(commit->note));
      const auto [place, is_new] = known.try_emplace(commit->hearing, out.hearings.size());
      if (is_new && out.hearings.size() == limits_.hearings) return false;
      if (is_new) out.hearings.emplace_back();
      out.hearings[place->second] = {commit->hearing, note.checkpoint.size, note.checkpoint.root};
    } else if (is_said_again(entry) && (!std::holds_alternative<MainLostEntry>(entry) || orders.take(entry))) {
      if (out.entries.size() == limits_.entries || bytes + text.size() > limits_.bytes) return false;
      bytes += text.size();
      out.entries.emplace_back(text);
    }
    out.to = index + 1;
    return true;
  };
  GREFFE_TRY(epoch.link.reader.entries(from, size, [&](std::uint64_t index, std::string_view text) {
    const auto taken = take(index, text);
    if (!taken) parsed = taken.error();
    return taken && *taken;
  }));
  if (!parsed) return parsed.error();
  return out;
}

Result<std::optional<Grafts::Newest>> Grafts::newest_of(const std::string& origin) const {
  catalogue::EntryQuery query;
  query.kind = "graft";
  query.limit = kGraftsAtOnce;
  for (;;) {
    const std::vector<std::uint64_t> numbers = GREFFE_TRY(main_log_.catalogue().entries(query));
    for (const std::uint64_t number : numbers) {
      const std::vector<std::string> texts = GREFFE_TRY(main_log_.chain().entries(number, number + 1));
      const MainEntry entry = GREFFE_TRY(parse_main_entry(texts.front()));
      const auto* graft = std::get_if<GraftEntry>(&entry);
      if (graft != nullptr && graft->end.origin == origin) return std::optional(Newest{number, graft->end.size});
    }
    if (numbers.size() < query.limit) return std::optional<Newest>();
    query.before = numbers.back();
  }
}

// Those that only the old site had enrolled, of hearings in this piece: the main log has a hearing only of a station that it knows, and what is
// said of a hearing only behind its checkpoint. Of a key that was declared stolen there nothing begins here.
Status Grafts::enrol_stations(const Piece& piece, const End& end) {
  std::set<std::string> asked;
  std::vector<std::string> enrolments;
  for (const GraftedHearing& one : piece.hearings) {
    const std::shared_ptr<HearingState> hearing = GREFFE_TRY(hearings_.get(one.hearing));
    const std::lock_guard lock(hearing->mutex);
    if (!hearing->open) return fail(Errc::corrupt, "hearing " + one.hearing.text() + " is not held here any more");
    const PublicKey& key = hearing->open->station_key;
    if (!asked.insert(key.hex()).second) continue;
    const auto known = GREFFE_TRY(main_log_.catalogue().key("station", key));
    if (known) continue;
    const auto station = end.stations.find(key.hex());
    if (station == end.stations.end() || station->second.enrolment.empty()) {
      return fail(Errc::denied, fmt::format("hearing {} comes back, but neither main log has enrolled its station {}", one.hearing.text(), hearing->open->station));
    }
    if (!station->second.stolen) enrolments.push_back(station->second.enrolment);
  }
  if (!enrolments.empty()) GREFFE_TRY(main_log_.append_texts(std::move(enrolments)));
  return deposit_.catch_up();
}

// In one batch: a crash leaves all of it or nothing.
Result<std::uint64_t> Grafts::append(const OldEpoch& epoch, const Piece& piece, const End& end) {
  GraftEntry graft;
  graft.end = {epoch_origin(epoch.link.name), piece.to, GREFFE_TRY(epoch.link.reader.root_at(piece.to))};
  graft.hearings = piece.hearings;
  graft.utc = clock_.utc_now();
  std::vector<std::string> texts = {write_main_entry(graft)};
  texts.insert(texts.end(), piece.entries.begin(), piece.entries.end());
  const std::vector<std::string> own = GREFFE_TRY(own_words(main_log_, epoch.next_first, end.leaves, piece.entries, graft.utc));
  texts.insert(texts.end(), own.begin(), own.end());
  return main_log_.append_texts(std::move(texts));
}

Result<std::variant<Grafts::Done, Unready>> Grafts::make(const Peer& peer, const std::string& origin, std::string_view checkpoint) {
  using Answer = std::variant<Done, Unready>;
  const std::lock_guard lock(mutex_);
  const TreeEdge held = GREFFE_TRY(foreign_.held(peer, origin));
  const OldEpoch epoch = GREFFE_TRY(old_epoch(main_log_, origin));
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(checkpoint));
  const Status by_old_key = verify_note(wanted.note, epoch.log_key);
  if (!by_old_key) return fail(Errc::denied, "the checkpoint is not signed by " + origin + ": " + by_old_key.error().message);
  const std::uint64_t size = wanted.checkpoint.size;
  if (size <= epoch.pin) return fail(Errc::invalid, fmt::format("nothing of {} comes back: this archive goes on from its entry {}, and it ends with {}", origin, epoch.pin, size));
  if (held.size() < size) return Answer(Unready{held.size(), {}, fmt::format("this archive holds {} entries of {}; send from entry {} on", held.size(), origin, held.size())});
  if (held.size() > size) return fail(Errc::conflict, fmt::format("this archive holds {} entries of {}: it does not end with {}", held.size(), origin, size));
  if (held.root() != wanted.checkpoint.root) return Answer(Unready{std::nullopt, {}, "this archive holds another log of " + origin, true});

  const End end = GREFFE_TRY(read_end(epoch, size));
  const auto made = GREFFE_TRY(newest_of(origin));
  Done out{end.entries, end.hearings.size(), made ? made->number : 0, size};
  for (std::uint64_t from = made ? made->size : epoch.pin; from < size;) {
    const Piece piece = GREFFE_TRY(read_piece(epoch, from, size));
    GREFFE_TRY(enrol_stations(piece, end));
    out.number = GREFFE_TRY(append(epoch, piece, end));
    from = piece.to;
  }
  return Answer(out);
}

}  // namespace greffe::archive
