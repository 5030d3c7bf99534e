#include "ingest/picture_watch.h"

#include <algorithm>
#include <vector>

namespace greffe::ingest {
namespace {

constexpr std::int64_t kBetweenUs = 1'600'000;       // from one picture that stands by itself to the next
constexpr std::int64_t kBetweenPredictedUs = 400'000;
constexpr std::int64_t kRaiseByUs = 9'700'000;       // what is left of ten seconds is for decoding and telling
constexpr std::int64_t kStillInGroupUs = 6'000'000;  // equal bit for bit for so long
constexpr std::int64_t kStillAtLeastUs = 5'000'000;
constexpr std::int64_t kLongGroupUs = 4'800'000;
constexpr std::int64_t kWithoutKeyUs = 20'000'000;
constexpr std::int64_t kKeysAgainUs = 30'000'000;
constexpr std::int64_t kDecodesAgainUs = 4'000'000;
constexpr std::int64_t kPauseUs = 2'000'000;         // packets that stay away so long are another alarm, not a frozen picture

constexpr double kBlackMean = 28;
constexpr double kBlackDeviation = 6;
constexpr double kLitMean = 34;                      // once black, it must be so bright to count as a picture again
constexpr double kLitDeviation = 8;
constexpr double kStill = 0.12;                      // part of the pixels that differ
constexpr double kMoves = 0.20;                      // once frozen
constexpr double kMovedCell = 4;                     // levels
constexpr double kQuieter = 1.0 / 3;                 // than the stream was
constexpr double kQuiet = 0.5;                       // once frozen
constexpr double kNoisy = 1;                         // mean squares of a background whose noise is coded,
constexpr double kNoisiest = 30;                     // and of one that itself moves
constexpr std::size_t kLively = 16;                  // pictures by which a stream is known
constexpr std::size_t kLivelyLeast = 5;
constexpr std::int64_t kLivelyUs = 300'000'000;      // known for so long

// Of a quantity of all of them the one in the middle.
double middle_of(const std::deque<Difference>& all, double Difference::*quantity) {
  std::vector<double> values;
  for (const Difference& one : all) values.push_back(one.*quantity);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

}  // namespace

PictureWatch::PictureWatch(SignalSink& sink, bool may_stand_still)
    : sink_(sink),
      may_stand_still_(may_stand_still),
      black_(Alarm::black, 0),
      frozen_(Alarm::frozen, 0),
      no_key_frame_(Alarm::no_key_frame, kKeysAgainUs),
      undecodable_(Alarm::undecodable, kDecodesAgainUs) {}

bool PictureWatch::wants(std::int64_t now_us, Coding coding) const {
  if (coding == Coding::predicted) return !last_picture_us_ || now_us - *last_picture_us_ >= kBetweenPredictedUs;
  return !whole_ || now_us - whole_->at_us >= kBetweenUs;
}

Status PictureWatch::packet(std::int64_t now_us, bool key) {
  if (last_packet_us_ && now_us - *last_packet_us_ > kPauseUs) {
    black_.forget();
    frozen_.forget();
    undecodable_.forget();
    whole_.reset();
    predicted_.reset();
  }
  if (key || !last_packet_us_) last_key_us_ = now_us;
  if (key) predicted_.reset();
  last_packet_us_ = now_us;
  const bool late = now_us - last_key_us_ > kWithoutKeyUs;
  return judge(no_key_frame_, now_us, late ? HeldAlarm::Look::bad : HeldAlarm::Look::good, 0);
}

Status PictureWatch::see(std::int64_t now_us, const AVFrame& frame, Coding coding) {
  if (!wants(now_us, coding)) return ok();
  auto seen = luma_.read(frame);
  if (!seen) return cannot_decode(now_us);
  last_picture_us_ = now_us;
  GREFFE_TRY(judge(undecodable_, now_us, HeldAlarm::Look::good, kRaiseByUs));
  GREFFE_TRY(judge_brightness(now_us, seen->brightness));
  const bool whole = coding == Coding::whole;
  if (!may_stand_still_) GREFFE_TRY(whole ? judge_movement(now_us, seen->sample) : judge_within_group(now_us, seen->sample));
  auto& earlier = whole ? whole_ : predicted_;
  // Within a group the first one stays, so that slow changes add up.
  if (whole || !earlier || earlier->sample.digest != seen->sample.digest) earlier = Earlier{now_us, std::move(seen->sample)};
  return whole && thumbnail_requested_ ? give_thumbnail(now_us, frame) : ok();
}

Status PictureWatch::cannot_decode(std::int64_t now_us) { return judge(undecodable_, now_us, HeldAlarm::Look::bad, kRaiseByUs); }

Status PictureWatch::judge(HeldAlarm& alarm, std::int64_t at_us, HeldAlarm::Look look, std::int64_t raise_by_us) {
  const auto change = alarm.look(at_us, look, raise_by_us);
  return change ? sink_.alarm(*change) : ok();
}

Status PictureWatch::judge_brightness(std::int64_t now_us, const Brightness& brightness) {
  using Look = HeldAlarm::Look;
  is_black_ = brightness.mean <= kBlackMean && brightness.deviation <= kBlackDeviation;
  const bool lit = brightness.mean >= kLitMean || brightness.deviation >= kLitDeviation;
  const Look look = is_black_ ? Look::bad : lit || !black_.raised() ? Look::good : Look::unclear;
  return judge(black_, now_us, look, kRaiseByUs);
}

// Than a part of what this stream is like when it is live.
bool PictureWatch::is_quieter(const Difference& moved, double part, std::int64_t now_us) const {
  if (lively_.size() < kLivelyLeast || now_us - lively_us_ > kLivelyUs) return false;
  const double middle = middle_of(lively_, &Difference::middle);
  return middle >= kNoisy && moved.middle <= middle * part && moved.high <= middle_of(lively_, &Difference::high) * part;
}

Status PictureWatch::judge_movement(std::int64_t now_us, const LumaSample& sample) {
  using Look = HeldAlarm::Look;
  if (!whole_) return ok();
  const Difference moved = difference(whole_->sample, sample);
  if (moved.most <= kMovedCell && (moved.changed <= kStill || is_quieter(moved, kQuieter, now_us))) {
    if (is_black_) return ok();  // one alarm is enough, and black has no noise
    // The picture may have stopped right after the one before the last that moved: that much less time is left.
    const std::int64_t left = std::max(kStillAtLeastUs, kRaiseByUs - (now_us - whole_->at_us));
    return judge(frozen_, now_us, Look::bad, left);
  }
  // In long groups what is between key frames tells better whether a frozen picture moves again.
  const bool telling = now_us - whole_->at_us <= kLongGroupUs && moved.changed > kMoves && !is_quieter(moved, kQuiet, now_us);
  const bool moves = moved.most > kMovedCell || telling;
  if (frozen_.raised() && !moves) return judge(frozen_, now_us, Look::unclear, kRaiseByUs);
  if (moved.middle <= kNoisiest) {
    lively_.push_back(moved);
    lively_us_ = now_us;
  }
  if (lively_.size() > kLively) lively_.pop_front();
  return judge(frozen_, now_us, Look::good, kRaiseByUs);
}

Status PictureWatch::judge_within_group(std::int64_t now_us, const LumaSample& sample) {
  using Look = HeldAlarm::Look;
  if (!predicted_) return ok();
  const Difference moved = difference(predicted_->sample, sample);
  if (predicted_->sample.digest == sample.digest) return is_black_ ? ok() : judge(frozen_, now_us, Look::bad, kStillInGroupUs);
  const bool moves = moved.changed > kStill || moved.most > kMovedCell;
  return judge(frozen_, now_us, moves || !frozen_.raised() ? Look::good : Look::unclear, kRaiseByUs);
}

Status PictureWatch::give_thumbnail(std::int64_t now_us, const AVFrame& frame) {
  auto jpeg = make_thumbnail(frame);
  // A picture that cannot be made small is no reason to stop; the next one is tried.
  if (!jpeg) return ok();
  thumbnail_requested_ = false;
  return sink_.thumbnail(Thumbnail{now_us, std::move(*jpeg)});
}

}  // namespace greffe::ingest
