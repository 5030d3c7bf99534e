#include "web/serve.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <set>

#include "archive/account_snapshots.h"
#include "archive/ahead_intake.h"
#include "archive/archive_keys.h"
#include "archive/comparisons.h"
#include "archive/damage_journal.h"
#include "archive/deposit.h"
#include "archive/epochs.h"
#include "archive/drills.h"
#include "archive/foreign_log.h"
#include "archive/held_archives.h"
#include "archive/origin_watch.h"
#include "archive/other_sites.h"
#include "archive/peers.h"
#include "archive/pool_keeper.h"
#include "archive/read_back.h"
#include "archive/retrieval.h"
#include "archive/scrub.h"
#include "archive/share_inquiry.h"
#include "archive/shares.h"
#include "archive/shares_told.h"
#include "archive/successor_facts.h"
#include "archive/witness.h"
#include "archive/witnesses.h"
#include "web/control_routes.h"
#include "web/drill_routes.h"
#include "web/hand_over.h"
#include "web/hearing_routes.h"
#include "web/http/server.h"
#include "web/listeners.h"
#include "web/log_routes.h"
#include "web/machine_routes.h"
#include "web/open_files.h"
#include "web/playback_routes.h"
#include "web/share_routes.h"
#include "web/status_routes.h"
#include "web/stop_signals.h"
#include "web/waiting_node.h"
#include "web/witness_routes.h"

