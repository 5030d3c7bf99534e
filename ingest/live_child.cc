#include "ingest/live_child.h"

#include <sys/prctl.h>

#include <csignal>
#include <memory>

#include "ingest/backlog.h"
#include "ingest/capture_clock.h"
#include "ingest/channel_sink.h"
#include "ingest/live_watch.h"
#include "ingest/media_child.h"
#include "ingest/monotonic.h"

namespace greffe::ingest {
namespace {

// Says of each segment when it was captured.
class LiveSink : public ChannelSink {
 public:
  explicit LiveSink(Channel& channel) : ChannelSink(channel) {}
  CaptureClock& clock() { return clock_; }
  void begin() { clock_ = CaptureClock(); }
  void show(LiveWatch* watch) { watch_ = watch; }
  Status heard(std::int64_t media_us, const AVFrame& frame) override { return watch_ == nullptr ? ok() : watch_->sound(media_us, frame); }
  Status seen(const AVFrame& frame) override { return watch_ == nullptr ? ok() : watch_->picture(monotonic_us(), frame); }

 private:
  void add_facts(Json& message, const FinishedSegment& segment) override { message.set("mono_ms", clock_.start_us(segment) / 1000); }
  void add_facts(Json& message, const SegmentStart& start) override { message.set("mono_ms", clock_.at_us(start.media_us) / 1000); }
  void add_facts(Json& message, const FinishedPeaks& peaks) override { message.set("mono_ms", clock_.at_us(peaks.media_us) / 1000); }
  CaptureClock clock_;
  LiveWatch* watch_ = nullptr;
};

class LiveReading {
 public:
  explicit LiveReading(Channel& channel) : channel_(channel), sink_(channel) {}

  Status run() {
    const std::optional<Json> asked = GREFFE_TRY(sink_.command(true));
    const LiveRequest request = GREFFE_TRY(parse_live_request(*asked));
    remote_ = request.address.kind == SourceAddress::Kind::rtsp;
    source_ = GREFFE_TRY(LiveSource::open(request));
    reader_ = GREFFE_TRY(TrackReader::open(*source_));
    if (request.watch) watch_.emplace(channel_, *reader_, request.may_stand_still);
    if (watch_) sink_.show(&*watch_);
    GREFFE_TRY(channel_.send(write_facts(facts())));
    while (!stopped_) {
      GREFFE_TRY(obey());
      if (stopped_) break;
      const std::int64_t asked_us = monotonic_us();
      auto packet = reader_->next();
      if (packet && *packet) {
        GREFFE_TRY(take(backlog_.add(std::move(*packet), reader_->time_base(), asked_us, monotonic_us())));
        continue;
      }
      GREFFE_TRY(take(backlog_.rest(reader_->time_base(), monotonic_us())));
      // What came before it ended is kept.
      GREFFE_TRY(end_recording());
      if (!packet) return packet.error();
      return fail(Errc::unavailable, "it ended the connection");
    }
    Json done;
    done.set("say", "done").set("damaged", false);
    return channel_.send(done);
  }

  const char* why(Errc code) const {
    if (code == Errc::io_error || code == Errc::no_space) return kEndedFault;  // our own disk
    if (source_ && source_->stalled()) return kEndedNoSignal;
    return remote_ ? kEndedNetwork : kEndedFault;
  }

 private:
  TrackFacts facts() const {
    TrackFacts out;
    out.medium = source_->is_video() ? "video" : "audio";
    out.codec = avcodec_get_name(source_->track().codecpar->codec_id);
    out.transcoded = treatment_of(source_->track().codecpar->codec_id) != CodecTreatment::keep;
    return out;
  }

  Status obey() {
    while (const std::optional<Json> command = GREFFE_TRY(sink_.command(false))) {
      const std::string what = GREFFE_TRY(command->string("do"));
      if (what == "stop") {
        stopped_ = true;
        return end_recording();
      }
      if (what == "hold") {
        GREFFE_TRY(end_recording());
        GREFFE_TRY(channel_.send(std::move(Json().set("say", "holding"))));
      } else if (what == "new-run") {
        if (pipeline_) pipeline_->begin_new_run();
      } else if (what == "record") {
        const CutRules rules = GREFFE_TRY(parse_rules(*command));
        sink_.begin();
        pipeline_ = GREFFE_TRY(Pipeline::open(*reader_, sink_, rules, source_->origin_us()));
        wait_for_key_ = source_->is_video();
      } else {
        return fail(Errc::invalid, "an unknown command");
      }
    }
    return ok();
  }

  Status take(std::vector<Backlog::Arrival> arrivals) {
    for (Backlog::Arrival& one : arrivals) GREFFE_TRY(take(std::move(one.packet), one.mono_us));
    return ok();
  }

  Status take(PacketPtr packet, std::int64_t came_us) {
    if (watch_) GREFFE_TRY(watch_->packet(monotonic_us(), *packet, pipeline_ != nullptr));
    if (!pipeline_) return ok();  // on hold: the connection is kept alive, and nothing of what comes is
    if (wait_for_key_ && (packet->flags & AV_PKT_FLAG_KEY) == 0) return ok();
    wait_for_key_ = false;
    const std::int64_t dts = packet->dts;
    GREFFE_TRY(pipeline_->add(std::move(packet)));
    sink_.clock().note(pipeline_->media_us(dts), came_us);
    return ok();
  }

  Status end_recording() {
    if (!pipeline_) return ok();
    const std::unique_ptr<Pipeline> ending = std::move(pipeline_);
    return ending->finish();
  }

  Channel& channel_;
  LiveSink sink_;
  std::unique_ptr<LiveSource> source_;
  std::unique_ptr<TrackReader> reader_;
  std::optional<LiveWatch> watch_;
  Backlog backlog_;
  std::unique_ptr<Pipeline> pipeline_;  // null: on hold
  bool remote_ = false;                 // over a network, not a device of this machine
  bool wait_for_key_ = false;
  bool stopped_ = false;
};

}  // namespace

Json write_live_request(const LiveRequest& request) {
  Json out = write_source_address(request.address);
  out.set("do", "open").set("video", request.video).set("watch", request.watch).set("may_stand_still", request.may_stand_still).set("open_ms", request.open_ms).set("stall_ms", request.stall_ms);
  return out;
}

Result<LiveRequest> parse_live_request(const Json& json) {
  LiveRequest out;
  out.address = GREFFE_TRY(parse_source_message(json));
  out.video = GREFFE_TRY(json.boolean("video"));
  out.watch = GREFFE_TRY(json.boolean("watch"));
  out.may_stand_still = GREFFE_TRY(json.boolean("may_stand_still"));
  out.open_ms = GREFFE_TRY(json.integer("open_ms"));
  out.stall_ms = GREFFE_TRY(json.integer("stall_ms"));
  return out;
}

int run_live_child() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it must not outlive a recorder that was killed
  ::signal(SIGINT, SIG_IGN);           // the recorder decides
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  (void)sha256({});  // libcrypto sets itself up with files that cannot be opened later
  Channel channel{Descriptor(kLiveChannelDescriptor)};
  LiveReading reading(channel);
  const Status status = reading.run();
  if (status) return 0;
  Json failed;
  failed.set("say", "failed").set("code", name_of(status.error().code)).set("words", status.error().message).set("reason", reading.why(status.error().code));
  // When the other end is gone there is nobody left to tell.
  const Status sent = channel.send(failed);
  (void)sent;
  return 1;
}

}  // namespace greffe::ingest
