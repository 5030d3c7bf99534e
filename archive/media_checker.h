// Whether recordings play. libav is at home in the station's program only, which knows how to lock up whoever parses media: so it is asked,
// `greffe-ingest check-media --json FILE…`, as a process of its own.
#ifndef GREFFE_ARCHIVE_MEDIA_CHECKER_H
#define GREFFE_ARCHIVE_MEDIA_CHECKER_H

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/result.h"

namespace greffe::archive {

struct CheckedMedia {  // files together
  std::uint64_t packets = 0;
  std::uint64_t frames = 0;  // pictures, or pieces of sound
  std::uint64_t errors = 0;  // packets of which nothing, or a damaged frame came
  std::int64_t media_ms = 0;
  std::vector<std::string> problems;  // "<file>: <why>", of each that is not as it should be
};

constexpr std::size_t kMostCheckedFiles = 32;
constexpr std::size_t kMostCheckedOutput = 128 * 1024;

// Decodes every packet of every file, at most kMostCheckedFiles. cancelled: asked to stop. not_found: the program is not installed.
// unavailable: it did not do its work. Any thread.
using CheckMedia = std::function<Result<CheckedMedia>(const std::vector<std::string>& paths, const std::stop_token& stop)>;

// `program`: path of greffe-ingest; empty: the one beside this program. The clock must outlive it.
CheckMedia media_checker(Clock& clock, std::string program);

// What `check-media --json` says of so many files. invalid: something else.
Result<CheckedMedia> parse_checked_media(std::string_view text, std::size_t files);

}  // namespace greffe::archive

#endif
