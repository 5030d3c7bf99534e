#include "archive/drill.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "archive/archive_keys.h"
#include "archive/base/progress.h"
#include "archive/main_log.h"
#include "archive/tlog/copied_main_log.h"

namespace greffe::archive {
namespace {

constexpr std::uint64_t kRoomBytes = 64 * 1024 * 1024;  // beside the second catalogue: for recordings that are decoded
constexpr auto kLookEvery = std::chrono::milliseconds(200);
constexpr int kTries = 3;  // at a log that grows while it is looked at

}  // namespace

std::string_view name_of(DrillProgress::Step step) {
  switch (step) {
    case DrillProgress::Step::head: return "head";
    case DrillProgress::Step::catalogue: return "catalogue";
    case DrillProgress::Step::sample: return "sample";
    case DrillProgress::Step::decode: return "decode";
    case DrillProgress::Step::compare: return "compare";
    case DrillProgress::Step::log: return "log";
    case DrillProgress::Step::day: return "day";
  }
  return "?";
}

Drill::Drill(FileSystem& files, Clock& clock, store::WholePool& pool, DeclaredLost& declared, const CheckMedia& check_media, DrillOrder order,
             DrillProgress& progress, std::stop_token stop)
    : files_(files), clock_(clock), pool_(pool), declared_(declared), check_media_(check_media), order_(std::move(order)), progress_(progress),
      stop_(std::move(stop)), pace_(clock, order_.bytes_per_second, stop_) {}

Result<DrillReport> Drill::run() {
  report_ = DrillReport();
  report_.archive = order_.archive;
  report_.site = order_.site;
  report_.asked = order_.asked;
  report_.heard = order_.heard;
  report_.began = clock_.utc_now();
  Status done = prepare();
  if (done) done = work();
  survey_.reset();
  made_.reset();
  tidy();
  if (!done) return std::move(done).error();
  conclude();
  return report_;
}

Status Drill::work() {
  using Step = DrillProgress::Step;
  GREFFE_TRY(timed(Step::head, report_.ms.head, &Drill::look_at_head));
  GREFFE_TRY(timed(Step::catalogue, report_.ms.catalogue, &Drill::make_catalogue));
  if (survey_) {
    GREFFE_TRY(timed(Step::sample, report_.ms.sample, &Drill::draw_sample));
    GREFFE_TRY(timed(Step::decode, report_.ms.decode, &Drill::decode_stream));
    GREFFE_TRY(timed(Step::compare, report_.ms.compare, &Drill::compare_catalogues));
  }
  GREFFE_TRY(timed(Step::log, report_.ms.log, &Drill::check_main_log));
  return survey_ ? timed(Step::day, report_.ms.day, &Drill::read_day) : ok();
}

Status Drill::timed(DrillProgress::Step step, std::int64_t& ms, Part part) {
  progress_.total = 0;
  progress_.done = 0;
  progress_.step = step;
  const std::int64_t began_ms = clock_.monotonic_ms();
  Status done = (this->*part)();
  ms = clock_.monotonic_ms() - began_ms;
  return done;
}

Status Drill::prepare() {
  GREFFE_TRY(files_.make_directories(order_.directory));
  tidy();
  const auto kept = files_.stat(order_.kept_catalogue);
  const std::uint64_t needed = kRoomBytes + (kept ? 2 * kept->size : 0);
  const Space space = GREFFE_TRY(files_.space(order_.directory));
  if (space.free_bytes >= needed) return ok();
  return fail(Errc::no_space, fmt::format("a drill makes the catalogue of {} a second time in {} and needs {} there; {} are free", order_.archive,
                                          order_.directory, human_bytes(needed), human_bytes(space.free_bytes)));
}

// What cannot be removed now is in the way of nothing, and the next drill tries again.
void Drill::tidy() const {
  const auto names = files_.list(order_.directory);
  if (!names) return;
  for (const std::string& name : *names) static_cast<void>(files_.remove(join(order_.directory, name)));
}

void Drill::conclude() {
  report_.ended = clock_.utc_now();
  report_.rpo_ms = std::max<std::int64_t>(0, report_.began.ms - report_.newest.ms);
  // Where nothing was ever recorded, nothing has to play.
  const bool plays = first_decoded_ms_ || !drawn_;
  if (report_.catalogue && plays) report_.rto_ms = report_.ms.head + report_.ms.catalogue + first_decoded_ms_.value_or(0);
  report_.level = report_.failure_count == 0 && report_.rto_ms ? drill_level(report_.rpo_ms, *report_.rto_ms) : 0;
}

Status Drill::note(std::string_view code, const Error& error) {
  const bool says_nothing = error.code == Errc::cancelled || error.code == Errc::no_space || error.code == Errc::unavailable;
  if (says_nothing) return error;
  report_.fail(code, error.message);
  return ok();
}

Status Drill::stopped() const { return stop_.stop_requested() ? Status(fail(Errc::cancelled, "the drill was stopped")) : ok(); }

// ---- its newest state ----

Status Drill::look_at_head() {
  auto chain = tlog::open_copied_log(pool_, pool_, order_.archive);
  const auto head = chain ? chain->checkpoint() : Result<SignedCheckpoint>(chain.error());
  if (!head && head.error().code == Errc::not_found) return fail(Errc::not_found, "nothing has come of " + order_.archive + " yet");
  if (!head) return head.error().within("the newest state of the copy of " + order_.archive);
  if (head->checkpoint.size == 0) return fail(Errc::not_found, "nothing has come of " + order_.archive + " yet");
  main_log_.emplace(*std::move(chain));
  report_.size = main_log_->newest().first + head->checkpoint.size;
  report_.root = head->checkpoint.root;
  const auto logs = tlog::signed_logs(*main_log_, log_verifier(order_.archive, order_.log_key));
  const Status by_its_key = logs ? verify_note(head->note, logs->back().key) : Status(logs.error());
  if (!by_its_key) report_.fail("head", "the newest state of the copy is not signed by " + order_.archive + ": " + by_its_key.error().message);
  const auto newest = main_log_->entries(report_.size - 1, report_.size);
  if (!newest) return note("log", newest.error().within("the newest entry of the main log"));
  const auto json = parse_json(newest->front());
  const auto utc = json ? json->utc("utc") : Result<UtcTime>(json.error());
  if (!utc) return note("log", utc.error().within("the newest entry of the main log"));
  report_.newest = *utc;
  return ok();
}

// ---- the catalogue ----

Status Drill::make_catalogue() {
  catalogue::Sources sources = catalogue_sources(Stores{pool_, pool_, pool_});
  // What takes minutes ends when the archive does.
  sources.hearing = [this, read = sources.hearing](const HearingId& id, std::uint64_t first, std::uint64_t last, const auto& visit) -> Status {
    GREFFE_TRY(stopped());
    return read(id, first, last, visit);
  };
  sources.finished = [this, read = sources.finished](const HearingId& id, const Checkpoint& end,
                                                     std::span<const std::uint64_t> indices) -> Result<std::vector<std::string>> {
    GREFFE_TRY(stopped());
    return read(id, end, indices);
  };
  const std::string path = join(order_.directory, "catalogue.sqlite");
  auto made = catalogue::rebuild(files_, path, sources, *main_log_, [this](std::uint64_t done, std::uint64_t total) {
    progress_.done = done;
    progress_.total = total;
  });
  GREFFE_TRY(stopped());
  if (!made) return note("catalogue", made.error().within("the catalogue cannot be made from the logs"));
  survey_ = GREFFE_TRY(catalogue::Survey::open(path));
  made_.emplace(std::move(*made));
  const catalogue::CatalogueExtent extent = GREFFE_TRY(survey_->extent());
  report_.catalogue = DrilledCatalogue{made_->applied().size, extent.hearings, false, {}};
  return ok();
}

Status Drill::compare_catalogues() {
  const auto kept = kept_catalogue();
  if (!kept) return note("catalogue", kept.error().within("the catalogue in use"));
  const auto said = kept->sum(stop_);
  if (!said) return note("catalogue", said.error().within("the catalogue in use"));
  const bool beside = GREFFE_TRY(bring_beside(said->applied));
  if (!beside) return ok();
  const catalogue::CatalogueSum made = GREFFE_TRY(survey_->sum(stop_));
  report_.catalogue->sum = made.sum;
  report_.catalogue->equal = made.sum == said->sum;
  if (report_.catalogue->equal) return ok();
  report_.fail("catalogue", fmt::format("the catalogue in use says something else than the logs; stop this archive, remove {}, and start it again: it is made anew",
                                        order_.kept_catalogue));
  return ok();
}

// It follows some seconds behind the log, and is first made some seconds after the copy has come. Opened anew each time: it may be replaced.
Result<catalogue::Survey> Drill::kept_catalogue() const {
  const std::int64_t until_ms = clock_.monotonic_ms() + order_.catch_up_ms;
  std::mutex mutex;
  std::condition_variable_any wakes;
  for (;;) {
    GREFFE_TRY(stopped());
    auto kept = catalogue::Survey::open(order_.kept_catalogue);
    bool there = !kept && kept.error().code != Errc::not_found;
    if (kept) {
      const auto applied = kept->applied();
      there = !applied || applied->size >= made_->applied().size;  // what is wrong with it is told by who reads it next
    }
    if (there || clock_.monotonic_ms() >= until_ms) return kept;
    std::unique_lock lock(mutex);
    wakes.wait_for(lock, stop_, kLookEvery, [] { return false; });
  }
}

// Brings the catalogue that was made to where the one in use is. False: that is nowhere on this log, and is told.
Result<bool> Drill::bring_beside(const catalogue::Applied& kept) {
  if (kept.size < made_->applied().size) {
    report_.fail("catalogue", fmt::format("the catalogue in use stands for {} entries of the main log, of which {} are here, and does not follow", kept.size,
                                          made_->applied().size));
    return false;
  }
  if (kept.size > made_->applied().size) {
    Status applied = ok();
    GREFFE_TRY(main_log_->entries(made_->next(), kept.size, [&](std::uint64_t index, std::string_view entry) {
      applied = made_->apply(index, entry);
      return applied.has_value();
    }));
    GREFFE_TRY(std::move(applied));
    const Digest root = GREFFE_TRY(main_log_->root_at(kept.size));
    GREFFE_TRY(made_->commit(root));
  }
  if (made_->applied().root == kept.root) return true;
  report_.fail("catalogue", "the catalogue in use was made from another main log than the one that is here");
  return false;
}

// ---- logs ----

Status Drill::check_main_log() {
  for (const tlog::LogChain::Link& link : main_log_->links()) {
    const auto checked = check_log(link.path);
    if (!checked) GREFFE_TRY(note("log", checked.error().within("the main log " + epoch_origin(link.name))));
    GREFFE_TRY(stopped());
    if (checked) tell(*checked);
  }
  return ok();
}

// What looks wrong in a log that has grown meanwhile may be no more than that.
Result<tlog::LogCheck> Drill::check_log(const std::string& path) const {
  const std::string head = checkpoint_path(path);
  for (int tries = 1;; ++tries) {
    const auto before = pool_.read_head(head);
    auto checked = tlog::check_log(pool_, pool_, pool_, path, tlog::CheckMode::report, stop_);
    if (tries == kTries || (checked && checked->findings.empty())) return checked;
    const auto after = pool_.read_head(head);
    const bool moved = before && after && *before != *after;
    if (!moved || stop_.stop_requested()) return checked;
  }
}

void Drill::tell(const tlog::LogCheck& checked) {
  for (const tlog::LogFinding& one : checked.findings) {
    report_.fail("log", fmt::format("{}: {} copies missing, {} altered{}", one.key, one.missing.size(), one.different.size(),
                                    one.lost ? "; no good copy is left here" : ""));
  }
}

}  // namespace greffe::archive
