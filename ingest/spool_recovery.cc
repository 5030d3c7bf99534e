// What a crash leaves in open/: segments that were being written, and finished ones whose entries were not durable yet.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "archive/format/segment.h"
#include "ingest/codec_strings.h"
#include "ingest/spool.h"

namespace greffe::ingest {
namespace {

constexpr const char* kTranscoded = "-t";
constexpr std::uint64_t kMaxOpenBytes = 2 * kMaxObjectBytes;

std::int64_t to_90k(std::int64_t ticks, std::uint32_t time_scale) {
  const auto scale = static_cast<std::int64_t>(time_scale);
  return ticks / scale * 90'000 + ticks % scale * 90'000 / scale;
}

}  // namespace

std::string OpenSegmentName::text() const { 
  return fmt::format("{}-{}-{}-{}{}.mp4", stream, run, utc.ms, mono_ms, transcoded ? kTranscoded : "");
}

std::optional<OpenSegmentName> parse_open_name(std::string_view name) {
  if (!name.ends_with(".mp4")) return std::nullopt;
  name.remove_suffix(4);
  const bool transcoded = name.ends_with(kTranscoded);
  if (transcoded) name.remove_suffix(2);
  std::array<std::uint64_t, 3> numbers{};  // from the right: the stream's name may hold hyphens itself
  for (std::uint64_t& number : numbers) {
    const std::size_t hyphen = name.rfind('-');
    if (hyphen == std::string_view::npos) return std::nullopt;
    const auto found = parse_decimal(name.substr(hyphen + 1));
    if (!found) return std::nullopt;
    number = *found;
    name = name.substr(0, hyphen);
  }
  if (!is_valid_name(name)) return std::nullopt;
  return OpenSegmentName{std::string(name), numbers[2], UtcTime{static_cast<std::int64_t>(numbers[1])}, static_cast<std::int64_t>(numbers[0]),
                         transcoded};
}

Status HearingSpool::discard_open_segments() {
  const std::vector<std::string> names = GREFFE_TRY(files_.list(paths_.open()));
  for (const std::string& name : names) GREFFE_TRY(files_.remove(join(paths_.open(), name)));
  return ok();
}

Status HearingSpool::recover_segment(OpenSegment segment, const RecoveredFrom& from) {
  const std::string name = segment.path.substr(parent_of(segment.path).size() + 1);
  segment.file.reset();
  segment.reader.reset();
  return recover_one(name, from);
}

Status HearingSpool::recover_open_segments(const RecoveredFrom& from) {
  const std::vector<std::string> names = GREFFE_TRY(files_.list(paths_.open()));
  std::vector<std::tuple<UtcTime, std::string>> by_time;
  for (const std::string& name : names) {
    const auto parsed = parse_open_name(name);
    by_time.emplace_back(parsed ? parsed->utc : UtcTime{}, name);
  }
  std::sort(by_time.begin(), by_time.end());
  for (const auto& [utc, name] : by_time) GREFFE_TRY(recover_one(name, from));
  return ok();
}

Status HearingSpool::recover_one(const std::string& name, const RecoveredFrom& from) {
  const std::string path = join(paths_.open(), name);
  const auto parsed = parse_open_name(name);
  const StreamState* stream = parsed ? state_.find(parsed->stream) : nullptr;
  const Bytes bytes = GREFFE_TRY(files_.read_file(path, kMaxOpenBytes));
  const auto layout = read_segment(bytes);
  if (stream == nullptr || !layout || layout->fragments.empty()) {
    if (!bytes.empty()) GREFFE_TRY(set_aside(name, bytes));
    return files_.remove(path);
  }
  const ByteView good = ByteView(bytes).first(static_cast<std::size_t>(layout->good_bytes));
  if (stream->logged.contains(layout->good_digest)) return files_.remove(path);  // only the name was left
  if (good.size() < bytes.size()) GREFFE_TRY(set_aside(name, ByteView(bytes).subspan(good.size())));

  const Fragment& last = layout->fragments.back();
  SegmentEntry entry;
  entry.stream = parsed->stream;
  entry.seq = stream->segments;
  entry.run = parsed->run;
  entry.sha256 = layout->good_digest;
  entry.bytes = good.size();
  entry.init_bytes = layout->init_bytes;
  entry.start_90k = to_90k(layout->fragments.front().decode_time, layout->time_scale);
  entry.duration_90k = to_90k(last.decode_time + last.duration, layout->time_scale) - entry.start_90k;
  entry.codecs = codec_string(good.first(static_cast<std::size_t>(layout->init_bytes)));
  entry.utc = parsed->utc;
  entry.boot = from.boot;
  entry.mono_ms = parsed->mono_ms;
  entry.clock = from.clock;
  entry.flags = {"recovered"};
  if (stream->stream.medium == "video" && !layout->fragments.front().key) entry.flags.emplace_back("no-key-frame");
  if (parsed->transcoded) entry.flags.emplace_back("transcoded");
  GREFFE_TRY(put_document(good));
  append(entry);
  GREFFE_TRY(commit());
  return files_.remove(path);
}

}  // namespace greffe::ingest
