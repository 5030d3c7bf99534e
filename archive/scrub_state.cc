#include "archive/scrub_state.h"

#include <algorithm>

namespace greffe::archive {
namespace {

constexpr std::uint64_t kMaxStateBytes = 4 * 1024 * 1024;
constexpr std::int64_t kVersion = 1;

std::size_t share_of(NamePosition position) { return static_cast<std::size_t>(position) * VolumePass::kShares / kAllNames; }

Json to_json(const TreeEdge& edge) {
  Json::Array subtrees;
  for (const Digest& one : edge.subtrees()) subtrees.push_back(one.hex());
  Json out;
  out.set("size", edge.size()).set("subtrees", std::move(subtrees));
  return out;
}

Result<TreeEdge> read_edge(const Json& json) {
  const std::vector<std::string> texts = GREFFE_TRY(json.strings("subtrees"));
  std::vector<Digest> subtrees;
  for (const std::string& text : texts) subtrees.push_back(GREFFE_TRY(digest_from_hex(text)));
  const std::uint64_t size = GREFFE_TRY(json.size("size"));
  return TreeEdge::from_subtrees(size, std::move(subtrees));
}

void write_so_far(const PassSoFar& pass, Json& out) {
  out.set("began", pass.began).set("bytes", pass.bytes).set("failures", pass.failures).set("passes", pass.passes);
  out.set("results", to_json(pass.results));
}

Status read_so_far(const Json& json, PassSoFar& out) {
  out.began = GREFFE_TRY(json.utc("began"));
  out.bytes = GREFFE_TRY(json.size("bytes"));
  out.failures = GREFFE_TRY(json.size("failures"));
  const Json results = GREFFE_TRY(json.object("results"));
  out.results = GREFFE_TRY(read_edge(results));
  out.passes = GREFFE_TRY(json.size("passes"));
  return ok();
}

Json to_json(const VolumePass& pass) {
  Json::Array read;
  for (const UtcTime time : pass.read) read.push_back(time.ms);
  Json out;
  write_so_far(pass, out);
  out.set("entered", pass.entered).set("longest_ms", pass.longest_ms).set("objects", pass.objects).set("read_ms", std::move(read));
  out.set("since", pass.since).set("volume", pass.volume);
  if (pass.after) out.set("after", pass.after->hex());
  return out;
}

Result<VolumePass> read_volume_pass(const Json& json) {
  VolumePass out;
  out.volume = GREFFE_TRY(json.string("volume"));
  out.since = GREFFE_TRY(json.utc("since"));
  GREFFE_TRY(read_so_far(json, out));
  if (json.has("after")) out.after = GREFFE_TRY(json.digest("after"));
  out.objects = GREFFE_TRY(json.size("objects"));
  const Json::Array read = GREFFE_TRY(json.array("read_ms"));
  if (read.size() != out.read.size()) return fail(Errc::invalid, "\"read_ms\" has not as many times as there are shares");
  for (std::size_t i = 0; i < read.size(); ++i) {
    const std::int64_t* ms = read[i].as_integer();
    if (ms == nullptr || *ms < 0) return fail(Errc::invalid, "\"read_ms\" must be times in milliseconds");
    out.read[i] = UtcTime{*ms};
  }
  out.entered = GREFFE_TRY(json.utc("entered"));
  out.longest_ms = GREFFE_TRY(json.integer("longest_ms"));
  if (out.results.size() != out.objects) return fail(Errc::invalid, "\"results\" has not as many leaves as replicas were read");
  return out;
}

Result<LogsPass> read_logs_pass(const Json& json) {
  LogsPass out;
  GREFFE_TRY(read_so_far(json, out));
  out.after = GREFFE_TRY(json.string("after"));
  out.logs = GREFFE_TRY(json.size("logs"));
  return out;
}

}  // namespace

NamePosition position_of(const Digest& digest) {
  return static_cast<NamePosition>(digest.bytes[0]) << 16 | static_cast<NamePosition>(digest.bytes[1]) << 8 | digest.bytes[2];
}

std::string result_leaf(const Digest& digest, bool good) { return digest.hex() + (good ? " good" : " damaged"); }

VolumePass VolumePass::begin(std::string id, UtcTime now) {
  VolumePass out;
  out.volume = std::move(id);
  out.since = now;
  out.began = now;
  out.entered = now;
  return out;
}

UtcTime VolumePass::due(NamePosition position, std::int64_t period_ms) const {
  return UtcTime{began.ms + pass_length_ms(period_ms) * static_cast<std::int64_t>(position) / static_cast<std::int64_t>(kAllNames)};
}

// Shares [first, last) are behind the pass. What began before a share was entered cannot have been read later than that.
void VolumePass::leave_shares(std::size_t first, std::size_t last, UtcTime now) {
  for (std::size_t i = first; i < last; ++i) {
    if (read[i].ms != 0) longest_ms = std::max(longest_ms, now.ms - read[i].ms);
    read[i] = entered;
    entered = now;
  }
}

void VolumePass::take(const Digest& digest, std::uint64_t size, bool good, UtcTime now) {
  leave_shares(share_of(position()), share_of(position_of(digest)), now);
  after = digest;
  ++objects;
  bytes += size;
  results.append(leaf_hash(as_bytes(result_leaf(digest, good))));
}

std::optional<std::int64_t> VolumePass::longest_at_end(UtcTime now) const {
  if (passes == 0) return std::nullopt;
  VolumePass ended = *this;
  ended.leave_shares(share_of(position()), kShares, now);
  return ended.longest_ms;
}

void VolumePass::finish(UtcTime now) {
  leave_shares(share_of(position()), kShares, now);
  began = now;
  entered = now;
  after.reset();
  objects = 0;
  longest_ms = 0;
  end();
}

void LogsPass::finish() {
  after.clear();
  logs = 0;
  end();
}

void PassSoFar::end() {
  bytes = 0;
  failures = 0;
  results = TreeEdge();
  ++passes;
}

std::optional<UtcTime> VolumePass::oldest() const {
  const UtcTime first = *std::min_element(read.begin(), read.end());
  return first.ms == 0 ? std::nullopt : std::optional<UtcTime>(first);
}

bool VolumePass::late(std::int64_t period_ms, UtcTime now) const { return now.ms - oldest().value_or(since).ms > period_ms; }

// What lies ahead of the clock says nothing about when something was read.
void VolumePass::clock_went_back(UtcTime now, std::int64_t period_ms) {
  began = UtcTime{now.ms - (due(position(), period_ms).ms - began.ms)};
  entered = std::min(entered, now);
  since = std::min(since, now);
  for (UtcTime& time : read) {
    if (time > now) time = UtcTime{0};
  }
}

namespace {

ScrubEntry summary(const PassSoFar& pass, const std::string& volume, std::uint64_t objects, std::optional<std::int64_t> oldest_ms, UtcTime now) {
  ScrubEntry out;
  out.finding = "pass";
  out.volume = volume;
  out.objects = objects;
  out.bytes = pass.bytes;
  out.failures = pass.failures;
  out.results = PassResults{pass.began, oldest_ms, pass.results.root()};
  out.utc = now;
  return out;
}

}  // namespace

ScrubEntry summary_of(const VolumePass& pass, UtcTime now) { return summary(pass, pass.volume, pass.objects, pass.longest_at_end(now), now); }
ScrubEntry summary_of(const LogsPass& pass, UtcTime now) { return summary(pass, "logs", pass.logs, std::nullopt, now); }

std::string write_scrub_state(const ScrubState& state) {
  Json::Array volumes;
  for (const VolumePass& pass : state.volumes) volumes.push_back(to_json(pass));
  Json logs;
  write_so_far(state.logs, logs);
  logs.set("after", state.logs.after).set("logs", state.logs.logs);
  Json out;
  out.set("logs", std::move(logs)).set("pool", state.pool).set("saved", state.saved).set("v", kVersion).set("volumes", std::move(volumes));
  return write_json(out);
}

Result<ScrubState> parse_scrub_state(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  const std::int64_t version = GREFFE_TRY(json.integer("v"));
  if (version != kVersion) return fail(Errc::invalid, "it is of another version of Greffe");
  ScrubState out;
  out.pool = GREFFE_TRY(json.string("pool"));
  out.saved = GREFFE_TRY(json.utc("saved"));
  const Json::Array volumes = GREFFE_TRY(json.array("volumes"));
  for (const Json& volume : volumes) out.volumes.push_back(GREFFE_TRY(read_volume_pass(volume)));
  const Json logs = GREFFE_TRY(json.object("logs"));
  out.logs = GREFFE_TRY(read_logs_pass(logs));
  return out;
}

Result<ScrubState> load_scrub_state(FileSystem& files, const std::string& path) {
  const Bytes bytes = GREFFE_TRY(files.read_file(path, kMaxStateBytes));
  auto state = parse_scrub_state(as_text(bytes));
  if (!state) return fail(Errc::invalid, path + ": " + state.error().message);
  return state;
}

Status save_scrub_state(FileSystem& files, const std::string& path, const ScrubState& state) {
  return files.replace(path, as_bytes(write_scrub_state(state) + "\n"), 0600);
}

}  // namespace greffe::archive
