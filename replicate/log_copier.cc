#include "replicate/log_copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "archive/format/entries.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kHaveAtOnce = 4096;  // of the protocol
constexpr int kTriesPerBatch = 3;          // "missing" may name more than one answer holds
constexpr std::string_view kNotesFolder = "log/main/evidence/checkpoints/";

Error cancelled() { return fail(Errc::cancelled, "stopped on request"); }

bool is_hole(Errc code) { return code == Errc::not_found || code == Errc::corrupt; }

// What the objects of an entry are; a `lost` entry names exactly those that nobody has.
template <class Lost, class Entry>
Result<std::vector<Digest>> objects_of(const Entry& entry, std::string_view text) {
  if (std::holds_alternative<Lost>(entry)) return std::vector<Digest>();
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  return named_objects(json);
}

}  // namespace

LogCopier::LogCopier(Source source, CopySite& target, ConfirmationSite& confirmations, VerifierKey target_key, Limits limits,
                     Log& log)
    : source_(std::move(source)), target_(target), confirmations_(confirmations), target_key_(std::move(target_key)),
      limits_(limits), log_(log), ahead_(source_) {}

// What the second site holds must be a prefix of what is published here; else nothing may be sent or believed.
Result<client::HeldCheckpoint> LogCopier::held_and_consistent(const client::LogTarget& target, const tlog::LogReader& reader,
                                                              const Checkpoint& head) {
  client::HeldCheckpoint held = GREFFE_TRY(target_.checkpoint(target));
  if (held.note.empty()) return held;
  const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(held.note));
  if (theirs.checkpoint.origin != head.origin) {
    return fail(Errc::conflict, "the second site answered with the log " + theirs.checkpoint.origin + " instead of " + head.origin);
  }
  if (theirs.checkpoint.size > head.size) {
    return fail(Errc::conflict,
                fmt::format("the second site holds {} entries of {}, this pool has {}: an older state was put in place here. Bring "
                            "back the newer volumes, or recover them from the second site",
                            theirs.checkpoint.size, head.origin, head.size));
  }
  const Digest ours = GREFFE_TRY(reader.root_at(theirs.checkpoint.size));
  if (ours != theirs.checkpoint.root) {
    return fail(Errc::conflict, fmt::format("the two sites disagree about {}: the first {} entries are not the same. Nothing is sent. "
                                            "Verify both pools with greffe-verify to see which of them was altered",
                                            head.origin, theirs.checkpoint.size));
  }
  held.size = theirs.checkpoint.size;
  return held;
}

// Entries up to the largest signed checkpoint that fits into one request.
Result<LogCopier::Batch> LogCopier::next_batch(const tlog::LogReader& reader, std::uint64_t first, const SignedCheckpoint& head,
                                               const std::vector<std::pair<std::uint64_t, std::string>>& between) {
  Batch batch;
  batch.first = first;
  std::size_t bytes = 0;
  GREFFE_TRY(reader.entries(first, head.checkpoint.size, [&](std::uint64_t, std::string_view entry) {
    if (bytes + entry.size() > limits_.batch_bytes || batch.entries.size() == limits_.batch_entries) return false;
    bytes += entry.size();
    batch.entries.emplace_back(entry);
    return true;
  }));
  if (batch.size() == head.checkpoint.size) {
    batch.note = head.note.write();
    return batch;
  }
  const std::pair<std::uint64_t, std::string>* best = nullptr;
  for (const auto& candidate : between) {  // smallest first
    if (candidate.first > first && candidate.first <= batch.size()) best = &candidate;
  }
  if (best == nullptr) {
    return fail(Errc::invalid,
                fmt::format("{} has {} entries that the second site lacks, and no signed checkpoint lies between them; that is more "
                            "than one request takes",
                            head.checkpoint.origin, head.checkpoint.size - first));
  }
  batch.note = best->second;
  batch.entries.resize(best->first - first);
  return batch;
}

