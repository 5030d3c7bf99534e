#include "archive/verify/sheet_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "archive/verify/files.h"
#include "archive/verify/main_check.h"

namespace greffe::verify {
namespace {

// Programs that read codes give the text with other line ends, or without the last one.
std::string note_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '\r') out += c;
  }
  while (out.ends_with('\n')) out.pop_back();
  return out + "\n";
}

class SheetCheck {
 public:
  SheetCheck(const Sheet& sheet, const HearingCheck& hearing, Report& report) : sheet_(sheet), hearing_(hearing), report_(report) {}

  void run() {
    const Checkpoint& stated = sheet_.note.checkpoint;
    if (sheet_.origin.id != hearing_.id() || stated.origin != hearing_.checkpoint().origin) {
      return wrong("sheet-hearing", fmt::format("the sheet is of hearing {}, the recording of hearing {}", sheet_.origin.id.text(),
                                                hearing_.id().text()));
    }
    const TileTree& tree = hearing_.tree();
    if (stated.size > tree.size() || tree.root_at(stated.size) != stated.root) {
      return wrong("sheet-root", fmt::format("the recording does not have the integrity value of the sheet: the sheet states {} entries with "
                                             "root {}", stated.size, stated.root.hex()));
    }
    const auto& open = hearing_.timeline().open();
    const VerifierKey station{stated.origin, KeyType::ed25519, open ? open->station_key : PublicKey{}};
    if (!open || !verify_note(sheet_.note.note, station)) {
      return wrong("sheet-signature", "the sheet's checkpoint is not signed by the station that recorded the hearing");
    }
    if (sheet_.whole) compare(*sheet_.whole, *open);
    report_.note(fmt::format("{}: the recording has the integrity value of this sheet, {} of its {} entries", sheet_.file, stated.size,
                             tree.size()));
  }

 private:
  void wrong(const char* code, std::string what) {
    Finding f;
    f.code = code;
    f.what = std::move(what);
    f.hearing = hearing_.id().text();
    f.file = sheet_.file;
    report_.add(std::move(f));
  }
  void differs(std::string_view what) { wrong("sheet-differs", fmt::format("the sheet and the recording differ: {}", what)); }

  void compare(const ClosingSheet& sheet, const OpenEntry& open) {
    if (sheet.station_key != open.station_key) wrong("sheet-signature", "the sheet is signed by another key than the recording");
    if (sheet.court != open.court || sheet.room != open.room || sheet.station != open.station) differs("court, room or station");
    compare_details(sheet, open);
    if (sheet.continues != open.continues) differs("which hearing it continues");
    if (sheet.start != open.start) differs("when it began");
    const auto& close = hearing_.timeline().close();
    if (!close) return differs("the recording is not finished");
    if (sheet.end != close->end) differs("when it ended");
    compare_streams(sheet, *close);
    compare_interruptions(sheet);
  }

  void compare_details(const ClosingSheet& sheet, const OpenEntry& open) {
    const std::vector<CorrectionEntry>& logged = hearing_.corrections();
    if (sha256(as_bytes(sheet.details)) != (logged.empty() ? open.details : logged.back().details)) {
      differs("the details (cases, parties, judges)");
    }
    const auto same = [](const SheetCorrection& one, const CorrectionEntry& entry) {
      return one.utc == entry.utc && one.person == entry.person && one.details == entry.details;
    };
    if (!std::equal(sheet.corrections.begin(), sheet.corrections.end(), logged.begin(), logged.end(), same)) {
      differs("whether and when the case was corrected");
    }
  }

  void compare_streams(const ClosingSheet& sheet, const CloseEntry& close) {
    const TimeAccount account = hearing_.account();
    if (sheet.streams.size() != close.totals.size()) differs("how many streams there are");
    for (const SheetStream& one : sheet.streams) {
      const std::string& name = one.stream.name;
      const auto total = std::find_if(close.totals.begin(), close.totals.end(), [&](const StreamTotal& t) { return t.stream == name; });
      if (total == close.totals.end() || total->segments != one.segments || total->bytes != one.bytes ||
          total->duration_90k != one.duration_90k) {
        differs("what was recorded of stream " + name);
      }
      const auto time = std::find_if(account.streams.begin(), account.streams.end(), [&](const StreamTime& t) { return t.stream == name; });
      if (time == account.streams.end() || !same(time->sums, one.time)) differs("the account of time of stream " + name);
    }
  }

  static bool same(const TimeSums& a, const TimeSums& b) {
    return a.declared_ms == b.declared_ms && a.recorded_ms == b.recorded_ms && a.excused_ms == b.excused_ms &&
           a.unexcused_ms == b.unexcused_ms && a.unexplained_ms == b.unexplained_ms;
  }

