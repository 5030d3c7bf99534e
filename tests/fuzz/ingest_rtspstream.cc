// What a camera sends: everything is taken in the end, packets and messages keep to their limits, whatever sizes it comes in.
#include <algorithm>
#include <cstdint>

#include "ingest/rtsp_credentials.h"
#include "ingest/rtsp_description.h"
#include "ingest/rtsp_stream.h"

namespace {

using namespace greffe;
using namespace greffe::ingest;

void use(const RtspMessage& message) {
  GREFFE_CHECK((message.status >= 100 && message.status < 600) != !message.method.empty());
  GREFFE_CHECK(message.body.size() <= kMaxRtspBodyBytes);
  RtspCredentials credentials("user", "secret");
  if (credentials.challenged(message)) {
    const std::string answer = credentials.answer("PLAY", "rtsp://camera/");
    GREFFE_CHECK(!answer.empty() && answer.find('\n') == std::string::npos);
    // The same challenge again means that the answer was refused, unless the camera says that it had only become too old.
    const bool stale = std::any_of(message.fields.begin(), message.fields.end(), [](const auto& field) {
      std::string text = field.second;
      std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      return text.find("stale") != std::string::npos;
    });
    GREFFE_CHECK(stale || !credentials.challenged(message));
  }
  for (const bool video : {false, true}) {
    const auto track = read_camera_track(message.body, "rtsp://camera/", video);
    if (track) GREFFE_CHECK(track->url.find_first_of(" \r\n") == std::string::npos && track->all_url.find_first_of(" \r\n") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{1} + bytes[0] * 8;
  ByteView rest(bytes + 1, size - 1);
  RtspStream stream;
  std::size_t packets = 0;
  while (!rest.empty()) {
    const auto room = stream.room();
    GREFFE_CHECK(!room.empty());
    const std::size_t taken = std::min({piece, room.size(), rest.size()});
    std::copy_n(rest.begin(), taken, room.begin());
    stream.received(taken);
    rest = rest.subspan(taken);
    for (auto next = stream.next(); next != RtspStream::Next::more; next = stream.next()) {
      if (next == RtspStream::Next::packet) packets += 1 + stream.packet().size();
      if (next == RtspStream::Next::message) use(stream.message());
    }
  }
  GREFFE_CHECK(packets <= size);
  return 0;
}
