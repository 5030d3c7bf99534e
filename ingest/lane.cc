#include "ingest/lane.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::ingest {
namespace {

constexpr std::size_t kMostWaiting = 256;  // news of one reader; the import takes no more than a few segments ahead
constexpr std::int64_t kCutShortUs = 2'000'000;  // less is how files round what they state

std::int64_t to_ms(std::int64_t us) { return us >= 0 ? (us + 500) / 1000 : -((-us + 500) / 1000); }

std::int64_t media_end_90k(const StreamState* known) { return known == nullptr ? 0 : known->end_90k(); }

}  // namespace

WallClock WallClock::make(UtcTime start, std::int64_t lead_us, const std::vector<GapRequest>& gaps) {
  WallClock out;
  out.start = start;
  out.lead_us = lead_us;
  std::int64_t before_ms = 0;
  for (const GapRequest& gap : gaps) {
    if (gap.from < start) continue;  // before this import's media: it shifts nothing
    out.cuts_us.push_back((gap.from.ms - start.ms - before_ms) * 1000 - lead_us);
    out.gap_ms.push_back(gap.to.ms - gap.from.ms);
    before_ms += out.gap_ms.back();
  }
  return out;
}

UtcTime WallClock::at(std::int64_t media_us, std::uint64_t cut) const {
  std::int64_t ms = start.ms + to_ms(media_us + lead_us);
  for (std::size_t i = 0; i < gap_ms.size() && i < cut; ++i) ms += gap_ms[i];
  return UtcTime{ms};
}

Lane::Lane(StreamRequest request, std::unique_ptr<MediaWorker> worker, TrackFacts facts, const HearingState& before,
           std::uint64_t logged)
    : request_(std::move(request)),
      worker_(std::move(worker)),
      facts_(std::move(facts)),
      before_(before),
      hearing_start_(before.open()->start),
      logged_(logged),
      end_(hearing_start_),
      after_90k_(media_end_90k(before.find(request_.name))),
      reception_(request_.path, *worker_, SegmentCheck(facts_.medium == "video", facts_.transcoded, after_90k_)) {
  const StreamState* known = before.find(request_.name);
  if (known == nullptr) return;
  seq_ = known->segments;
  first_run_ = known->next_run;
  if (known->end.ms != 0) end_ = known->end;
}

Status Lane::start(const WallClock& clock, CutRules rules) {
  clock_ = clock;
  rules.after_90k = after_90k_;
  return worker_->start_cutting(rules);
}

Status Lane::take_news(HearingSpool& spool) {
  WorkerNews news = GREFFE_TRY(worker_->next());
  if (waiting_.size() >= kMostWaiting) return reception_.lie("it says more than a recording can hold");
  if (const auto* needed = std::get_if<SegmentFileNeeded>(&news)) {
    return reception_.need(needed->start);
  } else if (const auto* fragment = std::get_if<FragmentWritten>(&news)) {
    return reception_.seal(*fragment, spool);
  } else if (const auto* cut = std::get_if<SegmentCut>(&news)) {
    return take_segment(*cut, spool);
  } else if (auto* measured = std::get_if<PeaksMeasured>(&news)) {
    take_peaks(std::move(measured->peaks));
  } else if (const auto* end = std::get_if<TrackEnded>(&news)) {
    take_end(*end);
  } else {
    return reception_.lie("it says what only a live stream says");
  }
  return ok();
}

Status Lane::give_file(HearingSpool& spool) {
  if (logged_ > 0) {
    --logged_;
    return reception_.give_nothing();
  }
  const SegmentStart& start = reception_.wanted();
  const UtcTime utc = clock_.at(start.media_us, start.cut);
  const std::int64_t mono_ms = std::max<std::int64_t>(0, utc.ms - hearing_start_.ms);
  return reception_.give_file(spool, {request_.name, first_run_ + start.run, utc, mono_ms, facts_.transcoded});
}

Status Lane::take_segment(const SegmentCut& cut, HearingSpool& spool) {
  const FinishedSegment& segment = cut.segment;
  std::optional<OpenSegment> file = GREFFE_TRY(reception_.finish(segment, spool));
  SegmentEntry entry;
  entry.stream = request_.name;
  entry.seq = seq_++;
  entry.run = first_run_ + segment.start.run;
  entry.sha256 = segment.sha256;
  entry.bytes = segment.bytes;
  entry.init_bytes = segment.init_bytes;
  entry.start_90k = segment.start_90k;
  entry.duration_90k = segment.duration_90k;
  entry.codecs = segment.codecs;
  entry.utc = clock_.at(segment.start.media_us, segment.start.cut);
  entry.boot = kImportBoot;
  entry.mono_ms = std::max<std::int64_t>(0, entry.utc.ms - hearing_start_.ms);
  entry.clock = {"import", kImportClockErrorMs};
  entry.flags = segment.flags;
  const std::string text = write_hearing_entry(entry);
  const auto possible = parse_hearing_entry(text);
  if (!possible) return reception_.lie(possible.error().message);
  declare_hole(entry.utc);
  end_ = UtcTime{entry.utc.ms + entry.duration_90k / 90};
  last_cut_ = segment.start.cut;
  bytes_read_ = std::max(bytes_read_, cut.bytes_read);
  waiting_.push_back({entry.utc, entry, {}, std::move(file)});
  return ok();
}

void Lane::take_peaks(FinishedPeaks peaks) {
  PeaksEntry entry;
  entry.stream = request_.name;
  entry.utc = clock_.at(peaks.media_us, peaks.cut);
  entry.count = peaks.levels.size();
  entry.sha256 = sha256(peaks.levels);
  // They are known when their time is over, and stand there among the other entries.
  const UtcTime turn{entry.utc.ms + static_cast<std::int64_t>(peaks.levels.size()) * 100};
  waiting_.push_back({turn, entry, std::move(peaks.levels), std::nullopt});
}

void Lane::take_end(const TrackEnded& end) {
  ended_ = true;
  bytes_read_ = request_.bytes;
  const std::int64_t stated_us = facts_.stated_us.value_or(0);
  UtcTime stated = clock_.at(stated_us, last_cut_);
  if (facts_.stated_us && stated.ms - end_.ms <= kCutShortUs / 1000) return;  // the promise was kept
  if (!facts_.stated_us && !end.damaged) return;
  cut_short_ = Missing{end_, facts_.stated_us ? stated : end_};
  if (cut_short_->to > cut_short_->from) push_gap(*cut_short_, "fault");
}

void Lane::declare_hole(UtcTime until) {
  for (const Missing& missing : before_.undeclared(request_.name, end_, until)) push_gap(missing, "no-signal");
}

void Lane::push_gap(Missing missing, const char* reason) {
  GapEntry gap;
  gap.streams = {request_.name};
  gap.from = missing.from;
  gap.to = missing.to;
  gap.boot = kImportBoot;
  gap.mono_ms = {std::max<std::int64_t>(0, missing.from.ms - hearing_start_.ms), std::max<std::int64_t>(0, missing.to.ms - hearing_start_.ms)};
  gap.reason = reason;
  waiting_.push_back({missing.from, gap, {}, std::nullopt});
}

std::uint64_t Lane::take_progress() {
  const std::uint64_t out = bytes_read_ - std::min(bytes_read_, bytes_reported_);
  bytes_reported_ = std::max(bytes_reported_, bytes_read_);
  return out;
}

}  // namespace greffe::ingest
