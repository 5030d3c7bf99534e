// greffe-replicate: carries recordings and logs to second sites and brings their confirmations back.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

#include "archive/base/command_line.h"
#include "archive/base/log.h"
#include "archive/base/progress.h"
#include "replicate/ahead_shipper.h"
#include "replicate/compare_verb.h"
#include "replicate/copy_round.h"
#include "replicate/drill_verb.h"
#include "replicate/echo_watch.h"
#include "replicate/failback_verb.h"
#include "replicate/lag.h"
#include "replicate/lost_return.h"
#include "replicate/open_sites.h"
#include "replicate/restore_verb.h"
#include "replicate/service.h"

namespace {

using greffe::Result;
namespace replicate = greffe::replicate;

constexpr std::uint64_t kMaxCodeBytes = 16 * 1024;
constexpr std::int64_t kMostChallenged = 4096;
constexpr std::chrono::milliseconds kAheadBegins(250);

void print(bool json, const greffe::Json& value, const std::string& words) {
  const std::string text = json ? greffe::write_json(value) + "\n" : words;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// What became of one target.
struct Outcome {
  std::optional<greffe::Error> error;
  greffe::Json json;
  std::string words;
  bool well = false;
};

// One target: its own object, as it is. Several: a list, with what is true of all of them.
int show(bool json, const std::vector<Outcome>& outcomes) {
  bool well = true;
  std::string words;
  greffe::Json::Array list;
  for (const Outcome& outcome : outcomes) {
    well = well && outcome.well;
    words += outcome.words;
    list.push_back(outcome.json);
  }
  if (outcomes.size() == 1) {
    print(json, outcomes.front().json, words);
  } else {
    greffe::Json all;
    all.set("targets", std::move(list)).set("well", well);
    print(json, all, words);
  }
  return well ? greffe::kExitDone : greffe::kExitFound;
}

Outcome without(const std::string& name, const greffe::Error& error) {
  Outcome out;
  out.error = error;
  out.json.set("caught_up", false).set("error", error.message).set("name", name);
  out.words = "PROBLEM: target " + name + ": " + error.message + "\n";
  return out;
}

// Lets the target know the log ahead of what it names, until there is no more of it, or (`beside`: the copies) the stop. How many entries. What
// hinders it hinders the pass as well, which says so.
std::uint64_t ship_ahead(replicate::OpenSites& sites, replicate::OpenTarget& target, bool beside, const std::stop_token& stop) {
  replicate::AheadShipper::Options options;
  if (!beside) options.after_ms = 0;
  replicate::AheadShipper shipper(sites.sites(target), *target.bandwidth, sites.clock, options, sites.log);
  std::mutex mutex;
  std::condition_variable_any wakes;
  std::uint64_t entries = 0;
  if (beside) {  // a pass with nothing to do is over by then
    std::unique_lock lock(mutex);
    wakes.wait_for(lock, stop, kAheadBegins, [] { return false; });
  }
  for (bool more = true; more && !stop.stop_requested();) {
    const auto report = shipper.round(stop);
    more = beside || (report && report->more);
    if (!report) {
      if (!beside) break;
    } else {
      entries += report->entries;
      for (const std::string& problem : report->problems) sites.log.warn("target " + target.settings->name + ": " + problem);
    }
    std::unique_lock lock(mutex);
    if (beside) wakes.wait_for(lock, stop, std::chrono::milliseconds(sites.settings.poll_interval_ms), [] { return false; });
  }
  return entries;
}

Outcome carry(replicate::OpenSites& sites, replicate::OpenTarget& target, greffe::Progress& progress, std::stop_token stop) {
  const std::string& name = target.settings->name;
  if (target.unready) return without(name, *target.unready);
  replicate::Replicator::Options options;
  options.limits.connections = target.connections(sites.settings);
  options.poll_interval_ms = sites.settings.poll_interval_ms;
  options.on_sent = [&progress](replicate::MediaClass media, std::uint64_t bytes) {
    if (media != replicate::MediaClass::log) progress.add(bytes);
  };
  replicate::Replicator replicator(sites.sites(target), *target.bandwidth, sites.clock, options, sites.log);
  const bool answers = target.passive == nullptr;
  std::uint64_t ahead = 0;
  const auto report = [&] {
    std::jthread shipper([&](const std::stop_token& passed) {
      greffe::name_thread(("gr-a." + name).substr(0, 15).c_str());
      if (answers) ahead = ship_ahead(sites, target, true, passed);
    });
    return replicator.pass(stop);
  }();
  const greffe::Status saved = answers ? greffe::ok() : target.passive->save_grade();
  if (!report) return without(name, report.error());
  if (!saved) return without(name, saved.error());
  if (answers && !report->caught_up()) ahead += ship_ahead(sites, target, false, stop);
  Outcome out;
  out.json = report->json();
  out.json.set("entries_ahead", ahead).set("name", name);
  out.words = sites.targets.size() == 1 ? report->words() : "target " + name + ":\n" + report->words();
  out.well = report->caught_up() && report->undelivered == 0;
  return out;
}

// For the bar: what is behind at all targets together. Only asked for when somebody looks.
std::uint64_t bytes_behind(const replicate::OpenSites& sites) {
  std::uint64_t out = 0;
  for (const replicate::OpenTarget& target : sites.targets) {
    if (target.unready) continue;
    const auto lag = replicate::measure_lag(sites.source(), *target.copies, target.key(), target.settings->name);
    if (lag) out += lag->bytes_behind;
  }
  return out;
}

Result<int> once(const std::string& config, const std::string& only, bool json, std::stop_token stop) {
  const auto sites = GREFFE_TRY(replicate::open_sites(config, only, stop));
  std::vector<Outcome> outcomes(sites->targets.size());
  {
    greffe::Progress progress(sites->clock, "replicating", 0, greffe::ProgressUnit::bytes);
    if (progress.draws()) progress.show(0, bytes_behind(*sites));
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < outcomes.size(); ++i) {
      others.emplace_back([&, i] {
        greffe::name_thread(("gr-t." + sites->targets[i].settings->name).substr(0, 15).c_str());
        outcomes[i] = carry(*sites, sites->targets[i], progress, stop);
      });
    }
    outcomes.front() = carry(*sites, sites->targets.front(), progress, stop);
  }
  if (outcomes.size() == 1 && outcomes.front().error) return *outcomes.front().error;
  return show(json, outcomes);
}

Result<int> run(const std::string& config, std::stop_token stop) {
  const auto sites = GREFFE_TRY(replicate::open_sites(config, "", stop));
  GREFFE_TRY(replicate::serve(*sites, stop));
  return greffe::kExitDone;
}

// What the running service knows; where none runs, one echo of our own.
void add_live_facts(replicate::OpenSites& sites, replicate::OpenTarget& target, const Result<greffe::Json>& running, greffe::Json& lag) {
  const auto known = running ? running->object(target.settings->name) : Result<greffe::Json>(running.error());
  lag.set("service", known.has_value());
  if (known) {
    for (const char* key : {"echo", "holes", "problem", "rate"}) {
      if (const greffe::Json* fact = known->find(key)) lag.set(key, *fact);
    }
    replicate::add_drain(lag);
    return;
  }
  replicate::EchoWatch echo(*target.copies, sites.clock, sites.log, target.settings->name);
  echo.ask();
  const replicate::EchoWatch::Facts facts = echo.facts();
  greffe::Json out;
  out.set("late", !facts.problem.empty());
  if (facts.round_trip_ms) out.set("round_trip_ms", *facts.round_trip_ms);
  if (!facts.problem.empty()) out.set("why", facts.problem);
  lag.set("echo", std::move(out));
}

Result<Outcome> behind(replicate::OpenSites& sites, replicate::OpenTarget& target, const Result<greffe::Json>& running) {
  if (target.unready) return without(target.settings->name, *target.unready);
  replicate::Lag lag = GREFFE_TRY(replicate::measure_lag(sites.source(), *target.copies, target.key(), target.settings->name));
  const auto grade = target.passive != nullptr ? target.passive->grade() : Result<replicate::CopyGrade>(greffe::fail(greffe::Errc::not_found, "of a second site"));
  if (grade) lag.grade = *grade;
  lag.compared = GREFFE_TRY(replicate::load_comparison(sites.files, replicate::comparison_folder(sites.settings, target.settings->name)));
  const greffe::UtcTime now = sites.clock.utc_now();
  Outcome out;
  out.json = lag.json(now);
  out.json.set("name", target.settings->name);
  add_live_facts(sites, target, running, out.json);
  out.words = lag.words(now) + replicate::live_words(out.json);
  out.well = lag.caught_up();
  return out;
}

// That something is behind is what was asked for, and no failure.
Result<int> status(const std::string& config, const std::string& only, bool json, std::stop_token stop) {
  const auto sites = GREFFE_TRY(replicate::open_sites(config, only, stop, greffe::store::PoolMode::reader));
  const auto running = replicate::ask_running(sites->settings);
  std::vector<Outcome> outcomes;
  for (replicate::OpenTarget& target : sites->targets) outcomes.push_back(GREFFE_TRY(behind(*sites, target, running)));
  show(json, outcomes);
  return greffe::kExitDone;
}

struct CompareWords {
  bool repair = false;
  bool json = false;
  std::int64_t challenged = 64;
};

// A copy that nobody answers for is looked at from here.
Result<Outcome> go_through_copy(replicate::OpenSites& sites, replicate::OpenTarget& target, bool repair, const std::stop_token& stop) {
  replicate::CopyRound round(*target.passive, sites.source(), sites.clock, sites.log);
  replicate::RoundReport report = GREFFE_TRY(round.go_through(stop));
  std::uint64_t returned = 0;
  while (repair && !report.bad.empty()) {
    const replicate::Returned given = replicate::give_back(*target.passive, replicate::take_from(*sites.pool), stop);
    returned += given.objects;
    const std::uint64_t mended = report.logs_mended;
    report = GREFFE_TRY(round.go_through(stop));
    report.logs_mended += mended;
    for (const std::string& one : given.problems) report.problems.push_back(one);
    if (given.objects == 0) break;
  }
  Outcome out;
  out.json = report.json();
  out.json.set("name", target.settings->name).set("passive", true).set("objects_returned", returned);
  out.words = fmt::format("the copy {}: {}", target.settings->name, report.words());
  if (returned > 0) out.words += fmt::format("{} objects were brought there again\n", returned);
  out.well = report.equal();
  return out;
}

Result<Outcome> compare_one(replicate::OpenSites& sites, replicate::OpenTarget& target, const CompareWords& words, const std::stop_token& stop) {
  const std::string& name = target.settings->name;
  if (target.unready) return without(name, *target.unready);
  if (target.passive != nullptr) return go_through_copy(sites, target, words.repair, stop);
  const std::string folder = replicate::comparison_folder(sites.settings, name);
  GREFFE_TRY(sites.files.make_directories(folder));
  const auto compared = replicate::connect_compared_site(target.endpoint(sites.epoch.epoch), *sites.identity, sites.source().main_origin());
  const auto informed = replicate::connect_informed_site(sites.source_site.endpoint(), *sites.identity);
  const replicate::ComparedParts parts{sites.files, sites.clock, *sites.pool, sites.source(), *target.copies, *compared, *informed};
  const replicate::CompareOrder order{{*target.key(), greffe::join(folder, "sorting"), static_cast<std::size_t>(words.challenged)},
                                      folder, words.repair};
  replicate::LogCopier::Limits limits;
  limits.connections = sites.settings.connections;
  replicate::LogCopier copier(sites.sites(target), *target.bandwidth, limits, sites.log);
  const replicate::BringHearing bring = [&](const greffe::HearingId& id) { return replicate::bring_again(copier, id, stop); };
  const replicate::ComparisonReport report = GREFFE_TRY(replicate::compare_and_mend(parts, *sites.archive, bring, order, stop));
  Outcome out;
  out.json = report.json();
  out.json.set("name", name);
  out.words = report.words();
  out.well = report.equal();
  return out;
}

Result<int> compare(const std::string& config, const std::string& only, const CompareWords& words, std::stop_token stop) {
  if (words.challenged < 0 || words.challenged > kMostChallenged) {
    return greffe::fail(greffe::Errc::invalid, fmt::format("--challenge takes 0 to {} objects", kMostChallenged));
  }
  // A running service has the copies; who only looks does not disturb it.
  const auto mode = words.repair ? greffe::store::PoolMode::writer : greffe::store::PoolMode::reader;
  const auto sites = GREFFE_TRY(replicate::open_sites(config, only, stop, mode));
  std::vector<Outcome> outcomes;
  for (replicate::OpenTarget& target : sites->targets) {
    auto outcome = compare_one(*sites, target, words, stop);
    if (!outcome && sites->targets.size() == 1) return outcome.error();
    outcomes.push_back(outcome ? *std::move(outcome) : without(target.settings->name, outcome.error()));
  }
  return show(words.json, outcomes);
}

// The label of a copy has the key of the first epoch; of an archive that was promoted its own pool says it.
Result<replicate::CopyOwner> owner_of_copies(greffe::FileSystem& files, greffe::Clock& clock, const replicate::Settings& settings, const greffe::VerifierKey& log) {
  const greffe::EpochName name = GREFFE_TRY(greffe::parse_epoch_origin(log.name));
  if (name.epoch == 1) return replicate::CopyOwner{settings.archive, log};
  const auto pool = GREFFE_TRY(greffe::store::open_pool(files, clock, settings.source, greffe::store::PoolMode::reader));
  const replicate::Source source = GREFFE_TRY(replicate::Source::open(*pool, *pool, name));
  return replicate::owner_of_copies(source, log);
}

// The pool of a target becomes a copy's.
Result<int> init_target(const std::string& config, const std::string& name) {
  greffe::PosixFileSystem files;
  greffe::SystemClock clock;
  const replicate::Settings settings = GREFFE_TRY(replicate::load_settings(files, config));
  const replicate::TargetSettings* const target = GREFFE_TRY(replicate::find_target(settings, name));
  GREFFE_TRY(files.make_directories(settings.state_directory));  // a running service is asked there
  if (!target->copy) {
    return greffe::fail(greffe::Errc::invalid, "the target " + target->name + " is a second site: it is enrolled at (enrol-target), not made. A copy that nobody answers for has "
                                               "volumes or a pool in its table of the configuration");
  }
  const greffe::VerifierKey log = GREFFE_TRY(replicate::archive_log_key(files, settings));
  const replicate::CopyOwner owner = GREFFE_TRY(owner_of_copies(files, clock, settings, log));
  const std::string words = GREFFE_TRY(replicate::make_passive_pool(files, clock, *target->copy, owner));
  std::printf("%s is a copy of %s now; nobody answers for it, and no station frees anything for it\n", target->name.c_str(), settings.archive.c_str());
  if (!words.empty()) std::puts(words.c_str());
  return greffe::kExitDone;
}

Result<int> enrol(const std::string& config, bool at_target, const std::string& name, const std::string& code_file) {
  greffe::PosixFileSystem files;
  const replicate::Settings settings = GREFFE_TRY(replicate::load_settings(files, config));
  const replicate::TargetSettings* target = nullptr;
  if (at_target) target = GREFFE_TRY(replicate::find_target(settings, name));
  const greffe::Bytes bytes = GREFFE_TRY(files.read_file(code_file, kMaxCodeBytes));
  std::string code(greffe::as_text(bytes));
  while (!code.empty() && (code.back() == '\n' || code.back() == '\r' || code.back() == ' ')) code.pop_back();
  GREFFE_TRY(replicate::enrol(files, settings, target, code));
  std::puts(at_target ? "enrolled at the second site" : "enrolled at the archive");
  return greffe::kExitDone;
}

// SIGTERM and SIGINT become a stop request: the running object is finished, nothing half-sent is left behind.
class SignalStop {
 public:
  SignalStop() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    waiter_ = std::jthread([this](std::stop_token ended) {
      greffe::name_thread("gr-signal");
      for (int number = 0; !ended.stop_requested();) {
        if (sigwait(&set_, &number) == 0 && !ended.stop_requested()) source_.request_stop();
      }
    });
  }
  ~SignalStop() {
    waiter_.request_stop();
    pthread_kill(waiter_.native_handle(), SIGTERM);  // so that it looks; blocked everywhere else
  }
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  sigset_t set_{};
  std::stop_source source_;
  std::jthread waiter_;
};

}  // namespace

