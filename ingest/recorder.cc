#include "ingest/recorder.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "archive/format/documents.h"
#include "ingest/closing_sheet.h"
#include "ingest/import_begin.h"
#include "ingest/live_child.h"
#include "ingest/spool_space.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kLookMs = 500;          // clocks, retries, what is shown
constexpr std::int64_t kMeasureMs = 15'000;    // the room on the disk
constexpr std::int64_t kTryAgainMs = 2'000;    // after an error of the disk
constexpr int kAnswerSeconds = 30;
constexpr std::size_t kMostQuestions = 64;
constexpr std::size_t kMostNoteBytes = 4000;

Result<std::string> optional_text(const Json& arguments, const char* member, std::size_t most) {
  if (!arguments.has(member)) return std::string();
  std::string out = GREFFE_TRY(arguments.string(member));
  if (out.size() > most) return fail(Errc::invalid, fmt::format("{} is longer than {} bytes", member, most));
  return out;
}

Result<std::string> person_from(const Json& arguments) {
  std::string out = GREFFE_TRY(optional_text(arguments, "person", 32));
  if (!out.empty() && !is_valid_name(out)) return fail(Errc::invalid, "person must be a short code of a-z, 0-9 and '-', not a name: logs hold no names");
  return out;
}

}  // namespace

struct Recorder::Question {
  std::string verb;
  Json arguments;
  std::promise<Result<Json>> answer;
};

Recorder::Recorder(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, const Enrolment& enrolment,
                   const PrivateKey& key, PictureBoard& pictures, RecorderLinks links)
    : files_(files), log_(log), settings_(settings), enrolment_(enrolment), key_(key), pictures_(pictures), links_(std::move(links)), clock_(clock),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (const StreamSettings& stream : settings.streams) lanes_.push_back(std::make_unique<LiveLane>(stream, settings, clock_, pictures_));
  publish();
}

Recorder::~Recorder() {
  if (wake_ >= 0) ::close(wake_);
}

// ---- asked from other threads ----

Result<Json> Recorder::ask(const std::string& verb, const Json& arguments) {
  const auto question = std::make_shared<Question>();
  question->verb = verb;
  question->arguments = arguments;
  std::future<Result<Json>> answer = question->answer.get_future();
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (!running_ || questions_.size() >= kMostQuestions) return fail(Errc::unavailable, "the recorder is starting or stopping; try again");
    questions_.push_back(question);
  }
  const std::uint64_t one = 1;
  if (::write(wake_, &one, sizeof one) < 0) return fail(Errc::unavailable, "the recorder cannot be woken");
  if (answer.wait_for(std::chrono::seconds(kAnswerSeconds)) != std::future_status::ready) {
    return fail(Errc::unavailable, fmt::format("the recorder did not answer within {} s; look at its state before you try again", kAnswerSeconds));
  }
  return answer.get();
}

Json Recorder::state() const {
  const std::lock_guard<std::mutex> guard(mutex_);
  return state_;
}

void Recorder::stop() {
  stopping_ = true;
  const std::uint64_t one = 1;
  if (::write(wake_, &one, sizeof one) < 0) return;  // it looks twice a second anyhow
}

