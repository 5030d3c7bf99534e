// What an archive's replicator sends ahead to a replica, judged: who may, that the log's own key signed it, that the entries are such as the
// log may have. What is kept of it, and how it must follow: entries_ahead.h. Thread-safe.
#ifndef GREFFE_ARCHIVE_AHEAD_INTAKE_H
#define GREFFE_ARCHIVE_AHEAD_INTAKE_H

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "archive/entries_ahead.h"
#include "archive/foreign_log.h"
#include "archive/hearing_logs.h"

namespace greffe::archive {

class AheadIntake {
 public:
  struct State {
    std::uint64_t held_size = 0;  // entries that the log holds, with all that they name
    KnownAhead known;
  };
  // All of them outlive it.
  AheadIntake(EntriesAhead& ahead, HearingLogs& hearings, ForeignLogs& foreign) : ahead_(ahead), hearings_(hearings), foreign_(foreign) {}

  // denied: the peer is not the replicator of that archive.
  Result<State> known(const Peer& peer, const HearingId& id);
  Result<State> known(const Peer& peer, const std::string& origin);

  // ok: known durably, which promises nothing about objects. denied also: not signed by the key that opened the hearing, or that signs
  // the main log. invalid: an entry or the checkpoint is wrong. Other errors as EntriesAhead::take.
  Result<std::variant<State, NotAhead>> take(const Peer& peer, const HearingId& id, std::uint64_t first, const std::vector<std::string>& entries,
                                             std::string_view checkpoint);
  Result<std::variant<State, NotAhead>> take(const Peer& peer, const std::string& origin, std::uint64_t first,
                                             const std::vector<std::string>& entries, std::string_view checkpoint);

 private:
  struct HeldHearing {
    TreeEdge edge;
    std::optional<OpenEntry> open;
    bool closed = false;
  };
  Result<HeldHearing> held(const Peer& peer, const HearingId& id);

  EntriesAhead& ahead_;
  HearingLogs& hearings_;
  ForeignLogs& foreign_;
};

}  // namespace greffe::archive

#endif
