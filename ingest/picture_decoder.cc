#include "ingest/picture_decoder.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kLateUs = 4'500'000;
constexpr int kCatchUp = 3;                            // packets decoded for each that arrives
constexpr std::size_t kMostGroupBytes = 8'000'000;     // 14 Mbit/s until the next key frame is late
constexpr std::size_t kMostGroupPackets = 1'000;

bool is_whole(const AVFrame& frame) { return frame.decode_error_flags == 0 && (frame.flags & AV_FRAME_FLAG_CORRUPT) == 0; }

CodecPtr open_codec(const AVCodecParameters& parameters) {
  const AVCodec* decoder = avcodec_find_decoder(parameters.codec_id);
  if (decoder == nullptr) return nullptr;
  CodecPtr codec(avcodec_alloc_context3(decoder));
  if (!codec || avcodec_parameters_to_context(codec.get(), &parameters) < 0) return nullptr;
  codec->thread_count = 1;
  codec->skip_loop_filter = AVDISCARD_ALL;  // a fifth of the cost, and no difference at this size
  return avcodec_open2(codec.get(), decoder, nullptr) < 0 ? nullptr : std::move(codec);
}

}  // namespace

PictureDecoder::PictureDecoder(const AVCodecParameters& parameters, PictureWatch& watch)
    : watch_(watch), codec_(open_codec(parameters)), frame_(av_frame_alloc()) {
  if (!frame_) codec_.reset();
}

Status PictureDecoder::add(std::int64_t now_us, const AVPacket& packet) {
  const bool key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
  GREFFE_TRY(watch_.packet(now_us, key));
  if (!codec_) return watch_.cannot_decode(now_us);
  if (key) begin_group(now_us);
  keep(now_us, packet);
  if (key && watch_.wants(now_us, PictureWatch::Coding::whole)) GREFFE_TRY(decode_key_frame(now_us, packet));
  return follow_group(now_us);
}

void PictureDecoder::begin_group(std::int64_t now_us) {
  long_groups_ = any_key_ && now_us - group_us_ > kLateUs;
  any_key_ = true;
  group_us_ = now_us;
  if (following_) avcodec_flush_buffers(codec_.get());
  following_ = false;
  group_.clear();
  group_bytes_ = 0;
  followable_ = true;
}

void PictureDecoder::keep(std::int64_t now_us, const AVPacket& packet) {
  if (!followable_) return;
  PacketPtr copy(av_packet_clone(&packet));
  group_bytes_ += static_cast<std::size_t>(packet.size);
  followable_ = copy && group_bytes_ <= kMostGroupBytes && group_.size() < kMostGroupPackets;
  if (followable_) {
    group_.push_back({now_us, std::move(copy)});
  } else {
    group_.clear();
  }
}

// By itself: what is inside the decoder is asked for at once, and it is made ready for any other picture.
Status PictureDecoder::decode_key_frame(std::int64_t now_us, const AVPacket& packet) {
  last_tried_us_ = now_us;
  codec_->skip_frame = AVDISCARD_DEFAULT;
  int code = avcodec_send_packet(codec_.get(), &packet);
  if (code >= 0) code = avcodec_send_packet(codec_.get(), nullptr);
  if (code >= 0) code = avcodec_receive_frame(codec_.get(), frame_.get());
  const bool good = code >= 0 && is_whole(*frame_);
  const Status status = good ? watch_.see(now_us, *frame_, PictureWatch::Coding::whole) : watch_.cannot_decode(now_us);
  av_frame_unref(frame_.get());
  avcodec_flush_buffers(codec_.get());
  return status;
}

Status PictureDecoder::follow_group(std::int64_t now_us) {
  if (!followable_) return ok();
  if (!following_) {
    if (!long_groups_ && now_us - last_tried_us_ < kLateUs) return ok();
    following_ = true;
    codec_->skip_frame = AVDISCARD_NONREF;
  }
  for (int i = 0; i < kCatchUp && !group_.empty(); ++i) GREFFE_TRY(decode_next());
  return ok();
}

Status PictureDecoder::decode_next() {
  const Waiting next = std::move(group_.front());
  group_.pop_front();
  group_bytes_ -= static_cast<std::size_t>(next.packet->size);
  if (avcodec_send_packet(codec_.get(), next.packet.get()) < 0) return watch_.cannot_decode(next.arrived_us);
  while (avcodec_receive_frame(codec_.get(), frame_.get()) >= 0) {
    if (!is_whole(*frame_)) {
      GREFFE_TRY(watch_.cannot_decode(next.arrived_us));
    } else if (frame_->key_frame == 0) {
      last_tried_us_ = next.arrived_us;
      GREFFE_TRY(watch_.see(next.arrived_us, *frame_, PictureWatch::Coding::predicted));
    }
  }
  return ok();
}

}  // namespace greffe::ingest
