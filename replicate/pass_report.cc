#include "replicate/pass_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"

namespace greffe::replicate {

void PassReport::behind(const HearingId& id) {
  if (hearings_behind.size() < kMostNamed) hearings_behind.insert(id);
}

void PassReport::hole(const Hole& hole) {
  ++holes_found;
  if (holes.size() < kMostNamed) holes.push_back(hole);
}

void PassReport::problem(std::string words) {
  if (problems.size() < kMostNamed) problems.push_back(std::move(words));
}

void PassReport::add_held_up(const PassReport& earlier) {
  for (const HearingId& id : earlier.hearings_behind) behind(id);
  const auto known = [&](const Hole& one) {
    return std::any_of(holes.begin(), holes.end(), [&](const Hole& hole) { return hole.object == one.object && hole.log == one.log; });
  };
  holes_found += earlier.holes_found - earlier.holes.size();
  for (const Hole& one : earlier.holes) {
    if (!known(one)) hole(one);
  }
  for (const std::string& one : earlier.problems) {
    if (std::find(problems.begin(), problems.end(), one) == problems.end()) problem(one);
  }
}

Json PassReport::json() const {
  Json::Array hole_list;
  for (const Hole& hole : holes) {
    Json one;
    one.set("object", hole.object).set("log", hole.log).set("entry", hole.entry).set("why", hole.why);
    hole_list.push_back(std::move(one));
  }
  Json::Array problem_list(problems.begin(), problems.end());
  Json::Array waiting_list;
  for (const MediaClass media : waiting) waiting_list.emplace_back(name_of(media));
  Json out;
  out.set("caught_up", caught_up()).set("main_size", main_size).set("main_held", main_held);
  out.set("hearings_behind", std::uint64_t{hearings_behind.size()}).set("undelivered", undelivered).set("holes", std::move(hole_list));
  out.set("holes_found", holes_found).set("problems", std::move(problem_list)).set("objects_sent", copied.objects);
  out.set("bytes_sent", copied.bytes).set("entries_sent", copied.entries).set("objects_returned", returned);
  out.set("waiting", std::move(waiting_list));
  return out;
}

std::string PassReport::troubles() const {
  std::string out;
  for (const Hole& hole : holes) {
    out += fmt::format("HOLE: object {} (entry {} of {}) cannot be read at the source: {}\n", hole.object.hex(), hole.entry, hole.log,
                       hole.why);
  }
  if (holes_found > holes.size()) out += fmt::format("and {} more holes\n", holes_found - holes.size());
  for (const std::string& problem : problems) out += "PROBLEM: " + problem + "\n";
  for (const MediaClass media : waiting) out += fmt::format("{} waits: its limit lets nothing go at this time\n", name_of(media));
  if (undelivered > 0) {
    out += "confirmations could not be brought to the archive; they will be with the next pass\n";
  }
  return out;
}

std::string PassReport::words() const {
  std::string out = fmt::format("sent {} objects ({}) and {} log entries\n", copied.objects, human_bytes(copied.bytes), copied.entries);
  if (returned > 0) out += fmt::format("{} objects that one site had lost were given back by the other\n", returned);
  out += troubles();
  const char* more = hearings_behind.size() == kMostNamed ? " or more" : "";
  out += caught_up() ? fmt::format("the second site holds everything: {} main log entries\n", main_held)
                     : fmt::format("the second site holds {} of {} main log entries; {}{} hearings are behind\n", main_held, main_size,
                                   hearings_behind.size(), more);
  return out;
}

}  // namespace greffe::replicate
