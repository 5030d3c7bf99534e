#include "archive/verify/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "archive/base/progress.h"

namespace greffe::verify {
namespace {

constexpr std::size_t kFindingsKept = 10'000;  // a wholly wrong pool must not fill the memory
constexpr std::size_t kFindingsInWords = 50;

std::string seconds_of_day(UtcTime time) { return to_text(time).substr(11, 8); }

std::string time_range(const Finding& f) {
  if (!f.from) return {};
  if (!f.to) return fmt::format("{} {} UTC", to_date(*f.from), seconds_of_day(*f.from));
  // Whole seconds outwards: nobody should look beside the damage.
  const UtcTime end{(f.to->ms + 999) / 1000 * 1000};
  return fmt::format("{} {} to {} UTC", to_date(*f.from), seconds_of_day(*f.from), seconds_of_day(end));
}

std::string place_of(const Finding& f) {
  std::vector<std::string> parts;
  if (!f.hearing.empty()) parts.push_back("hearing " + f.hearing);
  if (!f.stream.empty()) parts.push_back("stream " + f.stream);
  if (const std::string range = time_range(f); !range.empty()) parts.push_back(range);
  if (f.entry && f.entry_end && *f.entry_end > *f.entry + 1) {
    parts.push_back(fmt::format("{} log entries {} to {}", f.log, *f.entry, *f.entry_end - 1));
  } else if (f.entry) {
    parts.push_back(fmt::format("{} log entry {}", f.log, *f.entry));
  }
  if (!f.object.empty()) parts.push_back("object " + f.object);
  if (!f.file.empty()) parts.push_back(f.file);
  if (f.offset) parts.push_back(fmt::format("from byte {}", *f.offset));
  return fmt::format("{}", fmt::join(parts, ", "));
}

void set_text(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json.set(key, text);
}

Json to_json(const Finding& f) {
  Json out;
  out.set("verdict", name_of(f.verdict)).set("code", f.code).set("what", f.what);
  set_text(out, "hearing", f.hearing);
  set_text(out, "stream", f.stream);
  set_text(out, "log", f.log);
  if (f.entry) out.set("entry", *f.entry);
  if (f.entry_end) out.set("entry_end", *f.entry_end);
  set_text(out, "object", f.object);
  set_text(out, "file", f.file);
  if (f.offset) out.set("offset", *f.offset);
  if (f.from) out.set("from", *f.from);
  if (f.to) out.set("to", *f.to);
  return out;
}

Json to_json(const DeclaredGap& gap) {
  Json out;
  Json::Array streams(gap.streams.begin(), gap.streams.end());
  out.set("entry", gap.entry).set("streams", std::move(streams)).set("from", gap.from).set("to", gap.to).set("reason", gap.reason);
  set_text(out, "person", gap.person);
  if (gap.note) out.set("note_sha256", *gap.note);
  Json::Array explanations;
  for (const FiledExplanation& one : gap.explanations) {
    Json filed;
    filed.set("note_sha256", one.note);
    set_text(filed, "person", one.person);
    set_text(filed, "reason", one.reason);
    explanations.push_back(std::move(filed));
  }
  if (!explanations.empty()) out.set("explanations", std::move(explanations));
  return out;
}

Json to_json(const HearingSummary& h, Verdict verdict) {
  Json out;
  Json::Array streams(h.streams.begin(), h.streams.end());
  Json::Array gaps;
  for (const DeclaredGap& gap : h.gaps) gaps.push_back(to_json(gap));
  Json::Array cosigned(h.cosigned_by.begin(), h.cosigned_by.end());
  out.set("hearing", h.hearing).set("verdict", name_of(verdict)).set("entries", h.entries).set("segments", h.segments);
  out.set("bytes", h.bytes).set("streams", std::move(streams)).set("gaps", std::move(gaps)).set("lost", h.lost);
  out.set("cosigned_by", std::move(cosigned));
  set_text(out, "court", h.court);
  set_text(out, "room", h.room);
  set_text(out, "station", h.station);
  if (h.start) out.set("start", *h.start);
  if (h.end) out.set("end", *h.end);
  if (h.account) out.set("account", json_of(*h.account));
  return out;
}

Json to_json(const LogSummary& log) {
  Json out;
  Json::Array cosigned;
  for (const auto& [name, time] : log.cosigned) {
    Json one;
    one.set("name", name).set("utc", time);
    cosigned.push_back(std::move(one));
  }
  out.set("origin", log.origin).set("size", log.size).set("root", log.root).set("covered", log.covered);
  out.set("cosigned", std::move(cosigned));
  return out;
}

std::string hours(std::int64_t ms) {
  return fmt::format("{}:{:02}:{:02}.{:03}", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000);
}

std::string words_of(const TimeSums& s) {
  return fmt::format("{} declared = {} recorded + {} excused + {} unexcused{}", hours(s.declared_ms), hours(s.recorded_ms),
                     hours(s.excused_ms), hours(s.unexcused_ms),
                     s.unexplained_ms > 0 ? ", of which " + hours(s.unexplained_ms) + " without an explanation" : "");
}

std::string words_of(const TimeAccount& account) {
  std::string out = "  time " + words_of(account.total) + "\n";
  for (const StreamTime& stream : account.streams) {
    out += fmt::format("    {} {}; drift {} ms\n", stream.stream, words_of(stream.sums), stream.drift_ms);
  }
  if (account.joins > 0) {
    out += fmt::format("    the station was restarted {} times; joined by the wall clock with a stated error of {} ms\n", account.joins,
                       account.join_error_ms);
  }
  return out;
}

std::string words_of(const DeclaredGap& gap) {
  std::string out = fmt::format("  gap {} to {}: {} ({}){}\n", seconds_of_day(gap.from), seconds_of_day(gap.to), gap.reason,
                                fmt::join(gap.streams, ", "), gap.person.empty() ? "" : ", declared by " + gap.person);
  for (const FiledExplanation& one : gap.explanations) {
    out += fmt::format("    explained later{}{}, document {}; this excuses nothing\n", one.person.empty() ? "" : " by " + one.person,
                       one.reason.empty() ? "" : " as " + one.reason, one.note.hex());
  }
  return out;
}

std::string_view meaning_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::verified: return "Every byte is what was recorded and signed, and nothing is missing.";
    case Verdict::verified_with_declared_gaps:
      return "Every byte is what was recorded and signed. The recording has gaps; each of them has a reason on record.";
    case Verdict::incomplete: return "What is there is unaltered, but proof is still missing.";
    case Verdict::unknown_format: return "Something is of a kind that this verifier does not know. Use a newer one.";
    case Verdict::unreadable: return "Something could not be read, so it could not be judged.";
    case Verdict::tampered: return "Something is not what was recorded and signed.";
  }
  return {};
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::verified: return "VERIFIED";
    case Verdict::verified_with_declared_gaps: return "VERIFIED_WITH_DECLARED_GAPS";
    case Verdict::incomplete: return "INCOMPLETE";
    case Verdict::unknown_format: return "UNKNOWN_FORMAT";
    case Verdict::unreadable: return "UNREADABLE";
    case Verdict::tampered: return "TAMPERED";
  }
  return {};
}

