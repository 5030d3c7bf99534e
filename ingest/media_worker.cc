#include "ingest/media_worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "ingest/live_child.h"
#include "ingest/thumbnail.h"

namespace greffe::ingest {
namespace {

constexpr int kMediaDescriptor = 3;
constexpr int kChannelDescriptor = 4;
constexpr std::array kCodes = {Errc::not_found,   Errc::already_exists, Errc::conflict, Errc::corrupt,  Errc::io_error,
                               Errc::unavailable, Errc::invalid,        Errc::denied,   Errc::no_space, Errc::cancelled};

// Leaves the child with the media file, the channel and nothing else.
bool keep_only(int media, int channel) {
  const int null = ::open("/dev/null", O_RDWR);
  // Out of the way first, so that no number is overwritten before it was copied.
  const int media_copy = ::fcntl(media, F_DUPFD, 10);
  const int channel_copy = ::fcntl(channel, F_DUPFD, 10);
  if (null < 0 || media_copy < 0 || channel_copy < 0) return false;
  const bool moved = ::dup2(null, 0) >= 0 && ::dup2(null, 1) >= 0 && ::dup2(media_copy, kMediaDescriptor) >= 0 &&
                     ::dup2(channel_copy, kChannelDescriptor) >= 0;
#if !defined(__SANITIZE_ADDRESS__)
  if (::dup2(null, 2) < 0) return false;
#endif
  return moved && ::close_range(kChannelDescriptor + 1, ~0U, 0) == 0;
}

[[noreturn]] void child_main(const Descriptor& media, const Channel& channel, ChildTask task, pid_t parent) {
  // The child must not outlive a parent that was killed, whose lock on the spool is gone by then.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent || !keep_only(media.get(), channel.descriptor())) ::_exit(2);
  ::signal(SIGINT, SIG_IGN);  // the parent decides
  task.media = kMediaDescriptor;
  Channel own{Descriptor(kChannelDescriptor)};
  run_media_child(task, own);
  ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<MediaWorker>> MediaWorker::start(const std::string& path, const TrackChoice& choice, MediaTask what) {
  Descriptor media(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!media.is_open()) {
    const int why = errno;
    return fail(why == ENOENT ? Errc::not_found : Errc::denied, fmt::format("cannot open {}: {}", path, std::strerror(why)));
  }
  struct stat facts {};
  if (::fstat(media.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(Errc::invalid, fmt::format("{} is not a file; give a recording", path));
  }
  auto ends = Channel::pair();
  if (!ends) return std::move(ends).error();
  ChildTask task;
  task.media_bytes = static_cast<std::uint64_t>(facts.st_size);
  task.choice = choice;
  task.task = what;
  std::unique_ptr<MediaWorker> out(new MediaWorker);
  out->path_ = path;
  const pid_t parent = ::getpid();
  out->child_ = ::fork();
  if (out->child_ < 0) return fail(Errc::unavailable, fmt::format("cannot start a process to read {}: {}", path, std::strerror(errno)));
  if (out->child_ == 0) child_main(media, ends->second, task, parent);
  out->channel_ = std::make_unique<Channel>(std::move(ends->first));
  return out;
}

// Not a fork: the copy of a process with threads can do nothing, and a camera's bytes must not come near the keys.
Result<std::unique_ptr<MediaWorker>> MediaWorker::start_live(const LiveRequest& request) {
  auto ends = Channel::pair();
  if (!ends) return std::move(ends).error();
  std::unique_ptr<MediaWorker> out(new MediaWorker);
  out->path_ = request.address.text();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const std::unique_ptr<posix_spawn_file_actions_t, int (*)(posix_spawn_file_actions_t*)> owner(&actions, ::posix_spawn_file_actions_destroy);
  int code = ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  code |= ::posix_spawn_file_actions_adddup2(&actions, 0, 1);
  code |= ::posix_spawn_file_actions_adddup2(&actions, ends->second.descriptor(), kLiveChannelDescriptor);
  code |= ::posix_spawn_file_actions_addclosefrom_np(&actions, kLiveChannelDescriptor + 1);
  char program[] = "greffe-ingest";
  char verb[] = "read-live";
  char* arguments[] = {program, verb, nullptr};
  if (code == 0) code = ::posix_spawn(&out->child_, "/proc/self/exe", &actions, nullptr, arguments, environ);
  if (code != 0) return fail(Errc::unavailable, fmt::format("cannot start a process to read {}: {}", out->path_, std::strerror(code)));
  out->channel_ = std::make_unique<Channel>(std::move(ends->first));
  GREFFE_TRY(out->answer(write_live_request(request), -1));
  return out;
}

std::unique_ptr<MediaWorker> MediaWorker::over(Channel channel, std::string path) {
  std::unique_ptr<MediaWorker> out(new MediaWorker);
  out->path_ = std::move(path);
  out->channel_ = std::make_unique<Channel>(std::move(channel));
  return out;
}

MediaWorker::~MediaWorker() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<Message> MediaWorker::receive() {
  auto message = channel_->receive();
  if (!message) return message.error().code == Errc::unavailable ? ending() : message.error().within(path_);
  const std::string say = GREFFE_TRY(message->body.string("say"));
  if (say == "failed") return failure(message->body);
  return message;
}

Error MediaWorker::failure(const Json& said) {
  const auto words = said.string("words");
  const auto code = said.string("code");
  Errc found = Errc::invalid;
  for (const Errc one : kCodes) {
    if (code && name_of(one) == *code) found = one;
  }
  const auto reason = said.string("reason");
  if (reason && (*reason == kEndedNoSignal || *reason == kEndedNetwork)) gap_reason_ = *reason;
  std::string text = words ? *words : "the file cannot be read";
  // The child has parsed foreign bytes: nothing that it says may steer a terminal.
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return fail(found, path_ + ": " + text);
}

// Why a child ended without a word.
Error MediaWorker::ending() {
  int status = 0;
  while (child_ > 0 && ::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    if (number == SIGSYS) {
      return fail(Errc::denied, path_ + ": reading it tried something that is forbidden and was stopped. The file may be built to "
                                        "attack; nothing outside the reading process was touched");
    }
    if (number == SIGXCPU) return fail(Errc::invalid, path_ + ": reading it takes too long; it is damaged or not a recording");
    return fail(Errc::invalid, fmt::format("{}: the process that read it ended with signal {} ({}); the file is damaged, or the "
                                           "machine is out of memory", path_, number, ::strsignal(number)));
  }
  return fail(Errc::invalid, path_ + ": the process that read it ended early; the file is damaged");
}

Result<TrackFacts> MediaWorker::facts() {
  const Message message = GREFFE_TRY(receive());
  return parse_facts(message.body);
}

Result<DecodedMedia> MediaWorker::decoded() {
  const Message message = GREFFE_TRY(receive());
  auto media = parse_decoded(message.body);
  if (!media) return media.error().within(path_ + ": what its reader says");
  return media;
}

Status MediaWorker::start_cutting(const CutRules& rules) { return answer(write_rules(rules), -1); }

Status MediaWorker::hold() { return answer(std::move(Json().set("do", "hold")), -1); }

Status MediaWorker::begin_new_run() { return answer(std::move(Json().set("do", "new-run")), -1); }

Status MediaWorker::stop() { return answer(std::move(Json().set("do", "stop")), -1); }

Status MediaWorker::give_file(int descriptor) {
  Json words;
  words.set("write", descriptor >= 0);
  return answer(words, descriptor);
}

Status MediaWorker::give_seal(const Digest& digest) {
  Json words;
  words.set("digest", digest);
  return answer(words, -1);
}

Status MediaWorker::answer(const Json& words, int descriptor) {
  const Status sent = channel_->send(words, descriptor);
  // A child that is gone has left its reason in the channel; next() reads it.
  return sent || sent.error().code != Errc::unavailable ? sent : ok();
}

Result<WorkerNews> MediaWorker::next() {
  const Message message = GREFFE_TRY(receive());
  auto news = parse_news(message.body);
  if (!news) return news.error().within(path_ + ": what its reader says");
  return news;
}

Result<WorkerNews> parse_news(const Json& said) {
  const std::string say = GREFFE_TRY(said.string("say"));
  if (say == "need") {
    SegmentFileNeeded needed;
    needed.start = GREFFE_TRY(parse_start(said));
    if (said.has("mono_ms")) needed.mono_ms = GREFFE_TRY(said.integer("mono_ms"));
    return WorkerNews(needed);
  }
  if (say == "fragment") return WorkerNews(FragmentWritten{GREFFE_TRY(said.size("bytes"))});
  if (say == "segment") {
    SegmentCut cut;
    cut.segment = GREFFE_TRY(parse_segment_message(said));
    if (said.has("bytes_read")) cut.bytes_read = GREFFE_TRY(said.size("bytes_read"));
    if (said.has("mono_ms")) cut.mono_ms = GREFFE_TRY(said.integer("mono_ms"));
    return WorkerNews(std::move(cut));
  }
  if (say == "track") return WorkerNews(GREFFE_TRY(parse_facts(said)));
  if (say == "holding") return WorkerNews(Holding{});
  if (say == "peaks") {
    PeaksMeasured measured;
    FinishedPeaks& peaks = measured.peaks;
    if (said.has("mono_ms")) measured.mono_ms = GREFFE_TRY(said.integer("mono_ms"));
    peaks.cut = GREFFE_TRY(said.size("cut"));
    peaks.media_us = GREFFE_TRY(said.integer("media_us"));
    const std::string levels = GREFFE_TRY(said.string("levels"));
    peaks.levels = GREFFE_TRY(from_base64(levels));
    if (peaks.levels.empty() || peaks.levels.size() > kPeaksPerObject) return fail(Errc::invalid, "impossible level peaks");
    return WorkerNews(std::move(measured));
  }
  if (say == "levels") {
    const std::int64_t peak_db = GREFFE_TRY(said.integer("peak_db"));
    const std::int64_t rms_db = GREFFE_TRY(said.integer("rms_db"));
    if (peak_db > 0 || rms_db > 0 || peak_db < kQuietestDb || rms_db < kQuietestDb) return fail(Errc::invalid, "impossible levels");
    return WorkerNews(LevelsHeard{static_cast<int>(peak_db), static_cast<int>(rms_db)});
  }
  if (say == "alarm") {
    const std::string name = GREFFE_TRY(said.string("alarm"));
    return WorkerNews(AlarmSaid{GREFFE_TRY(parse_alarm(name)), GREFFE_TRY(said.boolean("raised"))});
  }
  if (say == "picture") {
    const std::string text = GREFFE_TRY(said.string("jpeg"));
    PictureSeen picture{GREFFE_TRY(from_base64(text))};
    const bool jpeg = picture.jpeg.size() > 4 && picture.jpeg.size() <= kThumbnailBytes && picture.jpeg[0] == 0xFF && picture.jpeg[1] == 0xD8;
    if (!jpeg) return fail(Errc::invalid, "a picture that is none");
    return WorkerNews(std::move(picture));
  }
  if (say == "done") return WorkerNews(TrackEnded{GREFFE_TRY(said.boolean("damaged"))});
  return fail(Errc::invalid, "something unknown");
}

}  // namespace greffe::ingest
