// What the recorder shows of itself: docs/formats/station-control.md.
#include "ingest/recorder.h"

#include <cmath>

#include "ingest/spool_space.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kUnderWayMs = 5'000;     // a segment on its way to the archive
constexpr std::int64_t kStartingMs = 6'000;     // so long a stream may take to begin before that is a fault
constexpr std::int64_t kWorthAskingMs = 3'000;  // streams that start one after the other are nobody's concern

const char* word_for(LiveLane::State state) {
  switch (state) {
    case LiveLane::State::connecting: return "connecting";
    case LiveLane::State::waiting: return "waiting";
    case LiveLane::State::ready: return "ready";
    case LiveLane::State::recording: return "recording";
    case LiveLane::State::ending: return "ending";
  }
  return "";
}

Json to_json(const OpenPause& pause) {
  Json out;
  out.set("reason", pause.reason).set("since", pause.at.utc).set("person", pause.person);
  return out;
}

// Decibels below full scale as a part of it, 0 to 255.
std::int64_t linear(int db) { return std::lround(255.0 * std::pow(10.0, db / 20.0)); }

void show_signal(const LiveLane& lane, Json& out) {
  if (lane.levels()) {
    Json levels;
    levels.set("peak", linear(lane.levels()->peak_db)).set("rms", linear(lane.levels()->rms_db));
    out.set("levels", std::move(levels));
  }
  if (lane.alarms().empty()) return;
  Json::Array alarms;
  for (const auto& [alarm, since] : lane.alarms()) {
    Json one;
    one.set("kind", greffe::ingest::name_of(alarm)).set("since", since.utc);
    alarms.push_back(std::move(one));
  }
  out.set("alarms", std::move(alarms));
}

Json to_json(const UnexplainedGap& waiting) {
  Json::Array streams;
  for (const std::string& stream : waiting.entry.streams) streams.emplace_back(stream);
  Json out;
  out.set("gap", waiting.index).set("from", waiting.entry.from).set("to", waiting.entry.to).set("reason", waiting.entry.reason).set("streams", std::move(streams));
  return out;
}

Json to_json(const LiveLane& lane, const HearingSpool* spool, Moment now) {
  Json out;
  out.set("name", lane.stream().name).set("medium", lane.stream().medium).set("source", lane.stream().source);
  out.set("address", lane.stream().address.text()).set("state", word_for(lane.state()));
  if (lane.facts()) out.set("codec", lane.facts()->codec);
  show_signal(lane, out);
  if (lane.facts() && lane.facts()->codec == "hevc" && !lane.stream().sub) {
    out.set("warning", "this camera sends H.265, which not all browsers show: give its H.264 stream as sub_address in station.toml");
  }
  if (!lane.problem().empty()) out.set("problem", lane.problem()).set("problem_since", lane.problem_since()->utc);
  if (lane.state() == LiveLane::State::recording && lane.heard_mono_ms() > 0) out.set("silent_ms", now.mono_ms - lane.heard_mono_ms());
  const StreamState* known = spool == nullptr ? nullptr : spool->state().find(lane.stream().name);
  if (known == nullptr) return out;
  out.set("segments", known->segments).set("bytes", known->bytes).set("recorded_ms", known->duration_90k / 90);
  if (known->last) out.set("recorded_until", known->end);
  return out;
}

Json hearing_json(const HearingSpool& spool, const Details& details, const LiveRecord& record, Moment now) {
  const OpenEntry& open = *spool.state().open();
  Json out;
  Json::Array cases;
  for (const std::string& one : details.cases) cases.emplace_back(one);
  out.set("id", spool.id().text()).set("title", details.title).set("cases", std::move(cases)).set("opened", open.start);
  out.set("public", details.is_public).set("corrected", std::uint64_t{spool.state().corrections().size()});
  out.set("elapsed_ms", open.boot == record.boot ? now.mono_ms - open.mono_ms : now.utc.ms - open.start.ms);
  out.set("entries", std::uint64_t{spool.entries().size()});
  if (record.pause) out.set("pause", to_json(*record.pause));
  Json::Array muted;
  for (const auto& [stream, pause] : record.muted) muted.push_back(std::move(to_json(pause).set("stream", stream)));
  out.set("muted", std::move(muted));
  Json::Array waiting;
  for (const UnexplainedGap& one : spool.state().unexplained()) {
    if (one.entry.to.ms - one.entry.from.ms >= kWorthAskingMs) waiting.push_back(to_json(one));
  }
  out.set("unexplained", std::move(waiting));
  return out;
}

Json lamp_of(const char* colour, const char* why) {
  Json out;
  out.set("colour", colour).set("why", why);
  return out;
}

// The newest segment that has had its time to get to the archive and back.
std::optional<std::uint64_t> due_segment(const LiveLane& lane, Moment now) {
  for (auto one = lane.logged().rbegin(); one != lane.logged().rend(); ++one) {
    if (now.mono_ms - one->mono_ms >= kUnderWayMs) return one->entry;
  }
  return std::nullopt;
}

}  // namespace

// Green says: what this room recorded is in the archive, on two disks, read back from them. Never said of what nobody knows.
Json Recorder::lamp(Moment now) const {
  const Coverage covered = links_.coverage ? links_.coverage(spool_->id()) : Coverage();
  const char* why = nullptr;
  for (const auto& lane : lanes_) {
    if (lane->wanted() && lane->state() != LiveLane::State::recording && now.mono_ms - spool_->state().open()->mono_ms > kStartingMs) {
      return lamp_of("red", "not-recording");
    }
    if (!lane->wanted() && lane->logged().empty()) continue;
    const auto segment = due_segment(*lane, now);
    if (!segment) {
      why = "starting";
    } else if (covered.receipt_size <= *segment) {
      why = links_.coverage ? "not-confirmed" : "not-sent";
    } else if (covered.read_back_size <= *segment && why == nullptr) {
      why = "not-read-back";
    }
  }
  return why == nullptr ? lamp_of("green", "read-back") : lamp_of("amber", why);
}

void Recorder::publish() {
  const Moment now = clock_.now();
  const ClockState quality = clock_.state();
  Json clock;
  clock.set("state", quality.state).set("error_ms", quality.error_ms).set("boot", clock_.boot());
  Json::Array streams;
  bool any_dead = false;
  for (const auto& lane : lanes_) {
    any_dead = any_dead || (lane->wanted() && lane->state() != LiveLane::State::recording);
    streams.push_back(to_json(*lane, spool_.get(), now));
  }
  Json out;
  out.set("station", enrolment_.name).set("court", enrolment_.court).set("room", enrolment_.room).set("archive", enrolment_.archive);
  out.set("now", now.utc).set("clock", std::move(clock)).set("streams", std::move(streams));
  const char* word = "ready";
  if (spool_) word = closing_ ? "finishing" : record_.pause ? "paused" : any_dead ? "fault" : "recording";
  if (!trouble_.empty()) word = "fault";
  out.set("state", word);
  if (!trouble_.empty()) out.set("trouble", trouble_).set("trouble_since", trouble_since_.utc);
  if (!trouble_.empty()) out.set("lamp", lamp_of("red", "trouble"));
  if (spool_) out.set("lamp", lamp(now));
  if (!space_level_.empty()) {
    Json room;
    room.set("level", space_level_);
    if (seconds_left_) room.set("hours_left", *seconds_left_ / 3600);
    out.set("spool", std::move(room));
  }
  if (spool_) out.set("hearing", hearing_json(*spool_, details_, record_, now));
  const std::lock_guard<std::mutex> guard(mutex_);
  state_ = std::move(out);
}

}  // namespace greffe::ingest
