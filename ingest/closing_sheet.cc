#include "ingest/closing_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include "ingest/hearing_state.h"
#include "ingest/import_begin.h"
#include "ingest/sheet_page.h"
#include "ingest/spool.h"
#include "ingest/station.h"

namespace greffe::ingest {
namespace {

constexpr unsigned kFileMode = 0640;

std::string sheet_path(const SpoolPaths& paths) { return join(paths.directory, "sheet.json"); }
std::string page_path(const SpoolPaths& paths, Language language) {
  return join(paths.directory, fmt::format("sheet-{}.html", tag_of(language)));
}

// A finished hearing's log, whole.
struct FinishedLog {
  SignedCheckpoint checkpoint;
  std::vector<HearingEntry> entries;
  const OpenEntry& open() const { return std::get<OpenEntry>(entries.front()); }
  const CloseEntry& close() const { return std::get<CloseEntry>(entries.back()); }
};
Result<FinishedLog> read_finished(FileSystem& files, const SpoolPaths& paths) {
  SignedLog log = GREFFE_TRY(read_signed_log(files, paths));
  FinishedLog out;
  for (const std::string& entry : log.entries) out.entries.push_back(GREFFE_TRY(parse_hearing_entry(entry)));
  if (out.entries.empty() || !std::holds_alternative<OpenEntry>(out.entries.front()) ||
      !std::holds_alternative<CloseEntry>(out.entries.back())) {
    return fail(Errc::conflict, fmt::format("the hearing in {} is not finished, so there is no sheet of it yet; finish it with: "
                                            "greffe-ingest close", paths.directory));
  }
  out.checkpoint = std::move(*log.checkpoint);
  return out;
}

// The document, and that it is the one the log names.
Result<std::string> read_document(FileSystem& files, const SpoolPaths& paths, const Digest& digest) {
  const auto bytes = files.read_file(paths.object(digest), kMaxDocumentBytes);
  if (!bytes) return bytes.error();
  std::string text(as_text(*bytes));
  if (sha256(as_bytes(text)) != digest || !parse_canonical_json(text)) {
    return fail(Errc::corrupt, fmt::format("{} is not the document that the log names; the station's copy is damaged", paths.object(digest)));
  }
  return text;
}

SheetStream sheet_stream(const StreamState& state, const TimeAccount& account) {
  SheetStream out;
  out.stream = state.stream;
  out.segments = state.segments;
  out.bytes = state.bytes;
  out.duration_90k = state.duration_90k;
  for (const StreamTime& one : account.streams) {
    if (one.stream == out.stream.name) out.time = one.sums;
  }
  return out;
}

Result<SheetInterruption> sheet_interruption(FileSystem& files, const SpoolPaths& paths, const GapEntry& gap, const TimeAxis& axis) {
  SheetInterruption out;
  out.from = gap.from;
  out.to = gap.to;
  out.length_ms = std::max<std::int64_t>(0, axis.end_at(gap) - axis.at(begin_of(gap)));
  out.reason = gap.reason;
  out.streams = gap.streams;
  out.person = gap.person;
  if (gap.note) out.note = GREFFE_TRY(read_document(files, paths, *gap.note));
  return out;
}

// Every gap with what was filed about it, in the order of the log.
Result<std::vector<SheetInterruption>> sheet_interruptions(FileSystem& files, const SpoolPaths& paths, const std::vector<HearingEntry>& entries) {
  TimeAxis axis;
  for (const HearingEntry& entry : entries) axis.add(entry);
  axis.join();
  std::vector<SheetInterruption> out;
  std::map<std::uint64_t, std::size_t> by_entry;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (const auto* gap = std::get_if<GapEntry>(&entries[i])) {
      by_entry[i] = out.size();
      out.push_back(GREFFE_TRY(sheet_interruption(files, paths, *gap, axis)));
    } else if (const auto* e = std::get_if<ExplanationEntry>(&entries[i])) {
      const auto at = by_entry.find(e->gap);
      if (at == by_entry.end()) continue;  // of no earlier gap: the verifier says so
      out[at->second].explanations.push_back({e->person, e->reason, GREFFE_TRY(read_document(files, paths, e->note))});
    }
  }
  return out;
}

// The sheet that was made before, if it is of this very log.
Result<std::optional<ClosingSheet>> read_filed(FileSystem& files, const SpoolPaths& paths, const SignedCheckpoint& checkpoint) {
  const auto bytes = files.read_file(sheet_path(paths), kMaxClosingSheetBytes);
  const bool unusable = !bytes && (bytes.error().code == Errc::not_found || bytes.error().code == Errc::invalid);
  if (unusable) return std::optional<ClosingSheet>();
  if (!bytes) return bytes.error();
  auto sheet = parse_closing_sheet(as_text(*bytes));
  // Damaged, or of an older program: it is derived, so it is made again.
  if (!sheet || sheet->checkpoint != checkpoint.note.write()) return std::optional<ClosingSheet>();
  return std::optional<ClosingSheet>(std::move(*sheet));
}

Result<ClosingSheet> make_sheet(FileSystem& files, const SpoolPaths& paths, const PlaceSettings& place, const PrivateKey& key,
                               const FinishedLog& log) {
  const OpenEntry& open = log.open();
  if (open.station_key != key.public_key()) {
    return fail(Errc::denied, fmt::format("the hearing in {} was recorded with another key than this station's; only that key can sign its "
                                          "sheet", paths.directory));
  }
  ClosingSheet out;
  out.archive = open.archive;
  out.hearing = open.hearing;
  out.court = open.court;
  out.room = open.room;
  out.court_names = place.court_names;
  out.room_names = place.room_names;
  out.station = open.station;
  out.station_key = open.station_key;
  out.continues = open.continues;
  out.start = open.start;
  out.end = log.close().end;
  if (place.zone) out.zone = place.zone->name();
  HearingState state;
  TimeAccounting accounting;
  for (const HearingEntry& entry : log.entries) {
    state.apply(entry);
    accounting.add(entry);
  }
  out.details = GREFFE_TRY(read_document(files, paths, state.details()));
  for (const CorrectionEntry& one : state.corrections()) out.corrections.push_back({one.utc, one.person, one.details});
  const TimeAccount account = accounting.account();
  for (const StreamState& one : state.streams()) out.streams.push_back(sheet_stream(one, account));
  out.interruptions = GREFFE_TRY(sheet_interruptions(files, paths, log.entries));
  out.checkpoint = log.checkpoint.note.write();
  return out;
}

}  // namespace

