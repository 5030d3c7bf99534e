#include "ingest/media_child.h"

#include <algorithm>

#include "ingest/audio.h"
#include "ingest/sandbox.h"
#include "ingest/track_reader.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kBytesPerCpuSecond = 250'000;  // the slowest reading that is still work and not a trap
constexpr std::uint64_t kCpuSecondsAtLeast = 300;

Json write_start(const char* say, const SegmentStart& start) {
  Json out;
  out.set("say", say).set("run", start.run).set("cut", start.cut).set("media_us", start.media_us);
  return out;
}

// Asks the other end for files and reports what was written to them.
class ChannelSink : public SegmentSink {
 public:
  ChannelSink(Channel& channel, const MediaSource& source) : channel_(channel), source_(source) {}

  Result<int> file_for(const SegmentStart& start) override {
    GREFFE_TRY(channel_.send(write_start("need", start)));
    Message answer = GREFFE_TRY(channel_.receive());
    file_ = std::move(answer.descriptor);
    const bool write = GREFFE_TRY(answer.body.boolean("write"));
    if (write && !file_.is_open()) return fail(Errc::unavailable, "no file was given for the next segment");
    return write ? file_.get() : -1;
  }

  Result<Digest> seal(std::uint64_t bytes) override {
    Json written;
    written.set("say", "fragment").set("bytes", bytes);
    GREFFE_TRY(channel_.send(written));
    const Message answer = GREFFE_TRY(channel_.receive());
    return answer.body.digest("digest");
  }

  Status segment(const FinishedSegment& segment) override {
    file_ = Descriptor();
    return channel_.send(write_segment_message(segment, source_.bytes_read()));
  }

  Status peaks(const FinishedPeaks& peaks) {
    Json json;
    json.set("say", "peaks").set("cut", peaks.cut).set("media_us", peaks.media_us).set("levels", to_base64(peaks.levels));
    return channel_.send(json);
  }

 private:
  Channel& channel_;
  const MediaSource& source_;
  Descriptor file_;
};

// From packets to segments and peaks.
class Pipeline {
 public:
  static Result<std::unique_ptr<Pipeline>> open(TrackReader& reader, ChannelSink& sink, const CutRules& rules, std::int64_t origin_us) {
    std::unique_ptr<Pipeline> out(new Pipeline(sink, rules, origin_us));
    out->source_ = &reader.parameters();
    out->time_base_ = reader.time_base();
    out->to_flac_ = treatment_of(reader.parameters().codec_id) == CodecTreatment::to_flac;
    if (reader.parameters().codec_type == AVMEDIA_TYPE_AUDIO) {
      out->decoder_ = GREFFE_TRY(AudioDecoder::open(reader.parameters(), reader.time_base()));
    }
    if (!out->to_flac_) {
      out->segmenter_ = std::make_unique<Segmenter>(sink, rules, reader.parameters(), reader.time_base(), origin_us, reader.frame_us(), false);
    }
    return out;
  }

  Status add(PacketPtr packet) {
    if (!decoder_) return segmenter_->add(std::move(packet));
    if (to_flac_) return decoder_->decode(packet.get(), [this](AVFrame& frame) { return encode(frame); });
    const PacketPtr copy(av_packet_clone(packet.get()));
    if (!copy) return fail(Errc::unavailable, "there is not enough memory");
    GREFFE_TRY(segmenter_->add(std::move(packet)));
    return measure(*copy);
  }

  Status finish() {
    if (to_flac_) {
      GREFFE_TRY(decoder_->decode(nullptr, [this](AVFrame& frame) { return encode(frame); }));
      if (flac_) GREFFE_TRY(flac_->finish([this](PacketPtr p) { return segmenter_->add(std::move(p)); }));
    }
    if (segmenter_) GREFFE_TRY(segmenter_->finish());
    return meter_.finish();
  }

 private:
  Pipeline(ChannelSink& sink, const CutRules& rules, std::int64_t origin_us)
      : sink_(sink), rules_(rules), origin_us_(origin_us), meter_(rules.cuts_us, [this](FinishedPeaks peaks) { return sink_.peaks(peaks); }) {}

  // Levels stand where the packet stands, however its own clock jumped.
  Status measure(const AVPacket& packet) {
    const std::int64_t at = segmenter_->media_us(packet);
    std::int64_t samples = 0;
    return decoder_->decode(&packet, [&](AVFrame& frame) {
      const std::int64_t frame_at = at + (frame.sample_rate > 0 ? av_rescale(samples, 1'000'000, frame.sample_rate) : 0);
      samples += frame.nb_samples;
      return meter_.add(frame_at, frame);
    });
  }

  Status encode(AVFrame& frame) {
    const auto add = [this](PacketPtr p) { return segmenter_->add(std::move(p)); };
    if (flac_ && !flac_->continues(frame)) {
      GREFFE_TRY(flac_->finish(add));
      flac_.reset();
    }
    if (!flac_) flac_ = GREFFE_TRY(FlacEncoder::open(*source_, frame.format));
    if (!segmenter_) {
      const std::int64_t frame_us = av_rescale(4096, 1'000'000, source_->sample_rate);
      segmenter_ = std::make_unique<Segmenter>(sink_, rules_, flac_->parameters(), time_base_, origin_us_, frame_us, true);
    }
    GREFFE_TRY(flac_->encode(frame, add));
    if (frame.pts == AV_NOPTS_VALUE) return ok();
    return meter_.add(av_rescale_q(frame.pts, time_base_, kMicroseconds) - origin_us_, frame);
  }

