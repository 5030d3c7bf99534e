#include "archive/tlog/sequencer.h"

#include <fmt/format.h>
#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "archive/format/tiles.h"

namespace greffe::tlog {
namespace {

constexpr std::size_t kBatchEntriesMax = 4096;
constexpr std::size_t kBatchBytesMax = 8 * 1024 * 1024;

// One append() that waits. Owned by the waiting thread.
struct Waiting {
  std::vector<std::string> entries;
  std::size_t bytes = 0;
  std::optional<Result<std::uint64_t>> result;  // guarded by the sequencer's mutex
};

}  // namespace

struct Sequencer::State {
  State(LogWriter the_writer, std::string the_origin, PrivateKey the_key,
        std::function<void(const Committed&)> listener)
      : writer(std::move(the_writer)), origin(std::move(the_origin)), key(std::move(the_key)),
        after_commit(std::move(listener)) {}

  void run();
  std::vector<Waiting*> take_batch() /* mutex held */;
  Result<SignedCheckpoint> commit(const std::vector<std::string>& entries);

  LogWriter writer;  // owned by the thread once it runs
  const std::string origin;
  const PrivateKey key;
  const std::function<void(const Committed&)> after_commit;  // called on the thread

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Waiting*> queue;   // guarded by mutex; bounded by the number of threads that wait
  bool stopping = false;        // guarded by mutex
  SignedCheckpoint head;        // guarded by mutex
  std::thread thread;
};

std::vector<Waiting*> Sequencer::State::take_batch() {
  std::vector<Waiting*> batch;
  std::size_t entries = 0;
  std::size_t bytes = 0;
  while (!queue.empty()) {
    Waiting* next = queue.front();
    entries += next->entries.size();
    bytes += next->bytes;
    if (!batch.empty() && (entries > kBatchEntriesMax || bytes > kBatchBytesMax)) break;
    batch.push_back(next);
    queue.pop_front();
  }
  return batch;
}

Result<SignedCheckpoint> Sequencer::State::commit(const std::vector<std::string>& entries) {
  bool was_signed = false;
  const Status appended = writer.append(entries, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
    const Checkpoint checkpoint{origin, size, root};
    SignedNote note;
    note.text = checkpoint.text();
    put_signature(note, sign_checkpoint(checkpoint, key));
    was_signed = true;
    return note.write();
  });
  // A signature exists and nobody knows whether it was published: only start-up recovery may go on from here.
  GREFFE_CHECK(appended || !was_signed);
  if (!appended) return appended.error();
  return parse_signed_checkpoint(writer.head());
}

void Sequencer::State::run() {
  pthread_setname_np(pthread_self(), "gr-seq");
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [&] { return stopping || !queue.empty(); });
    if (queue.empty()) return;
    const std::vector<Waiting*> batch = take_batch();
    lock.unlock();
    Committed done;
    done.first = writer.size();
    for (const Waiting* one : batch) done.entries.insert(done.entries.end(), one->entries.begin(), one->entries.end());
    const auto checkpoint = commit(done.entries);
    if (checkpoint) {
      done.checkpoint = *checkpoint;
      lock.lock();
      head = *checkpoint;
      lock.unlock();
      if (after_commit) after_commit(done);
    }
    lock.lock();
    std::uint64_t index = done.first;
    for (Waiting* one : batch) {
      one->result = checkpoint ? Result<std::uint64_t>(index) : Result<std::uint64_t>(checkpoint.error());
      index += one->entries.size();
    }
    changed.notify_all();
  }
}

Sequencer::Sequencer(LogWriter writer, std::string origin, PrivateKey key,
                     std::function<void(const Committed&)> after_commit)
    : state_(std::make_unique<State>(std::move(writer), std::move(origin), std::move(key), std::move(after_commit))) {
  state_->head.checkpoint = {state_->origin, state_->writer.size(), state_->writer.root()};
  if (!state_->writer.head().empty()) {
    auto parsed = parse_signed_checkpoint(state_->writer.head());
    GREFFE_CHECK(parsed);  // LogWriter::open parsed it already
    GREFFE_CHECK(parsed->checkpoint.origin == state_->origin);
    state_->head = *std::move(parsed);
  }
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Sequencer::~Sequencer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

Result<std::uint64_t> Sequencer::append(std::string entry) {
  std::vector<std::string> entries;
  entries.push_back(std::move(entry));
  return append(std::move(entries));
}

Result<std::uint64_t> Sequencer::append(std::vector<std::string> entries) {
  Waiting waiting;
  for (const std::string& entry : entries) {
    if (entry.empty() || entry.size() > kMaxEntryBytes) {
      return fail(Errc::invalid, fmt::format("an entry of {} bytes; a log takes 1 to {}", entry.size(), kMaxEntryBytes));
    }
    waiting.bytes += 2 + entry.size();
  }
  if (entries.empty()) return fail(Errc::invalid, "nothing to append");
  if (entries.size() > kBatchEntriesMax || waiting.bytes > kBatchBytesMax) {
    return fail(Errc::invalid, fmt::format("{} entries and {} bytes at once; at most {} and {} are taken", entries.size(),
                                           waiting.bytes, kBatchEntriesMax, kBatchBytesMax));
  }
  waiting.entries = std::move(entries);
  std::unique_lock lock(state_->mutex);
  if (state_->stopping) return fail(Errc::unavailable, "the main log is being closed");
  state_->queue.push_back(&waiting);
  state_->changed.notify_all();
  state_->changed.wait(lock, [&] { return waiting.result.has_value(); });
  return *std::move(waiting.result);
}

SignedCheckpoint Sequencer::head() const {
  const std::lock_guard lock(state_->mutex);
  return state_->head;
}

}  // namespace greffe::tlog
