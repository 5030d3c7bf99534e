#include "ingest/segment_check.h"

#include <fmt/format.h>

#include <cstdlib>

#include "archive/format/names.h"
#include "archive/format/segment.h"
#include "ingest/codec_strings.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kBetweenRuns90k = 90'000;  // docs/formats/segment.md
constexpr std::int64_t kRoundingUs = 2000;  // ticks of the file, of 1/90000 s and microseconds

Error lie(std::string what) { return fail(Errc::invalid, std::move(what)); }

}  // namespace

Status SegmentCheck::follows(const FinishedSegment& said) {
  const SegmentStart& start = said.start;
  const bool new_run = !any_ || start.run != last_.run;
  if (start.run > (any_ ? last_.run + 1 : 0) || (any_ && start.run < last_.run)) {
    return lie(fmt::format("run {} cannot follow run {}", start.run, last_.run));
  }
  if (any_ && (start.cut < last_.cut || start.media_us <= last_.media_us)) return lie("its segments go back in time");
  const std::int64_t expected = new_run ? end_90k_ + kBetweenRuns90k : end_90k_;
  // What an earlier import wrote may have had another time scale: the first tick of this one's is at most so much later.
  const std::int64_t spare = any_ ? 0 : av_rescale(kRoundingUs, 90'000, 1'000'000);
  if (said.start_90k < expected || said.start_90k > expected + spare || said.duration_90k <= 0) {
    return lie(fmt::format("a segment begins at {} (1/90000 s of its stream) where {} was due", said.start_90k, expected));
  }
  if (new_run) {
    run_start_90k_ = said.start_90k;
    run_start_us_ = start.media_us;
    run_init_known_ = false;
  }
  const std::int64_t in_run_us = av_rescale(said.start_90k - run_start_90k_, 1'000'000, 90'000);
  if (std::llabs(start.media_us - run_start_us_ - in_run_us) > kRoundingUs) return lie("two times of one segment disagree");
  any_ = true;
  last_ = start;
  end_90k_ = said.start_90k + said.duration_90k;
  return ok();
}

Status SegmentCheck::matches(const SegmentScan& sealed, const Digest& digest, const FinishedSegment& said) {
  const SegmentLayout* const found = &sealed.layout();
  if (found->good_bytes != said.bytes || found->good_bytes > kMaxObjectBytes) {
    return lie(fmt::format("a segment of {} bytes was said to have {}", found->good_bytes, said.bytes));
  }
  if (found->fragments.empty()) return lie("a segment does not end with a whole fragment");
  if (digest != said.sha256) return lie("a segment has another digest than was said");

  const ByteView init = sealed.init();
  const Digest init_digest = sha256(init);
  if (found->init_bytes != said.init_bytes || codec_string(init) != said.codecs) return lie("a segment is of another codec than was said");
  if (run_init_known_ && init_digest != run_init_) return lie("the description of the track changes in the middle of a run");
  run_init_known_ = true;
  run_init_ = init_digest;

  std::int64_t end = found->fragments.front().decode_time;
  const AVRational scale{1, static_cast<int>(found->time_scale)};
  if (found->time_scale > INT32_MAX || av_rescale_q(end, scale, k90k) != said.start_90k) return lie("a segment begins at another time than was said");
  for (const Fragment& fragment : found->fragments) {
    if (fragment.decode_time != end) return lie("time is missing between two fragments of a segment");
    end += fragment.duration;
  }
  if (av_rescale_q(end, scale, k90k) - said.start_90k != said.duration_90k) return lie("a segment ends at another time than was said");

  std::vector<std::string> flags;
  if (video_ && !found->fragments.front().key) flags.emplace_back("no-key-frame");
  if (transcoded_) flags.emplace_back("transcoded");
  if (flags != said.flags) return lie("the flags of a segment are not what the file shows");
  return ok();
}

}  // namespace greffe::ingest