void Recorder::answer_questions() {
  for (;;) {
    std::shared_ptr<Question> question;
    {
      const std::lock_guard<std::mutex> guard(mutex_);
      if (questions_.empty()) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    if (question->verb == "close") closing_ = closing_ ? closing_ : question;
    auto done = answer(*question);
    if (!done && closing_ == question) continue;  // answered when the hearing is finished
    if (closing_ == question) closing_.reset();
    publish();
    question->answer.set_value(done ? std::move(*done) : fail(Errc::conflict, "the hearing is being finished already"));
  }
}

std::optional<Result<Json>> Recorder::answer(const Question& question) {
  static const std::map<std::string, Verb> verbs = {{"open", &Recorder::open},     {"pause", &Recorder::pause}, {"resume", &Recorder::resume},
                                                    {"mute", &Recorder::mute},     {"unmute", &Recorder::unmute}, {"mark", &Recorder::mark},
                                                    {"explain", &Recorder::explain}, {"correct", &Recorder::correct},
                                                    {"close", &Recorder::begin_close}};
  const auto found = verbs.find(question.verb);
  if (found == verbs.end()) return fail(Errc::invalid, fmt::format("the recorder does not know \"{}\"", question.verb));
  if (!trouble_.empty()) return fail(Errc::unavailable, "nothing can be recorded now: " + trouble_);
  if (question.verb == "open" && spool_) return fail(Errc::conflict, "a hearing is being recorded already; finish it first");
  if (question.verb != "open" && !spool_) return fail(Errc::conflict, "no hearing is being recorded; open one first");
  if (question.verb != "close" && closing_) return fail(Errc::conflict, "the hearing is being finished");
  if (question.verb == "close" && closing_.get() != &question) return std::nullopt;
  auto done = (this->*found->second)(question.arguments);
  if (!done && question.verb == "open" && links_.leaves && links_.leaves(done.error())) give_up_spool(done.error());
  if (!done) return done.error();
  if (question.verb == "close") return std::nullopt;
  const Status durable = commit();
  if (!durable) {
    give_up_spool(durable.error());
    return durable.error();
  }
  return done;
}

void Recorder::fail_questions() {
  const std::lock_guard<std::mutex> guard(mutex_);
  running_ = false;
  for (const auto& question : questions_) question->answer.set_value(fail(Errc::unavailable, "the recorder stops"));
  questions_.clear();
  if (closing_) closing_->answer.set_value(fail(Errc::unavailable, "the recorder stops; the hearing stays open"));
  closing_.reset();
}

// ---- what is asked ----

Result<Json> Recorder::open(const Json& arguments) {
  LiveOpening opening;
  opening.details = GREFFE_TRY(arguments.string("details"));
  const std::string continues = GREFFE_TRY(optional_text(arguments, "continues", 64));
  if (!continues.empty()) opening.continues = GREFFE_TRY(parse_hearing_id(continues));
  if (lanes_.empty()) return fail(Errc::conflict, "no stream is configured: station.toml needs a [[stream]] for each camera and microphone");
  for (const auto& lane : lanes_) opening.streams.push_back({lane->stream().name, lane->stream().medium, lane->stream().source});
  const auto kept = load_enrolment(files_, settings_.directory);  // the uploader may have followed the archive to another site
  const Enrolment& enrolment = kept ? *kept : enrolment_;
  GREFFE_TRY(admit_hearing(files_, clock_.now().utc, settings_, enrolment, key_.public_key()));
  spool_ = GREFFE_TRY(begin_live_hearing(files_, settings_, enrolment, key_, clock_, opening));
  details_ = GREFFE_TRY(parse_details(opening.details));
  record_ = LiveRecord();
  record_.boot = clock_.boot();
  record_.clock = clock_.state();
  const Moment start{spool_->state().open()->start, spool_->state().open()->mono_ms};
  for (const auto& lane : lanes_) lane->join(*spool_, {start, clock_.boot()}, kEndedNoSignal);
  apply_wanted(start, kEndedNoSignal);
  log_.info(fmt::format("hearing {} is being recorded", spool_->id().text()));
  if (links_.committed) links_.committed(spool_->id());
  return std::move(Json().set("hearing", spool_->id().text()));
}

Result<OpenPause> Recorder::pause_from(const Json& arguments, const std::string& fallback_reason) {
  OpenPause out;
  out.reason = GREFFE_TRY(optional_text(arguments, "reason", 32));
  if (out.reason.empty()) out.reason = fallback_reason;
  if (std::find(kGapReasons.begin(), kGapReasons.end(), out.reason) == kGapReasons.end()) {
    return fail(Errc::invalid, fmt::format("reason must be one of: {}", fmt::join(kGapReasons, ", ")));
  }
  out.person = GREFFE_TRY(person_from(arguments));
  out.note = GREFFE_TRY(note_from(arguments, "gap", "note"));
  out.at = clock_.now();
  out.boot = clock_.boot();
  return out;
}

Result<std::optional<Digest>> Recorder::note_from(const Json& arguments, const char* kind, const char* member) {
  const std::string text = GREFFE_TRY(optional_text(arguments, member, kMostNoteBytes));
  if (text.empty()) return std::optional<Digest>();
  const Digest digest = GREFFE_TRY(spool_->put_document(as_bytes(write_note(kind, text))));
  return std::optional<Digest>(digest);
}

Result<Json> Recorder::pause(const Json& arguments) {
  if (record_.pause) return fail(Errc::conflict, "the hearing is paused already");
  if (!arguments.has("reason")) return fail(Errc::invalid, fmt::format("a pause needs a reason: {}", fmt::join(kGapReasons, ", ")));
  record_.pause = GREFFE_TRY(pause_from(arguments, ""));
  const Status saved = save_record();
  if (!saved) {
    record_.pause.reset();
    return saved.error();
  }
  apply_wanted(record_.pause->at, "");
  return std::move(Json().set("reason", record_.pause->reason));
}

Result<Json> Recorder::resume(const Json&) {
  if (!record_.pause) return fail(Errc::conflict, "the hearing is not paused");
  const Moment now = clock_.now();
  const OpenPause pause = *std::exchange(record_.pause, std::nullopt);
  // The gap first: a crash between the two shows a pause that ends twice, never one that is not there.
  end_pause(pause, {"*"}, now);
  GREFFE_TRY(commit());
  GREFFE_TRY(save_record());
  apply_wanted(now, kEndedNoSignal);
  return std::move(Json().set("paused_ms", now.mono_ms - pause.at.mono_ms));
}

Result<Json> Recorder::mute(const Json& arguments) {
  const std::string stream = GREFFE_TRY(arguments.string("stream"));
  const bool known = std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& lane) { return lane->stream().name == stream; });
  if (!known) return fail(Errc::invalid, fmt::format("there is no stream {}", stream));
  if (record_.muted.contains(stream)) return fail(Errc::conflict, fmt::format("stream {} is muted already", stream));
  record_.muted[stream] = GREFFE_TRY(pause_from(arguments, "operator"));
  const Status saved = save_record();
  const Moment at = record_.muted[stream].at;
  if (!saved) record_.muted.erase(stream);
  if (!saved) return saved.error();
  if (!record_.pause) apply_wanted(at, "");
  return std::move(Json().set("stream", stream));
}

