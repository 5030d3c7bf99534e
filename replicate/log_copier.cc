#include "replicate/log_copier.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/entries.h"
#include "archive/format/merkle.h"
#include "archive/tlog/kept_checkpoints.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kHaveAtOnce = 4096;  // of the protocol
constexpr std::uint64_t kNearHead = 1024;  // entries: no checkpoint between is looked for

bool is_hole(Errc code) { return code == Errc::not_found || code == Errc::corrupt; }

// What the objects of an entry are; a `lost` entry names exactly those that nobody has.
template <class Lost, class Entry>
Result<std::vector<Digest>> objects_of(const Entry& entry, std::string_view text) {
  if (std::holds_alternative<Lost>(entry)) return std::vector<Digest>();
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  return named_objects(json);
}

Error too_far(const std::string& origin, std::uint64_t entries) {
  return fail(Errc::invalid, fmt::format("{} has {} entries that the second site lacks, and no signed checkpoint lies between them; that is "
                                         "more than one request takes", origin, entries));
}

}  // namespace

LogCopier::LogCopier(Sites sites, Bandwidth& bandwidth, Limits limits, Log& log)
    : sites_(std::move(sites)), bandwidth_(bandwidth), limits_(limits), log_(log), ahead_(sites_.source) {}

// The archive itself must know: from what the second site holds under the archive's own signature it sees that it must not sign.
void LogCopier::show_archive(const client::LogTarget& target, const std::string& note) {
  if (std::holds_alternative<HearingId>(target.log)) return;
  const Status shown = sites_.confirmations.post_cosignatures(std::nullopt, note);
  // It answers "conflict" when it believes it, which is what was wanted.
  if (!shown && shown.error().code != Errc::conflict) log_.warn("the archive could not be shown what the second site holds: " + shown.error().message);
}

// What the second site holds must be a prefix of what is published here; else nothing may be sent or believed.
Result<client::HeldCheckpoint> LogCopier::held_and_consistent(const client::LogTarget& target, const tlog::LogReader& reader,
                                                              const Checkpoint& head) {
  client::HeldCheckpoint held = GREFFE_TRY(sites_.target.checkpoint(target));
  if (held.note.empty()) return held;
  const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(held.note));
  if (theirs.checkpoint.origin != head.origin) {
    return fail(Errc::conflict, "the second site answered with the log " + theirs.checkpoint.origin + " instead of " + head.origin);
  }
  if (theirs.checkpoint.size > head.size) {
    show_archive(target, held.note);
    return fail(Errc::conflict,
                fmt::format("the second site holds {} entries of {}, this pool has {}: an older state was put in place here. Bring "
                            "back the newer volumes, or recover them from the second site",
                            theirs.checkpoint.size, head.origin, head.size));
  }
  const Digest ours = GREFFE_TRY(reader.root_at(theirs.checkpoint.size));
  if (ours != theirs.checkpoint.root) {
    show_archive(target, held.note);
    return fail(Errc::conflict, fmt::format("the two sites disagree about {}: the first {} entries are not the same. Nothing is sent. "
                                            "Verify both pools with greffe-verify to see which of them was altered",
                                            head.origin, theirs.checkpoint.size));
  }
  held.size = theirs.checkpoint.size;
  return held;
}

// What a site says of a hearing that it took while it was the archive itself: all that is here, and more, which is no older state put in
// place here. Its note; nothing: it is not so.
Result<std::optional<std::string>> LogCopier::longer_there(const client::LogTarget& target, const Checkpoint& head) {
  if (!sites_.comes_back && sites_.source.main.links().size() == 1) return std::optional<std::string>();
  client::HeldCheckpoint held = GREFFE_TRY(sites_.target.checkpoint_from(target, head.size));
  if (held.note.empty()) return std::optional<std::string>();
  const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(held.note));
  const Checkpoint& there = theirs.checkpoint;
  const bool confirmed = !sites_.target_key || verify_cosignature(theirs.note, *sites_.target_key);
  if (there.origin != head.origin || there.size <= head.size || !confirmed) return std::optional<std::string>();
  if (!verify_consistency(head.size, there.size, head.root, there.root, held.consistency)) return std::optional<std::string>();
  return std::optional(std::move(held.note));
}

