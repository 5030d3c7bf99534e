#include "replicate/media_class.h"

#include <algorithm>

namespace greffe::replicate {
namespace {

constexpr ByClass<std::string_view> kNames = {"log", "sound", "picture"};

MediaClass class_of(const ExpectedStream& stream) { return stream.medium == "audio" ? MediaClass::sound : MediaClass::picture; }

}  // namespace

std::string_view name_of(MediaClass one) { return kNames[index_of(one)]; }

std::optional<MediaClass> parse_media_class(std::string_view text) {
  for (const MediaClass one : kMediaClasses) {
    if (name_of(one) == text) return one;
  }
  return std::nullopt;
}

void HearingClasses::learn(const HearingEntry& entry) {
  if (const auto* open = std::get_if<OpenEntry>(&entry)) {
    for (const ExpectedStream& stream : open->streams) streams_[stream.name] = class_of(stream);
  } else if (const auto* late = std::get_if<StreamEntry>(&entry)) {
    streams_[late->stream.name] = class_of(late->stream);
  }
}

Status HearingClasses::read_until(std::uint64_t last) {
  const std::uint64_t first = read_;
  if (last <= first) return ok();
  read_ = last;
  return reader_.entries(first, last, [&](std::uint64_t, std::string_view text) {
    const auto entry = parse_hearing_entry(text);
    if (entry) learn(*entry);
    return true;
  });
}

Result<MediaClass> HearingClasses::of(const HearingEntry& entry) {
  learn(entry);
  const auto* segment = std::get_if<SegmentEntry>(&entry);
  if (segment == nullptr) return MediaClass::log;
  // Nearly every stream stands in the first entry; a late one is looked for in all of them, once.
  for (const std::uint64_t last : {std::min<std::uint64_t>(first_, 1), first_}) {
    if (streams_.contains(segment->stream)) break;
    GREFFE_TRY(read_until(last));
  }
  const auto found = streams_.find(segment->stream);
  return found == streams_.end() ? MediaClass::picture : found->second;
}

}  // namespace greffe::replicate