Result<FiledSheet> file_closing_sheet(FileSystem& files, const IngestSettings& settings, const HearingId& id,
                                      std::optional<Language> language) {
  const SpoolPaths paths = spool_of(settings.directory, id);
  if (!files.stat(paths.directory)) {
    return fail(Errc::not_found, fmt::format("there is no hearing {} in {}", id.text(), spool_path(settings.directory)));
  }
  const FinishedLog log = GREFFE_TRY(read_finished(files, paths));
  FiledSheet out;
  out.file = sheet_path(paths);
  if (auto filed = GREFFE_TRY(read_filed(files, paths, log.checkpoint))) {
    out.sheet = std::move(*filed);
  } else {
    const PrivateKey key = GREFFE_TRY(load_station_key(files, settings.directory, false));
    out.sheet = GREFFE_TRY(make_sheet(files, paths, settings.place, key, log));
    const std::string text = write_closing_sheet(out.sheet, key);
    GREFFE_TRY(files.replace(out.file, as_bytes(text), kFileMode));
  }
  const Details details = GREFFE_TRY(parse_details(out.sheet.details));
  out.language = language.value_or(nearest_language(details.language));
  out.page = page_path(paths, out.language);
  const std::string page = GREFFE_TRY(sheet_page(out.sheet, out.language));
  GREFFE_TRY(files.replace(out.page, as_bytes(page), kFileMode));
  return out;
}

}  // namespace greffe::ingest