  // Gaps and what explains them, as the log has them.
  void compare_interruptions(const ClosingSheet& sheet) {
    std::map<std::uint64_t, std::pair<std::size_t, std::size_t>> gaps;  // by index: which interruption, how many explanations so far
    for (const auto& [index, entry] : hearing_.interruptions()) {
      if (const auto* gap = std::get_if<GapEntry>(&entry)) {
        const std::size_t number = gaps.size();
        gaps[index] = {number, 0};
        if (number >= sheet.interruptions.size() || !same(sheet.interruptions[number], *gap)) differs(fmt::format("interruption {}", number + 1));
      } else if (const auto* explanation = std::get_if<ExplanationEntry>(&entry)) {
        const auto at = gaps.find(explanation->gap);
        if (at == gaps.end()) continue;
        auto& [number, explained] = at->second;
        if (number >= sheet.interruptions.size() || !explains(sheet.interruptions[number], explained, *explanation)) {
          differs(fmt::format("the explanation of interruption {}", number + 1));
        }
        ++explained;
      }
    }
    if (sheet.interruptions.size() != gaps.size()) return differs("how many interruptions there were");
    for (const auto& [index, counted] : gaps) {
      if (sheet.interruptions[counted.first].explanations.size() > counted.second) {
        differs(fmt::format("the explanation of interruption {}", counted.first + 1));
      }
    }
  }

  static bool same(const SheetInterruption& one, const GapEntry& gap) {
    const bool same_note = one.note.empty() ? !gap.note : gap.note && sha256(as_bytes(one.note)) == *gap.note;
    return one.from == gap.from && one.to == gap.to && one.reason == gap.reason && one.person == gap.person && one.streams == gap.streams &&
           same_note;
  }
  static bool explains(const SheetInterruption& one, std::size_t number, const ExplanationEntry& entry) {
    if (number >= one.explanations.size()) return false;
    const SheetExplanation& e = one.explanations[number];
    return sha256(as_bytes(e.note)) == entry.note && e.person == entry.person && e.reason == entry.reason;
  }

  const Sheet& sheet_;
  const HearingCheck& hearing_;
  Report& report_;
};

Finding incomplete(const Sheet& sheet, const char* code, std::string what) {
  Finding f;
  f.verdict = Verdict::incomplete;
  f.code = code;
  f.what = std::move(what);
  f.hearing = sheet.origin.id.text();
  f.file = sheet.file;
  return f;
}

}  // namespace

Result<std::optional<Sheet>> read_sheet(const std::string& file, Report& report) {
  const auto text = read_text(file, kMaxClosingSheetBytes);
  if (!text) return text.error().within("the sheet cannot be read");
  Sheet out;
  out.file = file;
  std::string note = note_text(*text);
  if (text->starts_with('{')) {
    auto whole = parse_closing_sheet(*text);
    if (!whole && whole.error().code == Errc::corrupt) {
      Finding f;
      f.code = "sheet-signature";
      f.what = whole.error().message;
      f.file = file;
      report.add(std::move(f));
      return std::optional<Sheet>();
    }
    if (!whole) return whole.error().within(file);
    note = whole->checkpoint;
    out.whole = std::move(*whole);
  }
  auto parsed = parse_signed_checkpoint(note);
  const auto origin = parsed ? parse_hearing_origin(parsed->checkpoint.origin) : Result<HearingOrigin>(parsed.error());
  if (!origin) {
    return fail(Errc::invalid, fmt::format("{} is neither a closing sheet (sheet.json) nor the text of the code on a printed one: {}", file,
                                           origin.error().message));
  }
  out.note = std::move(*parsed);
  out.origin = *origin;
  return std::optional<Sheet>(std::move(out));
}

void check_sheet_alone(const Sheet& sheet, const Policy& policy, Report& report) {
  if (trusted_log(policy, sheet.origin.archive_name) == nullptr) {
    report.add(incomplete(sheet, "sheet-archive", "the policy does not name the archive of this sheet, " + sheet.origin.archive_name));
  }
  report.add(incomplete(sheet, "sheet-alone",
                        fmt::format("{}; whether that is a station of {}, and whether the recording still has this integrity value, only an "
                                    "exported hearing shows: ask the court for one and name it as PATH",
                                    sheet.whole ? "the sheet is as the station key that it names signed it"
                                                : "the text of the code is whole, but does not say whose key signed it",
                                    sheet.origin.archive_name)));
}

void check_sheet(const Sheet& sheet, const HearingCheck& hearing, Report& report) { SheetCheck(sheet, hearing, report).run(); }

}  // namespace greffe::verify
