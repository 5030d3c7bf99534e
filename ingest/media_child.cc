#include "ingest/media_child.h"

#include "ingest/channel_sink.h"
#include "ingest/media_check.h"
#include "ingest/sandbox.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kBytesPerCpuSecond = 250'000;  // the slowest reading that is still work and not a trap
constexpr std::uint64_t kCpuSecondsAtLeast = 300;
constexpr std::uint64_t kDecodingBytes = 1024ULL * 1024 * 1024;  // of memory: sixteen large pictures, and what belongs to them

// Of a segment of a file: how far the file was read for it.
class FileSink : public ChannelSink {
 public:
  FileSink(Channel& channel, const MediaSource& source) : ChannelSink(channel), source_(source) {}

 private:
  using ChannelSink::add_facts;
  void add_facts(Json& message, const FinishedSegment&) override { message.set("bytes_read", source_.bytes_read()); }
  const MediaSource& source_;
};

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
  FileSink sink(channel, *source);
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

Status decode_media(const ChildTask& task, Channel& channel) {
  SandboxLimits limits;
  limits.cpu_seconds = kCpuSecondsAtLeast + task.media_bytes / kBytesPerCpuSecond;
  limits.memory_bytes = kDecodingBytes;
  GREFFE_TRY(enter_sandbox(limits));
  const auto source = GREFFE_TRY(MediaSource::open(task.media, task.media_bytes, task.choice));
  const DecodedMedia media = GREFFE_TRY(decode_all(*source));
  return channel.send(write_decoded(media));
}

}  // namespace

void run_media_child(const ChildTask& task, Channel& channel) {
  (void)sha256({});  // libcrypto sets itself up with files that cannot be opened later
  const Status status = task.task == MediaTask::decode ? decode_media(task, channel) : read_media(task, channel);
  if (status) return;
  Json refused;
  refused.set("say", "failed").set("code", name_of(status.error().code)).set("words", status.error().message);
  // When the other end is gone there is nobody left to tell.
  const Status sent = channel.send(refused);
  (void)sent;
}

// ---- messages ----

Json write_start(const char* say, const SegmentStart& start) {
  Json out;
  out.set("say", say).set("run", start.run).set("cut", start.cut).set("media_us", start.media_us);
  return out;
}

Json write_rules(const CutRules& rules) {
  Json::Array cuts;
  for (const std::int64_t cut : rules.cuts_us) cuts.emplace_back(cut);
  Json out;
  out.set("do", "record").set("video_ms", rules.video_ms).set("audio_ms", rules.audio_ms).set("cuts_us", std::move(cuts)).set("after_90k", rules.after_90k);
  return out;
}

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

Json write_segment_message(const FinishedSegment& segment) {
  Json::Array flags;
  for (const std::string& flag : segment.flags) flags.emplace_back(flag);
  Json out = write_start("segment", segment.start);
  out.set("bytes", segment.bytes).set("init_bytes", segment.init_bytes).set("digest", segment.sha256);
  out.set("start_90k", segment.start_90k).set("duration_90k", segment.duration_90k).set("codecs", segment.codecs);
  out.set("flags", std::move(flags));
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
