// Where a live stream comes from, as a person writes it in station.toml or behind --stream:
//   rtsp://[user[:password]@]host[:port]/path        a camera, over TCP
//   alsa:DEVICE[?rate=48000&channels=1]              a microphone of this machine
//   v4l2:/dev/videoN[?size=1280x720&rate=25&format=h264]   a camera or grabber of this machine
//   file:PATH                                        a recording, played in real time
//   test:bars[?size=…&rate=…]  test:tone[?frequency=…&rate=…]   libavdevice's test sources
// A value.
#ifndef GREFFE_INGEST_SOURCE_ADDRESS_H
#define GREFFE_INGEST_SOURCE_ADDRESS_H

#include <map>
#include <string>
#include <string_view>

#include "archive/format/canonical_json.h"

namespace greffe::ingest {

struct SourceAddress {
  enum class Kind { rtsp, alsa, v4l2, file, test };
  Kind kind = Kind::rtsp;
  std::string place;     // rtsp: "host[:port]/path"; else the device, path or name of the test source
  std::string user;      // rtsp, percent-decoded
  std::string password;
  std::map<std::string, std::string> options;  // behind '?', of a device or test source
  std::string text() const;  // to show: without user and password
};
// invalid: what is wrong and what it should be. The message never repeats a password.
Result<SourceAddress> parse_source_address(std::string_view text);
// Over the channel to the process that opens it; with the password.
Json write_source_address(const SourceAddress& address);
Result<SourceAddress> parse_source_message(const Json& json);

}  // namespace greffe::ingest

#endif
