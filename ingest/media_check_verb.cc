#include "ingest/media_check_verb.h"

#include <fmt/format.h>

#include "archive/format/canonical_json.h"
#include "ingest/media_check.h"
#include "ingest/media_worker.h"

namespace greffe::ingest {
namespace {

struct Checked {
  DecodedMedia media;
  std::string problem;  // empty: it plays
};

Result<DecodedMedia> decode(const std::string& path) {
  const auto worker = GREFFE_TRY(MediaWorker::start(path, {}, MediaTask::decode));
  return worker->decoded();
}

Checked check(const std::string& path) {
  const auto decoded = decode(path);
  if (decoded) return {*decoded, decoded->problem()};
  const std::string& words = decoded.error().message;
  const std::string name = path + ": ";
  return {{}, words.starts_with(name) ? words.substr(name.size()) : words};
}

Json to_json(const std::string& path, const Checked& checked) {
  Json out;
  out.set("errors", checked.media.errors).set("file", path).set("frames", checked.media.frames).set("media_ms", checked.media.media_us / 1000);
  out.set("packets", checked.media.packets);
  if (!checked.problem.empty()) out.set("problem", checked.problem);
  return out;
}

int run(const std::vector<std::string>& paths, bool json) {
  Json::Array files;
  bool well = true;
  for (const std::string& path : paths) {
    const Checked checked = check(path);
    well = well && checked.problem.empty();
    files.push_back(to_json(path, checked));
    if (json) continue;
    fmt::print("{}: {}\n", path, checked.problem.empty() ? fmt::format("plays: {:.1f} s, {} frames", static_cast<double>(checked.media.media_us) / 1e6, checked.media.frames)
                                                         : checked.problem);
  }
  if (json) {
    Json out;
    out.set("files", std::move(files));
    fmt::print("{}\n", write_json(out));
  }
  return well ? kExitDone : kExitFound;
}

}  // namespace

void MediaCheckVerb::define(CommandLine& line) {
  line.verb("check-media", "Decode every packet of recordings, each in a process that is locked up; exit 0 when all of them play.")
      .required("FILE", paths, "a recording", "FILE")
      .json(json)
      .body([this]() -> Result<int> { return run(paths, json); });
}

}  // namespace greffe::ingest
