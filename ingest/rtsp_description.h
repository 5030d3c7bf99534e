// What a camera says that it sends (SDP, RFC 8866, as RTSP uses it: RFC 2326, appendix C): the part about one track of it. Pure.
#ifndef GREFFE_INGEST_RTSP_DESCRIPTION_H
#define GREFFE_INGEST_RTSP_DESCRIPTION_H

#include <string>
#include <string_view>

#include "archive/base/result.h"

namespace greffe::ingest {

struct CameraTrack {
  std::string url;      // what to set up
  std::string all_url;  // what to play
  std::string text;     // the description with this track alone
};

// The first video or audio track. `base`: the address to which the description's addresses are relative. invalid: there is no such
// track, or an address in it is none.
Result<CameraTrack> read_camera_track(std::string_view description, const std::string& base, bool video);

}  // namespace greffe::ingest

#endif
