#include "archive/media_checker.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "archive/base/child_process.h"
#include "archive/base/command_line.h"
#include "archive/format/canonical_json.h"
#include "archive/format/characters.h"

namespace greffe::archive {
namespace {

constexpr const char* kProgram = "greffe-ingest";
constexpr std::int64_t kTimeoutMs = 30 * 60'000;  // of one call, on a machine that has better things to do
constexpr std::size_t kProblemBytes = 400;

Result<std::string> program_beside_this_one() {
  std::error_code failed;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return fail(Errc::unavailable, "cannot tell where this program is: " + failed.message());
  return (own.parent_path() / kProgram).string();
}

Result<CheckedMedia> check(Clock& clock, const std::string& configured, const std::vector<std::string>& paths, const std::stop_token& stop) {
  GREFFE_CHECK(!paths.empty() && paths.size() <= kMostCheckedFiles);
  ChildOrder order;
  order.program = configured.empty() ? GREFFE_TRY(program_beside_this_one()) : configured;
  order.arguments = {"check-media", "--json"};
  order.arguments.insert(order.arguments.end(), paths.begin(), paths.end());
  order.timeout_ms = kTimeoutMs;
  order.most_output = kMostCheckedOutput;
  const auto ended = run_child(clock, order, stop);
  if (!ended && ended.error().code == Errc::not_found) {
    return fail(Errc::not_found, "recordings cannot be decoded here: " + ended.error().message + "; install it, or name it in archive.toml (media_checker)");
  }
  if (!ended) return ended.error();
  if (ended->status != kExitDone && ended->status != kExitFound) {
    return fail(Errc::unavailable, fmt::format("{} ended with {}: {}", order.program, ended->status, ended->errors.substr(0, kProblemBytes)));
  }
  auto out = parse_checked_media(ended->output, paths.size());
  if (!out) return fail(Errc::unavailable, order.program + ": what it says of the recordings: " + out.error().message);
  return out;
}

Status add_file(const Json& json, CheckedMedia& out) {
  const std::string file = GREFFE_TRY(json.string("file"));
  const std::uint64_t packets = GREFFE_TRY(json.size("packets"));
  const std::uint64_t frames = GREFFE_TRY(json.size("frames"));
  const std::uint64_t errors = GREFFE_TRY(json.size("errors"));
  const std::uint64_t media_ms = GREFFE_TRY(json.size("media_ms"));
  out.packets += packets;
  out.frames += frames;
  out.errors += errors;
  out.media_ms += static_cast<std::int64_t>(media_ms);
  if (!json.has("problem")) return errors == 0 && frames > 0 ? ok() : Status(fail(Errc::invalid, "a file that is not in order has no \"problem\""));
  const std::string problem = GREFFE_TRY(json.string("problem"));
  if (problem.empty() || has_control_character(problem)) return fail(Errc::invalid, "\"problem\" is not a sentence");
  out.problems.push_back((file + ": " + problem).substr(0, kProblemBytes));
  return ok();
}

}  // namespace

Result<CheckedMedia> parse_checked_media(std::string_view text, std::size_t files) {
  if (text.size() > kMostCheckedOutput) return fail(Errc::invalid, "it is too long");
  const Json json = GREFFE_TRY(parse_json(text));
  const Json::Array list = GREFFE_TRY(json.array("files"));
  if (list.size() != files) return fail(Errc::invalid, fmt::format("it is about {} files, and {} were asked about", list.size(), files));
  CheckedMedia out;
  for (const Json& one : list) GREFFE_TRY(add_file(one, out));
  return out;
}

CheckMedia media_checker(Clock& clock, std::string program) {
  return [&clock, program = std::move(program)](const std::vector<std::string>& paths, const std::stop_token& stop) {
    return check(clock, program, paths, stop);
  };
}

}  // namespace greffe::archive
