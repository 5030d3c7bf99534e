// `greffe-replicate drill`: has the replica of this machine rehearse the loss of an archive whose copy it holds, waits, and says what came of it.
#ifndef GREFFE_REPLICATE_DRILL_VERB_H
#define GREFFE_REPLICATE_DRILL_VERB_H

#include <stop_token>
#include <string>

#include "archive/base/result.h"
#include "archive/format/drill.h"

namespace greffe::replicate {

struct DrillOptions {
  std::string replica = "/etc/greffe/archive.toml";  // configuration of the replica
  std::string archive;                               // empty: the one whose copy it holds
  bool json = false;
};

// The exit status: 1 when something is not as the logs say. A stop breaks the drill off, of which nothing is left then.
Result<int> run_drill(const DrillOptions& options, const std::stop_token& stop);

// What a drill found, for people.
std::string words_of(const DrillReport& report);

}  // namespace greffe::replicate

#endif
