#include "replicate/drill_verb.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "archive/base/command_line.h"
#include "archive/base/file_system.h"
#include "archive/base/progress.h"
#include "archive/client/control_client.h"

namespace greffe::replicate {
namespace {

constexpr auto kAskEvery = std::chrono::milliseconds(300);

// Short times matter here: a second site that is ready after 0.8 s is another one than after 8 s.
std::string length_of(std::int64_t ms) {
  return ms < 60'000 ? fmt::format("{:.1f} s", static_cast<double>(ms) / 1000) : human_duration(ms / 1000);
}

std::string counted(std::uint64_t count, const char* one, const char* several) { return fmt::format("{} {}", count, count == 1 ? one : several); }

std::string label_of(const std::string& step) {
  if (step == "catalogue") return "making the catalogue";
  if (step == "sample") return "reading at random";
  if (step == "decode") return "decoding";
  if (step == "compare") return "comparing catalogues";
  if (step == "day") return "reading a whole day";
  return "reading the main log";
}

// Waits until it is over; its state then.
Result<Json> await(const client::ControlSocket& socket, const Json& which, const std::stop_token& stop) {
  SystemClock clock;
  std::optional<Progress> bar;
  std::string shown;  // the step that the bar is of
  std::mutex mutex;
  std::condition_variable_any wakes;
  for (;;) {
    const Json state = GREFFE_TRY(client::ask_service(socket, "drill-state", which));
    const bool running = GREFFE_TRY(state.boolean("running"));
    if (!running) return state;
    const std::string step = GREFFE_TRY(state.string("step"));
    const std::uint64_t done = GREFFE_TRY(state.size("done"));
    const std::uint64_t total = GREFFE_TRY(state.size("total"));
    if (step != shown) bar.emplace(clock, label_of(step), 0, ProgressUnit::items);
    shown = step;
    bar->show(done, total);
    std::unique_lock lock(mutex);
    wakes.wait_for(lock, stop, kAskEvery, [] { return false; });
    if (!stop.stop_requested()) continue;
    GREFFE_TRY(client::ask_service(socket, "drill-stop", which));
    return fail(Errc::cancelled, "the drill was broken off; nothing of it is kept");
  }
}

}  // namespace

std::string words_of(const DrillReport& report) {
  std::string out = fmt::format("Drill of {} at {}, {}: {}\n", report.archive, report.site, to_text(report.ended),
                                report.failure_count == 0 ? "all is as its logs say" : counted(report.failure_count, "FAILURE", "FAILURES"));
  for (const DrillFailure& one : report.failures) out += fmt::format("FAILURE ({}): {}\n", one.code, one.what);
  if (report.failures.size() < report.failure_count) out += fmt::format("... and {} more\n", report.failure_count - report.failures.size());
  out += fmt::format("Held: {}, root {}; the newest was made at {}\n", counted(report.size, "entry", "entries"), report.root.hex(), to_text(report.newest));
  if (report.catalogue) {
    out += fmt::format("Catalogue: made from nothing in {}, {}; {} the one in use\n", length_of(report.ms.catalogue),
                       counted(report.catalogue->hearings, "hearing", "hearings"), report.catalogue->equal ? "the same as" : "NOT the same as");
  }
  out += fmt::format("At random: {} that {} name, {}\n", counted(report.sample.objects, "object", "objects"),
                     counted(report.sample.entries, "entry", "entries"), human_bytes(report.sample.bytes));
  if (report.day) {
    out += fmt::format("All of {}: {}, {}, {}, in {}\n", report.day->date, counted(report.day->hearings, "hearing", "hearings"),
                       counted(report.day->objects, "object", "objects"), human_bytes(report.day->bytes), length_of(report.ms.day));
  }
  if (report.media) {
    out += fmt::format("Decoded: {} of stream {} of hearing {}, {}\n", length_of(report.media->media_ms), report.media->stream,
                       report.media->hearing.text(), counted(report.media->frames, "frame", "frames"));
  }
  out += fmt::format("Would be lost (RPO): at most what was made in {}\n", length_of(report.rpo_ms));
  if (report.rto_ms) out += fmt::format("From these disks alone to the first picture or sound (RTO): {}\n", length_of(*report.rto_ms));
  if (report.level > 0) out += fmt::format("Times of level {} (GB/T 20988)\n", report.level);
  return out;
}

Result<int> run_drill(const DrillOptions& options, const std::stop_token& stop) {
  PosixFileSystem files;
  Config config = GREFFE_TRY(Config::load(files, options.replica));
  const client::ControlSocket socket{GREFFE_TRY(client::read_control_socket(config)), "the archive", "greffe-archive serve"};
  Json asked;
  if (!options.archive.empty()) asked.set("archive", options.archive);
  const Json begun = GREFFE_TRY(client::ask_service(socket, "drill", asked));
  const std::uint64_t number = GREFFE_TRY(begun.size("number"));
  Json which;
  which.set("number", number);
  const Json ended = GREFFE_TRY(await(socket, which, stop));
  if (ended.has("problem")) {
    const std::string problem = GREFFE_TRY(ended.string("problem"));
    return fail(Errc::unavailable, "the drill could not be done: " + problem);
  }
  const Json filed = GREFFE_TRY(ended.object("filed"));
  const std::uint64_t failures = GREFFE_TRY(filed.size("failures"));
  if (options.json) {
    fmt::print("{}\n", write_json(filed));
    return failures == 0 ? kExitDone : kExitFound;
  }
  const Json document = GREFFE_TRY(filed.object("report"));
  const DrillReport report = GREFFE_TRY(parse_drill_report(write_json(document)));
  const std::uint64_t index = GREFFE_TRY(filed.size("index"));
  const std::string digest = GREFFE_TRY(filed.string("report_sha256"));
  fmt::print("{}It is entry {} of the main log here; the report: {}\n", words_of(report), index, digest);
  return failures == 0 ? kExitDone : kExitFound;
}

}  // namespace greffe::replicate