// Signed checkpoints below the head, smallest first: those kept beside the main log, or, of a hearing, those that the
// main log carries. Only read when a log is too far ahead for one request.
Result<std::vector<std::pair<std::uint64_t, std::string>>> LogCopier::notes_between(const std::optional<HearingId>& hearing) {
  std::vector<std::pair<std::uint64_t, std::string>> out;
  const tlog::LogReader main(source_.objects, source_.heads, main_log_path());
  if (hearing) {
    const std::string id = hearing->text();
    const SignedCheckpoint head = GREFFE_TRY(main.checkpoint());
    GREFFE_TRY(main.entries(0, head.checkpoint.size, [&](std::uint64_t, std::string_view text) {
      if (text.find(id) == std::string_view::npos) return true;
      const auto entry = parse_main_entry(text);
      const auto* commit = entry ? std::get_if<HearingCheckpointEntry>(&*entry) : nullptr;
      const auto note = commit != nullptr ? parse_signed_checkpoint(commit->note) : Result<SignedCheckpoint>(fail(Errc::not_found, ""));
      if (note && commit->hearing == *hearing) out.emplace_back(note->checkpoint.size, commit->note);
      return true;
    }));
  } else {
    std::vector<std::string> keys;
    GREFFE_TRY(source_.objects.list(kNotesFolder, [&](const store::ObjectInfo& info) {
      keys.push_back(info.key);
      return true;
    }));
    for (const std::string& key : keys) {
      const Bytes bytes = GREFFE_TRY(source_.objects.get(key));
      const auto note = parse_signed_checkpoint(as_text(bytes));
      if (note && note->checkpoint.origin == source_.archive) out.emplace_back(note->checkpoint.size, std::string(as_text(bytes)));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

Status LogCopier::send_one(const client::LogTarget& target, const std::string& origin, const Named& named, LogOutcome& outcome,
                           std::mutex& mutex) {
  auto file = source_.objects.open_object(named.digest);
  if (!file && is_hole(file.error().code)) {
    if (named.excused) return ok();
    const std::lock_guard lock(mutex);
    outcome.holes.push_back({named.digest, origin, named.entry, file.error().message});
    return ok();
  }
  if (!file) return file.error();
  const std::uint64_t size = GREFFE_TRY((*file)->size());
  const Status sent = target_.put_object(target, named.digest, *file);
  if (!sent && sent.error().code == Errc::corrupt) {
    // It was good when it was opened. Damaged on the way or just now at home: the next pass reads it again.
    return fail(Errc::unavailable, sent.error().message);
  }
  GREFFE_TRY(sent);
  const std::lock_guard lock(mutex);
  outcome.copied.objects += 1;
  outcome.copied.bytes += size;
  return ok();
}

// Sends what the second site lacks of these. True when nothing is missing any more. Holes do not stop the others.
Result<bool> LogCopier::send_objects(const client::LogTarget& target, const std::string& origin, const std::vector<Named>& named,
                                     LogOutcome& outcome, std::stop_token stop) {
  const std::size_t holes_before = outcome.holes.size();
  for (std::size_t begin = 0; begin < named.size(); begin += kHaveAtOnce) {
    if (stop.stop_requested()) return cancelled();
    const std::size_t end = std::min(named.size(), begin + kHaveAtOnce);
    std::vector<Digest> asked;
    for (std::size_t i = begin; i < end; ++i) asked.push_back(named[i].digest);
    const std::vector<Digest> answer = GREFFE_TRY(target_.have(target, asked));
    const std::set<Digest> missing(answer.begin(), answer.end());
    std::vector<Named> wanted;
    std::set<Digest> seen;
    for (std::size_t i = begin; i < end; ++i) {
      if (missing.contains(named[i].digest) && seen.insert(named[i].digest).second) wanted.push_back(named[i]);
    }
    std::mutex mutex;  // guards `outcome` and `failed`
    std::optional<Error> failed;
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t i = next++; i < wanted.size(); i = next++) {
        const Status sent = stop.stop_requested() ? Status(cancelled()) : send_one(target, origin, wanted[i], outcome, mutex);
        if (sent) continue;
        const std::lock_guard lock(mutex);
        if (!failed) failed = sent.error();
        next = wanted.size();
      }
    };
    {
      std::vector<std::jthread> others;
      for (unsigned n = 1; n < limits_.connections && n < wanted.size(); ++n) {
        others.emplace_back([&, n] {
          name_thread(fmt::format("gr-send.{}", n).c_str());
          work();
        });
      }
      work();
    }
    if (failed) return *failed;
  }
  return outcome.holes.size() == holes_before;
}

// Entries further on that declare lost what is a hole here are shown to the second site. True: no hole is left of those from
// `first_hole` on.
Result<bool> LogCopier::excuse_holes(const std::optional<HearingId>& hearing, std::size_t first_hole, LogOutcome& outcome,
                                     std::vector<ShownEntry>& shown) {
  const auto first = outcome.holes.begin() + static_cast<std::ptrdiff_t>(first_hole);
  std::set<Digest> objects;
  for (auto hole = first; hole != outcome.holes.end(); ++hole) objects.insert(hole->object);
  shown = GREFFE_TRY(ahead_.find(hearing, objects));
  outcome.holes.erase(std::remove_if(first, outcome.holes.end(), [&](const Hole& hole) { return !objects.contains(hole.object); }), outcome.holes.end());
  return objects.empty();
}

// The second site's cosigned note. Objects that it turns out to miss are sent again.
Result<std::string> LogCopier::send_entries(const client::LogTarget& target, const std::string& origin, const Batch& batch,
                                            const std::vector<ShownEntry>& shown, LogOutcome& outcome, std::stop_token stop) {
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(batch.note));
  for (int tries = 0; tries < kTriesPerBatch; ++tries) {
    if (stop.stop_requested()) return cancelled();
    auto answer = GREFFE_TRY(target_.post_entries(target, batch.first, batch.entries, batch.note, shown));
    if (auto* note = std::get_if<std::string>(&answer)) {
      GREFFE_TRY(check_cosigned(*note, wanted.checkpoint));
      outcome.held = wanted.checkpoint.size;
      outcome.copied.entries += batch.entries.size();
      return std::move(*note);
    }
    const auto& refused = std::get<client::EntriesRefused>(answer);
    if (refused.diverged) return fail(Errc::invalid, refused.detail);
    if (refused.held_size) {
      return fail(Errc::unavailable, fmt::format("the second site holds {} entries of {} now, not {}: another replicator is at work",
                                                 *refused.held_size, origin, batch.first));
    }
    std::vector<Named> named;
    for (const Digest& digest : refused.missing) named.push_back({digest, batch.first});
    if (!GREFFE_TRY(send_objects(target, origin, named, outcome, stop))) break;
  }
  return fail(Errc::unavailable, "the second site still misses objects of " + origin + " after they were sent");
}