Result<Json> Recorder::unmute(const Json& arguments) {
  const std::string stream = GREFFE_TRY(arguments.string("stream"));
  const auto found = record_.muted.find(stream);
  if (found == record_.muted.end()) return fail(Errc::conflict, fmt::format("stream {} is not muted", stream));
  const Moment now = clock_.now();
  end_pause(found->second, {stream}, now);
  record_.muted.erase(found);
  GREFFE_TRY(commit());
  GREFFE_TRY(save_record());
  apply_wanted(now, kEndedNoSignal);
  return std::move(Json().set("stream", stream));
}

Result<Json> Recorder::mark(const Json& arguments) {
  MarkEntry entry;
  entry.at = clock_.now().utc;
  entry.stream = GREFFE_TRY(optional_text(arguments, "stream", 32));
  if (!entry.stream.empty() && spool_->state().find(entry.stream) == nullptr) return fail(Errc::invalid, fmt::format("there is no stream {}", entry.stream));
  entry.person = GREFFE_TRY(person_from(arguments));
  const std::string text = GREFFE_TRY(optional_text(arguments, "text", kMostNoteBytes));
  if (text.empty()) return fail(Errc::invalid, "a mark needs a text");
  entry.note = GREFFE_TRY(spool_->put_document(as_bytes(write_note("mark", text))));
  spool_->append(entry);
  return std::move(Json().set("at", entry.at));
}

Result<Json> Recorder::explain(const Json& arguments) {
  ExplanationEntry entry;
  entry.gap = GREFFE_TRY(arguments.size("gap"));
  const std::vector<UnexplainedGap> waiting = spool_->state().unexplained();
  if (std::none_of(waiting.begin(), waiting.end(), [&](const UnexplainedGap& one) { return one.index == entry.gap; })) {
    return fail(Errc::invalid, fmt::format("entry {} is not an interruption that waits for an explanation", entry.gap));
  }
  entry.person = GREFFE_TRY(person_from(arguments));
  const std::string text = GREFFE_TRY(optional_text(arguments, "text", kMostNoteBytes));
  if (text.empty()) return fail(Errc::invalid, "an explanation needs a text");
  entry.note = GREFFE_TRY(spool_->put_document(as_bytes(write_note("explanation", text))));
  spool_->append(entry);
  return std::move(Json().set("gap", entry.gap));
}

// The case was chosen wrongly: what was recorded stays, and is about this one from now on.
Result<Json> Recorder::correct(const Json& arguments) {
  const std::string written = GREFFE_TRY(arguments.string("details"));
  Details details = GREFFE_TRY(parse_details(written));
  if (details == details_) return fail(Errc::conflict, "these are the details of the hearing already; there is nothing to correct");
  CorrectionEntry entry;
  entry.person = GREFFE_TRY(person_from(arguments));
  entry.utc = clock_.now().utc;
  entry.details = GREFFE_TRY(spool_->put_document(as_bytes(write_details(details))));
  spool_->append(entry);
  details_ = std::move(details);
  log_.info(fmt::format("hearing {}: what it is about was corrected", spool_->id().text()));
  return std::move(Json().set("hearing", spool_->id().text()));
}

