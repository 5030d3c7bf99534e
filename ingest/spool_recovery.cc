// What a crash leaves in open/: segments that were being written, and finished ones whose entries were not durable yet.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "archive/format/segment.h"
#include "ingest/codec_strings.h"
#include "ingest/spool.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxOpenBytes = 2 * kMaxObjectBytes;

struct OpenName {
  std::string stream;
  std::uint64_t run = 0;
  UtcTime utc;
};

// "<stream>-<run>-<ms>.mp4", as begin_segment makes it.
std::optional<OpenName> parse_open_name(std::string_view name) {
  if (name.size() < 4 || name.substr(name.size() - 4) != ".mp4") return std::nullopt;
  name.remove_suffix(4);
  const std::size_t second = name.rfind('-');
  const std::size_t first = second == std::string_view::npos || second == 0 ? second : name.rfind('-', second - 1);
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  const auto run = parse_decimal(name.substr(first + 1, second - first - 1));
  const auto ms = parse_decimal(name.substr(second + 1));
  if (!run || !ms || !is_valid_name(name.substr(0, first))) return std::nullopt;
  return OpenName{std::string(name.substr(0, first)), *run, UtcTime{static_cast<std::int64_t>(*ms)}};
}

std::int64_t to_90k(std::int64_t ticks, std::uint32_t time_scale) {
  const auto scale = static_cast<std::int64_t>(time_scale);
  return ticks / scale * 90'000 + ticks % scale * 90'000 / scale;
}

}  // namespace

Status HearingSpool::discard_open_segments() {
  const std::vector<std::string> names = GREFFE_TRY(files_.list(paths_.open()));
  for (const std::string& name : names) GREFFE_TRY(files_.remove(join(paths_.open(), name)));
  return ok();
}

Status HearingSpool::recover_open_segments() {
  const std::vector<std::string> names = GREFFE_TRY(files_.list(paths_.open()));
  std::vector<std::tuple<UtcTime, std::string>> by_time;
  for (const std::string& name : names) {
    const auto parsed = parse_open_name(name);
    by_time.emplace_back(parsed ? parsed->utc : UtcTime{}, name);
  }
  std::sort(by_time.begin(), by_time.end());
  for (const auto& [utc, name] : by_time) GREFFE_TRY(recover_one(name));
  return ok();
}

Status HearingSpool::recover_one(const std::string& name) {
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
  entry.boot = state_.open()->boot;
  entry.mono_ms = std::max<std::int64_t>(0, parsed->utc.ms - state_.open()->start.ms);
  entry.clock = {"import", kImportClockErrorMs};
  entry.flags = {"recovered"};
  if (stream->stream.medium == "video" && !layout->fragments.front().key) entry.flags.emplace_back("no-key-frame");
  GREFFE_TRY(put_document(good));
  append(entry);
  GREFFE_TRY(commit());
  return files_.remove(path);
}

}  // namespace greffe::ingest
