#include "replicate/restored_hearing.h"

#include <fmt/format.h>

#include "archive/tlog/cosigned.h"
#include "archive/tlog/log_writer.h"

namespace greffe::replicate {

RestoredHearing::RestoredHearing(RestoreSite& site, tlog::LogStores pool, const RestoreKeys& keys, const RestoredMainLog& main, HearingId id)
    : pool_(pool), keys_(keys), main_(main), id_(id), origin_(hearing_origin(keys.name.archive, id)),
      log_(site, pool, client::LogTarget{id}, hearing_log_path(id)) {
  if (const auto found = main.hearings().find(id); found != main.hearings().end()) committed_ = found->second;
}

Status RestoredHearing::take(std::uint64_t index, std::string_view text) {
  const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(text));
  const auto* open = std::get_if<OpenEntry>(&entry);
  if ((index == 0) != (open != nullptr)) return fail(Errc::corrupt, "a hearing begins with an \"open\" entry and has one");
  if (open != nullptr) {
    if (open->archive != keys_.name.archive || open->hearing != id_) return fail(Errc::corrupt, "the \"open\" entry is of another hearing");
    open_ = *open;
  }
  closed_ = closed_ || std::holds_alternative<CloseEntry>(entry);
  if (const auto* lost = std::get_if<LostEntry>(&entry)) {
    lost_.insert(lost->objects.begin(), lost->objects.end());
    return ok();
  }
  const auto* segment = std::get_if<SegmentEntry>(&entry);
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  const std::vector<Digest> named = named_objects(json);
  for (const Digest& digest : named) {
    objects_.push_back({digest, index, 1, std::nullopt, segment != nullptr && digest == segment->sha256 ? segment->bytes : 0});
  }
  return ok();
}

Status RestoredHearing::check_signatures() const {
  if (!open_) return fail(Errc::corrupt, "it has no entries");
  if (committed_ && !meets_committed_) {
    return fail(Errc::corrupt, fmt::format("it is not the log of which the main log committed to {} entries", committed_->size));
  }
  // What the main log does not name yet, anybody could have made.
  if (!committed_ && !main_.knows_station(open_->station_key)) return fail(Errc::corrupt, "the main log does not name it, nor the station that opened it");
  const Status by_station = verify_note(log_.head().note, VerifierKey{origin_, KeyType::ed25519, open_->station_key});
  if (!by_station) return fail(Errc::corrupt, "its checkpoint is not signed by the station that opened it: " + by_station.error().message);
  return ok();
}

Status RestoredHearing::read() {
  const auto site_head = [this](const SignedCheckpoint& head) -> Status {
    if (head.checkpoint.origin != origin_) return fail(Errc::corrupt, "the second site gives the log " + head.checkpoint.origin);
    if (!keys_.holder) return ok();
    const auto held = verify_cosignature(head.note, *keys_.holder);
    if (held) return ok();
    return fail(Errc::corrupt, "the second site's confirmation is not signed with the key of its enrolment code: " + held.error().message);
  };
  std::optional<Error> bad;
  GREFFE_TRY(log_.read(site_head, [&](std::uint64_t index, std::string_view text, const SiteLog::Root& root) {
    if (index == 0) {
      bad.reset();
      open_.reset();
      objects_.clear();
      lost_.clear();
      closed_ = false;
      meets_committed_ = false;
    }
    if (committed_ && index + 1 == committed_->size) meets_committed_ = root() == committed_->root;
    const Status taken = bad ? ok() : take(index, text);
    if (!taken) bad = taken.error().within(fmt::format("entry {}", index));
  }));
  if (bad) return *bad;
  return check_signatures();
}

bool RestoredHearing::is_lost(const Digest& digest) const { return lost_.contains(digest) || main_.declared().covers(id_, digest); }

Status RestoredHearing::store() {
  const std::string path = hearing_log_path(id_);
  // Whatever the archive must look at again when it starts; it takes the marker away.
  const bool settled = closed_ && committed_ && committed_->closed && committed_->size == log_.head().checkpoint.size;
  if (!settled) GREFFE_TRY(pool_.objects.put(open_marker_path(id_), as_bytes(id_.text() + "\n")));
  if (!log_.is_here()) {
    GREFFE_TRY(tlog::import_log(pool_, path, log_.site_head()->note.write(), [this](std::uint64_t index) { return log_.bundle(index); }));
  }
  if (closed_) {
    tlog::LogWriter writer = GREFFE_TRY(tlog::LogWriter::open(pool_.objects, pool_.heads, pool_.stages, path));
    GREFFE_TRY(writer.finalise());
  }
  return log_.site_head() && keys_.holder ? tlog::keep_cosigned(pool_.heads, path, *log_.site_head(), *keys_.holder) : ok();
}

Result<std::string> court_of(RestoreSite& site, const tlog::LogStores& pool, const HearingId& id) {
  const auto here = tlog::LogReader(pool.objects, pool.heads, hearing_log_path(id)).entries(0, 1);
  std::string text;
  if (here && !here->empty()) {
    text = here->front();
  } else {
    client::LogPiece piece = GREFFE_TRY(site.read_entries({id}, 0, 1));
    if (piece.entries.empty()) return fail(Errc::not_found, "the second site has no entries of it");
    text = std::move(piece.entries.front());
  }
  const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(text));
  if (const auto* open = std::get_if<OpenEntry>(&entry)) return open->court;
  return fail(Errc::corrupt, "it does not begin with an \"open\" entry");
}

}  // namespace greffe::replicate
