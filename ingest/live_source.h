// One audio or video track that is live: a camera over RTSP, a device of this machine, or a recording or test picture
// played in real time. One libav context for each track, so that one camera's clock cannot move another's timestamps.
// Runs in a child process of its own and locks it up on the way: a camera's bytes are foreign bytes. One thread.
#ifndef GREFFE_INGEST_LIVE_SOURCE_H
#define GREFFE_INGEST_LIVE_SOURCE_H

#include <memory>
#include <string>

#include "ingest/packet_source.h"
#include "ingest/rtsp_session.h"
#include "ingest/source_address.h"

namespace greffe::ingest {

struct LiveRequest {
  SourceAddress address;
  bool video = true;
  bool watch = true;              // its signal (ingest/live_watch.h)
  bool may_stand_still = false;   // a screen
  std::int64_t open_ms = 10'000;  // to answer and to show what it is
  std::int64_t stall_ms = 3'000;  // without a packet: it is gone
};

class LiveSource : public PacketSource {
 public:
  // Enters the sandbox (ingest/sandbox.h): before the first byte of a camera is read, and after a device was opened.
  // Errors are sentences that go on after "SOURCE: ". unavailable: it does not answer, or not now. denied: user or
  // password. not_found: no such device or path. invalid: what it sends is not kept.
  static Result<std::unique_ptr<LiveSource>> open(const LiveRequest& request);
  ~LiveSource() override;

  const AVStream& track() const override { return *format_->streams[track_]; }
  std::int64_t origin_us() const override { return 0; }
  // False when the other end ended it. unavailable: no packet for `stall_ms`, or the connection broke; this source is
  // finished then and must not be read again.
  Result<bool> read(AVPacket& packet) override;
  bool dates_by_arrival() const override { return by_arrival_; }
  bool stalled() const { return stalled_; }  // why read() failed: nothing came; else the connection broke

 private:
  explicit LiveSource(const LiveRequest& request) : request_(request) {}
  static int is_over(void* self);
  Status open_camera();
  Status open_packets();
  static int read_description(void* self, std::uint8_t* out, int size);
  static int read_packet(void* self, std::uint8_t* out, int size);
  static int write_report(void* self, std::uint8_t* bytes, int size);
  Status open_here();
  Status open_input(const AVInputFormat* format, const std::string& location, AVDictionary** options);
  Status look_closer();
  Status choose();
  Error why_not(int code) const;
  std::string broken_words(int code) const;
  void arm(std::int64_t patience_ms);
  void pace(const AVPacket& packet);

  const LiveRequest request_;
  std::unique_ptr<RtspSession> camera_;  // of a camera; the two below read through it
  std::size_t described_ = 0;            // of its description, what libav has read
  IoPtr io_;
  InputPtr format_;
  unsigned track_ = 0;
  std::int64_t deadline_us_ = 0;    // on the monotonic clock
  bool by_arrival_ = false;
  std::int64_t opened_offset_us_ = 0;  // by_arrival_: wall clock minus monotonic clock
  bool paced_ = false;              // gives packets when their time has come, as if it were live
  std::int64_t first_us_ = AV_NOPTS_VALUE;
  std::int64_t began_us_ = 0;
  bool stalled_ = false;
};

}  // namespace greffe::ingest

#endif