namespace greffe::web {
namespace {

// A copy of a checkpoint that cannot be read as one is damage, and so is one of the archive's own main log that is not signed by us. Whose
// signature another one must bear is its log's own business.
store::HeadCheck check_of_heads(VerifierKey log_key) {
  const std::set<std::string, std::less<>> own = {checkpoint_path(main_log_path()), checkpoint_path(foreign_log_path(log_key.name))};
  return [own, log_key = std::move(log_key)](std::string_view key, std::string_view text) {
    const auto head = parse_signed_checkpoint(text);
    if (!head || !own.contains(key)) return head.has_value();
    return head->checkpoint.origin != log_key.name || verify_note(head->note, log_key);
  };
}

// Another archive writes to the pool: this one ends as if it had been asked to, and whoever started it may start it again,
// to wait for its turn.
void step_down(Log& log) {
  log.error("another archive has taken over the pool; this one stops");
  kill(getpid(), SIGTERM);
}

archive::ScrubSettings scrub_settings(const archive::Settings& settings, const archive::PoolKeeper& keeper, archive::DamageJournal& damage,
                                     const archive::OtherSites& sites, archive::EntriesAhead& ahead) {
  archive::ScrubSettings out;
  out.period_ms = settings.scrub_period_s * 1000;
  out.bytes_per_second = static_cast<std::uint64_t>(settings.scrub_bytes_per_second);
  out.state_path = join(settings.state_directory, "scrub.json");
  out.volumes_settled = [&keeper] {
    const archive::KeepingFacts facts = keeper.facts();
    return !facts.running && facts.problem.empty();
  };
  out.on_damage = [&damage](const store::Damage& one) { damage.report(one); };
  out.sites = [&sites] { return sites.all(); };
  out.on_ahead_changed = [&ahead](const std::string& folder) { ahead.read_again(folder); };
  return out;
}

archive::Witnesses::Settings witness_settings(const archive::Settings& settings, bool accept_head) {
  return {settings.state_directory, settings.witness_hold_s * 1000, settings.alarm_after_s * 1000, accept_head};
}

archive::DrillParts drill_parts(const archive::Settings& settings, Log& log, FileSystem& files, Clock& clock, store::WholePool& pool, archive::MainLog& main_log,
                                const archive::OriginWatch& origins) {
  const auto open_pool = [&settings, &files, &clock] { return store::open_pool(files, clock, settings.pool, store::PoolMode::reader); };
  const auto heard = [&origins](const std::string& name) -> std::optional<UtcTime> {
    const auto known = origins.origins();
    if (!known) return std::nullopt;
    for (const archive::OriginFacts& one : *known) {
      if (one.name == name) return one.heard;
    }
    return std::nullopt;
  };
  return {clock, log, files, pool, main_log, open_pool, heard, archive::media_checker(clock, settings.media_checker)};
}

archive::DrillSettings drill_settings(const archive::Settings& settings) {
  return {settings.name, settings.role == "replica", settings.drill_every_s * 1000, static_cast<std::uint64_t>(settings.drill_bytes_per_second),
          settings.state_directory};
}

// The parts that live while the archive serves, in the order in which they need each other.
struct Running {
  Running(const archive::Settings& s, Log& l, store::WholePool& p, archive::ArchiveKeys& keys, archive::MainLog& m, archive::Witnesses& witnesses,
          archive::Epochs& epochs, archive::UnfiledBytes& unfiled, accounts::Accounts& a, archive::AccountSnapshots& snapshots, archive::DamageJournal& damage,
          FileSystem& files, Clock& clock)
      : settings(s), log(l), pool(p), main_log(m), accounts(a), stores{p, p, p}, hearings(stores), ahead(l, stores, {}),
        deposit(clock, l, stores, hearings, m, unfiled, keys.holder, s.role, {.commit_interval_ms = s.commit_interval_s * 1000},
                s.role == "replica" ? &ahead : nullptr),
        read_back(clock, l, p, hearings, m.declared_lost()),
        keeper(clock, l, files, p, {join(s.state_directory, "keep.json"), static_cast<std::uint64_t>(s.rebalance_bytes_per_second)}),
        sites(files, s.state_directory, s.name, keys.server), scrub(clock, l, files, p, m, scrub_settings(s, keeper, damage, sites, ahead)),
        retrieval(stores, hearings, &scrub.recall()),
        peers(files, clock, m, s.state_directory,
              {s.machine_url, keys.server.public_key(), archive::log_verifier(archive::origin_of(s), keys.log.public_key()),
               archive::holder_verifier(archive::origin_of(s), keys.holder.public_key())}),
        foreign(clock, stores, hearings, m, epochs, keys.holder, &ahead), grafts(clock, hearings, m, deposit, foreign), intake(ahead, hearings, foreign), archives(clock, files, l, stores, m, keys.log.public_key(), s.state_directory),
        shares_told(stores, archives), share_inquiry(l, stores, m, archives, [this] { return sites.all(); }),
        comparisons(clock, l, files, p, hearings, scrub.lost(), join(s.state_directory, "comparison")),
        origins(clock, l, p, m, archive::holder_verifier(archive::origin_of(s), keys.holder.public_key()), s.alarm_after_s * 1000),
        drills(drill_parts(s, l, files, clock, p, m, origins), drill_settings(s)), sign_in(a, clock, keys.server.public_key()), accesses(files, l, m, s.state_directory),
        sessions(clock, accesses),
        witness(files, clock, s.state_directory, s.name), witness_routes(witness, witnesses, peers),
        status(clock, s, p, m, peers, {read_back, keeper, scrub, unfiled, origins, witnesses, ahead, drills, accesses, epochs}, s.epoch),
        successors(stores, archives, sites),
        machine(s.epoch, epochs, m, deposit, peers, retrieval, read_back, scrub.lost(), origins, successors, replica_of(s.role), promoted_of(s)),
        hearing_routes(clock, stores, m, archives, hearings, retrieval, peers, a, sign_in),
        playback(clock, archives, retrieval, sessions, sign_in), shares(clock, stores, m, archives, [this](const HearingId& id) { playback.end(id); }),
        share_routes(clock, shares, archives, a, sign_in),
        logs(stores, m, archives, hearings, sign_in),
        control(clock, stores, m, peers, a, snapshots, status, p, keeper, scrub, sites), drill_routes(drills) {}

  std::optional<MachineRoutes::Replica> replica_of(const std::string& role) {
    if (role != "replica") return std::nullopt;
    return MachineRoutes::Replica{foreign, comparisons, intake, shares_told};
  }

  // It takes back what only the site has that was this archive before.
  std::optional<MachineRoutes::Promoted> promoted_of(const archive::Settings& s) {
    if (s.role != "primary" || s.epoch == 1) return std::nullopt;
    return MachineRoutes::Promoted{foreign, grafts};
  }