// How far entries from `first` on fit into one request.
Result<std::uint64_t> LogCopier::reach(const tlog::LogReader& reader, std::uint64_t first, std::uint64_t last) {
  std::uint64_t end = first;
  std::size_t bytes = 0;
  GREFFE_TRY(reader.entries(first, last, [&](std::uint64_t, std::string_view entry) {
    if (bytes + entry.size() > limits_.batch_bytes || end - first == limits_.batch_entries) return false;
    bytes += entry.size();
    ++end;
    return true;
  }));
  return end;
}

// The largest checkpoint of a hearing in (first, reach] that the main log carries. Its commits stand behind the size of the
// main log that its first entry states.
Result<std::optional<LogCopier::End>> LogCopier::hearing_note(const HearingId& id, std::uint64_t first, std::uint64_t reach) {
  const Source& source = sites_.source;
  const std::vector<std::string> begin = GREFFE_TRY(tlog::LogReader(source.objects, source.heads, hearing_log_path(id)).entries(0, 1));
  const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(begin.front()));
  const auto* open = std::get_if<OpenEntry>(&entry);
  const std::uint64_t size = GREFFE_TRY(source.main.size());
  const std::string text_id = id.text();
  std::optional<End> best;
  // In whichever epoch its station saw so many entries: their numbers are no smaller.
  const std::uint64_t from = std::min(open != nullptr ? open->main_size : 0, size);
  GREFFE_TRY(source.main.entries(from, size, [&](std::uint64_t, std::string_view text) {
    if (text.find(text_id) == std::string_view::npos) return true;
    const auto named = parse_main_entry(text);
    const auto* commit = named ? std::get_if<HearingCheckpointEntry>(&*named) : nullptr;
    const auto note = commit != nullptr ? parse_signed_checkpoint(commit->note) : Result<SignedCheckpoint>(fail(Errc::not_found, ""));
    if (!note || commit->hearing != id || note->checkpoint.size <= first) return true;
    if (note->checkpoint.size > reach) return false;  // they only grow
    best = End{note->checkpoint.size, commit->note};
    return true;
  }));
  return best;
}

// The smallest checkpoint in (first, reach] that is kept beside the main log.
Result<std::optional<LogCopier::End>> LogCopier::main_note(const Step& opened, std::uint64_t first, std::uint64_t reach) {
  std::optional<std::uint64_t> best;
  GREFFE_TRY(sites_.source.objects.list(tlog::kept_checkpoints_folder(opened.path), [&](const store::ObjectInfo& info) {
    const auto size = tlog::kept_checkpoint_size(info.key);
    if (size && *size > first && *size <= reach && *size < best.value_or(UINT64_MAX)) best = size;
    return true;
  }));
  if (!best) return std::optional<End>();
  const std::string key = tlog::kept_checkpoint_path(opened.path, *best);
  const Bytes bytes = GREFFE_TRY(sites_.source.objects.get(key));
  const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(as_text(bytes)));
  if (note.checkpoint.size != *best || note.checkpoint.origin != opened.origin) {
    return fail(Errc::corrupt, "the checkpoint kept as " + key + " is another one");
  }
  return std::optional<End>(End{*best, std::string(as_text(bytes))});
}

// Asks what of these the target lacks.
Status LogCopier::keep_missing(Step& step, ByClass<std::vector<Named>> named) {
  std::set<Digest> seen;
  for (const MediaClass media : kMediaClasses) {
    const std::vector<Named>& all = named[index_of(media)];
    for (std::size_t begin = 0; begin < all.size(); begin += kHaveAtOnce) {
      const std::size_t end = std::min(all.size(), begin + kHaveAtOnce);
      std::vector<Digest> asked;
      for (std::size_t i = begin; i < end; ++i) asked.push_back(all[i].digest);
      const std::vector<Digest> answer = GREFFE_TRY(sites_.target.have(step.target, asked));
      const std::set<Digest> missing(answer.begin(), answer.end());
      for (std::size_t i = begin; i < end; ++i) {
        if (missing.contains(all[i].digest) && seen.insert(all[i].digest).second) step.missing[index_of(media)].push_back(all[i]);
      }
    }
  }
  return ok();
}