  ChannelSink& sink_;
  const CutRules rules_;
  const std::int64_t origin_us_;
  const AVCodecParameters* source_ = nullptr;  // of the reader
  AVRational time_base_{1, 1};
  bool to_flac_ = false;
  PeakMeter meter_;
  std::unique_ptr<AudioDecoder> decoder_;
  std::unique_ptr<FlacEncoder> flac_;
  std::unique_ptr<Segmenter> segmenter_;
};

Result<CutRules> parse_rules(const Json& json) {
  CutRules out;
  out.video_ms = GREFFE_TRY(json.integer("video_ms"));
  out.audio_ms = GREFFE_TRY(json.integer("audio_ms"));
  out.after_90k = GREFFE_TRY(json.integer("after_90k"));
  const Json::Array cuts = GREFFE_TRY(json.array("cuts_us"));
  for (const Json& cut : cuts) {
    if (cut.as_integer() == nullptr) return fail(Errc::invalid, "a cut is not a number");
    out.cuts_us.push_back(*cut.as_integer());
  }
  return out;
}

Status read_media(const ChildTask& task, Channel& channel) {
  SandboxLimits limits;
  limits.cpu_seconds = kCpuSecondsAtLeast + task.media_bytes / kBytesPerCpuSecond;
  GREFFE_TRY(enter_sandbox(limits));
  const auto source = GREFFE_TRY(MediaSource::open(task.media, task.media_bytes, task.choice));
  const auto reader = GREFFE_TRY(TrackReader::open(*source));
  TrackFacts facts;
  facts.medium = source->is_video() ? "video" : "audio";
  facts.codec = avcodec_get_name(source->track().codecpar->codec_id);
  facts.transcoded = treatment_of(source->track().codecpar->codec_id) == CodecTreatment::to_flac;
  facts.first_us = reader->first_us();
  facts.stated_us = source->stated_us();
  GREFFE_TRY(channel.send(write_facts(facts)));

  const Message go = GREFFE_TRY(channel.receive());
  const CutRules rules = GREFFE_TRY(parse_rules(go.body));
  ChannelSink sink(channel, *source);
  const auto pipeline = GREFFE_TRY(Pipeline::open(*reader, sink, rules, source->origin_us()));
  for (;;) {
    PacketPtr packet = GREFFE_TRY(reader->next());
    if (!packet) break;
    GREFFE_TRY(pipeline->add(std::move(packet)));
  }
  GREFFE_TRY(pipeline->finish());
  Json done;
  done.set("say", "done").set("damaged", source->damaged());
  return channel.send(done);
}

}  // namespace

void run_media_child(const ChildTask& task, Channel& channel) {
  (void)sha256({});  // libcrypto sets itself up with files that cannot be opened later
  const Status status = read_media(task, channel);
  if (status) return;
  Json refused;
  refused.set("say", "failed").set("code", name_of(status.error().code)).set("words", status.error().message);
  // When the other end is gone there is nobody left to tell.
  const Status sent = channel.send(refused);
  (void)sent;
}

// ---- messages ----

Json write_facts(const TrackFacts& facts) {
  Json out;
  out.set("say", "track").set("medium", facts.medium).set("codec", facts.codec).set("transcoded", facts.transcoded);
  out.set("first_us", facts.first_us);
  if (facts.stated_us) out.set("stated_us", *facts.stated_us);
  return out;
}

Result<TrackFacts> parse_facts(const Json& json) {
  TrackFacts out;
  out.medium = GREFFE_TRY(json.string("medium"));
  if (out.medium != "video" && out.medium != "audio") return fail(Errc::invalid, "the reader names an unknown medium");
  out.codec = GREFFE_TRY(json.string("codec"));
  out.transcoded = GREFFE_TRY(json.boolean("transcoded"));
  out.first_us = GREFFE_TRY(json.integer("first_us"));
  if (json.has("stated_us")) out.stated_us = GREFFE_TRY(json.integer("stated_us"));
  return out;
}

Result<SegmentStart> parse_start(const Json& json) {
  SegmentStart out;
  out.run = GREFFE_TRY(json.size("run"));
  out.cut = GREFFE_TRY(json.size("cut"));
  out.media_us = GREFFE_TRY(json.integer("media_us"));
  return out;
}

Json write_segment_message(const FinishedSegment& segment, std::uint64_t bytes_read) {
  Json::Array flags;
  for (const std::string& flag : segment.flags) flags.emplace_back(flag);
  Json out = write_start("segment", segment.start);
  out.set("bytes", segment.bytes).set("init_bytes", segment.init_bytes).set("digest", segment.sha256);
  out.set("start_90k", segment.start_90k).set("duration_90k", segment.duration_90k).set("codecs", segment.codecs);
  out.set("flags", std::move(flags)).set("bytes_read", bytes_read);
  return out;
}

Result<FinishedSegment> parse_segment_message(const Json& json) {
  FinishedSegment out;
  out.start = GREFFE_TRY(parse_start(json));
  out.bytes = GREFFE_TRY(json.size("bytes"));
  out.init_bytes = GREFFE_TRY(json.size("init_bytes"));
  out.sha256 = GREFFE_TRY(json.digest("digest"));
  out.start_90k = GREFFE_TRY(json.integer("start_90k"));
  out.duration_90k = GREFFE_TRY(json.integer("duration_90k"));
  out.codecs = GREFFE_TRY(json.string("codecs"));
  out.flags = GREFFE_TRY(json.strings("flags"));
  return out;
}

}  // namespace greffe::ingest
