#include "archive/verify/grafts.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/said_again.h"
#include "archive/verify/main_check.h"

namespace greffe::verify {
namespace {

void add_finding(Report& report, std::uint64_t number, std::string what) {
  Finding f = main_finding(Verdict::tampered, "graft", std::move(what));
  f.entry = number;
  report.add(std::move(f));
}

// Nothing here can be held against it.
void state(Report& report, GraftRule& rule, std::size_t epoch, const Graft& graft) {
  const EpochSpan& old = rule.span(epoch);
  report.note(fmt::format("main log entry {} says that {} entries of epoch {}, behind what epoch {} goes on from, came back: they are not here, and that is taken as stated",
                          graft.index, graft.entry.end.size - old.end, old.name.epoch, old.name.epoch + 1));
  rule.take_back(epoch, graft.entry.end.size);
}

struct SaidAgain {
  std::string text;
  bool must = false;  // an order to do without objects that officers of now did not sign may lack
};

// Walks over what follows a graft, up to the first entry that did not come back with it.
class Block {
 public:
  explicit Block(std::vector<SaidAgain> expected)
      : expected_(std::move(expected)), musts_(std::count_if(expected_.begin(), expected_.end(), [](const SaidAgain& one) { return one.must; })) {}

  // False: it is none of them.
  bool take(std::string_view text) {
    std::size_t i = next_;
    while (i < expected_.size() && expected_[i].text != text && !expected_[i].must) ++i;
    if (i == expected_.size() || expected_[i].text != text) return false;
    next_ = i + 1;
    if (expected_[i].must) --musts_;
    return true;
  }
  // Nothing lacks that must be there.
  bool whole() const { return musts_ == 0; }

 private:
  std::vector<SaidAgain> expected_;
  std::size_t next_ = 0;
  std::ptrdiff_t musts_;  // that lack yet
};

class PoolGrafts {
 public:
  PoolGrafts(const std::vector<EpochLog>& chain, Report& report) : chain_(chain), report_(report), rule_(spans(chain)) {}

  void judge(const Graft& graft) {
    const auto epoch = rule_.check(graft);
    if (!epoch) return add_finding(report_, graft.index, epoch.error().message);
    const EpochLog& old = chain_[*epoch];
    const Checkpoint& end = graft.entry.end;
    if (!old.root_holds) return;  // said already; nothing can be compared
    if (old.log->tree().size() < end.size) return state(report_, rule_, *epoch, graft);
    if (old.log->tree().root_at(end.size) != end.root) {
      return add_finding(report_, graft.index, fmt::format("it takes back another state of {} entries than the log of {} has", end.size, end.origin));
    }
    compare_said_again(graft, *epoch);
    report_.note(fmt::format("{} entries of epoch {}, behind what epoch {} goes on from, came back with main log entry {}", end.size - rule_.span(*epoch).end,
                             old.name.epoch, old.name.epoch + 1, graft.index));
    rule_.take_back(*epoch, end.size);
  }

  void note_what_is_left() {
    for (std::size_t i = 0; i + 1 < chain_.size(); ++i) {
      const EpochLog& link = chain_[i];
      const std::uint64_t end = rule_.span(i).end;
      if (link.head().size <= end) continue;
      report_.note(fmt::format("{} entries of epoch {} came behind what epoch {} goes on from{}: they are not part of the archive", link.head().size - end,
                               link.name.epoch, link.name.epoch + 1, end > link.counted ? " and what came back since" : ""));
    }
  }

 private:
  static std::vector<EpochSpan> spans(const std::vector<EpochLog>& chain) {
    std::vector<EpochSpan> out;
    for (const EpochLog& link : chain) out.push_back({link.name, link.first, link.counted});
    return out;
  }

  // What of the old log still says something, in its order, from where it came back before up to here.
  std::vector<SaidAgain> said_again(std::size_t epoch, std::uint64_t end) const {
    std::vector<SaidAgain> out;
    chain_[epoch].log->visit(rule_.span(epoch).end, end, [&out](std::uint64_t, std::string_view text) {
      const auto entry = parse_main_entry(text);
      if (entry && is_said_again(*entry)) out.push_back({std::string(text), !std::holds_alternative<MainLostEntry>(*entry)});
      return true;
    });
    return out;
  }

  void compare_said_again(const Graft& graft, std::size_t epoch) {
    const EpochLog& own = chain_[rule_.epoch_at(graft.index)];
    if (!own.log->whole() || !chain_[epoch].log->whole()) return;  // an entry was altered, which is said already
    Block block(said_again(epoch, graft.entry.end.size));
    std::uint64_t at = graft.index - own.first + 1;
    own.log->visit(at, own.counted, [&](std::uint64_t, std::string_view text) {
      if (block.whole() || !block.take(text)) return false;
      ++at;
      return true;
    });
    if (block.whole()) return;
    add_finding(report_, own.first + at,
                fmt::format("behind main log entry {} what came back is said again, and here an entry of {} lacks", graft.index, graft.entry.end.origin));
  }

  const std::vector<EpochLog>& chain_;
  Report& report_;
  GraftRule rule_;
};

}  // namespace

std::size_t GraftRule::epoch_at(std::uint64_t number) const {
  const auto after = std::find_if(spans_.begin() + 1, spans_.end(), [number](const EpochSpan& span) { return span.first > number; });
  return static_cast<std::size_t>(after - spans_.begin()) - 1;
}

Result<std::size_t> GraftRule::check(const Graft& graft) const {
  const Checkpoint& end = graft.entry.end;
  const std::size_t own = epoch_at(graft.index);
  for (std::size_t i = 0; i < own; ++i) {
    const EpochSpan& span = spans_[i];
    if (epoch_origin(span.name) != end.origin) continue;
    if (end.size > span.end) return i;
    return fail(Errc::denied, fmt::format("it takes back {} entries of {}, and {} of them counted before", end.size, end.origin, span.end));
  }
  return fail(Errc::denied, fmt::format("it takes back the log of {}, which is no earlier epoch of this archive", end.origin));
}

void judge_grafts(const std::vector<EpochLog>& chain, const std::vector<Graft>& grafts, Report& report) {
  PoolGrafts pool(chain, report);
  for (const Graft& graft : grafts) pool.judge(graft);
  pool.note_what_is_left();
}

void judge_grafts(const std::vector<ExportedEpoch>& chain, const std::vector<Graft>& grafts, Report& report) {
  std::vector<EpochSpan> spans;
  for (const ExportedEpoch& epoch : chain) spans.push_back({epoch.name, epoch.first, epoch.checkpoint().size});
  GraftRule rule(std::move(spans));
  for (const Graft& graft : grafts) {
    const auto epoch = rule.check(graft);
    if (!epoch) {
      add_finding(report, graft.index, epoch.error().message);
      continue;
    }
    state(report, rule, *epoch, graft);
  }
}

}  // namespace greffe::verify
