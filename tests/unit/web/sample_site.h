// The whole composition of an archive's routes over a sample archive, without sockets: handlers are called directly.
#ifndef GREFFE_TESTS_UNIT_WEB_SAMPLE_SITE_H
#define GREFFE_TESTS_UNIT_WEB_SAMPLE_SITE_H

#include "tests/unit/archive/sample_archive.h"
#include "web/control_routes.h"
#include "web/drill_routes.h"
#include "web/hand_over.h"
#include "web/hearing_routes.h"
#include "web/log_routes.h"
#include "web/machine_routes.h"
#include "web/playback_routes.h"
#include "web/share_routes.h"
#include "web/status_routes.h"
#include "web/witness_routes.h"

namespace greffe::testing {

struct SampleSite {
  // `prepare`: what is done to its archive before anything stands on it.
  explicit SampleSite(const std::function<void(SampleArchive&)>& prepare = {})
      : archive("primary", prepare), accounts(std::move(*accounts::Accounts::open(archive.folder.path + "/state/accounts.sqlite", archive.clock))),
        snapshots(archive.files, archive.clock, archive.stores(), *archive.main_log, accounts, archive.folder.path + "/state"),
        read_back(archive.clock, archive.log, *archive.pool, *archive.hearings, archive.main_log->declared_lost()),
        keeper(archive.clock, archive.log, archive.files, *archive.pool, {.state_path = archive.folder.path + "/state/keep.json"}),
        sites(archive.files, archive.folder.path + "/state", archive.name, archive.keys->server),
        scrub(archive.clock, archive.log, archive.files, *archive.pool, *archive.main_log, {.state_path = archive.folder.path + "/state/scrub.json"}),
        retrieval(archive.stores(), *archive.hearings, &scrub.recall()),
        peers(archive.files, archive.clock, *archive.main_log, archive.folder.path + "/state",
              {"https://127.0.0.1:1", archive.keys->server.public_key(),
               archive::log_verifier(archive.name, archive.keys->log.public_key()), archive.holder()}),
        foreign(archive.clock, archive.stores(), *archive.hearings, *archive.main_log, *archive.epochs, archive.keys->holder, archive.ahead.get()),
        grafts(archive.clock, *archive.hearings, *archive.main_log, *archive.deposit, foreign),
        intake(*archive.ahead, *archive.hearings, foreign),
        archives(archive.clock, archive.files, archive.log, archive.stores(), *archive.main_log, archive.keys->log.public_key(), archive.folder.path + "/state"),
        shares_told(archive.stores(), archives),
        comparisons(archive.clock, archive.log, archive.files, *archive.pool, *archive.hearings, scrub.lost(), archive.folder.path + "/state/comparison"),
        origins(archive.clock, archive.log, *archive.pool, *archive.main_log, archive.holder(), 300'000),
        drills({archive.clock, archive.log, archive.files, *archive.pool, *archive.main_log, nullptr, nullptr, nullptr}, {.site = archive.name, .state_directory = archive.folder.path + "/state"}),
        sign_in(accounts, archive.clock, archive.keys->server.public_key()),
        accesses(archive.files, archive.log, *archive.main_log, archive.folder.path + "/state"), sessions(archive.clock, accesses),
        witness(archive.files, archive.clock, archive.folder.path + "/state", archive.name),
        witnesses(archive.files, archive.clock, archive.log, *archive.main_log, *archive.pool, {archive.folder.path + "/state"}),
        witness_routes(witness, witnesses, peers),
        status(archive.clock, settings, *archive.pool, *archive.main_log, peers, {read_back, keeper, scrub, *archive.unfiled, origins, witnesses, *archive.ahead, drills, accesses, *archive.epochs}, 1),
        successors(archive.stores(), archives, sites),
        machine(1, *archive.epochs, *archive.main_log, *archive.deposit, peers, retrieval, read_back, scrub.lost(), origins, successors, web::MachineRoutes::Replica{foreign, comparisons, intake, shares_told},
                web::MachineRoutes::Promoted{foreign, grafts}),
        hearing_routes(archive.clock, archive.stores(), *archive.main_log, archives, *archive.hearings, retrieval, peers, accounts, sign_in),
        playback(archive.clock, archives, retrieval, sessions, sign_in),
        shares(archive.clock, archive.stores(), *archive.main_log, archives, [this](const HearingId& id) { playback.end(id); }),
        share_routes(archive.clock, shares, archives, accounts, sign_in),
        logs(archive.stores(), *archive.main_log, archives, *archive.hearings, sign_in),
        control(archive.clock, archive.stores(), *archive.main_log, peers, accounts, snapshots, status, *archive.pool, keeper, scrub, sites), drill_routes(drills),
        hand_over(archive.files, archive.clock, *archive.main_log, archive.folder.path + "/state") {}

  std::vector<http::Route> all_routes() {
    std::vector<http::Route> out;
    const auto add = [&out](std::vector<http::Route> routes) {
      for (http::Route& route : routes) out.push_back(std::move(route));
    };
    add(sign_in.routes());
    add(hearing_routes.routes());
    add(playback.routes());
    add(share_routes.routes());
    add(share_routes.control_routes());
    add(logs.routes());
    add(status.routes(sign_in));
    add(status.loopback_routes());
    add(machine.routes());
    add(control.routes());
    add(witness_routes.routes());
    add(witness_routes.control_routes());
    add(drill_routes.routes(sign_in));
    add(drill_routes.control_routes());
    add(hand_over.control_routes(*archive.deposit));
    return out;
  }

  // What /metrics answers.
  std::string metrics() {
    for (const http::Route& route : status.loopback_routes()) {
      if (route.pattern == "/metrics") return std::get<std::string>(std::get<http::Handler>(route.handler)({}).body);
    }
    return {};
  }

  SampleArchive archive;
  archive::Settings settings;
  accounts::Accounts accounts;
  archive::AccountSnapshots snapshots;
  archive::ReadBack read_back;
  archive::PoolKeeper keeper;
  archive::OtherSites sites;
  archive::Scrub scrub;
  archive::Retrieval retrieval;
  archive::Peers peers;
  archive::ForeignLogs foreign;
  archive::Grafts grafts;
  archive::AheadIntake intake;
  archive::HeldArchives archives;
  archive::SharesForOthers shares_told;
  archive::Comparisons comparisons;
  archive::OriginWatch origins;
  archive::Drills drills;
  web::SignIn sign_in;
  archive::AccessJournal accesses;
  web::PlaySessions sessions;
  archive::Witness witness;
  archive::Witnesses witnesses;
  web::WitnessRoutes witness_routes;
  web::StatusRoutes status;
  archive::SuccessorFacts successors;
  web::MachineRoutes machine;
  web::HearingRoutes hearing_routes;
  web::PlaybackRoutes playback;
  archive::Shares shares;
  web::ShareRoutes share_routes;
  web::LogRoutes logs;
  web::ControlRoutes control;
  web::DrillRoutes drill_routes;
  web::HandOver hand_over;
};

}  // namespace greffe::testing

#endif