void Report::add(Finding finding) {
  const std::lock_guard lock(mutex_);
  worst_ = std::max(worst_, finding.verdict);
  if (findings_.size() < kFindingsKept) {
    findings_.push_back(std::move(finding));
  } else {
    ++unlisted_findings_;
  }
}

void Report::note(std::string text) {
  const std::lock_guard lock(mutex_);
  if (notes_.size() < kFindingsKept) notes_.push_back(std::move(text));
}

void Report::add(HearingSummary hearing) {
  const std::lock_guard lock(mutex_);
  if (!hearing.gaps.empty() || hearing.lost > 0) worst_ = std::max(worst_, Verdict::verified_with_declared_gaps);
  hearings_.push_back(std::move(hearing));
}

void Report::add(LogSummary log) {
  const std::lock_guard lock(mutex_);
  logs_.push_back(std::move(log));
}

void Report::add_lost_documents(std::uint64_t count) {
  if (count == 0) return;
  note(fmt::format("{} documents that the main log names are declared lost", count));
  const std::lock_guard lock(mutex_);
  worst_ = std::max(worst_, Verdict::verified_with_declared_gaps);
}

void Report::set_paths(std::string kind, std::vector<std::string> paths) {
  const std::lock_guard lock(mutex_);
  kind_ = std::move(kind);
  paths_ = std::move(paths);
}

Verdict Report::verdict() const {
  const std::lock_guard lock(mutex_);
  return worst_;
}