// The statement that counts: the pinned key, over exactly this checkpoint.
Status LogCopier::check_cosigned(std::string_view note, const Checkpoint& wanted) const {
  const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(note));
  if (theirs.checkpoint != wanted) return fail(Errc::conflict, "the second site confirmed another checkpoint of " + wanted.origin);
  const auto time = verify_cosignature(theirs.note, target_key_);
  if (time) return ok();
  return fail(Errc::denied, "the second site's confirmation of " + wanted.origin + " is not signed with the key that its enrolment code named (" +
                                target_key_.name + "): " + time.error().message);
}

// A confirmation that cannot be delivered now is not lost: the next pass asks for it and tries again.
void LogCopier::deliver(const std::optional<HearingId>& hearing, const std::string& note, LogOutcome& outcome) {
  const Status posted = confirmations_.post_cosignatures(hearing, note);
  outcome.delivered = bool(posted);
  if (!posted) log_.warn("a confirmation could not be brought to the archive: " + posted.error().message);
}

Result<bool> LogCopier::is_confirmed(const HearingId& id) {
  const std::string head = GREFFE_TRY(source_.heads.read_head(checkpoint_path(hearing_log_path(id))));
  const SignedCheckpoint checkpoint = GREFFE_TRY(parse_signed_checkpoint(head));
  return verify_cosignature(checkpoint.note, target_key_).has_value();
}