// A gap that a person made; over a restart its two ends are on two monotonic clocks.
void Recorder::end_pause(const OpenPause& pause, std::vector<std::string> streams, Moment now) {
  GapEntry gap;
  gap.streams = std::move(streams);
  gap.from = pause.at.utc;
  gap.to = std::max(now.utc, pause.at.utc);
  gap.boot = pause.boot;
  if (pause.boot != clock_.boot()) gap.to_boot = clock_.boot();
  gap.mono_ms = {pause.at.mono_ms, now.mono_ms};
  gap.reason = pause.reason;
  gap.person = pause.person;
  gap.note = pause.note;
  spool_->append(gap);
}

Result<Json> Recorder::begin_close(const Json& arguments) {
  closing_person_ = GREFFE_TRY(person_from(arguments));
  closing_at_ = clock_.now();
  apply_wanted(closing_at_, "");
  return Json();
}

bool Recorder::wants(const std::string& stream) const { return spool_ && !closing_ && !record_.pause && !record_.muted.contains(stream); }

void Recorder::apply_wanted(Moment now, const char* missing) {
  for (const auto& lane : lanes_) {
    const bool wanted = wants(lane->stream().name);
    lane->record(wanted, now, wanted ? kEndedNoSignal : missing);
  }
}

// ---- the loop ----

Status Recorder::run() {
  if (wake_ < 0) return fail(Errc::unavailable, fmt::format("the recorder cannot start: {}", std::strerror(errno)));
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    running_ = true;
  }
  const Status begun = go_on();
  if (!begun) give_up_spool(begun.error());
  while (!stopping_ && !left_) {
    const Status done = step();
    if (!done) give_up_spool(done.error());
  }
  const Status ended = end_in_order();
  fail_questions();
  return ended;
}

Status Recorder::step() {
  GREFFE_TRY(wait_for_news());
  answer_questions();
  if (clock_.now().mono_ms - looked_ms_ >= kLookMs) GREFFE_TRY(tick());
  if (spool_ && spool_->waiting() > 0) GREFFE_TRY(commit());
  return closing_ ? finish_when_at_rest() : ok();
}

Status Recorder::wait_for_news() {
  std::vector<pollfd> watched{{wake_, POLLIN, 0}};
  std::vector<LiveLane*> owners{nullptr};
  for (const auto& lane : lanes_) {
    if (lane->descriptor() < 0) continue;
    watched.push_back({lane->descriptor(), POLLIN, 0});
    owners.push_back(lane.get());
  }
  const std::int64_t until_look = std::clamp<std::int64_t>(looked_ms_ + kLookMs - clock_.now().mono_ms, 0, kLookMs);
  const int ready = ::poll(watched.data(), watched.size(), static_cast<int>(closing_ ? std::min<std::int64_t>(until_look, 50) : until_look));
  if (ready < 0 && errno != EINTR) return fail(Errc::io_error, fmt::format("cannot wait for the streams: {}", std::strerror(errno)));
  std::uint64_t ignored = 0;
  if (ready > 0 && watched[0].revents != 0 && ::read(wake_, &ignored, sizeof ignored) < 0 && errno != EAGAIN) {
    return fail(Errc::io_error, fmt::format("cannot wait for the streams: {}", std::strerror(errno)));
  }
  for (std::size_t i = 1; ready > 0 && i < watched.size(); ++i) {
    if (watched[i].revents != 0) GREFFE_TRY(owners[i]->take_news(clock_.now()));
  }
  return ok();
}

Status Recorder::tick() {
  const bool jumped = clock_.look();
  const Moment now = clock_.now();
  looked_ms_ = now.mono_ms;
  if (jumped) {
    log_.warn(fmt::format("the wall clock jumped by {} ms; every stream begins a new run", clock_.last_jump_ms()));
    for (const auto& lane : lanes_) lane->begin_new_run();
  }
  for (const auto& lane : lanes_) GREFFE_TRY(lane->tick(now));
  GREFFE_TRY(add_sub_streams(now));
  if (measured_ms_ == 0 || now.mono_ms - measured_ms_ >= kMeasureMs) {
    measure_room(now);
    GREFFE_TRY(say_lost());
  }
  if (!trouble_.empty() && now.mono_ms >= try_again_at_ms_) {
    const Status again = go_on();
    if (!again) return again;
    trouble_.clear();
  }
  publish();
  return ok();
}