std::vector<Finding> Report::findings() const {
  const std::lock_guard lock(mutex_);
  return findings_;
}

std::vector<HearingSummary> Report::hearings() const {
  const std::lock_guard lock(mutex_);
  return hearings_;
}

std::string Report::words() const {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("{}\n{}\n", name_of(worst_), meaning_of(worst_));
  std::vector<const Finding*> order;
  for (const Finding& f : findings_) order.push_back(&f);
  std::stable_sort(order.begin(), order.end(), [](const Finding* a, const Finding* b) { return a->verdict > b->verdict; });
  for (std::size_t i = 0; i < order.size() && i < kFindingsInWords; ++i) {
    const std::string place = place_of(*order[i]);
    out += fmt::format("\n  {}: {}{}\n", name_of(order[i]->verdict), order[i]->what, place.empty() ? "" : "\n    " + place);
  }
  const std::uint64_t more = findings_.size() + unlisted_findings_ - std::min(findings_.size(), kFindingsInWords);
  if (more > 0) out += fmt::format("\n  and {} more; --json lists them\n", more);
  for (const HearingSummary& h : hearings_) {
    if (hearings_.size() > 1) break;  // a pool: the totals below say it
    out += fmt::format("\nHearing {} in {}/{}", h.hearing, h.court, h.room);
    if (h.start) out += fmt::format(", {} {} UTC", to_date(*h.start), seconds_of_day(*h.start));
    if (h.end) out += fmt::format(" to {} UTC", seconds_of_day(*h.end));
    out += fmt::format("\n  {} streams ({}), {} segments, {}\n", h.streams.size(), fmt::join(h.streams, ", "), h.segments,
                       human_bytes(h.bytes));
    if (h.account) out += words_of(*h.account);
    for (const DeclaredGap& gap : h.gaps) out += words_of(gap);
    if (h.lost > 0) out += fmt::format("  {} objects are declared lost\n", h.lost);
  }
  for (const LogSummary& log : logs_) {
    out += fmt::format("\nMain log {}: {} entries, root {}\n", log.origin, log.size, log.root);
    for (const auto& [name, time] : log.cosigned) out += fmt::format("  cosigned by {} on {}\n", name, to_text(time));
  }
  for (const std::string& text : notes_) out += "note: " + text + "\n";
  out += fmt::format("\nChecked {} hearings, {} log entries, {} objects in {} copies, {}.\n", hearings_.size(),
                     entries.load(), objects.load(), copies.load(), human_bytes(bytes.load()));
  return out;
}

Json Report::json() const {
  const std::lock_guard lock(mutex_);
  Json out;
  Json checked;
  checked.set("hearings", std::uint64_t{hearings_.size()}).set("entries", entries.load()).set("objects", objects.load());
  checked.set("copies", copies.load()).set("bytes", bytes.load());
  Json::Array findings;
  for (const Finding& f : findings_) findings.push_back(to_json(f));
  Json::Array hearings;
  // What is wrong with the main log or the folder as a whole is wrong with every hearing in it.
  std::map<std::string_view, Verdict> worst_of;
  for (const Finding& f : findings_) worst_of[f.hearing] = std::max(worst_of[f.hearing], f.verdict);
  for (const HearingSummary& h : hearings_) {
    const Verdict gaps = h.gaps.empty() && h.lost == 0 ? Verdict::verified : Verdict::verified_with_declared_gaps;
    const auto own = worst_of.find(h.hearing);
    const Verdict found = std::max(worst_of[""], own == worst_of.end() ? Verdict::verified : own->second);
    hearings.push_back(to_json(h, std::max(gaps, found)));
  }
  Json::Array logs;
  for (const LogSummary& log : logs_) logs.push_back(to_json(log));
  Json::Array notes(notes_.begin(), notes_.end());
  Json::Array paths(paths_.begin(), paths_.end());
  out.set("verdict", name_of(worst_)).set("kind", kind_).set("paths", std::move(paths)).set("checked", std::move(checked));
  out.set("findings", std::move(findings)).set("hearings", std::move(hearings)).set("logs", std::move(logs));
  out.set("notes", std::move(notes));
  if (unlisted_findings_ > 0) out.set("unlisted_findings", unlisted_findings_);
  return out;
}

}  // namespace greffe::verify
