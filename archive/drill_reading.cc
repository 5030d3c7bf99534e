// What a drill reads: objects drawn at random, a stream that is decoded, a whole day.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "archive/drill.h"
#include "archive/format/entries.h"

namespace greffe::archive {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kMostDecoded90k = 3'600LL * 90'000;  // an hour: more proves nothing more, and is much work for a small machine
constexpr std::uint64_t kBatchBytes = 32 * 1024 * 1024;     // of recordings that lie in files at once

std::uint64_t random_below(std::uint64_t bound) {
  std::array<std::uint8_t, 8> bytes{};
  fill_random(bytes);
  std::uint64_t out = 0;
  std::memcpy(&out, bytes.data(), bytes.size());
  return out % bound;
}

// So many numbers below `bound`, none twice; all of them where there are no more.
std::set<std::uint64_t> draw(std::uint64_t bound, std::size_t count) {
  std::set<std::uint64_t> out;
  if (bound <= count) {
    for (std::uint64_t i = 0; i < bound; ++i) out.insert(i);
    return out;
  }
  while (out.size() < count) out.insert(random_below(bound));
  return out;
}

bool is_lost_entry(const Json& entry) {
  const auto kind = entry.string("kind");
  return kind && *kind == "lost";
}

}  // namespace

// ---- objects ----

// Nothing is repaired here: a scrub does that.
Status Drill::read_object(const Naming& naming, const Digest& digest, Reading& reading) {
  GREFFE_TRY(stopped());
  const store::ReadBackCount count = pool_.read_back(digest);
  pace_.after(count.bytes);
  if (count.good > 0) ++reading.objects;
  reading.bytes += count.bytes;
  if (count.good > 0 && !count.damaged) return ok();
  if (count.damaged) return judge(naming, digest, count.good > 0 ? "a copy of it is damaged" : "no good copy of it is here");
  return judge(naming, digest, count.asked > 0 ? "it is not here" : "it cannot be read");
}

// What was given up is not missed: the log itself says so, or two officers did.
Status Drill::judge(const Naming& naming, const Digest& digest, const std::string& trouble) {
  const auto declared = declared_.covers(naming.hearing, digest);
  if (!declared) return note("log", declared.error().within("what was declared lost"));
  if (*declared) return ok();
  std::string where = naming.known != nullptr ? naming.known->words() : std::string();
  if (naming.known == nullptr) {
    const auto found = find_named(pool_, naming.log_path, [&](const Digest& one) { return one == digest; });
    if (!found) return note("log", found.error().within(naming.log_path));
    const auto place = found->find(digest);
    if (place == found->end()) return ok();
    where = place->second.words();
  }
  report_.fail("object", fmt::format("{}: {} ({})", where, trouble, digest.hex()));
  return ok();
}

// ---- drawn at random ----

// Every entry of every hearing's log has the same chance.
Status Drill::draw_sample() {
  const catalogue::CatalogueExtent extent = GREFFE_TRY(survey_->extent());
  const std::set<std::uint64_t> drawn = draw(extent.entries, order_.sampled);
  report_.sample.entries = drawn.size();
  progress_.total = drawn.size();
  std::uint64_t begin = 0;  // of a hearing's entries among all
  auto next = drawn.begin();
  Status outcome = ok();
  GREFFE_TRY(survey_->hearings({}, {}, [&](const catalogue::SurveyedHearing& hearing) {
    std::vector<std::uint64_t> indices;
    for (; next != drawn.end() && *next < begin + hearing.log_size; ++next) indices.push_back(*next - begin);
    begin += hearing.log_size;
    if (!indices.empty()) outcome = read_drawn(hearing, indices);
    return outcome && next != drawn.end();
  }));
  return outcome;
}

Status Drill::read_drawn(const catalogue::SurveyedHearing& hearing, const std::vector<std::uint64_t>& indices) {
  const tlog::LogReader reader(pool_, pool_, hearing_log_path(hearing.id));
  for (const std::uint64_t index : indices) {
    GREFFE_TRY(stopped());
    ++progress_.done;
    const auto entry = reader.entries(index, index + 1);
    if (entry) {
      GREFFE_TRY(read_drawn_entry(hearing.id, entry->front()));
    } else {
      GREFFE_TRY(note("log", entry.error().within(fmt::format("hearing {}, entry {}", hearing.id.text(), index))));
    }
  }
  return ok();
}

