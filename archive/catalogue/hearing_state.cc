#include "archive/catalogue/hearing_state.h"

#include <algorithm>

#include "archive/catalogue/schema.h"
#include "archive/catalogue/search_text.h"
#include "archive/format/documents.h"

namespace greffe::catalogue {

std::string write_streams(const std::vector<StreamFacts>& streams) {
  Json out{Json::Array{}};
  for (const StreamFacts& one : streams) {
    Json json;
    json.set("name", one.name);
    json.set("medium", one.medium);
    json.set("source", one.source);
    json.set("segments", one.segments);
    json.set("bytes", one.bytes);
    json.set("duration_90k", one.duration_90k);
    out.push(std::move(json));
  }
  return write_json(out);
}

Result<std::vector<StreamFacts>> parse_streams(std::string_view json) {
  const Json parsed = GREFFE_TRY(parse_json(json));
  std::vector<StreamFacts> out;
  if (parsed.as_array() == nullptr) return fail(Errc::corrupt, "the streams of a hearing are not a list");
  for (const Json& one : *parsed.as_array()) {
    StreamFacts facts;
    facts.name = GREFFE_TRY(one.string("name"));
    facts.medium = GREFFE_TRY(one.string("medium"));
    facts.source = GREFFE_TRY(one.string("source"));
    facts.segments = GREFFE_TRY(one.size("segments"));
    facts.bytes = GREFFE_TRY(one.size("bytes"));
    facts.duration_90k = GREFFE_TRY(one.integer("duration_90k"));
    out.push_back(std::move(facts));
  }
  return out;
}

Result<std::string> without_salt(std::string_view document) {
  Json json = GREFFE_TRY(parse_json(document));
  if (Json::Object* members = json.as_object()) members->erase("salt");
  return write_json(json);
}

// ---- applying ----------------------------------------------------------------------------------------------------

Status HearingState::apply(std::uint64_t index, std::string_view bytes, const ReadDocument& read) {
  const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(bytes));
  const auto* open = std::get_if<OpenEntry>(&entry);
  if ((index == 0) != (open != nullptr)) {
    return fail(Errc::invalid, "a hearing log begins with `open`, and has no other");
  }
  if (open != nullptr) return apply_open(*open, read);
  if (!opened_) return fail(Errc::invalid, "its `open` entry could not be understood");
  if (const auto* segment = std::get_if<SegmentEntry>(&entry)) apply_segment(*segment);
  if (const auto* gap = std::get_if<GapEntry>(&entry)) apply_gap(*gap);
  if (const auto* mark = std::get_if<MarkEntry>(&entry)) return apply_mark(index, *mark, read);
  if (const auto* correction = std::get_if<CorrectionEntry>(&entry)) return apply_correction(index, *correction, read);
  if (const auto* close = std::get_if<CloseEntry>(&entry)) apply_close(*close);
  if (const auto* lost = std::get_if<LostEntry>(&entry)) {
    new_lost_.insert(new_lost_.end(), lost->objects.begin(), lost->objects.end());
  }
  if (const auto* late = std::get_if<StreamEntry>(&entry)) {
    StreamFacts& facts = stream(late->stream.name);
    facts.medium = late->stream.medium;
    facts.source = late->stream.source;
  }
  return ok();
}

Status HearingState::apply_open(const OpenEntry& entry, const ReadDocument& read) {
  if (entry.hearing != id) return fail(Errc::invalid, "its `open` entry names hearing " + entry.hearing.text());
  details_ = GREFFE_TRY(read_details(entry.details, read));
  details_sha256_ = entry.details.hex();
  court_ = entry.court;
  room_ = entry.room;
  station_ = entry.station;
  station_key_ = entry.station_key.hex();
  start_ = newest_ = entry.start;
  for (const ExpectedStream& one : entry.streams) {
    StreamFacts& facts = stream(one.name);
    facts.medium = one.medium;
    facts.source = one.source;
  }
  if (entry.continues) continues_ = entry.continues->text();
  opened_ = text_changed_ = true;
  return ok();
}

// As the catalogue keeps them; empty: lost, or not to be understood.
Result<std::string> HearingState::read_details(const Digest& digest, const ReadDocument& read) {
  const std::optional<std::string> document = GREFFE_TRY(read(digest));
  if (!document) return std::string();
  const auto details = parse_details(*document);
  auto text = without_salt(*document);
  if (details && text) return text;
  problems.push_back("its details document " + digest.hex() + " cannot be understood" +
                     (details ? "" : ": " + details.error().message));
  return std::string();
}

void HearingState::apply_segment(const SegmentEntry& entry) {
  StreamFacts& facts = stream(entry.stream);
  ++facts.segments;
  facts.bytes += entry.bytes;
  facts.duration_90k += entry.duration_90k;
  covers_until(UtcTime{entry.utc.ms + entry.duration_90k / 90});
}

void HearingState::apply_gap(const GapEntry& entry) {
  if (gap_count_ == 0) text_changed_ = true;
  ++gap_count_;
  if (!is_excused(entry.reason)) ++unexcused_gap_count_;
  covers_until(entry.to);
}

Status HearingState::apply_mark(std::uint64_t index, const MarkEntry& entry, const ReadDocument& read) {
  const std::optional<std::string> document = GREFFE_TRY(read(entry.note));
  std::string text;
  if (document) {
    auto parsed = parse_note(*document);
    if (!parsed) problems.push_back("the note of mark " + std::to_string(index) + ": " + parsed.error().message);
    if (parsed) text = *std::move(parsed);
  }
  new_marks_.push_back({index, entry, std::move(text)});
  text_changed_ = true;
  return ok();
}