  const archive::Settings& settings;
  Log& log;
  store::WholePool& pool;
  archive::MainLog& main_log;
  accounts::Accounts& accounts;
  archive::Stores stores;
  archive::HearingLogs hearings;
  archive::EntriesAhead ahead;  // grows at a replica
  archive::Deposit deposit;
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
  archive::SharesForOthers shares_told;  // at a replica
  archive::ShareInquiry share_inquiry;
  archive::Comparisons comparisons;  // runs at a replica
  archive::OriginWatch origins;
  archive::Drills drills;  // run at a replica
  SignIn sign_in;
  archive::AccessJournal accesses;
  PlaySessions sessions;
  archive::Witness witness;  // of other logs
  WitnessRoutes witness_routes;
  StatusRoutes status;
  archive::SuccessorFacts successors;
  MachineRoutes machine;
  HearingRoutes hearing_routes;
  PlaybackRoutes playback;
  archive::Shares shares;
  ShareRoutes share_routes;
  LogRoutes logs;
  ControlRoutes control;
  DrillRoutes drill_routes;
};

std::vector<http::Route> browser_routes(Running& running) {
  std::vector<http::Route> routes = running.sign_in.routes();
  append(routes, running.hearing_routes.routes());
  append(routes, running.playback.routes());
  append(routes, running.share_routes.routes());
  append(routes, running.logs.routes());
  append(routes, running.status.routes(running.sign_in));
  append(routes, running.drill_routes.routes(running.sign_in));
  return routes;
}

Status listen_all(http::Server& server, Running& running, HandOver& hand_over, const archive::ArchiveKeys& keys, FileSystem& files) {
  const archive::Settings& s = running.settings;
  const OpenFiles open = claim_open_files();
  if (!open.warning.empty()) running.log.warn(open.warning);
  const auto listen = [&](http::ListenerSettings listener) { return server.listen(limited(std::move(listener), open, running.log)); };
  http::ListenerSettings browser = GREFFE_TRY(pages_listener(files, running.log, s, browser_routes(running)));
  const std::string machine_at = GREFFE_TRY(listen(machine_listener(s, keys, running.machine.routes())));
  const std::string browser_at = GREFFE_TRY(listen(std::move(browser)));
  std::vector<http::Route> control = running.control.routes();
  append(control, running.witness_routes.control_routes());
  append(control, running.drill_routes.control_routes());
  append(control, running.share_routes.control_routes());
  if (s.role == "primary") append(control, hand_over.control_routes(running.deposit));
  GREFFE_TRY(listen(plain_listener("unix:" + s.control_socket, std::move(control))));
  if (!s.metrics_address.empty()) GREFFE_TRY(listen(plain_listener(s.metrics_address, running.status.loopback_routes())));
  if (!s.witness_address.empty()) {
    http::ListenerSettings witness = GREFFE_TRY(witness_listener(files, s, running.witness_routes.routes()));
    const std::string witness_at = GREFFE_TRY(listen(std::move(witness)));
    running.log.info("witness: other archives may ask at https://" + witness_at + "/v1/witness");
  }
  server.start();
  running.log.info(fmt::format("ready: {} ({}); stations and sites at {}, pages at https://{}", s.name, s.role, machine_at, browser_at));
  return ok();
}

// `init` begins the log. A pool without one is no new archive's: going on would begin another log in the place of the one that was lost.
Status check_begun(const archive::MainLog& main_log) {
  const auto head = main_log.reader().checkpoint();
  if (head || head.error().code != Errc::not_found) return head ? ok() : Status(head.error());
  return fail(Errc::conflict, "the pool has no main log: the volumes are empty, or a restore of them is not through. Run greffe-replicate restore (again), "
                              "or bring the volumes back");
}

// Null: asked to stop while another machine wrote to the pool.
Result<std::unique_ptr<store::WholePool>> open_or_wait(const NodeParts& parts, const WaitingNode::OpenWriter& open_writer, StopSignals& signals) {
  auto opened = open_writer({});
  const bool remote = parts.settings.pool.volumes.empty();
  if (opened || !remote || opened.error().code != Errc::unavailable) return opened;
  const auto node = GREFFE_TRY(WaitingNode::start(parts, open_writer, [] { StopSignals::announce_turn(); }));
  if (!signals.wait_for_turn()) return std::unique_ptr<store::WholePool>();
  parts.log.info("the writer's lease is free: this machine takes over");
  return node->take_pool();
}

}  // namespace

Status serve(const archive::Settings& settings, bool accept_head) {
  StopSignals signals;  // before any thread
  Log log("greffe-archive");
  PosixFileSystem files;
  SystemClock clock;
  archive::ArchiveKeys keys = GREFFE_TRY(archive::load_archive_keys(files, settings.state_directory));
  archive::DamageJournal damage(clock, log);
  std::string place;  // said beside the lease of a remote pool; disks are one machine's
  if (settings.pool.volumes.empty()) place = store::write_writer_place(GREFFE_TRY(own_place(files, settings)), keys.server);
  const WaitingNode::OpenWriter open_writer = [&](std::stop_token stop) {
    store::PoolListeners listeners{[&damage](const store::Damage& d) { damage.report(d); },
                                   check_of_heads(archive::log_verifier(archive::origin_of(settings), keys.log.public_key())), [&log] { step_down(log); }, place,
                                   std::move(stop)};
    return store::open_pool(files, clock, settings.pool, store::PoolMode::writer, std::move(listeners));
  };
  const auto pool = GREFFE_TRY(open_or_wait({settings, keys, files, clock, log, settings.epoch}, open_writer, signals));
  if (pool == nullptr) return ok();
  for (const store::VolumeReport& volume : pool->volumes()) {
    if (!volume.reason.empty()) log.warn("volume " + volume.path + ": " + volume.reason);
  }
  const archive::Stores stores{*pool, *pool, *pool};
  PrivateKey log_key = GREFFE_TRY(PrivateKey::from_pem(keys.log.to_pem()));
  const tlog::MainLogPlace main_log_place = GREFFE_TRY(tlog::find_main_log(*pool, {settings.name, settings.epoch}));
  const auto main_log = GREFFE_TRY(archive::MainLog::open(files, log, stores, main_log_place, settings.state_directory,
                                                          std::move(log_key), accept_head));
  GREFFE_TRY(check_begun(*main_log));
  HandOver hand_over(files, clock, *main_log, settings.state_directory);
  GREFFE_TRY(hand_over.load());
  const auto epochs = GREFFE_TRY(archive::Epochs::open(files, settings.state_directory));
  if (const auto newest = epochs->certificate(settings.name); newest && newest->promotion.name.epoch > settings.epoch) {
    log.warn(newest->words());
    main_log->fence(newest->words());
  }
  archive::Witnesses witnesses(files, clock, log, *main_log, *pool, witness_settings(settings, accept_head));
  for (const std::string& problem : witnesses.load()) log.warn(problem);
  const auto unfiled = GREFFE_TRY(archive::UnfiledBytes::open(files, join(settings.state_directory, "unfiled"),
                                                              static_cast<std::uint64_t>(settings.station_unfiled_bytes)));
  accounts::Accounts accounts = GREFFE_TRY(accounts::Accounts::open(join(settings.state_directory, "accounts.sqlite"), clock));
  archive::AccountSnapshots snapshots(files, clock, stores, *main_log, accounts, settings.state_directory);
  const bool newer = GREFFE_TRY(snapshots.take_up());
  if (newer) log.info("the accounts were taken up from the main log: this machine had older ones");
  Running running(settings, log, *pool, keys, *main_log, witnesses, *epochs, *unfiled, accounts, snapshots, damage, files, clock);
  witnesses.start();
  GREFFE_TRY(running.deposit.catch_up());
  for (const std::string& problem : running.sites.load()) log.warn(problem);
  damage.start(*main_log);
  GREFFE_TRY(running.accesses.load());
  running.accesses.start();
  running.read_back.start();
  running.keeper.start();
  running.scrub.start();
  if (settings.role == "replica") running.archives.start();
  running.share_inquiry.start();
  if (settings.role == "replica") running.comparisons.start();
  running.origins.start();
  if (settings.role == "replica") running.drills.start();
  {
    http::Server server;
    GREFFE_TRY(listen_all(server, running, hand_over, keys, files));
    signals.wait();
    log.info("stopping: running requests are finished");
    running.drills.stop();
    running.sites.stop();
    running.scrub.stop();  // one of them may wait for it
    witnesses.stop();
  }
  running.accesses.stop();
  running.share_inquiry.stop();
  running.archives.stop();
  running.comparisons.stop();
  running.origins.stop();
  running.keeper.stop();
  running.read_back.stop();
  damage.stop();
  return ok();
}

}  // namespace greffe::web