int main(int count, char** arguments) {
  const SignalStop signals;
  std::string config = "/etc/greffe/replicate.toml";
  std::string code_file;
  std::string target;
  bool json = false;
  CompareWords compare_words;
  greffe::CommandLine line("greffe-replicate",
                           "Carries recordings and logs to second sites, which recompute every hash before they confirm, and "
                           "brings their confirmations back to the archive; and to copies that nobody answers for, which it reads back itself. It can delete nothing on either side.");
  line.root().option("--config", config, "the configuration", "FILE");
  line.verb("enrol-source", "enrol at the archive, with the code of `greffe-archive cosigner add` there")
      .required("--code-file", code_file, "the file with the code", "FILE")
      .body([&] { return enrol(config, false, "", code_file); });
  line.verb("enrol-target", "enrol at a second site, with the code of `greffe-archive origin add` there; or, for failback, at the site that was promoted")
      .option("--target", target, "which target; may be left out where there is one", "NAME")
      .required("--code-file", code_file, "the file with the code", "FILE")
      .body([&] { return enrol(config, true, target, code_file); });
  line.verb("init-target", "make the volumes or the pool of a target, with nobody behind it, a copy of the archive's; again after volumes were added or its label was lost")
      .option("--target", target, "which target; may be left out where there is one", "NAME")
      .body([&] { return init_target(config, target); });
  line.verb("once", "carry everything that is there now; exit 0 when the second sites hold it all")
      .option("--target", target, "to this target only", "NAME")
      .json(json)
      .body([&] { return once(config, target, json, signals.token()); });
  line.verb("run", "carry everything, and go on as it is recorded").body([&] { return run(config, signals.token()); });
  line.verb("status", "how far the second sites are behind")
      .option("--target", target, "this target only", "NAME")
      .json(json)
      .body([&] { return status(config, target, json, signals.token()); });
  line.verb("compare", "find everything that only one of two sites holds; exit 0 when they hold the same")
      .option("--target", target, "with this target only", "NAME")
      .flag("--repair", compare_words.repair, "bring back what one of them lost, and compare again")
      .option("--challenge", compare_words.challenged, "have the second site prove by their bytes that it has so many objects, drawn at random (64)", "N")
      .json(compare_words.json)
      .body([&] { return compare(config, target, compare_words, signals.token()); });
  replicate::DrillOptions drill;
  line.verb("drill", "at the second site: have the replica of this machine rehearse the loss of an archive whose copy it holds: its catalogue from nothing, a random "
                     "sample and a whole day of objects, a recording decoded; the signed report goes into its main log. Exit 0 when all is as the logs say")
      .option("--replica", drill.replica, "the configuration of the replica", "FILE")
      .option("--archive", drill.archive, "of this archive; may be left out where one is held", "NAME")
      .json(drill.json)
      .body([&] { return replicate::run_drill(drill, signals.token()); });
  replicate::FailbackOptions failback;
  line.verb("failback", "at a site that was the archive and has joined again: bring the one that was promoted what only this site has; enrolled at with the code of `greffe-archive "
                        "returning add` there. May be stopped and run again. Exit 0 when all of it is there and part of the archive")
      .option("--target", failback.target, "the site that was promoted; may be left out where there is one target", "NAME")
      .flag("--dry-run", failback.dry_run, "say what would come back, and what could not; exit 1 when something could not")
      .json(failback.json)
      .body([&] {
        failback.config = config;
        return replicate::run_failback(failback, signals.token());
      });
  replicate::RestoreOptions restore;
  line.verb("restore", "rebuild the pool of [source] from what the second site holds; nothing else may write it meanwhile. What is there and good stays, so it "
                       "may be stopped and run again. Without --court or --hearing: everything; the archive starts on the pool once that is through. With one "
                       "of them: into a pool at whose main log the rest may still lack; `greffe-archive check` names what does")
      .option("--from", restore.from, "name of the second site, or of the copy", "NAME")
      .option("--court", restore.court, "only the hearings of this court", "COURT")
      .option("--hearing", restore.hearing, "only this hearing", "ID")
      .option("--volume", restore.new_volumes, "make this volume of [source] first; again for each that is new", "PATH=DOMAIN")
      .flag("--new-pool", restore.new_pool, "make the pool in Ceph or S3 first")
      .option("--log-key", restore.log_key, "the archive's log key, if what its enrolment said is lost", "VKEY")
      .json(restore.json)
      .body([&] {
        restore.config = config;
        return replicate::run_restore(restore, signals.token());
      });
  return line.run(count, arguments);
}
