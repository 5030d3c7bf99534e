#include "ingest/live_lane.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/digest.h"
#include "ingest/live_child.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kFirstRetryMs = 200;
constexpr std::int64_t kLastRetryMs = 5'000;
constexpr std::int64_t kEndingMs = 2'500;        // to end a segment; a person waits for it
constexpr std::int64_t kStartingMs = 10'000;     // beyond what the source may take to answer
constexpr std::int64_t kSilenceMs = 15'000;      // a process that records says something every second
constexpr std::int64_t kBackwardsMs = 100;       // how far a new estimate may reach back into the segment before
constexpr std::size_t kMostCauses = 8;
constexpr std::size_t kMostLogged = 8;

// Cameras that lost the same switch must not all come back at once.
std::int64_t with_jitter(std::int64_t ms) {
  std::uint8_t random[1];
  fill_random(random);
  return ms / 2 + ms * random[0] / 512;
}

}  // namespace

LiveLane::LiveLane(const StreamSettings& stream, const IngestSettings& settings, StationClock& clock, PictureBoard& pictures)
    : stream_(stream), settings_(settings), clock_(clock), pictures_(pictures) {}

LiveLane::State LiveLane::state() const {
  if (!worker_) return State::waiting;
  if (!facts_) return State::connecting;
  if (ending_) return State::ending;
  return reception_ ? State::recording : State::ready;
}

bool LiveLane::at_rest() const { return spool_ == nullptr || !reception_; }

int LiveLane::descriptor() const { return worker_ ? worker_->descriptor() : -1; }

void LiveLane::join(HearingSpool& spool, Accounted since, const char* reason) {
  spool_ = &spool;
  end_ = std::move(since);
  causes_ = {{end_.at, reason}};
  any_ = false;
  logged_.clear();
}

void LiveLane::missing_from(Moment at, const char* reason) {
  if (!causes_.empty() && (causes_.back().reason == reason || causes_.size() >= kMostCauses)) return;
  causes_.push_back({at, reason});
}

void LiveLane::record(bool wanted, Moment now, const char* reason) {
  if (wanted == wanted_) return;
  wanted_ = wanted;
  missing_from(now, reason);
  if (wanted && facts_ && !ending_ && worker_) start_recording();
  if (!wanted && reception_ && !ending_) {
    ending_ = true;
    patience_until_ms_ = now.mono_ms + kEndingMs;
    (void)worker_->hold();  // a process that is gone is found in take_news
  }
}

void LiveLane::abandon(Moment now) {
  spool_ = nullptr;
  wanted_ = false;
  if (!reception_) return;
  reception_.reset();
  worker_.reset();
  facts_.reset();
  ending_ = false;
  retry_at_ms_ = now.mono_ms;
}

void LiveLane::begin_new_run() {
  if (reception_ && !ending_) (void)worker_->begin_new_run();
}

Status LiveLane::tick(Moment now) {
  if (!worker_) return now.mono_ms >= retry_at_ms_ ? start(now) : ok();
  if (!facts_ && now.mono_ms > patience_until_ms_) return break_off(now, kEndedNetwork, "it does not answer");
  if (ending_ && now.mono_ms > patience_until_ms_) return break_off(now, kEndedNoSignal, "it sends nothing");
  if (reception_ && !ending_ && now.mono_ms - heard_mono_ms_ > kSilenceMs) return break_off(now, kEndedNoSignal, "nothing has come for some time");
  return ok();
}

Status LiveLane::start(Moment now) {
  LiveRequest request;
  request.address = stream_.address;
  request.video = stream_.medium == "video";
  request.watch = settings_.watch;
  request.may_stand_still = stream_.source == "screen";
  patience_until_ms_ = now.mono_ms + request.open_ms + kStartingMs;
  auto worker = MediaWorker::start_live(request);
  if (!worker) return lost(worker.error(), now);
  worker_ = std::move(*worker);
  return ok();
}

void LiveLane::start_recording() {
  if (spool_ == nullptr) return;
  const StreamState* known = spool_->state().find(stream_.name);
  CutRules rules;
  rules.video_ms = settings_.video_ms;
  rules.audio_ms = settings_.audio_ms;
  rules.after_90k = known == nullptr ? 0 : known->end_90k();
  first_run_ = known == nullptr ? 0 : known->next_run;
  any_ = false;
  reception_ = std::make_unique<Reception>(stream_.address.text(), *worker_,
                                           SegmentCheck(stream_.medium == "video", facts_->transcoded, rules.after_90k));
  heard_mono_ms_ = clock_.now().mono_ms;
  (void)worker_->start_cutting(rules);
}

