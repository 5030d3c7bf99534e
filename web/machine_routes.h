// The machine protocol (DESIGN section 5, docs/formats/machine-protocol.md): what stations, replicators, readers and a returning site may do,
// each request judged by its TLS key. Thread-safe.
#ifndef GREFFE_WEB_MACHINE_ROUTES_H
#define GREFFE_WEB_MACHINE_ROUTES_H

#include <optional>
#include <vector>

#include "archive/ahead_intake.h"
#include "archive/comparisons.h"
#include "archive/deposit.h"
#include "archive/epochs.h"
#include "archive/foreign_log.h"
#include "archive/grafts.h"
#include "archive/lost_objects.h"
#include "archive/origin_watch.h"
#include "archive/peers.h"
#include "archive/read_back.h"
#include "archive/retrieval.h"
#include "archive/shares_told.h"
#include "archive/successor_facts.h"
#include "web/http/server.h"

namespace greffe::web {

class MachineRoutes {
 public:
  // What a replica has and a primary has not.
  struct Replica {
    archive::ForeignLogs& foreign;
    archive::Comparisons& comparisons;
    archive::AheadIntake& ahead;
    const archive::SharesForOthers& shares;
  };
  // What an archive has that was promoted: it takes back what only the old site has.
  struct Promoted {
    archive::ForeignLogs& foreign;
    archive::Grafts& grafts;
  };
  // `epoch`: of this archive itself.
  MachineRoutes(std::uint64_t epoch, archive::Epochs& epochs, archive::MainLog& main_log, archive::Deposit& deposit, archive::Peers& peers,
                archive::Retrieval& retrieval, archive::ReadBack& read_back, archive::LostObjects& lost, archive::OriginWatch& origins,
                archive::SuccessorFacts& successors, std::optional<Replica> replica, std::optional<Promoted> promoted);
  std::vector<http::Route> routes();

 private:
  using Answer = Result<http::Response>;
  using PeerHandler = Answer (MachineRoutes::*)(const http::Request&, const archive::Peer&);
  // A reader gets at nothing but what is below route_for_readers.
  http::Route route(std::string method, std::string pattern, PeerHandler handler, std::uint64_t max_body_bytes);
  http::Route route_for_readers(std::string method, std::string pattern, PeerHandler handler, std::uint64_t max_body_bytes);
  using BodyHandler = Answer (MachineRoutes::*)(const http::Request&, std::unique_ptr<http::BodySink>&);
  http::Route body_route(std::string pattern, BodyHandler handler);
  Result<archive::Peer> admit(const http::Request& request) const;
  Result<archive::Peer> admit_reader(const http::Request& request) const;  // or whoever may more
  http::Response answer(Answer response) const;
  std::uint64_t newest_epoch() const;  // of this archive, as far as is known here
  // web/machine_epochs.cc
  std::optional<http::Response> fenced(const http::Request& request, const archive::Peer& peer) const;
  http::Route certificate_route();
  Answer certificate(const http::Request& request);
  Answer take_certificate(const http::Request& request, const archive::Peer& peer);
  Answer successors(const http::Request& request, const archive::Peer& peer);

  Answer enrol(const http::Request& request);
  Answer echo(const http::Request& request, const archive::Peer& peer);
  Answer have(const http::Request& request, const archive::Peer& peer);
  Answer head_object(const http::Request& request, const archive::Peer& peer);
  Answer get_object(const http::Request& request, const archive::Peer& peer);
  Answer entries(const http::Request& request, const archive::Peer& peer);
  Answer checkpoint(const http::Request& request, const archive::Peer& peer);
  Answer lost_objects(const http::Request& request, const archive::Peer& peer);
  bool is_shared(const archive::NamedPlace& place) const;
  Answer report_absent(const http::Request& request, const archive::Peer& peer);
  Answer graft(const http::Request& request, const archive::Peer& peer);
  // web/machine_comparison.cc
  void add_comparison_routes(std::vector<http::Route>& out);
  Answer begin_comparison(const http::Request& request, const archive::Peer& peer);
  Answer comparison_nodes(const http::Request& request, const archive::Peer& peer);
  Answer comparison_ids(const http::Request& request, const archive::Peer& peer);
  Answer challenge(const http::Request& request, const archive::Peer& peer);
  // web/machine_ahead.cc
  void add_ahead_routes(std::vector<http::Route>& out);
  Answer known_ahead(const http::Request& request, const archive::Peer& peer);
  Answer take_ahead(const http::Request& request, const archive::Peer& peer);

  Answer shares(const http::Request& request, const archive::Peer& peer);
  Answer main_checkpoint(const http::Request& request, const archive::Peer& peer);
  Answer main_consistency(const http::Request& request, const archive::Peer& peer);
  Answer read_entries(const http::Request& request, const archive::Peer& peer);
  Answer hearings_of_day(const http::Request& request, const archive::Peer& peer);
  Answer hearing_cosignatures(const http::Request& request, const archive::Peer& peer);
  Answer main_cosignatures(const http::Request& request, const archive::Peer& peer);

  // The log that an address is about: a hearing, another archive's main log (at a replica), one of an earlier epoch (where it comes back).
  struct Target {
    std::optional<HearingId> hearing;
    std::string origin;
  };
  Result<Target> target_of(const http::Request& request) const;
  Status may_read(const HearingId& hearing, const archive::Peer& peer) const;
  Result<std::vector<Digest>> missing_of(const Target& target, const archive::Peer& peer, const std::vector<Digest>& digests);
  // Both fill `sink`, or return why not.
  Answer begin_object(const http::Request& request, std::unique_ptr<http::BodySink>& sink);
  Answer begin_return(const http::Request& request, std::unique_ptr<http::BodySink>& sink);
  std::uint64_t read_back_size(const HearingId& id, std::uint64_t held, const archive::Peer& peer);
  Result<std::vector<VerifierKey>> cosigners_of(const SignedNote& note) const;

  const std::uint64_t epoch_;
  archive::Epochs& epochs_;
  archive::MainLog& main_log_;
  archive::Deposit& deposit_;
  archive::Peers& peers_;
  archive::Retrieval& retrieval_;
  archive::ReadBack& read_back_;
  archive::LostObjects& lost_;
  archive::OriginWatch& origins_;
  archive::SuccessorFacts& successors_;
  archive::ForeignLogs* const foreign_;       // none on a primary that was not promoted
  archive::Grafts* const grafts_;             // on one that was
  archive::Comparisons* const comparisons_;  // at a replica
  archive::AheadIntake* const ahead_;         // the same
  const archive::SharesForOthers* const shares_;  // the same
  bool is_replica() const { return comparisons_ != nullptr; }
};

}  // namespace greffe::web

#endif
