// A message of RTSP 1.0 (RFC 2326, sections 4 to 7) as it comes over a connection: an answer, or a request that a camera makes.
// Values. Reads tolerantly what cameras do differently (lines that end in LF alone, lines that are no field) and nothing without a limit.
#ifndef GREFFE_INGEST_RTSP_MESSAGE_H
#define GREFFE_INGEST_RTSP_MESSAGE_H

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/base/result.h"

namespace greffe::ingest {

constexpr std::size_t kMaxRtspHeadBytes = 16 * 1024;
constexpr std::size_t kMaxRtspBodyBytes = 32 * 1024;

struct RtspMessage {
  int status = 0;      // of an answer: 100 to 599; 0: this is a request
  std::string method;  // of a request
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, in the order in which they came
  std::string body;

  std::string_view field(std::string_view name) const;  // the first of this name; empty when there is none
};

struct RtspMessageRead {
  RtspMessage message;
  std::size_t size = 0;  // how many bytes it took
};

// The message at the beginning of `bytes`, or none while it is not there whole. invalid: it is no message, or longer than the
// limits above.
Result<std::optional<RtspMessageRead>> read_rtsp_message(std::string_view bytes);

// Without case, as names of fields are.
bool same_word(std::string_view a, std::string_view b);
std::string_view trimmed(std::string_view text);

}  // namespace greffe::ingest

#endif
