#include "archive/playlist.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::archive {
namespace {

// TARGETDURATION must never change while a playlist is read: the longest that a station ever makes (30 s of sound),
// with room for a long group of pictures.
constexpr int kTargetDurationS = 31;
constexpr std::int64_t kTicksPerSecond = 90'000;

// Quoted strings of a playlist have no quotes and no line breaks (RFC 8216, 4.2).
std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"') {
      out += '\'';
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return "\"" + out + "\"";
}

std::string seconds(std::int64_t ticks) {
  return fmt::format("{}.{:06d}", ticks / kTicksPerSecond, ticks % kTicksPerSecond * 1'000'000 / kTicksPerSecond);
}

bool concerns(const GapEntry& gap, const std::string& stream) {
  return std::any_of(gap.streams.begin(), gap.streams.end(), [&](const std::string& s) { return s == "*" || s == stream; });
}

// The gap's own colour of DATERANGE, so that a player that knows nothing of us still shows where and why.
std::string date_ranges(const Timeline& timeline, const std::string& stream, const std::vector<catalogue::Mark>& marks) {
  std::string out;
  for (const TimelineGap& gap : timeline.gaps) {
    if (!concerns(gap.entry, stream)) continue;
    out += fmt::format("#EXT-X-DATERANGE:ID=\"gap-{}\",CLASS=\"greffe.gap\",START-DATE=\"{}\",END-DATE=\"{}\",X-CAUSE={}\n",
                       gap.index, to_text(gap.entry.from), to_text(gap.entry.to), quoted(gap.entry.reason));
  }
  for (const catalogue::Mark& mark : marks) {
    if (!mark.stream.empty() && mark.stream != stream) continue;
    out += fmt::format("#EXT-X-DATERANGE:ID={},CLASS=\"greffe.mark\",START-DATE=\"{}\",X-TEXT={}\n", quoted(mark.id),
                       to_text(mark.at), quoted(mark.text));
  }
  return out;
}

std::uint64_t bits_per_second(const TimelineStream& stream) {
  std::uint64_t most = 1000;
  for (const TimelineSegment& s : stream.segments) {
    most = std::max(most, s.entry.bytes * 8 * kTicksPerSecond / static_cast<std::uint64_t>(s.entry.duration_90k));
  }
  return most;
}

std::string address_of(const TimelineStream& stream) { return "streams/" + stream.stream.name + "/playlist.m3u8"; }

}  // namespace

// One video at a time with every microphone as its choice of sound; without video the first microphone leads.
std::string master_playlist(const Timeline& timeline) {
  std::string out = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
  std::vector<const TimelineStream*> pictures;
  std::vector<const TimelineStream*> sounds;
  for (const TimelineStream& stream : timeline.streams) {
    if (stream.segments.empty()) continue;
    (stream.stream.medium == "video" ? pictures : sounds).push_back(&stream);
  }
  const bool grouped = !pictures.empty() && !sounds.empty();
  if (grouped) {
    for (const TimelineStream* sound : sounds) {
      out += fmt::format("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"microphones\",NAME={},DEFAULT={},AUTOSELECT=YES,URI={}\n",
                         quoted(sound->stream.name), sound == sounds.front() ? "YES" : "NO", quoted(address_of(*sound)));
    }
  }
  for (const TimelineStream* lead : grouped || sounds.empty() ? pictures : sounds) {
    std::string codecs = lead->segments.front().entry.codecs;
    std::uint64_t bandwidth = bits_per_second(*lead);
    if (grouped) {
      codecs += "," + sounds.front()->segments.front().entry.codecs;
      bandwidth += bits_per_second(*sounds.front());
    }
    out += fmt::format("#EXT-X-STREAM-INF:BANDWIDTH={},CODECS={}{}\n{}\n", bandwidth, quoted(codecs),
                       grouped ? ",AUDIO=\"microphones\"" : "", address_of(*lead));
  }
  return out;
}

std::string stream_playlist(const Timeline& timeline, const TimelineStream& stream, const std::vector<catalogue::Mark>& marks,
                            std::string_view objects) {
  std::string out = fmt::format("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n{}", kTargetDurationS,
                                timeline.closed ? "#EXT-X-PLAYLIST-TYPE:VOD\n" : "#EXT-X-PLAYLIST-TYPE:EVENT\n");
  const bool independent = std::all_of(stream.segments.begin(), stream.segments.end(), [](const auto& s) {
    return std::find(s.entry.flags.begin(), s.entry.flags.end(), "no-key-frame") == s.entry.flags.end();
  });
  if (independent) out += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  out += date_ranges(timeline, stream.stream.name, marks);
  const SegmentEntry* before = nullptr;
  for (const TimelineSegment& s : stream.segments) {
    const SegmentEntry& segment = s.entry;
    const std::string address = fmt::format("{}{}.mp4", objects, segment.sha256.hex());
    const bool first_of_run = before == nullptr || before->run != segment.run;
    if (first_of_run) {
      if (before != nullptr) out += "#EXT-X-DISCONTINUITY\n";
      out += fmt::format("#EXT-X-MAP:URI=\"{}\",BYTERANGE=\"{}@0\"\n", address, segment.init_bytes);
    }
    // The first of a run is taken whole: VLC 3.0 starts anew at a discontinuity and never reads a second map. Every one
    // states its range: over a kept connection ffmpeg 5.1 asks for the range of before when a segment has none.
    const std::uint64_t from = first_of_run ? 0 : segment.init_bytes;
    out += fmt::format("#EXT-X-PROGRAM-DATE-TIME:{}\n#EXTINF:{},\n#EXT-X-BYTERANGE:{}@{}\n{}\n", to_text(segment.utc),
                       seconds(segment.duration_90k), segment.bytes - from, from, address);
    before = &segment;
  }
  if (timeline.closed) out += "#EXT-X-ENDLIST\n";
  return out;
}

}  // namespace greffe::archive
