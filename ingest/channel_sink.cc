#include "ingest/channel_sink.h"

#include <poll.h>

#include "ingest/media_child.h"

namespace greffe::ingest {

Result<Message> ChannelSink::answer() {
  for (;;) {
    Message message = GREFFE_TRY(channel_.receive());
    if (!message.body.has("do")) return message;
    commands_.push_back(std::move(message.body));
  }
}

Result<std::optional<Json>> ChannelSink::command(bool wait) {
  pollfd watched{channel_.descriptor(), POLLIN, 0};
  while (commands_.empty() && (wait || ::poll(&watched, 1, 0) > 0)) {
    Message message = GREFFE_TRY(channel_.receive());
    if (!message.body.has("do")) return fail(Errc::invalid, "an answer that nobody asked for");
    commands_.push_back(std::move(message.body));
  }
  if (commands_.empty()) return std::optional<Json>();
  Json out = std::move(commands_.front());
  commands_.pop_front();
  return std::optional<Json>(std::move(out));
}

Result<int> ChannelSink::file_for(const SegmentStart& start) {
  Json need = write_start("need", start);
  add_facts(need, start);
  GREFFE_TRY(channel_.send(need));
  Message given = GREFFE_TRY(answer());
  file_ = std::move(given.descriptor);
  const bool write = GREFFE_TRY(given.body.boolean("write"));
  if (write && !file_.is_open()) return fail(Errc::unavailable, "no file was given for the next segment");
  return write ? file_.get() : -1;
}

Result<Digest> ChannelSink::seal(std::uint64_t bytes) {
  Json written;
  written.set("say", "fragment").set("bytes", bytes);
  GREFFE_TRY(channel_.send(written));
  const Message sealed = GREFFE_TRY(answer());
  return sealed.body.digest("digest");
}

Status ChannelSink::segment(const FinishedSegment& segment) {
  file_ = Descriptor();
  Json message = write_segment_message(segment);
  add_facts(message, segment);
  return channel_.send(message);
}

Status ChannelSink::peaks(const FinishedPeaks& peaks) {
  Json json;
  json.set("say", "peaks").set("cut", peaks.cut).set("media_us", peaks.media_us).set("levels", to_base64(peaks.levels));
  add_facts(json, peaks);
  return channel_.send(json);
}

}  // namespace greffe::ingest
