// What only a site has that was the archive goes to the site that was promoted in its place: its main log behind the state with which the next
// epoch begins, the hearings of which it has more, and what they name; then the archive grafts it (docs/decisions/0018-epochs.md). Keeps no
// state: what the archive holds is the state. Broken off anywhere, the next run goes on; run again, it sends nothing and says what stands.
#ifndef GREFFE_REPLICATE_FAILBACK_H
#define GREFFE_REPLICATE_FAILBACK_H

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "replicate/replicator.h"
#include "replicate/what_returns.h"

namespace greffe::replicate {

struct FailbackReport {
  WhatReturns found;                         // what lacked there when this run began
  PassReport carried;                        // what this run sent of it
  std::optional<client::GraftThere> graft;   // stands: of this run, or of one before
  std::string not_grafted;                   // why there is none, in words; empty: there is one
  // Everything that is here is there, and part of the archive.
  bool is_whole() const { return carried.caught_up() && (graft || found.held == found.size); }
  // The same but for hearings that went on otherwise there: no later run could bring those.
  bool is_all_that_can() const;
  Json json() const;
  std::string words() const;
};

struct FailbackParts {
  Sites sites;  // the source in the epoch that was written here, the target the archive that went on
  Bandwidth& bandwidth;
  Clock& clock;
  Log& log;
  LogCopier::Limits limits = {};
  std::function<void(const WhatReturns&)> on_found = [](const WhatReturns&) {};  // before anything is sent
  std::function<void()> on_looked = [] {};                                       // after each hearing that was looked at
  std::function<void(std::uint64_t bytes)> on_sent = [](std::uint64_t) {};       // any thread
  // As client::ArchiveClient::graft.
  std::function<Result<client::GraftThere>(const std::string& origin, const std::string& note)> graft = nullptr;
};

// What would come back; changes nothing. Errors as LogCopier::open_main.
Result<WhatReturns> look_at_failback(const FailbackParts& parts, const std::stop_token& stop);
// ok also where something could not be brought: the report says what, and there is no graft then. unavailable: the archive does not answer, or the
// line broke. denied: it does not take this site's log, or grafted another end before.
// conflict: the two do not agree about that log. cancelled. After any of them: run it again.
Result<FailbackReport> fail_back(const FailbackParts& parts, const std::stop_token& stop);

}  // namespace greffe::replicate

#endif