Status HearingState::apply_correction(std::uint64_t index, const CorrectionEntry& entry, const ReadDocument& read) {
  std::string details = GREFFE_TRY(read_details(entry.details, read));
  new_details_.push_back({false, index, entry.utc, entry.utc, entry.person, {}, std::move(details), entry.details.hex()});
  text_changed_ = true;
  return ok();
}

void HearingState::apply_close(const CloseEntry& entry) {
  closed_ = text_changed_ = true;
  end_ = newest_ = entry.end;  // nothing follows
  for (const StreamTotal& total : entry.totals) {
    if (!summed_by_close_) break;
    StreamFacts& facts = stream(total.stream);
    facts.segments = total.segments;
    facts.bytes = total.bytes;
    facts.duration_90k = total.duration_90k;
  }
}

StreamFacts& HearingState::stream(const std::string& name) {
  const auto found = std::find_if(streams_.begin(), streams_.end(), [&name](const auto& s) { return s.name == name; });
  if (found != streams_.end()) return *found;
  streams_.push_back({});
  streams_.back().name = name;
  return streams_.back();
}

// ---- rows --------------------------------------------------------------------------------------------------------

Result<HearingState> HearingState::load(Connection& db, const HearingId& id) {
  HearingState state;
  state.id = id;
  Rows rows = GREFFE_TRY(db.query(
      "SELECT row, court, room, station, station_key, details_sha256, details, start_ms, end_ms, newest_ms, streams,"
      " closed, gap_count, unexcused_gap_count, continues, origin, log_size, log_root, checkpoint_index, checkpoint_ms"
      " FROM hearing WHERE id = ?",
      id.text()));
  const bool found = GREFFE_TRY(rows.next());
  if (!found) return state;
  state.opened_ = true;
  state.row = rows.integer(0);
  state.court_ = rows.string(1);
  state.room_ = rows.string(2);
  state.station_ = rows.string(3);
  state.station_key_ = rows.string(4);
  state.details_sha256_ = rows.string(5);
  state.details_ = rows.string(6);
  state.start_ = rows.utc(7);
  if (!rows.is_null(8)) state.end_ = rows.utc(8);
  state.newest_ = rows.utc(9);
  state.streams_ = GREFFE_TRY(parse_streams(rows.text(10)));
  state.closed_ = rows.integer(11) != 0;
  state.gap_count_ = static_cast<std::uint64_t>(rows.integer(12));
  state.unexcused_gap_count_ = static_cast<std::uint64_t>(rows.integer(13));
  if (!rows.is_null(14)) state.continues_ = rows.string(14);
  state.origin = rows.string(15);
  state.log_size = static_cast<std::uint64_t>(rows.integer(16));
  state.log_root = GREFFE_TRY(digest_from_hex(rows.text(17)));
  state.checkpoint_index = static_cast<std::uint64_t>(rows.integer(18));
  state.checkpoint_utc = rows.utc(19);
  return state;
}

Status HearingState::insert(Connection& db) {
  // Hearings of the same second follow one another; more than 4,096 of them run over into the next second, where a
  // date filter that cuts exactly there may miss the surplus.
  row = std::max<std::int64_t>(1, first_row_at(start_));
  for (;;) {
    Rows rows = GREFFE_TRY(db.query("SELECT max(row) FROM hearing WHERE row BETWEEN ? AND ?", row,
                                    row | ((std::int64_t{1} << kRowBitsPerSecond) - 1)));
    GREFFE_TRY(rows.next());
    if (rows.is_null(0)) break;
    const std::int64_t next = rows.integer(0) + 1;
    const bool same_second = next >> kRowBitsPerSecond == row >> kRowBitsPerSecond;
    row = next;
    if (same_second) break;
  }
  return db.run(
      "INSERT INTO hearing(row, id, court, room, station, station_key, details_sha256, details, start_ms, continues,"
      " newest_ms, streams, closed, gap_count, unexcused_gap_count, origin, log_size, log_root, checkpoint_index,"
      " checkpoint_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, 0, 0, '', 0, '', 0, 0)",
      row, id.text(), court_, room_, station_, station_key_, details_sha256_, details_, start_, continues_);
}

Status HearingState::save(Connection& db) {
  if (is_new()) GREFFE_TRY(insert(db));
  GREFFE_TRY(db.run(
      "UPDATE hearing SET end_ms = ?, newest_ms = ?, streams = ?, closed = ?, gap_count = ?, unexcused_gap_count = ?,"
      " origin = ?, log_size = ?, log_root = ?, checkpoint_index = ?, checkpoint_ms = ? WHERE row = ?",
      end_, newest_, write_streams(streams_), closed_, gap_count_, unexcused_gap_count_, origin, log_size,
      log_root.hex(), checkpoint_index, checkpoint_utc, row));
  for (const NewMark& one : new_marks_) {
    const Mark mark{"room-" + std::to_string(one.index), one.entry.at, one.entry.stream, one.text, one.entry.person,
                    false};
    GREFFE_TRY(insert_mark(db, row, mark));
  }
  for (const Digest& one : new_lost_) {
    GREFFE_TRY(db.run("INSERT OR IGNORE INTO lost(hearing, sha256) VALUES(?, ?)", row, one.hex()));
  }
  for (DetailsVersion& one : new_details_) one.counts_from = std::min(one.utc, checkpoint_utc);
  GREFFE_TRY(add_details_versions(db, row, new_details_));
  new_marks_.clear();
  new_details_.clear();
  new_lost_.clear();
  return ok();
}

Status insert_mark(Connection& db, std::int64_t hearing_row, const Mark& mark) {
  return db.run("INSERT INTO mark(hearing, at_ms, id, stream, text, folded, account, from_archive)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                hearing_row, mark.at, mark.id, mark.stream, mark.text, fold(mark.text), mark.account,
                mark.from_archive);
}

}  // namespace greffe::catalogue
