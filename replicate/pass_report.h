// What one pass to one target did, and what it left behind. Bounded, whatever there is. A value.
#ifndef GREFFE_REPLICATE_PASS_REPORT_H
#define GREFFE_REPLICATE_PASS_REPORT_H

#include <set>
#include <string>
#include <vector>

#include "replicate/log_copier.h"

namespace greffe::replicate {

struct Copied {
  std::uint64_t entries = 0;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};

struct PassReport {
  static constexpr std::size_t kMostNamed = 1000;  // holes, problems, hearings: there may be more

  std::uint64_t main_size = 0;  // published here
  std::uint64_t main_held = 0;  // held and cosigned by the target
  std::set<HearingId> hearings_behind;  // at most kMostNamed of them
  std::uint64_t undelivered = 0;        // confirmations that could not be brought to the archive
  std::uint64_t holes_found = 0;
  std::vector<Hole> holes;              // the first kMostNamed of them
  std::vector<std::string> problems;    // what could not be carried, each a sentence; at most kMostNamed
  std::set<MediaClass> waiting;         // of which nothing may go at this time, or is taken
  Copied copied;
  std::uint64_t returned = 0;  // objects that one site had lost and the other one gave back

  void behind(const HearingId& id);
  void hole(const Hole& hole);
  void problem(std::string words);
  // What an earlier pass found and this one did not look at again.
  void add_held_up(const PassReport& earlier);
  bool caught_up() const { return main_held == main_size && hearings_behind.empty() && holes_found == 0 && problems.empty(); }
  Json json() const;
  std::string words() const;
  std::string troubles() const;  // the part of them that somebody should look at; empty: none
};

}  // namespace greffe::replicate

#endif