Status Drill::read_drawn_entry(const HearingId& hearing, std::string_view text) {
  const auto json = parse_json(text);
  if (!json || is_lost_entry(*json)) return ok();  // greffe-verify says what is wrong with an entry
  const auto entry = parse_hearing_entry(text);
  if (const auto* segment = entry ? std::get_if<SegmentEntry>(&*entry) : nullptr) {
    ++segments_drawn_;
    if (random_below(segments_drawn_) == 0) drawn_ = Stream{hearing, segment->stream};
  }
  const std::string path = hearing_log_path(hearing);
  Reading reading;
  for (const Digest& digest : named_objects(*json)) GREFFE_TRY(read_object({path, hearing}, digest, reading));
  report_.sample.objects += reading.objects;
  report_.sample.bytes += reading.bytes;
  return ok();
}

// ---- a recording ----

Status Drill::decode_stream() {
  if (!drawn_) return ok();
  const std::int64_t began_ms = clock_.monotonic_ms();
  const auto pieces = pieces_of(*drawn_);
  if (!pieces) return note("log", pieces.error().within("hearing " + drawn_->hearing.text()));
  report_.media = DrilledMedia{drawn_->hearing, drawn_->name, 0, 0, 0};
  progress_.total = pieces->size();
  bool goes_on = true;
  for (std::size_t at = 0; goes_on && at < pieces->size();) {
    std::uint64_t bytes = 0;
    std::size_t end = at;
    // One alone at first: that is when somebody who waits sees something.
    const std::size_t most = at == 0 ? 1 : kMostCheckedFiles;
    while (end < pieces->size() && end - at < most && (end == at || bytes + (*pieces)[end].bytes <= kBatchBytes)) bytes += (*pieces)[end++].bytes;
    goes_on = GREFFE_TRY(decode_batch(*pieces, at, end));
    if (!first_decoded_ms_ && report_.media->frames > 0) first_decoded_ms_ = clock_.monotonic_ms() - began_ms;
    at = end;
    progress_.done = end;
  }
  if (report_.media->frames == 0) report_.media.reset();
  return ok();
}

// Up to an hour of the stream, from anywhere in it; but what cannot be decoded without the piece before it, and what was given up.
Result<std::vector<Drill::Piece>> Drill::pieces_of(const Stream& stream) const {
  const tlog::LogReader reader(pool_, pool_, hearing_log_path(stream.hearing));
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  std::vector<Piece> all;
  std::set<Digest> lost;
  GREFFE_TRY(reader.entries(0, head.checkpoint.size, [&](std::uint64_t, std::string_view text) {
    const auto entry = parse_hearing_entry(text);
    if (const auto* given_up = entry ? std::get_if<LostEntry>(&*entry) : nullptr) lost.insert(given_up->objects.begin(), given_up->objects.end());
    const auto* segment = entry ? std::get_if<SegmentEntry>(&*entry) : nullptr;
    if (segment == nullptr || segment->stream != stream.name) return !stop_.stop_requested();
    const bool alone = std::find(segment->flags.begin(), segment->flags.end(), "no-key-frame") == segment->flags.end();
    if (alone) all.push_back({segment->sha256, segment->bytes, segment->duration_90k});
    return !stop_.stop_requested();
  }));
  GREFFE_TRY(stopped());
  std::erase_if(all, [&](const Piece& piece) { return lost.contains(piece.digest); });
  std::int64_t whole = 0;
  for (const Piece& piece : all) whole += piece.duration_90k;
  const std::size_t first = whole > kMostDecoded90k ? random_below(all.size()) : 0;
  std::vector<Piece> out;
  std::int64_t taken = 0;
  for (std::size_t i = first; i < all.size() && (out.empty() || taken + all[i].duration_90k <= kMostDecoded90k); ++i) {
    taken += all[i].duration_90k;
    out.push_back(all[i]);
  }
  return out;
}

// False: nothing more can be decoded here.
Result<bool> Drill::decode_batch(const std::vector<Piece>& pieces, std::size_t first, std::size_t last) {
  const std::vector<std::string> paths = GREFFE_TRY(lay_out(pieces, first, last));
  if (paths.empty()) return true;
  const auto checked = check_media_(paths, stop_);
  for (const std::string& path : paths) static_cast<void>(files_.remove(path));  // else tidy() does, at the end
  GREFFE_TRY(stopped());
  if (!checked) {
    report_.fail("decode", checked.error().message);
    return false;
  }
  DrilledMedia& media = *report_.media;
  media.segments += paths.size();
  media.frames += checked->frames;
  media.media_ms += checked->media_ms;
  for (const std::string& problem : checked->problems) {
    const bool ours = problem.starts_with(order_.directory);  // where the file lay is no news
    report_.fail("decode", fmt::format("hearing {}, stream {}: {}", media.hearing.text(), media.stream,
                                       ours ? problem.substr(order_.directory.size() + 1) : problem));
  }
  return true;
}

