#include "ingest/sheet_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <vector>

#include "archive/base/progress.h"
#include "archive/base/zone.h"
#include "ingest/qr_code.h"

namespace greffe::ingest {
namespace {

constexpr std::string_view kStyle = R"(
@page{size:A4;margin:15mm 15mm 16mm}
*{box-sizing:border-box}
html{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{margin:0 auto;max-width:180mm;color:#111;background:#fff;font:9.5pt/1.4 "Noto Sans","Helvetica Neue",Arial,"Liberation Sans",system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
@media screen{body{padding:15mm 0}}
header{display:flex;justify-content:space-between;align-items:baseline;gap:8mm;border-bottom:.6mm solid #111;padding-bottom:2mm;margin-bottom:3mm}
h1{font-size:16pt;line-height:1.25;margin:0}
header p{margin:0;white-space:nowrap}
h2{font-size:11pt;margin:5mm 0 1.5mm;break-after:avoid}
p{margin:0 0 1.5mm}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.7mm 5mm;margin:0}
dt{color:#444}
dd{margin:0;overflow-wrap:anywhere}
dd small{color:#444;font-size:8pt;white-space:nowrap}
table{border-collapse:collapse;width:100%;font-size:8.5pt;font-variant-numeric:tabular-nums}
thead{display:table-header-group}
th{text-align:left;font-weight:600;border-bottom:.3mm solid #111;vertical-align:bottom}
th,td{padding:.9mm 2.5mm .9mm 0}
th:last-child,td:last-child{padding-right:0}
td{border-bottom:.15mm solid #999;vertical-align:top;overflow-wrap:anywhere}
tr{break-inside:avoid}
.n{text-align:right;white-space:nowrap}
.t{white-space:nowrap}
.w{white-space:pre-line}
.s{font-size:8.5pt;color:#444;margin-top:1.5mm}
.proof{display:flex;gap:6mm;align-items:flex-start;break-inside:avoid}
.proof dl{flex:1;display:block}
.proof dt{margin-top:1.2mm}
.proof dt:first-child{margin-top:0}
.proof svg{width:58mm;height:58mm;flex:none;margin:-2mm -2mm 0 0}
code{font:8.5pt/1.35 "DejaVu Sans Mono","Noto Sans Mono",monospace;overflow-wrap:anywhere}
.value{font-size:10pt;font-weight:600}
.sign td{height:11mm;vertical-align:bottom}
.sign th:first-child{width:36mm}
.sign th:last-child{width:72mm}
)";

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The length of the control character that `text` begins with: C0 but a line break, DEL, C1, and those that set the
// direction of the text around them. 0: it begins with another.
std::size_t hostile_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  if ((byte(0) < 0x20 && text[0] != '\n') || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return 2;
  const bool embeds = byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE;   // U+202A to U+202E
  const bool isolates = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;  // U+2066 to U+2069
  return byte(0) == 0xE2 && (embeds || isolates) ? 3 : 0;
}

std::string_view entity_of(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return {};
  }
}

// How a length, a time and a list look in one language, in the zone of the court.
class Writer {
 public:
  Writer(const ClosingSheet& sheet, Language language) : sheet_(sheet), language_(language), words_(words_in(language)) {
    const auto zone = sheet.zone.empty() ? Result<Zone>(fail(Errc::not_found, {})) : Zone::named(sheet.zone);
    if (zone) zone_ = *zone;  // otherwise UTC, and the page says so
  }

  const SheetWords& words() const { return words_; }
  Language language() const { return language_; }

  std::string length(std::int64_t ms) const {
    return fmt::format("{}:{:02d}:{:02d}{}{:03d}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, words_.decimal_sign, ms % 1000);
  }
  std::string date(UtcTime time) const {
    const WallTime at = wall(time);
    return date_words(at.year, at.month, at.day, language_);
  }
  std::string clock(UtcTime time) const {
    const WallTime at = wall(time);
    return fmt::format("{:02d}:{:02d}:{:02d}", at.hour, at.minute, at.second);
  }
  // The date only where it is not that of the beginning.
  std::string moment(UtcTime time) const {
    return date(time) == date(sheet_.start) ? clock(time) : date(time) + " " + clock(time);
  }
  std::string zone_words(UtcTime time) const {
    if (!zone_) return std::string(words_.zone_utc);
    const int minutes = zone_->offset_minutes(time);
    return fmt::format("{}{}UTC{}{:02d}:{:02d}", sheet_.zone, words_.comma, minutes < 0 ? "−" : "+", std::abs(minutes) / 60, std::abs(minutes) % 60);
  }
  bool has_zone() const { return zone_.has_value(); }

  std::string size(std::uint64_t bytes) const {
    std::string out = human_bytes(bytes);
    std::replace(out.begin(), out.end(), '.', words_.decimal_sign[0]);
    if (language_ == Language::fr) std::replace(out.begin(), out.end(), 'B', 'o');
    return out;
  }
  std::string list(const std::vector<std::string>& texts) const { return fmt::format("{}", fmt::join(texts, words_.comma)); }
  std::string bracketed(std::string_view text) const { return fmt::format("{}{}{}", words_.open_bracket, text, words_.close_bracket); }

  std::string stream(std::size_t index) const { return stream_name(sheet_.streams[index].stream, number_of(index), language_); }
  std::string streams(const std::vector<std::string>& names) const {
    if (names == std::vector<std::string>{"*"}) return std::string(words_.all_streams);
    std::vector<std::string> out;
    for (const std::string& name : names) out.push_back(named(name));
    return list(out);
  }
  // The reader's language, else English, else any, else the code.
  std::string place(const std::map<std::string, std::string>& names, const std::string& code) const {
    for (const std::string_view tag : {tag_of(language_), std::string_view("en")}) {
      const auto name = names.find(std::string(tag));
      if (name != names.end()) return name->second;
    }
    return names.empty() ? code : names.begin()->second;
  }

 private:
  WallTime wall(UtcTime time) const {
    if (zone_) return zone_->at(time);
    const std::string t = to_text(time);
    const auto number = [&](std::size_t at, std::size_t count) { return std::atoi(t.substr(at, count).c_str()); };
    return {number(0, 4), number(5, 2), number(8, 2), number(11, 2), number(14, 2), number(17, 2), number(20, 3)};
  }
  std::size_t number_of(std::size_t index) const {
    std::size_t out = 0;
    for (std::size_t i = 0; i <= index; ++i) out += sheet_.streams[i].stream.medium == sheet_.streams[index].stream.medium ? 1 : 0;
    return out;
  }
  std::string named(const std::string& name) const {
    for (std::size_t i = 0; i < sheet_.streams.size(); ++i) {
      if (sheet_.streams[i].stream.name == name) return stream(i);
    }
    return name;
  }

  const ClosingSheet& sheet_;
  const Language language_;
  const SheetWords& words_;
  std::optional<Zone> zone_;
};

// Two lines of four groups: people compare digests by eye.
std::string grouped(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 8) out += (i == 0 ? "" : i == 32 ? "<br>" : " ") + std::string(hex.substr(i, 8));
  return out;
}

std::string fact(std::string_view name, const std::string& html) { return fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), html); }

// Each party, judge or case on a line of its own where there are several.
std::string lines(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : "<br>") + escaped(text);
  return out;
}

// When and by whom; what had been chosen before is not said on paper.
std::string corrected(const ClosingSheet& sheet, const Writer& w) {
  std::vector<std::string> out;
  for (const SheetCorrection& one : sheet.corrections) {
    out.push_back(w.moment(one.utc) + (one.person.empty() ? std::string() : w.bracketed(one.person)));
  }
  out.emplace_back(w.words().corrected_says);
  return lines(out);
}

std::string facts(const ClosingSheet& sheet, const Details& details, const Writer& w) {
  const SheetWords& t = w.words();
  std::string out = "<dl>\n";
  if (!details.cases.empty()) out += fact(t.cases, lines(details.cases));
  if (!details.title.empty()) out += fact(t.matter, escaped(details.title));
  out += fact(t.court_and_room, escaped(w.place(sheet.court_names, sheet.court)) + escaped(t.comma) + escaped(w.place(sheet.room_names, sheet.room)));
  if (!details.judges.empty()) out += fact(t.judges, escaped(w.list(details.judges)));
  if (!details.clerk.empty()) out += fact(t.clerk, escaped(details.clerk));
  std::vector<std::string> parties;
  for (const Party& party : details.parties) parties.push_back(party.name + (party.role.empty() ? "" : w.bracketed(party.role)));
  if (!parties.empty()) out += fact(t.parties, lines(parties));
  out += fact(t.publicity, escaped(details.is_public ? t.is_public : t.not_public));
  const auto when = [&](UtcTime time) {
    const std::string utc = to_text(time);
    const std::string utc_words = w.has_zone() ? w.bracketed(utc.substr(0, 10) + " " + utc.substr(11, 8) + " UTC") : std::string();
    return escaped(w.date(time) + " " + w.clock(time)) + " <small>" + escaped(w.zone_words(time) + utc_words) + "</small>";
  };
  if (!sheet.corrections.empty()) out += fact(t.corrected, corrected(sheet, w));
  out += fact(t.recorded_from, when(sheet.start));
  out += fact(t.recorded_to, when(sheet.end));
  if (sheet.continues) out += fact(t.continues, escaped(sheet.continues->text()));
  return out + "</dl>\n";
}

std::string cell(std::string_view style, std::string_view text) { return fmt::format("<td class=\"{}\">{}</td>", style, escaped(text)); }
using Columns = std::vector<std::pair<std::string_view, std::string_view>>;  // style, name
std::string head(const Columns& columns) {
  std::string out = "<table><thead><tr>";
  for (const auto& [style, name] : columns) out += fmt::format("<th class=\"{}\">{}</th>", style, escaped(name));
  return out + "</tr></thead><tbody>\n";
}

// What was said at the time, then what was filed later, each on a line of its own.
std::string explained(const SheetInterruption& interruption, const Writer& w) {
  const auto text_of = [](const std::string& note) {
    const auto text = note.empty() ? Result<std::string>(std::string()) : parse_note(note);
    return text ? *text : std::string();
  };
  std::string out = text_of(interruption.note);
  for (const SheetExplanation& one : interruption.explanations) {
    std::vector<std::string> by;
    if (!one.reason.empty()) by.emplace_back(reason_word(one.reason, w.language()));
    if (!one.person.empty()) by.push_back(one.person);
    out += (out.empty() ? "" : "\n") + text_of(one.note) + (by.empty() ? std::string() : w.bracketed(w.list(by)));
  }
  return out;
}

std::string interruptions(const ClosingSheet& sheet, const Writer& w) {
  const SheetWords& t = w.words();
  std::string out = fmt::format("<h2>{}</h2>\n", escaped(t.interruptions));
  if (sheet.interruptions.empty()) return out + fmt::format("<p>{}</p>\n", escaped(t.no_interruption));
  const auto any = [&](auto member) {
    return std::any_of(sheet.interruptions.begin(), sheet.interruptions.end(), [&](const SheetInterruption& one) { return !(one.*member).empty(); });
  };
  const bool persons = any(&SheetInterruption::person);
  const bool notes = any(&SheetInterruption::note) || any(&SheetInterruption::explanations);
  Columns columns = {{"n", t.number}, {"t", t.from}, {"t", t.to}, {"n", t.length}, {"", t.reason}, {"", t.streams}};
  if (persons) columns.emplace_back("", t.person);
  if (notes) columns.emplace_back("", t.note);
  out += head(columns);
  std::size_t number = 0;
  for (const SheetInterruption& one : sheet.interruptions) {
    const std::string lawful = is_excused(one.reason) ? w.bracketed(t.lawful) : std::string();
    out += "<tr>" + cell("n", std::to_string(++number)) + cell("t", w.moment(one.from)) + cell("t", w.moment(one.to));
    out += cell("n", w.length(one.length_ms)) + cell("", std::string(reason_word(one.reason, w.language())) + lawful);
    out += cell("", w.streams(one.streams));
    if (persons) out += cell("", one.person);
    if (notes) out += cell("w", explained(one, w));
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string recordings(const ClosingSheet& sheet, const Writer& w) {
  const SheetWords& t = w.words();
  std::string out = fmt::format("<h2>{}</h2>\n", escaped(t.recordings));
  out += head({{"", t.stream}, {"n", t.recorded}, {"n", t.lawful_time}, {"n", t.other_time}, {"n", t.whole}, {"n", t.media}, {"n", t.pieces}});
  bool short_remainder = false;
  for (std::size_t i = 0; i < sheet.streams.size(); ++i) {
    const SheetStream& one = sheet.streams[i];
    out += "<tr>" + cell("", w.stream(i)) + cell("n", w.length(one.time.recorded_ms)) + cell("n", w.length(one.time.excused_ms));
    out += cell("n", w.length(one.time.unexcused_ms)) + cell("n", w.length(one.time.declared_ms));
    out += cell("n", w.size(one.bytes)) + cell("n", std::to_string(one.segments)) + "</tr>\n";
    short_remainder = short_remainder || (one.time.unexcused_ms > 0 && one.time.unexcused_ms < 1000);
  }
  out += fmt::format("</tbody></table>\n<p class=\"s\">{}", escaped(t.adds_up));
  if (short_remainder) out += (w.language() == Language::zh ? "" : " ") + escaped(t.short_remainder);
  return out + "</p>\n";
}

Result<std::string> proof(const ClosingSheet& sheet, const Writer& w) {
  const SheetWords& t = w.words();
  const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(sheet.checkpoint));
  const std::string code = GREFFE_TRY(qr_code_svg(sheet.checkpoint, escaped(t.code_label)));
  std::string out = fmt::format("<h2>{}</h2>\n<div class=\"proof\"><dl>\n", escaped(t.proof));
  out += fact(t.integrity_value, fmt::format("<code class=\"value\">{}</code>", grouped(note.checkpoint.root.hex())));
  out += fact(t.entries, std::to_string(note.checkpoint.size));
  out += fact(t.hearing, fmt::format("<code>{}<br>{}</code>", escaped(sheet.hearing.text()), escaped(sheet.archive)));
  out += fact(t.recorder, escaped(sheet.station));
  out += fact(t.recorder_key, fmt::format("<code>{}</code>", grouped(sheet.station_key.hex())));
  return out + fmt::format("</dl>{}</div>\n<p class=\"s\">{}</p>\n", code, escaped(t.how_to_check));
}

std::string signatures(const Details& details, const Writer& w) {
  const SheetWords& t = w.words();
  std::vector<std::pair<std::string, std::string>> people;
  for (const Party& party : details.parties) people.emplace_back(party.role, party.name);
  for (const std::string& judge : details.judges) people.emplace_back(t.judge, judge);
  people.emplace_back(t.clerk_role, details.clerk);
  std::string out = fmt::format("<h2>{}</h2>\n<p>{}</p>\n", escaped(t.signatures), escaped(t.signatures_say));
  std::string table = head({{"", t.role}, {"", t.name}, {"", t.signature}});
  table.insert(6, " class=\"sign\"");
  for (const auto& [role, name] : people) table += "<tr>" + cell("", role) + cell("", name) + "<td></td></tr>\n";
  return out + table + "</tbody></table>\n";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = text.substr(i);
    const std::size_t hostile = hostile_bytes(rest);
    if (hostile > 0) {
      out += kReplacement;
      i += hostile;
      continue;
    }
    const std::string_view entity = entity_of(rest.front());
    if (entity.empty()) {
      out += rest.front();
    } else {
      out += entity;
    }
    ++i;
  }
  return out;
}

Result<std::string> sheet_page(const ClosingSheet& sheet, Language language) {
  const Details details = GREFFE_TRY(parse_details(sheet.details));
  const Writer w(sheet, language);
  const SheetWords& t = w.words();
  const std::string proved = GREFFE_TRY(proof(sheet, w));
  const std::string name = details.cases.empty() ? std::string(t.title) : std::string(t.title) + " · " + details.cases.front();
  std::string out = fmt::format("<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
                                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
                                "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n",
                                tag_of(language), escaped(name), kStyle);
  out += fmt::format("<header><h1>{}</h1><p>{}</p></header>\n", escaped(t.title), escaped(w.date(sheet.start)));
  out += facts(sheet, details, w) + interruptions(sheet, w) + recordings(sheet, w) + proved + signatures(details, w);
  return out + "</body>\n</html>\n";
}

}  // namespace greffe::ingest
