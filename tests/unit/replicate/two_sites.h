// A source, a second site and the line between them, in memory: for tests of what the replicator carries.
#ifndef GREFFE_TESTS_UNIT_REPLICATE_TWO_SITES_H
#define GREFFE_TESTS_UNIT_REPLICATE_TWO_SITES_H

#include "replicate/lag.h"
#include "replicate/replicator.h"
#include "tests/unit/replicate/second_site.h"

namespace greffe::testing {

template <class ClockOfTest = SystemClock>
struct TwoSites {
  SourcePool source;
  SecondSite second;
  Confirmations archive{source.store, second.verifier()};
  Log log{"test"};
  ClockOfTest clock;
  replicate::Bandwidth line{clock, replicate::Timetable()};
  replicate::LogCopier::Limits limits;

  replicate::Source from() { return replicate::Source::open(source.store, source.store, source.epoch).value(); }
  replicate::Sites sites() { return {from(), second, archive, second.verifier()}; }
  // By a replicator that remembers nothing.
  Result<replicate::PassReport> pass_between(replicate::Sites between, std::stop_token stop = {}) {
    archive.main_path = source.main_path();
    replicate::Replicator replicator(std::move(between), line, clock, {.limits = limits, .poll_interval_ms = 20}, log);
    return replicator.pass(stop);
  }
  replicate::Lag lag() { return replicate::measure_lag(from(), second, second.verifier(), "second").value(); }
  // Entries that the second site holds.
  std::size_t held(const HearingId& id) { return second.logs[client::LogTarget{id}.path()].entries.size(); }
  static std::string main_path(std::uint64_t epoch) { return client::LogTarget{epoch_origin({SourcePool::kArchive, epoch})}.path(); }
  std::size_t main_held(std::uint64_t epoch = 1) { return second.logs[main_path(epoch)].entries.size(); }
};

}  // namespace greffe::testing

#endif