Status Recorder::commit() {
  if (!spool_ || spool_->waiting() == 0) return ok();
  GREFFE_TRY(spool_->commit());
  if (links_.committed) links_.committed(spool_->id());
  return ok();
}

// What the delivery of this hearing has found unreadable waits for the log to say so.
Status Recorder::say_lost() {
  if (!spool_) return ok();
  const std::size_t before = spool_->entries().size();
  GREFFE_TRY(spool_->declare_lost());
  if (spool_->entries().size() > before && links_.committed) links_.committed(spool_->id());
  return ok();
}

Status Recorder::save_record() { return save_live_record(files_, spool_->paths(), record_); }

// ---- beginnings and ends ----

Status Recorder::go_on() {
  if (spool_) return ok();
  const std::optional<HearingId> unfinished = GREFFE_TRY(find_live_hearing(files_, settings_));
  if (!unfinished) return ok();
  return take_up(*unfinished);
}

Status Recorder::take_up(const HearingId& id) {
  auto spool = GREFFE_TRY(HearingSpool::open(files_, spool_of(settings_.directory, id), id, enrolment_.archive, key_));
  LiveRecord before = GREFFE_TRY(load_live_record(files_, spool->paths()));
  GREFFE_TRY(recover_live_segments(*spool, before));
  GREFFE_TRY(spool->commit());
  spool_ = std::move(spool);
  const char* reason = before.stopped ? "operator" : before.boot != clock_.boot() ? "power" : "fault";
  record_ = std::move(before);
  record_.boot = clock_.boot();
  record_.clock = clock_.state();
  record_.stopped = false;
  record_.after = reason;
  record_.taken_up_mono_ms = clock_.now().mono_ms;
  GREFFE_TRY(announce_streams());
  const OpenEntry& open = *spool_->state().open();
  const Bytes document = GREFFE_TRY(files_.read_file(spool_->paths().object(spool_->state().details()), kMaxDocumentBytes));
  details_ = GREFFE_TRY(parse_details(as_text(document)));
  for (const auto& lane : lanes_) {
    const Accounted start{{open.start, open.mono_ms}, open.boot};
    const std::string& name = lane->stream().name;
    Accounted until = accounted_so_far(spool_->state(), name, start);
    // A pause's own gap says why nothing follows it; what the crash took just before it is missing all the same.
    const auto muted = record_.muted.find(name);
    const OpenPause* quiet = record_.pause ? &*record_.pause : muted != record_.muted.end() ? &muted->second : nullptr;
    if (quiet != nullptr) {
      if (const auto gap = gap_between(name, until, {quiet->at, quiet->boot}, reason)) {
        spool_->append(*gap);
        until = {quiet->at, quiet->boot};
      }
    }
    lane->join(*spool_, until, quiet != nullptr ? "" : reason);
  }
  GREFFE_TRY(save_record());
  GREFFE_TRY(commit());
  // What is wanted now begins after the interruption, whose reason stays the first one.
  for (const auto& lane : lanes_) lane->record(wants(lane->stream().name), clock_.now(), reason);
  log_.warn(fmt::format("hearing {} goes on after an interruption ({})", id.text(), reason));
  return ok();
}

// Streams that were configured since the hearing began join it late.
Status Recorder::announce_streams() {
  for (const auto& lane : lanes_) {
    const StreamState* known = spool_->state().find(lane->stream().name);
    if (known == nullptr) spool_->append(StreamEntry{{lane->stream().name, lane->stream().medium, lane->stream().source}});
    if (known != nullptr && known->stream.medium != lane->stream().medium) {
      return fail(Errc::invalid, fmt::format("stream {} is {} in the hearing that is being recorded and {} in the configuration; give it another name",
                                             lane->stream().name, known->stream.medium, lane->stream().medium));
    }
  }
  return ok();
}

