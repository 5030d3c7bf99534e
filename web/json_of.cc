#include "web/json_of.h"

namespace greffe::web {
namespace {

Json list(const std::vector<std::string>& texts) {
  Json::Array out;
  for (const std::string& text : texts) out.push_back(text);
  return out;
}

Json stream_facts(const std::string& name, const std::string& medium, const std::string& source) {
  Json out;
  out.set("medium", medium).set("name", name).set("source", source);
  return out;
}

Json parties(const Details& details) {
  Json::Array out;
  for (const Party& party : details.parties) {
    Json p;
    p.set("name", party.name).set("role", party.role);
    if (!party.spellings.empty()) p.set("spellings", list(party.spellings));
    out.push_back(std::move(p));
  }
  return out;
}

// A note that is lost leaves neither text nor document.
Json explanation(const archive::TimelineExplanation& one) {
  Json out;
  out.set("index", one.index).set("text", one.text);
  if (!one.document.empty()) out.set("document", one.document);
  if (!one.entry.person.empty()) out.set("person", one.entry.person);
  if (!one.entry.reason.empty()) out.set("reason", one.entry.reason);
  return out;
}

}  // namespace

Json json_of(const catalogue::NamesByLanguage& names) {
  Json out;
  for (const auto& [language, name] : names) out.set(language, name);
  return out;
}

Json json_of(const accounts::Account& account) {
  Json out;
  Json::Array roles;
  for (const accounts::Role role : account.roles) roles.push_back(accounts::name_of(role));
  out.set("account", account.name).set("all_courts", account.all_courts).set("courts", list(account.courts));
  out.set("language", account.language).set("name", account.display_name).set("roles", std::move(roles));
  return out;
}

Json json_of(const catalogue::HearingRow& row) {
  Json out;
  out.set("id", row.id.text()).set("title", row.details.title).set("cases", list(row.details.cases));
  out.set("parties", parties(row.details)).set("judges", list(row.details.judges)).set("clerk", row.details.clerk);
  out.set("court", row.court).set("court_names", json_of(row.court_names)).set("room", row.room);
  out.set("room_names", json_of(row.room_names)).set("zone", row.zone.empty() ? "UTC" : row.zone);
  if (row.details.scheduled.ms != 0) out.set("scheduled", row.details.scheduled);
  out.set("start", row.start).set("duration_ms", row.duration_ms);
  if (row.end) out.set("end", *row.end);
  Json::Array streams;
  for (const catalogue::StreamFacts& s : row.streams) streams.push_back(stream_facts(s.name, s.medium, s.source));
  out.set("streams", std::move(streams)).set("state", row.closed ? "closed" : "open");
  out.set("gap_count", row.gap_count).set("unexcused_gap_count", row.unexcused_gap_count);
  out.set("public", row.details.is_public);
  if (row.continues) out.set("continues", row.continues->text());
  if (row.shared) {
    Json shared;
    if (row.shared->until) shared.set("until", *row.shared->until);
    out.set("shared", std::move(shared));
  }
  if (!row.mark_matches.empty()) {
    Json::Array matches;
    for (const catalogue::MarkMatch& match : row.mark_matches) {
      Json m;
      m.set("at", match.at).set("text", match.text);
      matches.push_back(std::move(m));
    }
    out.set("mark_matches", std::move(matches));
  }
  return out;
}

Json json_of(const catalogue::Sitting& sitting) {
  Json out;
  if (!sitting.row) return std::move(out.set("hidden", true));
  const catalogue::HearingRow& row = *sitting.row;
  out.set("id", row.id.text()).set("court", row.court).set("court_names", json_of(row.court_names)).set("room", row.room);
  out.set("room_names", json_of(row.room_names)).set("zone", row.zone.empty() ? "UTC" : row.zone).set("start", row.start);
  out.set("duration_ms", row.duration_ms).set("state", row.closed ? "closed" : "open").set("title", row.details.title);
  if (row.end) out.set("end", *row.end);
  if (row.continues) out.set("continues", row.continues->text());
  return out;
}

Json json_of(const catalogue::Court& court) {
  Json out;
  Json::Array rooms;
  for (const catalogue::Room& room : court.rooms) {
    Json r;
    r.set("names", json_of(room.names)).set("room", room.room);
    rooms.push_back(std::move(r));
  }
  out.set("court", court.court).set("names", json_of(court.names)).set("rooms", std::move(rooms));
  out.set("zone", court.zone.empty() ? "UTC" : court.zone);
  return out;
}

Json json_of(const catalogue::Mark& mark, const std::string& account_name) {
  Json out;
  out.set("account_name", account_name).set("at", mark.at).set("id", mark.id);
  out.set("origin", mark.from_archive ? "archive" : "room").set("text", mark.text);
  if (!mark.stream.empty()) out.set("stream", mark.stream);
  return out;
}

Json json_of(const Details& details) {
  Json out;
  Json::Array parts;
  for (const HearingPart& part : details.parts) {
    Json p;
    p.set("cases", list(part.cases)).set("from", part.from).set("to", part.to);
    parts.push_back(std::move(p));
  }
  out.set("cases", list(details.cases)).set("clerk", details.clerk).set("judges", list(details.judges));
  out.set("language", details.language).set("parties", parties(details)).set("parts", std::move(parts));
  out.set("public", details.is_public).set("title", details.title);
  if (details.scheduled.ms != 0) out.set("scheduled", details.scheduled);
  return out;
}

Json json_of(const archive::Timeline& timeline) {
  Json out;
  Json::Array streams;
  for (const archive::TimelineStream& stream : timeline.streams) {
    Json s = stream_facts(stream.stream.name, stream.stream.medium, stream.stream.source);
    Json::Array segments;
    for (const archive::TimelineSegment& segment : stream.segments) {
      const SegmentEntry& e = segment.entry;
      Json one;
      one.set("bytes", e.bytes).set("codecs", e.codecs).set("duration_90k", e.duration_90k).set("flags", list(e.flags));
      one.set("index", segment.index).set("init_bytes", e.init_bytes).set("run", e.run).set("seq", e.seq);
      one.set("sha256", e.sha256).set("start_90k", e.start_90k).set("utc", e.utc);
      segments.push_back(std::move(one));
    }
    s.set("segments", std::move(segments));
    streams.push_back(std::move(s));
  }
  Json::Array gaps;
  for (const archive::TimelineGap& gap : timeline.gaps) {
    Json g;
    g.set("excused", is_excused(gap.entry.reason)).set("from", gap.entry.from).set("index", gap.index);
    g.set("reason", gap.entry.reason).set("streams", list(gap.entry.streams)).set("to", gap.entry.to);
    if (!gap.entry.person.empty()) g.set("person", gap.entry.person);
    if (!gap.note.empty()) g.set("note", gap.note);
    Json::Array explanations;
    for (const archive::TimelineExplanation& one : gap.explanations) explanations.push_back(explanation(one));
    if (!explanations.empty()) g.set("explanations", std::move(explanations));
    gaps.push_back(std::move(g));
  }
  Json::Array peaks;
  for (const archive::TimelinePeaks& p : timeline.peaks) {
    Json one;
    one.set("count", p.entry.count).set("index", p.index).set("sha256", p.entry.sha256).set("stream", p.entry.stream);
    one.set("utc", p.entry.utc);
    peaks.push_back(std::move(one));
  }
  out.set("account", json_of(timeline.account)).set("end", timeline.end).set("gaps", std::move(gaps)).set("live", !timeline.closed);
  out.set("log_size", timeline.log_size).set("peaks", std::move(peaks)).set("start", timeline.start);
  out.set("streams", std::move(streams));
  return out;
}

Json json_of(const archive::WitnessFacts& facts) {
  Json out;
  out.set("alarm", facts.alarm).set("name", facts.name).set("silent_ms", facts.silent_ms).set("size", facts.size);
  if (facts.claims) out.set("claims", std::to_string(*facts.claims));  // of any size, so a string
  if (!facts.problem.empty()) out.set("problem", facts.problem);
  if (!facts.url.empty()) out.set("url", facts.url);
  if (facts.cosigned) out.set("utc", *facts.cosigned);
  return out;
}

}  // namespace greffe::web
