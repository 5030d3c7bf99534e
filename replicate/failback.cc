#include "replicate/failback.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"

namespace greffe::replicate {
namespace {

struct Looked {
  Step main;
  WhatReturns found;
};

Result<Looked> look(const FailbackParts& parts, const std::stop_token& stop) {
  LogCopier copier(parts.sites, parts.bandwidth, parts.limits, parts.log);
  Looked out;
  out.main = GREFFE_TRY(copier.open_main());
  out.found = GREFFE_TRY(what_returns(parts.sites, out.main, parts.on_looked, stop));
  return out;
}

// The last step. Asked for again where it stands it is answered alike.
Status graft(const FailbackParts& parts, const Step& main, FailbackReport& report) {
  auto made = parts.graft(main.origin, main.note);
  if (made) {
    report.graft = std::move(*made);
    return ok();
  }
  report.not_grafted = made.error().message;
  const bool nothing_to = made.error().code == Errc::invalid && report.found.held == report.found.size;
  return nothing_to ? ok() : Status(made.error().within("all of it is held there, and the archive does not take it up"));
}

}  // namespace

Result<WhatReturns> look_at_failback(const FailbackParts& parts, const std::stop_token& stop) { return GREFFE_TRY(look(parts, stop)).found; }

Result<FailbackReport> fail_back(const FailbackParts& parts, const std::stop_token& stop) {
  const Looked looked = GREFFE_TRY(look(parts, stop));
  parts.on_found(looked.found);
  FailbackReport out;
  out.found = looked.found;
  Replicator::Options options;
  options.limits = parts.limits;
  options.on_sent = [&parts](MediaClass media, std::uint64_t bytes) {
    if (media != MediaClass::log) parts.on_sent(bytes);
  };
  Replicator replicator(parts.sites, parts.bandwidth, parts.clock, options, parts.log);
  out.carried = GREFFE_TRY(replicator.pass(stop));
  if (out.is_all_that_can()) GREFFE_TRY(graft(parts, looked.main, out));
  else out.not_grafted = "not everything could be brought";
  return out;
}

bool FailbackReport::is_all_that_can() const {
  if (carried.main_held != carried.main_size || carried.holes_found > 0 || carried.hearings_behind.size() == PassReport::kMostNamed) return false;
  return std::all_of(carried.hearings_behind.begin(), carried.hearings_behind.end(), [this](const HearingId& id) {
    return std::any_of(found.apart.begin(), found.apart.end(), [&id](const WhatReturns::Apart& one) { return one.hearing == id; });
  });
}

Json FailbackReport::json() const {
  Json out;
  out.set("found", found.json()).set("carried", carried.json()).set("whole", is_whole());
  if (graft) {
    Json made;
    made.set("entries", graft->entries).set("hearings", graft->hearings).set("number", graft->number).set("size", graft->size);
    out.set("graft", std::move(made));
  } else {
    out.set("not_grafted", not_grafted);
  }
  return out;
}

std::string FailbackReport::words() const {
  std::string out = fmt::format("brought {} objects ({}) and {} log entries\n", carried.copied.objects, human_bytes(carried.copied.bytes), carried.copied.entries);
  out += carried.troubles();
  if (!is_all_that_can()) {
    out += fmt::format("{} is held there to {} of {} entries, and {} hearings are behind. NOTHING OF IT IS PART OF THE ARCHIVE YET but the hearings that it holds: mend what is "
                       "named above and run it again\n", found.origin, carried.main_held, carried.main_size, carried.hearings_behind.size());
  } else if (graft) {
    out += fmt::format("{} came back: {} hearings, {:.1f} s of recording. The archive took it up with entry {} of its main log: {} entries of {} are said again, and {} "
                       "hearings are named\n", is_whole() ? "all of it" : "all but the hearings that went on otherwise", found.hearings, static_cast<double>(found.recorded_ms) / 1000, graft->number, graft->entries, found.origin, graft->hearings);
  } else {
    out += "all of it came back; no graft was made: " + not_grafted + "\n";
  }
  return out;
}

}  // namespace greffe::replicate
