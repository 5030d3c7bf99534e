#include "ingest/rtsp_description.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "ingest/rtsp_message.h"

namespace greffe::ingest {
namespace {

constexpr std::string_view kControl = "a=control:";

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (!line.empty()) out.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

// RFC 2326, section C.1.1. Cameras expect that a relative address is put behind the base, whatever stands there after its last slash.
Result<std::string> joined(const std::string& base, std::string_view control) {
  const bool clean = std::all_of(control.begin(), control.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
  if (!clean) return fail(Errc::invalid, "it describes a track under an address with spaces in it");
  if (control.empty() || control == "*") return base;
  if (same_word(control.substr(0, 7), "rtsp://")) return std::string(control);
  return base + (base.back() == '/' ? "" : "/") + std::string(control);
}

}  // namespace

Result<CameraTrack> read_camera_track(std::string_view description, const std::string& base, bool video) {
  const std::string_view wanted = video ? "m=video " : "m=audio ";
  CameraTrack out;
  out.all_url = base;
  std::string_view control;
  bool any = false, ours = true;  // what stands before the first track is about all of them
  for (const std::string_view line : lines_of(description)) {
    if (begins(line, "m=")) {
      ours = !any && begins(line, wanted);
      any = any || ours;
    }
    if (!ours) continue;
    if (begins(line, kControl)) {
      const std::string_view value = trimmed(line.substr(kControl.size()));
      if (any) control = value;
      if (!any) out.all_url = GREFFE_TRY(joined(base, value));
    } else {
      out.text += fmt::format("{}\r\n", line);
    }
  }
  if (!any) return fail(Errc::invalid, fmt::format("it sends no {}", video ? "picture" : "sound"));
  out.url = GREFFE_TRY(joined(base, control));
  return out;
}

}  // namespace greffe::ingest
