#include "web/ahead_verb.h"

#include <fmt/format.h>

#include "archive/ahead_report.h"
#include "archive/base/command_line.h"
#include "archive/base/progress.h"
#include "archive/store/open_pool.h"

namespace greffe::web {

Result<int> show_ahead(const archive::Settings& settings, const OfflineOptions& options) {
  PosixFileSystem files;
  SystemClock clock;
  std::optional<HearingId> only;
  if (!options.hearing.empty()) only = GREFFE_TRY(parse_hearing_id(options.hearing));
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, settings.pool, store::PoolMode::reader));
  const auto read = [&]() -> Result<archive::AheadReport> {
    Progress progress(clock, "looking for objects", 0, ProgressUnit::items);
    return archive::report_ahead(*pool, only, [&progress] { progress.add(1); });
  };
  const archive::AheadReport report = GREFFE_TRY(read());
  if (options.json) fmt::print("{}\n", write_json(report.json()));
  else fmt::print("{}", report.words());
  return report.problems.empty() ? kExitDone : kExitFound;
}

void print_ahead(const Json& status) {
  const auto origins = status.array("origins");
  for (const Json& origin : origins ? *origins : Json::Array()) {
    const auto ahead = origin.object("ahead");
    const auto name = origin.string("name");
    const auto hearings = ahead ? ahead->size("hearings") : Result<std::uint64_t>(ahead.error());
    const auto objects = ahead ? ahead->size("objects") : Result<std::uint64_t>(ahead.error());
    const auto bytes = ahead ? ahead->size("bytes") : Result<std::uint64_t>(ahead.error());
    const auto main = ahead ? ahead->size("main_entries") : Result<std::uint64_t>(ahead.error());
    if (!name || !hearings || !objects || !bytes || !main || *hearings + *main == 0) continue;
    fmt::print("Known of {} and not held yet: {} hearings with {} objects ({}), {} main-log entries; `greffe-archive ahead` names them\n", *name, *hearings,
               *objects, human_bytes(*bytes), *main);
  }
}

}  // namespace greffe::web
