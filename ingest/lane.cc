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
      check_(facts_.medium == "video", facts_.transcoded, after_90k_) {
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

// A reader that lies spoils only the recording that it reads, and only until it is found out.
Error Lane::lie(std::string_view what) const {
  return fail(Errc::corrupt, fmt::format("{}: its reader was not honest: {}. The file may be built to attack; nothing of it was logged "
                                         "from here on", request_.path, what));
}

Status Lane::take_news(HearingSpool& spool) {
  WorkerNews news = GREFFE_TRY(worker_->next());
  if (waiting_.size() >= kMostWaiting) return lie("it says more than a recording can hold");
  if (auto* needed = std::get_if<SegmentFileNeeded>(&news)) {
    return take_need(needed->start);
  } else if (const auto* fragment = std::get_if<FragmentWritten>(&news)) {
    return seal_fragment(*fragment, spool);
  } else if (auto* cut = std::get_if<SegmentCut>(&news)) {
    return take_segment(std::move(*cut), spool);
  } else if (auto* peaks = std::get_if<FinishedPeaks>(&news)) {
    take_peaks(std::move(*peaks));
  } else if (const auto* end = std::get_if<TrackEnded>(&news)) {
    take_end(*end);
  }
  return ok();
}

Status Lane::take_need(const SegmentStart& start) {
  if (wanted_ || writing_ || skipping_) return lie("it wants a file before it has finished the last one");
  wanted_ = start;
  return ok();
}

Status Lane::give_file(HearingSpool& spool) {
  const SegmentStart start = asked_ = *wanted_;
  wanted_.reset();
  skipping_ = logged_ > 0;
  if (skipping_) {
    --logged_;
    return worker_->give_file(-1);
  }
  const std::uint64_t run = first_run_ + start.run;
  writing_ = GREFFE_TRY(spool.begin_segment(request_.name, run, clock_.at(start.media_us, start.cut)));
  return worker_->give_file(writing_->file->descriptor());
}

// The file is what the entry will say, or nothing is logged. A segment that is computed only is compared with the log.
Status Lane::check_segment(const FinishedSegment& segment, HearingSpool& spool) {
  if (!skipping_ && !writing_) return lie("it reports a segment that nobody asked for");
  if (segment.start != asked_) return lie("it reports a segment that begins elsewhere than the one it asked for");
  const Status follows = check_.follows(segment);
  if (!follows) return lie(follows.error().message);
  if (skipping_) return ok();
  const auto sealed = spool.end_segment(*writing_);
  if (!sealed && sealed.error().code != Errc::invalid) return sealed.error();
  const Status matches = sealed ? check_.matches(sealed->bytes, sealed->digest, segment) : Status(sealed.error());
  return matches ? ok() : Status(lie(matches.error().message));
}

// The only hash of what was recorded, made here and not by who has parsed foreign bytes.
Status Lane::seal_fragment(const FragmentWritten& fragment, HearingSpool& spool) {
  if (!writing_) return lie("it ends a fragment of no file");
  const auto digest = spool.seal_fragment(*writing_, fragment.bytes);
  if (digest) return worker_->give_seal(*digest);
  return digest.error().code == Errc::invalid ? distrust(lie(digest.error().message), spool) : Status(digest.error());
}

Status Lane::distrust(Error why, HearingSpool& spool) {
  if (writing_) GREFFE_TRY(spool.distrust_segment(std::move(*writing_)));
  writing_.reset();
  return why;
}

Status Lane::take_segment(SegmentCut cut, HearingSpool& spool) {
  const FinishedSegment& segment = cut.segment;
  const Status checked = check_segment(segment, spool);
  if (!checked) return checked.error().code == Errc::corrupt ? distrust(checked.error(), spool) : checked;
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
  if (!possible) return lie(possible.error().message);
  declare_hole(entry.utc);
  end_ = UtcTime{entry.utc.ms + entry.duration_90k / 90};
  last_cut_ = segment.start.cut;
  bytes_read_ = std::max(bytes_read_, cut.bytes_read);
  waiting_.push_back({entry.utc, entry, {}, std::move(writing_)});
  writing_.reset();
  skipping_ = false;
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