Result<Step> LogCopier::plan_hearing(const HearingId& id, std::optional<std::uint64_t> known_held) {
  Step step;
  step.path = hearing_log_path(id);
  const tlog::LogReader reader(sites_.source.objects, sites_.source.heads, step.path);
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  step.hearing = id;
  step.target = client::LogTarget{id};
  step.origin = head.checkpoint.origin;
  step.source_size = head.checkpoint.size;
  if (known_held && *known_held < step.source_size) {
    step.held = *known_held;
  } else {
    auto held = held_and_consistent(step.target, reader, head.checkpoint);
    if (!held && held.error().code == Errc::conflict) {
      std::optional<std::string> longer = GREFFE_TRY(longer_there(step.target, head.checkpoint));
      if (!longer) return held.error();
      step.more_there = true;
      held = client::HeldCheckpoint();
      held->note = *std::move(longer);
      held->size = step.source_size;
    }
    if (!held) return held.error();
    step.held = held->size;
    step.held_note = std::move(held->note);
  }
  step.size = step.held;
  if (step.held == step.source_size) return step;
  End end = GREFFE_TRY(next_hearing_end(id, reader, head, step.held));
  step.size = end.size;
  step.note = std::move(end.note);
  ByClass<std::vector<Named>> named;
  std::set<Digest> lost;
  HearingClasses classes(reader, step.held);
  Status read = ok();
  const auto take = [&](std::uint64_t index, std::string_view text) -> Status {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(text));
    if (const auto* gone = std::get_if<LostEntry>(&entry)) lost.insert(gone->objects.begin(), gone->objects.end());
    const std::vector<Digest> digests = GREFFE_TRY(objects_of<LostEntry>(entry, text));
    const MediaClass media = GREFFE_TRY(classes.of(entry));
    for (const Digest& digest : digests) named[index_of(media)].push_back({digest, index, false});
    return ok();
  };
  GREFFE_TRY(reader.entries(step.held, step.size, [&](std::uint64_t index, std::string_view text) {
    read = take(index, text);
    return read.has_value();
  }));
  GREFFE_TRY(read);
  for (auto& of_class : named) {
    for (Named& one : of_class) one.excused = lost.contains(one.digest);
  }
  GREFFE_TRY(keep_missing(step, std::move(named)));
  return step;
}

// How far this log is sent: an earlier epoch to the state that the next one goes on from, also where more of it has come back.
Result<SignedCheckpoint> LogCopier::end_of(const tlog::LogChain::Link& link) {
  SignedCheckpoint head = GREFFE_TRY(link.reader.checkpoint());
  if (&link == &sites_.source.main.newest()) return head;
  const std::uint64_t pin = (&link + 1)->first - link.first;
  if (head.checkpoint.size == pin) return head;
  const std::string key = tlog::kept_checkpoint_path(sites_.source.path(link), pin);
  const Bytes bytes = GREFFE_TRY(sites_.source.objects.get(key));
  SignedCheckpoint end = GREFFE_TRY(parse_signed_checkpoint(as_text(bytes)));
  const Digest root = GREFFE_TRY(link.reader.root_at(pin));
  if (end.checkpoint != Checkpoint{head.checkpoint.origin, pin, root}) return fail(Errc::corrupt, key + " is a checkpoint of another log");
  return end;
}

// From the newest epoch down: who holds anything of one holds of those before it what that goes on from.
Result<Step> LogCopier::open_main() {
  const std::vector<tlog::LogChain::Link>& links = sites_.source.main.links();
  std::optional<Step> next;  // of the epoch after the one that is looked at; nothing of it is there
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    const SignedCheckpoint head = GREFFE_TRY(end_of(*link));
    Step step;
    step.origin = sites_.source.origin(*link);
    step.path = sites_.source.path(*link);
    step.first_number = link->first;
    if (head.checkpoint.origin != step.origin) return fail(Errc::invalid, "the volumes hold the archive " + head.checkpoint.origin + ", not " + step.origin);
    step.target = client::LogTarget{step.origin};
    step.source_size = head.checkpoint.size;
    step.note = head.note.write();
    if (next) {
      // Enough for the next epoch to begin; it may be more than is here, where the old site has joined.
      const client::HeldCheckpoint there = GREFFE_TRY(sites_.target.checkpoint(step.target));
      if (there.size >= next->first_number - step.first_number) return std::move(*next);
    }
    client::HeldCheckpoint held = GREFFE_TRY(held_and_consistent(step.target, link->reader, head.checkpoint));
    step.held = held.size;
    step.size = held.size;
    step.held_note = std::move(held.note);
    if (!step.held_note.empty() || std::next(link) == links.rend()) return step;
    next = std::move(step);
  }
  return std::move(*next);
}

