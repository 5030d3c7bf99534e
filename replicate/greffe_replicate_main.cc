// greffe-replicate: carries recordings and logs to the second site and brings its confirmations back.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>

#include "archive/base/command_line.h"
#include "archive/base/log.h"
#include "archive/store/open_pool.h"
#include "replicate/compare_verb.h"
#include "replicate/lag.h"
#include "replicate/replicator.h"
#include "replicate/settings.h"

namespace {

using greffe::Result;
using greffe::Status;
namespace replicate = greffe::replicate;

constexpr std::uint64_t kMaxCodeBytes = 16 * 1024;
constexpr std::int64_t kLongestWaitMs = 60'000;
constexpr std::int64_t kMostChallenged = 4096;

// Everything that a verb needs, opened in order.
struct Running {
  greffe::PosixFileSystem files;
  greffe::SystemClock clock;
  greffe::Log log{"greffe-replicate"};
  replicate::Settings settings;
  std::unique_ptr<greffe::store::WholePool> pool;
  std::unique_ptr<greffe::PrivateKey> identity;
  replicate::Site source_site;
  replicate::Site target_site;
  std::unique_ptr<replicate::CopySite> target;
  std::unique_ptr<replicate::ConfirmationSite> source;
  const greffe::VerifierKey& target_key() const { return target_site.cosigners.front(); }
  replicate::Source from() const { return {*pool, *pool, settings.archive}; }
};

Result<std::unique_ptr<Running>> open(const std::string& config) {
  auto out = std::make_unique<Running>();
  out->settings = GREFFE_TRY(replicate::load_settings(out->files, config));
  out->target_site = GREFFE_TRY(replicate::load_site(out->files, out->settings, replicate::SiteRole::target));
  out->source_site = GREFFE_TRY(replicate::load_site(out->files, out->settings, replicate::SiteRole::source));
  greffe::PrivateKey identity = GREFFE_TRY(replicate::load_identity(out->files, out->settings));
  out->identity = std::make_unique<greffe::PrivateKey>(std::move(identity));
  out->pool = GREFFE_TRY(greffe::store::open_pool(out->files, out->clock, out->settings.source, greffe::store::PoolMode::reader));
  out->target = replicate::connect_copy_site(out->target_site.endpoint(), *out->identity);
  out->source = replicate::connect_confirmation_site(out->source_site.endpoint(), *out->identity);
  return out;
}

replicate::LogCopier::Limits limits_of(const Running& running) {
  replicate::LogCopier::Limits limits;
  limits.connections = running.settings.connections;
  return limits;
}

replicate::Replicator make_replicator(Running& running) {
  return {running.from(), *running.target, *running.source, running.target_key(), limits_of(running), running.log};
}

void print(bool json, const greffe::Json& value, const std::string& words) {
  const std::string text = json ? greffe::write_json(value) + "\n" : words;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

Result<int> once(const std::string& config, bool json, std::stop_token stop) {
  const auto running = GREFFE_TRY(open(config));
  replicate::Replicator replicator = make_replicator(*running);
  const replicate::PassReport report = GREFFE_TRY(replicator.pass(stop));
  print(json, report.json(), report.words());
  return report.caught_up() && report.undelivered == 0 ? greffe::kExitDone : greffe::kExitFound;
}

// Says what changed, once; a hole that stays is not said every second.
void tell(greffe::Log& log, const replicate::PassReport& report, std::string& told) {
  const std::string now = report.words();
  const bool quiet = report.caught_up() && report.undelivered == 0;
  if (report.copied.objects + report.copied.entries > 0 && quiet) log.info("second site up to date: " + greffe::write_json(report.json()));
  if (!quiet && now != told) log.error("the second site is behind: " + greffe::write_json(report.json()));
  told = quiet ? std::string() : now;
}

Result<int> run(const std::string& config, std::stop_token stop) {
  const auto running = GREFFE_TRY(open(config));
  greffe::Log& log = running->log;
  replicate::Replicator replicator = make_replicator(*running);
  std::int64_t wait_ms = running->settings.poll_interval_ms;
  std::string told;
  std::string failed;
  while (!stop.stop_requested()) {
    const auto report = replicator.pass(stop);
    if (report) {
      tell(log, *report, told);
      if (!failed.empty()) log.info("the second site answers again");
      failed.clear();
      wait_ms = running->settings.poll_interval_ms;
    } else if (report.error().code != greffe::Errc::cancelled) {
      if (failed != report.error().message) log.error(report.error().message);
      failed = report.error().message;
      wait_ms = std::min(wait_ms * 2, kLongestWaitMs);
    }
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any wakes;
    wakes.wait_for(lock, stop, std::chrono::milliseconds(wait_ms), [] { return false; });
  }
  return greffe::kExitDone;
}

Result<int> status(const std::string& config, bool json) {
  const auto running = GREFFE_TRY(open(config));
  replicate::Lag lag = GREFFE_TRY(replicate::measure_lag(running->from(), *running->target, running->target_key()));
  lag.compared = GREFFE_TRY(replicate::load_comparison(running->files, running->settings.state_directory));
  const greffe::UtcTime now = running->clock.utc_now();
  print(json, lag.json(now), lag.words(now));
  return greffe::kExitDone;
}

struct CompareWords {
  bool repair = false;
  bool json = false;
  std::int64_t challenged = 64;
};

Result<int> compare(const std::string& config, const CompareWords& words, std::stop_token stop) {
  if (words.challenged < 0 || words.challenged > kMostChallenged) {
    return greffe::fail(greffe::Errc::invalid, fmt::format("--challenge takes 0 to {} objects", kMostChallenged));
  }
  const auto running = GREFFE_TRY(open(config));
  const std::string& state = running->settings.state_directory;
  const auto compared = replicate::connect_compared_site(running->target_site.endpoint(), *running->identity, running->settings.archive);
  const auto informed = replicate::connect_informed_site(running->source_site.endpoint(), *running->identity);
  const replicate::ComparedParts parts{running->files, running->clock, *running->pool, *running->target, *compared, *informed};
  const replicate::CompareOrder order{{running->settings.archive, running->target_key(), greffe::join(state, "comparison"), static_cast<std::size_t>(words.challenged)},
                                      state, words.repair};
  replicate::LogCopier copier(running->from(), *running->target, *running->source, running->target_key(), limits_of(*running), running->log);
  const replicate::BringHearing bring = [&](const greffe::HearingId& id) -> Status {
    const replicate::LogOutcome outcome = GREFFE_TRY(copier.copy_hearing(id, stop));
    if (outcome.held == outcome.source_size) return greffe::ok();
    return greffe::fail(greffe::Errc::unavailable, fmt::format("the second site holds {} of {} entries", outcome.held, outcome.source_size));
  };
  const replicate::ComparisonReport report = GREFFE_TRY(replicate::compare_and_mend(parts, *running->source, bring, order, stop));
  print(words.json, report.json(), report.words());
  return report.equal() ? greffe::kExitDone : greffe::kExitFound;
}

Result<int> enrol(const std::string& config, replicate::SiteRole role, const std::string& code_file) {
  greffe::PosixFileSystem files;
  const replicate::Settings settings = GREFFE_TRY(replicate::load_settings(files, config));
  const greffe::Bytes bytes = GREFFE_TRY(files.read_file(code_file, kMaxCodeBytes));
  std::string code(greffe::as_text(bytes));
  while (!code.empty() && (code.back() == '\n' || code.back() == '\r' || code.back() == ' ')) code.pop_back();
  GREFFE_TRY(replicate::enrol(files, settings, role, code));
  std::puts(role == replicate::SiteRole::source ? "enrolled at the archive" : "enrolled at the second site");
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
      const timespec tick{0, 200'000'000};
      while (!ended.stop_requested()) {
        if (sigtimedwait(&set_, nullptr, &tick) > 0) source_.request_stop();
      }
    });
  }
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
  bool json = false;
  CompareWords compare_words;
  greffe::CommandLine line("greffe-replicate",
                           "Carries recordings and logs to the second site, which recomputes every hash before it confirms, and "
                           "brings its confirmations back to the archive. It can delete nothing on either side.");
  line.root().option("--config", config, "the configuration", "FILE");
  line.verb("enrol-source", "enrol at the archive, with the code of `greffe-archive cosigner add` there")
      .required("--code-file", code_file, "the file with the code", "FILE")
      .body([&] { return enrol(config, replicate::SiteRole::source, code_file); });
  line.verb("enrol-target", "enrol at the second site, with the code of `greffe-archive origin add` there")
      .required("--code-file", code_file, "the file with the code", "FILE")
      .body([&] { return enrol(config, replicate::SiteRole::target, code_file); });
  line.verb("once", "carry everything that is there now; exit 0 when the second site holds it all")
      .json(json)
      .body([&] { return once(config, json, signals.token()); });
  line.verb("run", "carry everything, and go on as it is recorded").body([&] { return run(config, signals.token()); });
  line.verb("status", "how far the second site is behind").json(json).body([&] { return status(config, json); });
  line.verb("compare", "find everything that only one of the two sites holds; exit 0 when they hold the same")
      .flag("--repair", compare_words.repair, "bring back what one of them lost, and compare again")
      .option("--challenge", compare_words.challenged, "have the second site prove by their bytes that it has so many objects, drawn at random (64)", "N")
      .json(compare_words.json)
      .body([&] { return compare(config, compare_words, signals.token()); });
  return line.run(count, arguments);
}