Result<LogOutcome> LogCopier::copy_hearing(const HearingId& id, std::stop_token stop) {
  const tlog::LogReader reader(source_.objects, source_.heads, hearing_log_path(id));
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  const std::string& origin = head.checkpoint.origin;
  const client::LogTarget target{id};
  const client::HeldCheckpoint held = GREFFE_TRY(held_and_consistent(target, reader, head.checkpoint));
  LogOutcome outcome;
  outcome.source_size = head.checkpoint.size;
  outcome.held = held.size;
  std::string note = held.note;
  std::vector<std::pair<std::uint64_t, std::string>> between;
  while (outcome.held < head.checkpoint.size) {
    auto batch = next_batch(reader, outcome.held, head, between);
    if (!batch && batch.error().code == Errc::invalid && between.empty()) {
      between = GREFFE_TRY(notes_between(id));
      batch = next_batch(reader, outcome.held, head, between);
    }
    if (!batch) return batch.error();
    std::vector<Named> named;
    std::set<Digest> lost;
    for (std::size_t i = 0; i < batch->entries.size(); ++i) {
      const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(batch->entries[i]));
      if (const auto* gone = std::get_if<LostEntry>(&entry)) lost.insert(gone->objects.begin(), gone->objects.end());
      const std::vector<Digest> digests = GREFFE_TRY(objects_of<LostEntry>(entry, batch->entries[i]));
      for (const Digest& digest : digests) named.push_back({digest, batch->first + i});
    }
    for (Named& one : named) one.excused = lost.contains(one.digest);
    std::vector<ShownEntry> shown;
    const bool all_sent = GREFFE_TRY(send_objects(target, origin, named, outcome, stop));
    if (!all_sent && !GREFFE_TRY(excuse_holes(id, 0, outcome, shown))) return outcome;
    note = GREFFE_TRY(send_entries(target, origin, *batch, shown, outcome, stop));
  }
  const std::vector<std::string> last = GREFFE_TRY(reader.entries(head.checkpoint.size - 1, head.checkpoint.size));
  const HearingEntry last_entry = GREFFE_TRY(parse_hearing_entry(last.front()));
  outcome.closed = std::holds_alternative<CloseEntry>(last_entry);
  outcome.delivered = verify_cosignature(head.note, target_key_).has_value();
  if (!outcome.delivered) {
    if (const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(note)); !verify_cosignature(theirs.note, target_key_)) {
      return fail(Errc::denied, "the second site holds " + origin + " but does not confirm it with the key of its enrolment code");
    }
    deliver(id, note, outcome);
  }
  return outcome;
}

Result<LogOutcome> LogCopier::copy_main(const BringHearing& hearings, std::stop_token stop) {
  const tlog::LogReader reader(source_.objects, source_.heads, main_log_path());
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  if (head.checkpoint.origin != source_.archive) {
    return fail(Errc::invalid, "the volumes hold the archive " + head.checkpoint.origin + ", not " + source_.archive);
  }
  const client::LogTarget target{source_.archive};
  const client::HeldCheckpoint held = GREFFE_TRY(held_and_consistent(target, reader, head.checkpoint));
  LogOutcome outcome;
  outcome.source_size = head.checkpoint.size;
  outcome.held = held.size;
  std::string note = held.note;
  bool blocked = false;  // something before this point is not held: hearings still flow, the main log stops
  std::uint64_t next = held.size;
  std::vector<std::pair<std::uint64_t, std::string>> between;
  while (next < head.checkpoint.size) {
    auto batch = next_batch(reader, next, head, between);
    if (!batch && batch.error().code == Errc::invalid && between.empty()) {
      between = GREFFE_TRY(notes_between(std::nullopt));
      batch = next_batch(reader, next, head, between);
    }
    if (!batch) return batch.error();
    std::vector<Named> named;
    for (std::size_t i = 0; i < batch->entries.size(); ++i) {
      const MainEntry entry = GREFFE_TRY(parse_main_entry(batch->entries[i]));
      if (const auto* commit = std::get_if<HearingCheckpointEntry>(&entry)) {
        const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(commit->note));
        blocked |= !GREFFE_TRY(hearings(commit->hearing, stated.checkpoint.size));
      }
      const std::vector<Digest> digests = GREFFE_TRY(objects_of<MainLostEntry>(entry, batch->entries[i]));
      for (const Digest& digest : digests) named.push_back({digest, batch->first + i});
    }
    std::vector<ShownEntry> shown;
    const std::size_t first_hole = outcome.holes.size();
    const bool all_sent = GREFFE_TRY(send_objects(target, source_.archive, named, outcome, stop));
    if (!all_sent) blocked |= !GREFFE_TRY(excuse_holes(std::nullopt, first_hole, outcome, shown));
    if (!blocked) note = GREFFE_TRY(send_entries(target, source_.archive, *batch, shown, outcome, stop));
    next = batch->size();
  }
  if (outcome.held == 0) return outcome;
  // Delivered already when the archive keeps the site's cosignature of this size or a larger one.
  const auto kept = source_.heads.read_head(cosigned_path(main_log_path(), target_key_.id()));
  const auto kept_note = kept ? parse_signed_checkpoint(*kept) : Result<SignedCheckpoint>(kept.error());
  outcome.delivered = kept_note && kept_note->checkpoint.size >= outcome.held;
  if (!outcome.delivered) deliver(std::nullopt, note, outcome);
  return outcome;
}

}  // namespace greffe::replicate