Status LiveLane::take_news(Moment now) {
  auto news = worker_->next();
  if (!news) return lost(news.error(), now);
  const Status taken = take(std::move(*news), now);
  if (taken || taken.error().code != Errc::corrupt) return taken;
  return lost(taken.error(), now);  // the reader is not to be believed any more
}

Status LiveLane::take(WorkerNews news, Moment now) {
  if (const auto* found = std::get_if<TrackFacts>(&news)) {
    if (facts_ || found->medium != stream_.medium) return fail(Errc::corrupt, "it is of another medium than was asked for");
    facts_ = *found;
    if (wanted_) start_recording();
    return ok();
  }
  if (take_signal(news, now)) return ok();
  if (!reception_) return fail(Errc::corrupt, "it says something that nobody asked for");
  if (std::holds_alternative<Holding>(news)) {
    reception_.reset();
    ending_ = false;
    if (wanted_) start_recording();
    return ok();
  }
  if (const auto* needed = std::get_if<SegmentFileNeeded>(&news)) {
    GREFFE_TRY(reception_->need(needed->start));
    const Moment at = captured(needed->mono_ms, now);
    return reception_->give_file(*spool_, {stream_.name, first_run_ + needed->start.run, at.utc, at.mono_ms, facts_->transcoded});
  }
  if (const auto* fragment = std::get_if<FragmentWritten>(&news)) {
    heard_mono_ms_ = now.mono_ms;
    pause_ms_ = 0;
    problem_.clear();
    problem_since_.reset();
    return reception_->seal(*fragment, *spool_);
  }
  if (const auto* cut = std::get_if<SegmentCut>(&news)) return take_segment(*cut, now);
  if (auto* measured = std::get_if<PeaksMeasured>(&news)) return take_peaks(std::move(*measured), now);
  return fail(Errc::corrupt, "it says what only a recording says that ends");
}

// What is only shown. False: it is about the recording.
bool LiveLane::take_signal(const WorkerNews& news, Moment now) {
  if (const auto* levels = std::get_if<LevelsHeard>(&news)) {
    levels_ = *levels;
  } else if (const auto* said = std::get_if<AlarmSaid>(&news)) {
    if (said->raised) alarms_.emplace(said->alarm, now);
    if (!said->raised) alarms_.erase(said->alarm);
  } else if (const auto* picture = std::get_if<PictureSeen>(&news)) {
    pictures_.put(stream_.name, picture->jpeg);
  } else {
    return false;
  }
  return true;
}

// When something was captured, as its reader says, which may shift its own stream but not out of the time that it had.
Moment LiveLane::captured(std::optional<std::int64_t> mono_ms, Moment now) const {
  const bool same_boot = end_.boot == clock_.boot();
  const std::int64_t earliest = same_boot ? end_.at.mono_ms - kBackwardsMs : 0;
  return clock_.at(std::clamp(mono_ms.value_or(now.mono_ms), std::min(earliest, now.mono_ms), now.mono_ms));
}

Status LiveLane::take_segment(const SegmentCut& cut, Moment now) {
  const FinishedSegment& segment = cut.segment;
  std::optional<OpenSegment> file = GREFFE_TRY(reception_->finish(segment, *spool_));
  const Moment start = captured(cut.mono_ms, now);
  const StreamState* known = spool_->state().find(stream_.name);
  SegmentEntry entry;
  entry.stream = stream_.name;
  entry.seq = known == nullptr ? 0 : known->segments;
  entry.run = first_run_ + segment.start.run;
  entry.sha256 = segment.sha256;
  entry.bytes = segment.bytes;
  entry.init_bytes = segment.init_bytes;
  entry.start_90k = segment.start_90k;
  entry.duration_90k = segment.duration_90k;
  entry.codecs = segment.codecs;
  entry.utc = start.utc;
  entry.boot = clock_.boot();
  entry.mono_ms = start.mono_ms;
  entry.clock = clock_.state_at(start.mono_ms);
  entry.flags = segment.flags;
  if (!parse_hearing_entry(write_hearing_entry(entry))) return reception_->lie("a segment cannot be what it says");
  if (!any_ || entry.run != last_run_) account_until(start);
  any_ = true;
  last_run_ = entry.run;
  const std::int64_t ms = entry.duration_90k / 90;
  end_ = {{UtcTime{start.utc.ms + ms}, start.mono_ms + ms}, entry.boot};
  spool_->finish_segment(std::move(*file), entry.sha256);
  spool_->append(entry);
  note_logged(now.mono_ms);
  return ok();
}

