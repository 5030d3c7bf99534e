#include "ingest/promised_length.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "archive/base/bytes.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMostChunks = 1000;
constexpr std::size_t kOggPageBytes = 65'307;  // at most

bool is(const AVFormatContext& format, std::string_view name) { return format.iformat != nullptr && format.iformat->name == name; }

Bytes read_at(const MediaFile& file, std::uint64_t offset, std::size_t size) {
  Bytes out(size);
  const ssize_t got = ::pread(file.descriptor, out.data(), size, static_cast<off_t>(offset));
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return out;
}

std::uint32_t little(ByteView bytes, std::size_t at) {
  return bytes[at] | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 | std::uint32_t{bytes[at + 3]} << 24;
}

// How many bytes of sound a WAV file states; recorders that never came back to fill it in leave 0 or the largest number.
std::optional<std::uint64_t> wav_data_bytes(const MediaFile& file) {
  std::uint64_t at = 12;
  for (std::size_t i = 0; i < kMostChunks; ++i) {
    const Bytes head = read_at(file, at, 8);
    if (head.size() < 8) return std::nullopt;
    const std::uint32_t size = little(head, 4);
    if (std::memcmp(head.data(), "data", 4) == 0) return size == 0 || size == UINT32_MAX ? std::nullopt : std::optional<std::uint64_t>(size);
    at += 8 + std::uint64_t{size} + (size & 1u);
  }
  return std::nullopt;
}

std::int64_t of_track(std::int64_t ticks, const AVStream& track) { return av_rescale_q(ticks, track.time_base, kMicroseconds); }

std::int64_t begin_of(const AVStream& track) { return track.start_time == AV_NOPTS_VALUE ? 0 : track.start_time; }

// "00:00:20.040000000", as writers of Matroska state it for each track.
std::optional<std::int64_t> tagged_us(const AVStream& track) {
  const AVDictionaryEntry* tag = av_dict_get(track.metadata, "DURATION", nullptr, 0);
  if (tag == nullptr || std::strlen(tag->value) < 8 || tag->value[2] != ':' || tag->value[5] != ':') return std::nullopt;
  const double seconds = std::strtol(tag->value, nullptr, 10) * 3600.0 + std::strtol(tag->value + 3, nullptr, 10) * 60.0 +
                         std::strtod(tag->value + 6, nullptr);
  return seconds > 0 && seconds < 1e7 ? std::optional(static_cast<std::int64_t>(seconds * 1e6)) : std::nullopt;
}

bool is_only_one(const AVFormatContext& format) {
  int tracks = 0;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    const AVMediaType type = format.streams[i]->codecpar->codec_type;
    tracks += type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_AUDIO ? 1 : 0;
  }
  return tracks == 1;
}

// The length of the container is that of its longest track: it is a promise about this one only if there is no other.
std::optional<std::int64_t> matroska_end_us(const AVFormatContext& format, const AVStream& track) {
  if (const auto tagged = tagged_us(track)) return tagged;
  if (!is_only_one(format) || format.duration == AV_NOPTS_VALUE || format.duration <= 0) return std::nullopt;
  return format.duration;
}

}  // namespace

std::optional<std::int64_t> promised_end_us(const MediaFile& file, const AVFormatContext& format, const AVStream& track) {
  if (is(format, "matroska,webm")) return matroska_end_us(format, track);
  // libav itself cuts what these two state to what is there.
  if (is(format, "avi") && track.nb_frames > 0) return of_track(begin_of(track) + track.nb_frames, track);
  if (is(format, "wav") && track.codecpar->bit_rate > 0) {
    const auto bytes = wav_data_bytes(file);
    return bytes ? std::optional(av_rescale(static_cast<std::int64_t>(*bytes), 8'000'000, track.codecpar->bit_rate)) : std::nullopt;
  }
  if (format.duration == AV_NOPTS_VALUE || format.duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return std::nullopt;
  if (track.duration == AV_NOPTS_VALUE || track.duration <= 0 || is(format, "ogg")) return std::nullopt;  // Ogg: what is there
  return of_track(begin_of(track) + track.duration, track);
}

// The last page of an Ogg file says that it is the last; its pages are short, so it begins within the last 64 KiB.
bool ends_early(const MediaFile& file, const AVFormatContext& format) {
  if (!is(format, "ogg")) return false;
  const std::uint64_t from = file.bytes > kOggPageBytes ? file.bytes - kOggPageBytes : 0;
  const Bytes tail = read_at(file, from, kOggPageBytes);
  constexpr std::string_view kPage = "OggS";
  const auto last = std::find_end(tail.begin(), tail.end(), kPage.begin(), kPage.end());
  const auto at = static_cast<std::size_t>(last - tail.begin());
  if (tail.size() - at < 27) return true;
  std::size_t size = 27 + tail[at + 26];
  if (tail.size() - at < size) return true;
  for (std::size_t i = 27, segments = size; i < segments; ++i) size += tail[at + i];
  constexpr std::uint8_t kLastPage = 4;
  return (tail[at + 5] & kLastPage) == 0 || tail.size() - at < size;
}

}  // namespace greffe::ingest
