// A connection to a camera over RTSP 1.0 (RFC 2326), which sends one track of it over that same connection (section 10.12). It brings
// RTP and RTCP packets as they are; libav makes media of them (ingest/live_source.cc). Ours and not libav's, because libav asks
// the kernel six times for each packet: half of what recording a camera cost (docs/decisions/0016-own-rtsp-session.md). One thread.
#ifndef GREFFE_INGEST_RTSP_SESSION_H
#define GREFFE_INGEST_RTSP_SESSION_H

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "archive/base/bytes.h"
#include "ingest/channel.h"
#include "ingest/rtsp_credentials.h"
#include "ingest/rtsp_description.h"
#include "ingest/rtsp_stream.h"
#include "ingest/source_address.h"

namespace greffe::ingest {

// Where a camera is on the network.
struct CameraPlace {
  struct Way {
    sockaddr_storage address{};
    socklen_t size = 0;
  };
  std::string url;         // without user and password
  std::vector<Way> ways;   // addresses of that name, to be tried in this order
};
// Asks the name service, which the sandbox no longer allows. unavailable: the name is not known.
Result<CameraPlace> find_camera(const SourceAddress& address);

class RtspSession {
 public:
  // Connects and has the camera send its first video or audio track; packets come from then on. Times are on monotonic_us().
  // Errors are sentences that go on after "SOURCE: ". unavailable: it does not answer, or not now. denied: user or password.
  // not_found: no such path. invalid: it speaks no RTSP, or sends no such track.
  static Result<std::unique_ptr<RtspSession>> open(const CameraPlace& place, const SourceAddress& address, bool video, std::int64_t until_us);
  ~RtspSession();  // tells the camera, without waiting for an answer
  RtspSession(const RtspSession&) = delete;
  RtspSession& operator=(const RtspSession&) = delete;

  const std::string& description() const { return track_.text; }  // of this track (SDP)
  // The size of the next packet, which is in `out` then; packets that are longer are left out. Otherwise one of libav's error
  // codes: AVERROR_EOF: the other end ended it; AVERROR_EXIT: the time is over. Keeps the session alive meanwhile.
  int read(std::span<std::uint8_t> out, std::int64_t until_us);
  // A report of ours (RTCP). Of receiver reports no more than one a second goes out.
  void report(ByteView packet);

 private:
  RtspSession(Descriptor socket, const CameraPlace& place, const SourceAddress& address);
  static Result<Descriptor> connect(const CameraPlace& place, std::int64_t until_us);
  static Result<Descriptor> connect_one(const CameraPlace::Way& way, std::int64_t until_us);
  Status begin(bool video, std::int64_t until_us);
  Status set_up(const RtspMessage& described, bool video, std::int64_t until_us);
  Result<RtspMessage> ask(const std::string& method, const std::string& url, const std::string& more, std::int64_t until_us);
  Result<RtspMessage> answer_to(std::uint32_t number, std::int64_t until_us);
  Status say(const std::string& method, const std::string& url, const std::string& more);
  Status expect_good(const RtspMessage& answer) const;
  int receive();  // more of the stream: its size, 0 at the end, or -errno
  Status obey(const RtspMessage& message);  // of the camera, among its packets
  void keep_alive();
  bool send_all(ByteView bytes);

  const Descriptor socket_;
  const std::string url_;
  RtspCredentials credentials_;
  CameraTrack track_;
  RtspStream stream_;
  std::uint32_t number_ = 0;         // CSeq of the newest request
  std::string session_;
  bool has_parameters_ = false;      // it knows GET_PARAMETER
  std::uint8_t channel_ = 0;         // of the packets; reports have the next one
  std::int64_t alive_every_us_ = 0;
  std::int64_t alive_at_us_ = 0;
  std::int64_t reported_us_ = 0;
};

}  // namespace greffe::ingest

#endif