// Each as a file of its own, as it is stored; what cannot be read is told.
Result<std::vector<std::string>> Drill::lay_out(const std::vector<Piece>& pieces, std::size_t first, std::size_t last) {
  const std::string log_path = hearing_log_path(drawn_->hearing);
  std::vector<std::string> out;
  for (std::size_t i = first; i < last; ++i) {
    GREFFE_TRY(stopped());
    const Digest& digest = pieces[i].digest;
    const auto bytes = pool_.read_object(digest);
    if (!bytes && bytes.error().code == Errc::unavailable) return bytes.error();
    if (!bytes) {
      GREFFE_TRY(judge({log_path, drawn_->hearing}, digest, "it cannot be played: " + bytes.error().message));
      continue;
    }
    pace_.after(bytes->size());
    const std::string path = join(order_.directory, fmt::format("{}-{}.mp4", i, digest.hex()));
    const auto file = GREFFE_TRY(files_.create(path, 0600));
    GREFFE_TRY(file->write(*bytes));
    out.push_back(path);
  }
  return out;
}

// ---- a whole day ----

// A day at random on which hearings began, all of it: every log, every object, every document about them.
Status Drill::read_day() {
  const auto span = GREFFE_TRY(survey_->span());
  if (!span) return ok();
  const auto length_ms = static_cast<std::uint64_t>(span->last.ms - span->first.ms);
  const auto start = GREFFE_TRY(survey_->next_start(UtcTime{span->first.ms + static_cast<std::int64_t>(random_below(length_ms + 1))}));
  const UtcTime somewhere = start.value_or(span->last);
  const UtcTime from{somewhere.ms - somewhere.ms % kDayMs};
  std::vector<catalogue::SurveyedHearing> hearings;
  GREFFE_TRY(survey_->hearings(from, UtcTime{from.ms + kDayMs}, [&](const catalogue::SurveyedHearing& hearing) {
    hearings.push_back(hearing);
    return true;
  }));
  progress_.total = hearings.size();
  Reading reading;
  for (const catalogue::SurveyedHearing& hearing : hearings) {
    GREFFE_TRY(read_hearing(hearing, reading));
    ++progress_.done;
  }
  report_.day = DrilledDay{to_date(from), hearings.size(), reading.objects, reading.bytes};
  return ok();
}

Status Drill::read_hearing(const catalogue::SurveyedHearing& hearing, Reading& reading) {
  GREFFE_TRY(stopped());
  GREFFE_TRY(check_hearing_log(hearing));
  const std::string path = hearing_log_path(hearing.id);
  const auto named = find_named(pool_, path, [](const Digest&) { return true; });
  if (!named) return note("log", named.error().within("hearing " + hearing.id.text()));
  for (const auto& [digest, place] : *named) GREFFE_TRY(read_object({path, hearing.id, &place}, digest, reading));
  return read_documents_about(hearing.id, reading);
}

Status Drill::check_hearing_log(const catalogue::SurveyedHearing& hearing) {
  const std::string path = hearing_log_path(hearing.id);
  const std::string what = "hearing " + hearing.id.text();
  const auto checked = check_log(path);
  if (!checked) return note("log", checked.error().within(what));
  GREFFE_TRY(stopped());
  tell(*checked);
  const auto head = parse_signed_note(checked->head);
  const VerifierKey station{hearing_origin(order_.archive, hearing.id), KeyType::ed25519, hearing.station_key};
  const Status by_its_station = head ? verify_note(*head, station) : Status(head.error());
  if (!by_its_station) report_.fail("log", what + ": its newest checkpoint is not signed by its station: " + by_its_station.error().message);
  const auto root = tlog::LogReader(pool_, pool_, path).root_at(hearing.log_size);
  if (!root) return note("log", root.error().within(what));
  if (*root != hearing.log_root) report_.fail("log", what + ": its log is not the one that the main log commits to");
  return ok();
}

// Corrections and marks that were made in the archive.
Status Drill::read_documents_about(const HearingId& hearing, Reading& reading) {
  const std::vector<std::uint64_t> indices = GREFFE_TRY(survey_->entries_about(hearing));
  for (const std::uint64_t index : indices) {
    const auto entry = main_log_->entries(index, index + 1);
    if (!entry) {
      GREFFE_TRY(note("log", entry.error().within(fmt::format("entry {} of the main log", index))));
      continue;
    }
    const auto json = parse_json(entry->front());
    if (!json || is_lost_entry(*json)) continue;
    for (const Digest& digest : named_objects(*json)) GREFFE_TRY(read_object({main_log_->place_of(index).link->path, hearing}, digest, reading));
  }
  return ok();
}

}  // namespace greffe::archive