// In small steps as far as there are checkpoints for it, so that the target's own one moves soon.
Result<LogCopier::End> LogCopier::next_main_end(const Step& opened, std::uint64_t first) {
  const tlog::LogReader reader(sites_.source.objects, sites_.source.heads, opened.path);
  const std::uint64_t end = GREFFE_TRY(reach(reader, first, opened.source_size));
  const bool fits = end == opened.source_size;
  if (fits && end - first <= kNearHead) return End{opened.source_size, opened.note};
  std::optional<End> between = GREFFE_TRY(main_note(opened, first, end));
  if (between) return std::move(*between);
  if (fits) return End{opened.source_size, opened.note};
  return too_far(opened.origin, opened.source_size - first);
}

Result<LogCopier::End> LogCopier::next_hearing_end(const HearingId& id, const tlog::LogReader& reader, const SignedCheckpoint& head, std::uint64_t first) {
  const std::uint64_t end = GREFFE_TRY(reach(reader, first, head.checkpoint.size));
  if (end == head.checkpoint.size) return End{end, head.note.write()};
  std::optional<End> between = GREFFE_TRY(hearing_note(id, first, end));
  if (!between) return too_far(head.checkpoint.origin, head.checkpoint.size - first);
  return std::move(*between);
}

Status LogCopier::plan_documents(Step& main) {
  const tlog::LogReader reader(sites_.source.objects, sites_.source.heads, main.path);
  ByClass<std::vector<Named>> named;
  Status read = ok();
  const auto take = [&](std::uint64_t index, std::string_view text) -> Status {
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    const std::vector<Digest> digests = GREFFE_TRY(objects_of<MainLostEntry>(entry, text));
    for (const Digest& digest : digests) named[index_of(MediaClass::log)].push_back({digest, index, false});
    return ok();
  };
  GREFFE_TRY(reader.entries(main.held, main.size, [&](std::uint64_t index, std::string_view text) {
    read = take(index, text);
    return read.has_value();
  }));
  GREFFE_TRY(read);
  return keep_missing(main, std::move(named));
}

Result<std::variant<std::uint64_t, Hole>> LogCopier::send(const Step& step, MediaClass media, const Named& named, std::stop_token stop) {
  using Outcome = std::variant<std::uint64_t, Hole>;
  if (stop.stop_requested()) return fail(Errc::cancelled, "stopped on request");
  auto file = sites_.source.objects.open_object(named.digest);
  if (!file && is_hole(file.error().code)) {
    if (named.excused) return Outcome(std::uint64_t{0});
    return Outcome(Hole{named.digest, step.origin, named.entry, file.error().message});
  }
  if (!file) return file.error();
  const std::uint64_t size = GREFFE_TRY((*file)->size());
  CopySite::Pace pace;
  if (media != MediaClass::log) {
    pace = [this, media, stop](std::size_t wanted) -> Result<std::size_t> {
      if (stop.stop_requested()) return fail(Errc::cancelled, "stopped on request");
      return bandwidth_.take(media, wanted);
    };
  }
  const Status sent = sites_.target.put_object(step.target, named.digest, *file, std::move(pace));
  if (!sent && sent.error().code == Errc::corrupt) {
    // It was good when it was opened. Damaged on the way or just now at home: the next pass reads it again.
    return fail(Errc::unavailable, sent.error().message);
  }
  if (!sent) return sent.error();
  bandwidth_.arrived(media, size);
  return Outcome(size);
}

Result<bool> LogCopier::excuse(Step& step) {
  if (step.holes.empty()) return true;
  std::set<Digest> objects;
  for (const Hole& hole : step.holes) objects.insert(hole.object);
  {
    const std::lock_guard lock(ahead_mutex_);
    step.shown = GREFFE_TRY(ahead_.find(step.hearing, objects));
  }
  std::erase_if(step.holes, [&](const Hole& hole) { return !objects.contains(hole.object); });
  return step.holes.empty();
}