Status Recorder::add_sub_streams(Moment now) {
  std::vector<StreamSettings> wanted;
  for (const auto& lane : lanes_) {
    if (!lane->stream().sub || !lane->facts() || lane->facts()->codec != "hevc") continue;
    StreamSettings sub = lane->stream();
    sub.name += kSubStream;
    sub.address = *lane->stream().sub;
    sub.sub.reset();
    const bool known = std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& one) { return one->stream().name == sub.name; });
    if (!known) wanted.push_back(std::move(sub));
  }
  for (const StreamSettings& sub : wanted) {
    lanes_.push_back(std::make_unique<LiveLane>(sub, settings_, clock_, pictures_));
    if (!spool_) continue;
    GREFFE_TRY(announce_streams());
    lanes_.back()->join(*spool_, accounted_so_far(spool_->state(), sub.name, {now, clock_.boot()}), kEndedNoSignal);
    lanes_.back()->record(wants(sub.name), now, kEndedNoSignal);
  }
  return ok();
}

Status Recorder::finish_when_at_rest() {
  const bool all = std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->at_rest(); });
  return all ? finish() : ok();
}

// The hearing ends when that was asked for, or with the last sample taken; to end the files takes a moment in which nothing is missing.
Status Recorder::finish() {
  Moment end = closing_at_;
  for (const auto& lane : lanes_) {
    const Accounted& until = lane->accounted();
    if (until.boot == clock_.boot() && until.at.mono_ms > end.mono_ms) end = until.at;
  }
  for (const auto& lane : lanes_) lane->account_until(end);
  for (const auto& [stream, pause] : record_.muted) end_pause(pause, {stream}, end);
  if (record_.pause) end_pause(*record_.pause, {"*"}, end);
  GREFFE_TRY(spool_->declare_lost());
  CloseEntry close = spool_->state().close_entry();
  close.end = end.utc;
  close.boot = clock_.boot();
  close.mono_ms = end.mono_ms;
  spool_->append(close);
  GREFFE_TRY(commit());
  Json done;
  done.set("hearing", spool_->id().text()).set("entries", std::uint64_t{spool_->entries().size()});
  log_.info(fmt::format("hearing {} is finished", spool_->id().text()));
  const auto filed = file_closing_sheet(files_, settings_, spool_->id());
  if (filed) done.set("sheet", filed->page);
  if (!filed) done.set("sheet_problem", filed.error().message);
  for (const auto& lane : lanes_) lane->leave();
  spool_.reset();
  record_ = LiveRecord();
  publish();
  const auto closing = std::exchange(closing_, nullptr);
  closing->answer.set_value(std::move(done));
  return ok();
}

Status Recorder::end_in_order() {
  if (!spool_) return ok();
  const Moment asked = clock_.now();
  for (const auto& lane : lanes_) lane->record(false, asked, "operator");
  const auto at_rest = [](const auto& lane) { return lane->at_rest(); };
  while (!std::all_of(lanes_.begin(), lanes_.end(), at_rest)) {
    GREFFE_TRY(wait_for_news());
    for (const auto& lane : lanes_) GREFFE_TRY(lane->tick(clock_.now()));
  }
  record_.stopped = true;
  GREFFE_TRY(commit());
  return save_record();
}

void Recorder::measure_room(Moment now) {
  measured_ms_ = now.mono_ms;
  // What is being recorded is in memory; else the newest log of the spool is read.
  const std::uint64_t rate = spool_ ? recording_rate(spool_->entries()) : 0;
  const auto disk = files_.space(settings_.directory);
  const auto space = rate > 0 && disk ? Result<SpoolSpace>(space_of(settings_, *disk, rate)) : measure_space(files_, settings_);
  if (!space) return;
  seconds_left_ = space->seconds_left();
  const Space other = links_.other_disk ? links_.other_disk() : Space();
  const auto there = other.total_bytes > 0 ? space_of(settings_, other, space->rate).seconds_left() : std::nullopt;
  if (there && seconds_left_) seconds_left_ = std::min(*there, *seconds_left_);
  space_level_ = name_of(space->level);
}

void Recorder::give_up_spool(const Error& why) {
  const Moment now = clock_.now();
  if (trouble_.empty()) trouble_since_ = now;
  if (trouble_ != why.message) log_.error("recording stopped: " + why.message);
  trouble_ = why.message;
  if (why.code == Errc::no_space) (void)spend_ballast(files_, settings_);  // so that what was recorded can be recovered
  try_again_at_ms_ = now.mono_ms + kTryAgainMs;
  for (const auto& lane : lanes_) lane->abandon(now);
  spool_.reset();
  if (closing_) closing_->answer.set_value(why);
  closing_.reset();
  left_ = left_ || (links_.leaves && links_.leaves(why));
  publish();
}

}  // namespace greffe::ingest
