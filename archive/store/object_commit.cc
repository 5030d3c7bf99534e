#include "archive/store/object_commit.h"

#include <algorithm>
#include <set>

#include "archive/format/names.h"
#include "archive/store/object_replicas.h"

namespace greffe::store {

void GroupCommit::commit(std::span<CommitTicket> tickets) {
  std::unique_lock lock(mutex_);
  for (CommitTicket& ticket : tickets) queues_[ticket.volume].waiting.push_back(&ticket);
  for (;;) {
    Queue* queue = nullptr;
    Volume* volume = nullptr;
    bool all_done = true;
    for (const CommitTicket& ticket : tickets) {
      if (ticket.result) continue;
      all_done = false;
      Queue& candidate = queues_[ticket.volume];
      if (candidate.led) continue;
      queue = &candidate;
      volume = ticket.volume;
      break;
    }
    if (all_done) return;
    if (queue == nullptr) {
      changed_.wait(lock);
      continue;
    }
    queue->led = true;
    const std::size_t n = std::min(kCommitBatchMax, queue->waiting.size());
    const Batch batch(queue->waiting.begin(), queue->waiting.begin() + static_cast<std::ptrdiff_t>(n));
    queue->waiting.erase(queue->waiting.begin(), queue->waiting.begin() + static_cast<std::ptrdiff_t>(n));
    lock.unlock();
    std::vector<CommitTicket> work;  // results go to the owners under the lock only
    work.reserve(batch.size());
    Batch copies;
    for (const CommitTicket* ticket : batch) copies.push_back(&work.emplace_back(*ticket));
    run_batch(*volume, copies);
    lock.lock();
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i]->result = std::move(work[i].result);
    queue->led = false;
    changed_.notify_all();
  }
}

// A crash anywhere in here leaves unnamed files, which vanish, or whole objects that nobody was told about.
void GroupCommit::run_batch(Volume& volume, const Batch& batch) {
  for (CommitTicket* ticket : batch) {
    // After a failed sync the cache may lie: this file is dropped and never synced again.
    const Status synced = ticket->file->sync();
    if (!synced) ticket->result = volume.note_failure(synced.error());
  }
  std::set<std::string> directories;
  for (CommitTicket* ticket : batch) {
    if (ticket->result) continue;
    const Status named = give_name(*ticket);
    if (named) {
      directories.insert(parent_of(object_key(ticket->digest)));
    } else {
      ticket->result = volume.note_failure(named.error());
    }
  }
  std::map<std::string, Status> synced;
  for (const std::string& directory : directories) {
    synced[directory] = pool_.files.sync_directory(volume.file(directory));
  }
  for (CommitTicket* ticket : batch) {
    if (ticket->result) continue;
    const std::string key = object_key(ticket->digest);
    const Status& directory = synced.at(parent_of(key));
    if (!directory) {
      ticket->result = volume.note_failure(directory.error());
      continue;
    }
    if (const auto stat = pool_.files.stat(volume.file(key))) {
      pool_.verified.note_durable(&volume, ticket->digest, *stat, pool_.clock.monotonic_ms());
    }
    ticket->result = ok();
  }
}

Status GroupCommit::give_name(const CommitTicket& ticket) {
  const std::string key = object_key(ticket.digest);
  GREFFE_TRY(ticket.volume->ensure_directory(parent_of(key)));
  const Status linked = pool_.files.link(*ticket.file, ticket.volume->file(key));
  if (linked || linked.error().code != Errc::already_exists) return linked;
  return accept_existing(ticket);
}

// The name is taken. Its bytes were perhaps never synced, or have rotted since: nothing on disk is believed unread.
Status GroupCommit::accept_existing(const CommitTicket& ticket) {
  const std::string key = object_key(ticket.digest);
  const CopyCheck found = check_copy(pool_, *ticket.volume, ticket.digest);
  if (found.state == CopyState::good) {
    const Status synced = pool_.files.sync_file(ticket.volume->file(key));
    if (synced || synced.error().code != Errc::not_found) return synced;  // moved away meanwhile: it is written here again
  }
  if (found.state == CopyState::damaged) GREFFE_TRY(ticket.volume->quarantine(key));
  const Status linked = pool_.files.link(*ticket.file, ticket.volume->file(key));
  if (found.state == CopyState::damaged) {
    pool_.report({key, ticket.volume->label().id, found.problem, false, linked.has_value()});
  }
  return linked;
}

}  // namespace greffe::store