Result<Committed> LogCopier::commit(Step& step) {
  if (!GREFFE_TRY(excuse(step))) return Committed::hole;
  const tlog::LogReader reader(sites_.source.objects, sites_.source.heads, step.path);
  const std::vector<std::string> entries = GREFFE_TRY(reader.entries(step.held, step.size));
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(step.note));
  auto answer = GREFFE_TRY(sites_.target.post_entries(step.target, step.held, entries, step.note, step.shown));
  if (auto* note = std::get_if<std::string>(&answer)) {
    GREFFE_TRY(check_cosigned(*note, wanted.checkpoint));
    step.held = step.size;
    step.held_note = std::move(*note);
    return Committed::held;
  }
  const auto& refused = std::get<client::EntriesRefused>(answer);
  if (refused.diverged) return fail(Errc::invalid, refused.detail);
  return Committed::elsewhere;
}

// The statement that counts: the pinned key, over exactly this checkpoint.
Status LogCopier::check_cosigned(std::string_view note, const Checkpoint& wanted) const {
  const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(note));
  if (theirs.checkpoint != wanted) return fail(Errc::conflict, "the second site confirmed another checkpoint of " + wanted.origin);
  if (!sites_.target_key) return ok();  // it was recomputed from bytes, and stands there: nobody says more
  const auto time = verify_cosignature(theirs.note, *sites_.target_key);
  if (time) return ok();
  return fail(Errc::denied, "the second site's confirmation of " + wanted.origin + " is not signed with the key that its enrolment code named (" +
                                sites_.target_key->name + "): " + time.error().message);
}

Result<bool> LogCopier::give_signatures(const Step& step) {
  if (step.held == 0) return true;
  std::vector<std::string> keys = {checkpoint_path(step.path)};
  // Of a hearing the head has them all. The main log goes on before others have signed it.
  if (!step.hearing) {
    GREFFE_TRY(sites_.source.objects.list(step.path + "/cosigned/", [&](const store::ObjectInfo& info) {
      keys.push_back(info.key);
      return true;
    }));
  }
  std::vector<std::string> notes;
  for (const std::string& key : keys) {
    auto note = sites_.source.heads.read_head(key);
    if (note) notes.push_back(*std::move(note));
  }
  GREFFE_TRY(sites_.target.give_signatures(step.target, notes));
  return true;
}

Result<bool> LogCopier::deliver(const Step& step) {
  if (sites_.comes_back) return true;
  if (!sites_.target_key) return step.more_there || GREFFE_TRY(give_signatures(step));
  const VerifierKey& key = *sites_.target_key;
  if (step.hearing) {
    if (step.more_there) return true;  // its confirmation is of more than the archive has
    const auto confirmed = is_confirmed(*step.hearing);
    if (confirmed && *confirmed) return true;
  } else {
    if (step.held == 0 || step.origin != sites_.source.main_origin()) return true;  // of an epoch that has ended nobody waits for it
    // Delivered already when the archive keeps the site's cosignature of this size or a larger one.
    const auto kept = sites_.source.heads.read_head(cosigned_path(step.path, key.id()));
    const auto note = kept ? parse_signed_checkpoint(*kept) : Result<SignedCheckpoint>(kept.error());
    if (note && note->checkpoint.size >= step.held) return true;
  }
  const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(step.held_note));
  if (step.hearing && !verify_cosignature(theirs.note, key)) {
    return fail(Errc::denied, "the second site holds " + step.origin + " but does not confirm it with the key of its enrolment code");
  }
  const Status posted = sites_.confirmations.post_cosignatures(step.hearing, step.held_note);
  if (!posted) log_.warn("a confirmation could not be brought to the archive: " + posted.error().message);
  return posted.has_value();
}

Result<bool> LogCopier::is_confirmed(const HearingId& id) {
  if (!sites_.target_key || sites_.comes_back) return true;
  const std::string head = GREFFE_TRY(sites_.source.heads.read_head(checkpoint_path(hearing_log_path(id))));
  const SignedCheckpoint checkpoint = GREFFE_TRY(parse_signed_checkpoint(head));
  return verify_cosignature(checkpoint.note, *sites_.target_key).has_value();
}

}  // namespace greffe::replicate