void LiveLane::note_logged(std::int64_t mono_ms) {
  if (logged_.size() == kMostLogged) logged_.pop_front();
  logged_.push_back({spool_->entries().size() - 1, mono_ms});
}

Status LiveLane::take_peaks(PeaksMeasured measured, Moment now) {
  const Moment at = clock_.at(std::clamp<std::int64_t>(measured.mono_ms.value_or(now.mono_ms), 0, now.mono_ms));
  PeaksEntry entry;
  entry.stream = stream_.name;
  entry.utc = at.utc;
  entry.count = measured.peaks.levels.size();
  entry.sha256 = GREFFE_TRY(spool_->put_document(measured.peaks.levels));
  spool_->append(entry);
  return ok();
}

Status LiveLane::break_off(Moment now, const char* reason, const std::string& problem) {
  return end_process(now, reason, fmt::format("{}: {}", stream_.address.text(), problem));
}

Status LiveLane::lost(const Error& why, Moment now) {
  return end_process(now, worker_ ? worker_->gap_reason().c_str() : kEndedFault, why.message);
}

Status LiveLane::end_process(Moment now, std::string reason, std::string problem) {
  std::optional<OpenSegment> unfinished = reception_ ? reception_->take_unfinished() : std::nullopt;
  reception_.reset();
  worker_.reset();  // it is dead when this returns, so nothing can be added to its file
  facts_.reset();
  levels_.reset();
  alarms_.clear();
  ending_ = false;
  problem_ = std::move(problem);
  if (!problem_since_) problem_since_ = now;
  pause_ms_ = std::clamp(2 * pause_ms_, kFirstRetryMs, kLastRetryMs);
  retry_at_ms_ = now.mono_ms + with_jitter(pause_ms_);
  if (wanted_) missing_from(now, reason.c_str());
  if (!unfinished || spool_ == nullptr) return ok();
  const std::uint64_t before = spool_->entries().size();
  GREFFE_TRY(spool_->recover_segment(std::move(*unfinished), {clock_.boot(), clock_.state()}));
  if (spool_->entries().size() > before) take_recovered();
  return ok();
}

// The segment that was recovered is the newest of its stream.
void LiveLane::take_recovered() {
  const SegmentEntry& entry = *spool_->state().find(stream_.name)->last;
  if (!any_ || entry.run != last_run_) account_until({entry.utc, entry.mono_ms});
  any_ = true;
  last_run_ = entry.run;
  const std::int64_t ms = entry.duration_90k / 90;
  end_ = {{UtcTime{entry.utc.ms + ms}, entry.mono_ms + ms}, entry.boot};
}

void LiveLane::account_until(Moment until) {
  Moment from = end_.at;
  std::string boot = end_.boot;
  std::string reason = kEndedNoSignal;
  std::size_t used = 0;
  const auto piece = [&](Moment to) {
    const bool same_boot = boot == clock_.boot();
    const std::int64_t ms = same_boot ? to.mono_ms - from.mono_ms : to.utc.ms - from.utc.ms;
    if (ms >= kLeastGapMs && !reason.empty()) push_gap(reason, boot, from, to);
    if (ms > 0 || !same_boot) {
      from = to;
      boot = clock_.boot();
    }
  };
  // A cause that came up later than `until` is about what follows. One from before a restart is on another clock.
  while (used < causes_.size() && (causes_[used].at.mono_ms < until.mono_ms || (used == 0 && boot != clock_.boot()))) {
    // What is missing begins where the recording ended, not where somebody noticed; but a pause begins when it was asked for.
    if (used > 0 || causes_[used].reason.empty()) piece(causes_[used].at);
    reason = causes_[used].reason;
    ++used;
  }
  piece(until);
  causes_.erase(causes_.begin(), causes_.begin() + static_cast<std::ptrdiff_t>(used));
  end_ = {until, clock_.boot()};
}

void LiveLane::push_gap(const std::string& reason, const std::string& boot, Moment from, Moment to) {
  GapEntry gap;
  gap.streams = {stream_.name};
  gap.from = from.utc;
  gap.to = std::max(to.utc, from.utc);  // the wall clock may have been set back in it; the monotonic one tells the length
  gap.boot = boot;
  if (boot != clock_.boot()) gap.to_boot = clock_.boot();
  gap.mono_ms = {from.mono_ms, to.mono_ms};
  gap.reason = reason;
  spool_->append(gap);
}

}  // namespace greffe::ingest
