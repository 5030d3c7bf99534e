#include "replicate/copy_round.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"
#include "archive/format/tiles.h"

namespace greffe::replicate {
namespace {

constexpr std::int64_t kSaveEveryMs = 10'000;

Error cancelled() { return fail(Errc::cancelled, "stopped on request"); }
bool is_damage(Errc code) { return code == Errc::corrupt || code == Errc::not_found || code == Errc::conflict; }

}  // namespace

Json RoundReport::json() const {
  CopyGrade grade;  // says the same in the same words
  grade.bad = bad;
  (round.ended ? grade.last : grade.going) = round;
  const Json known = grade.json();
  Json out;
  out.set("bad", *known.find("bad")).set("equal", equal()).set("held_up", held_up).set("logs_mended", logs_mended);
  out.set("problems", Json::Array(problems.begin(), problems.end())).set("round", *known.find(round.ended ? "last" : "going"));
  return out;
}

std::string RoundReport::words() const {
  std::string out = fmt::format("{} objects of {} main log entries were looked for; {} of them ({}) read back whole; {} logs written anew\n", round.looks.objects,
                                round.next, round.looks.read, human_bytes(round.looks.bytes), logs_mended);
  for (const BadObject& one : bad) {
    out += fmt::format("{}: object {} of {}\n", one.is_missing ? "MISSING THERE" : "DAMAGED THERE", one.object.hex(),
                       one.hearing ? "hearing " + one.hearing->text() : std::string("the main log"));
  }
  for (const std::string& one : problems) out += "PROBLEM: " + one + "\n";
  if (held_up) out += "there may be more: mend these first\n";
  return out + (equal() ? "the copy has everything that its main log commits to\n" : "the copy has NOT everything: see above\n");
}

CopyRound::CopyRound(PassiveSite& site, const Source& source, Clock& clock, Log& log)
    : site_(site), source_(source), clock_(clock), log_(log), ahead_(source) {}

void CopyRound::problem(std::string words) {
  if (report_.problems.size() < RoundReport::kMostProblems) report_.problems.push_back(std::move(words));
}

// A part of the round that is as large as the part of its time that has passed.
bool CopyRound::is_early(const Round& round) const {
  const double passed = static_cast<double>(clock_.utc_now().ms - round.began.ms) / static_cast<double>(kRoundMs);
  return static_cast<double>(round.next) > passed * static_cast<double>(round.size);
}

void CopyRound::save() {
  const Status saved = site_.save_grade();
  if (!saved) log_.warn(saved.error().message);  // the next one does; what is lost is done again
  saved_ms_ = clock_.monotonic_ms();
}

Status CopyRound::found_bad(const Digest& digest, const std::optional<HearingId>& hearing, bool is_missing) {
  GREFFE_TRY(site_.is_there(*copy_->pool));
  ++report_.round.bad;
  if (site_.book().found_bad(digest, hearing, is_missing)) {
    log_.error(fmt::format("the copy {}: object {} of {} is {} there", site_.name(), digest.hex(), hearing ? "hearing " + hearing->text() : std::string("the main log"),
                           is_missing ? "missing" : "damaged"));
    return ok();
  }
  report_.held_up = true;
  return ok();
}

Status CopyRound::look_at_object(const Digest& digest, const std::optional<HearingId>& hearing) {
  if (stop_.stop_requested()) return cancelled();
  if (report_.held_up) return ok();
  store::WholePool& pool = *copy_->pool;
  const auto held = pool.holds_object(digest);
  if (!held) return site_.there(held.error());
  if (!*held) {
    // Entries further on may say that it was lost.
    std::set<Digest> one{digest};
    GREFFE_TRY(ahead_.find(hearing, one));
    if (one.empty()) {
      site_.book().mended(digest);
      return ok();
    }
    ++report_.round.looks.objects;
    return found_bad(digest, hearing, true);
  }
  ++report_.round.looks.objects;
  if (!reads_all_ && !is_drawn(kReadBackPercent)) return ok();
  if (!GREFFE_TRY(site_.read_back(pool, digest, report_.round.looks.bytes))) return found_bad(digest, hearing, false);
  ++report_.round.looks.read;
  site_.book().mended(digest);
  return ok();
}

Status CopyRound::mend(CopiedLog& log, const std::string& note, const Error& why) {
  GREFFE_TRY(site_.is_there(*copy_->pool));
  ++report_.round.bad;
  const Status mended = site_.may_write() ? log.mend(note) : Status(why);
  if (!mended && mended.error().code == Errc::unavailable) return site_.there(mended.error());
  if (!mended) {
    problem(fmt::format("{} is damaged or missing in the copy {}: {}", log.path(), site_.name(), mended.error().message));
    return ok();
  }
  ++report_.logs_mended;
  log_.error(fmt::format("the copy {}: {} was damaged or missing there and was written anew: {}", site_.name(), log.path(), why.message));
  return ok();
}

// The last that the copy's main log says of a hearing.
Result<HearingCheckpointEntry> CopyRound::last_commit(const HearingId& id) {
  const tlog::LogChain& main = source_.main;
  if (last_commits_.empty()) {
    GREFFE_TRY(main.entries(0, report_.round.size, [&](std::uint64_t number, std::string_view text) {
      const auto entry = parse_main_entry(text);
      const auto* commit = entry ? std::get_if<HearingCheckpointEntry>(&*entry) : nullptr;
      if (commit != nullptr) last_commits_[commit->hearing] = number;
      return !stop_.stop_requested();
    }));
    if (stop_.stop_requested()) return cancelled();
  }
  const auto found = last_commits_.find(id);
  if (found == last_commits_.end()) return fail(Errc::corrupt, "the main log names hearing " + id.text() + " no more");
  const std::vector<std::string> text = GREFFE_TRY(main.entries(found->second, found->second + 1));
  MainEntry entry = GREFFE_TRY(parse_main_entry(text.front()));
  return std::get<HearingCheckpointEntry>(std::move(entry));
}

// `is_later`: what is there is a later state, which another entry commits to, or will.
Status CopyRound::look_at_log(const HearingId& id, const SignedCheckpoint& stated, bool& is_later) {
  const client::LogTarget log{id};
  const std::lock_guard lock(site_.mutex_of(log));
  CopiedLog copied(*copy_->pool, source_, log);
  const auto head = copied.head();
  if (!head && !is_damage(head.error().code)) return site_.there(head.error());
  is_later = head && head->checkpoint.size > stated.checkpoint.size;
  if (is_later) return ok();
  const bool same = head && head->checkpoint == stated.checkpoint;
  const Status whole = same ? copied.check()
                            : Status(fail(Errc::corrupt, fmt::format("{} is not there to {} entries, as it was", copied.path(), stated.checkpoint.size)));
  if (whole) return ok();
  if (whole.error().code != Errc::corrupt) return site_.there(whole.error());
  // With the signatures that it has there, or here.
  if (same) return mend(copied, head->note.write(), whole.error());
  // At once to the size that the copy's main log commits to in the end.
  const HearingCheckpointEntry last = GREFFE_TRY(last_commit(id));
  const SignedCheckpoint wanted = GREFFE_TRY(parse_signed_checkpoint(last.note));
  is_later = wanted.checkpoint.size > stated.checkpoint.size;
  const auto here = tlog::LogReader(source_.objects, source_.heads, hearing_log_path(id)).checkpoint();
  return mend(copied, here && here->checkpoint == wanted.checkpoint ? here->note.write() : last.note, whole.error());
}

Status CopyRound::look_at_hearing(const HearingCheckpointEntry& commit) {
  const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(commit.note));
  bool is_later = false;
  GREFFE_TRY(look_at_log(commit.hearing, stated, is_later));
  if (is_later) return ok();
  // What it must have, by the source's log.
  std::vector<Digest> named;
  std::set<Digest> lost;
  Status read = ok();
  const auto take = [&](std::string_view text) -> Status {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(text));
    if (const auto* gone = std::get_if<LostEntry>(&entry)) {
      lost.insert(gone->objects.begin(), gone->objects.end());
      return ok();
    }
    const Json json = GREFFE_TRY(parse_canonical_json(text));
    const std::vector<Digest> digests = named_objects(json);
    named.insert(named.end(), digests.begin(), digests.end());
    return ok();
  };
  const tlog::LogReader reader(source_.objects, source_.heads, hearing_log_path(commit.hearing));
  GREFFE_TRY(reader.entries(0, stated.checkpoint.size, [&](std::uint64_t, std::string_view text) {
    read = take(text);
    return read.has_value();
  }));
  GREFFE_TRY(read);
  for (const Digest& digest : named) {
    if (!lost.contains(digest)) GREFFE_TRY(look_at_object(digest, commit.hearing));
  }
  return ok();
}

// What was found of the main log of one epoch there.
Status CopyRound::settle_main(const tlog::LogChain::Link& link, CopiedLog& log, const Status& looked) {
  if (looked) return ok();
  if (looked.error().code != Errc::corrupt) return site_.there(looked.error());
  // What has ended, because the copy goes on from it, is there as far as it is here. The newest one as far as it says itself.
  const bool has_ended = &link != &source_.main.newest() && report_.round.size > (&link + 1)->first;
  const auto head = has_ended ? link.reader.checkpoint() : log.head();
  if (!head && has_ended) return head.error();
  return head ? mend(log, head->note.write(), looked.error()) : Status(site_.there(head.error()));
}

// Entries of the main log of one epoch as they stand there.
Status CopyRound::look_at_main(std::uint64_t first, std::uint64_t last) {
  const tlog::LogChain::Link& link = *source_.main.place_of(first).link;
  const client::LogTarget log{source_.origin(link)};
  const std::lock_guard lock(site_.mutex_of(log));
  CopiedLog copied(*copy_->pool, source_, log);
  return settle_main(link, copied, copied.compare(first - link.first, last - link.first));
}

// All files of the main log, of each epoch that the round has gone through.
Status CopyRound::look_at_main_files() {
  for (const tlog::LogChain::Link& link : source_.main.links()) {
    if (link.first >= report_.round.size) return ok();
    const client::LogTarget log{source_.origin(link)};
    const std::lock_guard lock(site_.mutex_of(log));
    CopiedLog copied(*copy_->pool, source_, log);
    GREFFE_TRY(settle_main(link, copied, copied.check()));
  }
  return ok();
}

// To the end of a bundle, of an epoch or of the round.
std::uint64_t CopyRound::end_of_piece(std::uint64_t first) const {
  const tlog::LogChain::Place place = source_.main.place_of(first);
  const std::uint64_t bundle = place.link->first + (place.index / kTileWidth + 1) * kTileWidth;
  const std::uint64_t epoch = place.link == &source_.main.newest() ? bundle : (place.link + 1)->first;
  return std::min({bundle, epoch, report_.round.size});
}

// Entries of the main log that are there, through all epochs: to the end of what it has of the newest one of which it has anything.
Result<std::optional<std::uint64_t>> CopyRound::held(store::WholePool& pool) {
  const std::vector<tlog::LogChain::Link>& links = source_.main.links();
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    const auto head = CopiedLog(pool, source_, client::LogTarget{source_.origin(*link)}).head();
    if (!head && head.error().code == Errc::not_found) continue;
    if (!head) return site_.there(head.error());
    const std::uint64_t end = link->first + head->checkpoint.size;
    return std::optional(link == links.rbegin() ? end : std::min(end, std::prev(link)->first));
  }
  return std::optional<std::uint64_t>();
}

Status CopyRound::look_at(std::string_view text) {
  const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
  if (const auto* commit = std::get_if<HearingCheckpointEntry>(&entry)) return look_at_hearing(*commit);
  if (std::holds_alternative<MainLostEntry>(entry)) return ok();
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  for (const Digest& digest : named_objects(json)) GREFFE_TRY(look_at_object(digest, std::nullopt));
  return ok();
}

Result<RoundReport> CopyRound::walk(Round begin, bool whole, const std::stop_token& stop) {
  stop_ = stop;
  report_ = {};
  last_commits_.clear();
  report_.round = begin;
  reads_all_ = site_.reads_all(copy_->label);
  Round& round = report_.round;
  const tlog::LogChain& main = source_.main;
  Status looked = ok();
  while (looked && round.next < round.size && !report_.held_up && (whole || !is_early(round))) {
    const std::uint64_t last = end_of_piece(round.next);
    looked = look_at_main(round.next, last);
    const std::vector<std::string> entries = looked ? GREFFE_TRY(main.entries(round.next, last)) : std::vector<std::string>();
    for (const std::string& text : entries) {
      if (!whole && is_early(round)) break;
      const Round before = round;
      looked = look_at(text);
      if (!looked || report_.held_up) {
        round = before;  // the entry is looked at again as a whole
        break;
      }
      ++round.next;
      if (whole || clock_.monotonic_ms() - saved_ms_ < kSaveEveryMs) continue;
      site_.book().keep_round(round);
      save();
    }
  }
  if (looked && round.next == round.size) looked = look_at_main_files();
  if (looked && round.next == round.size) round.ended = clock_.utc_now();
  // Of a reader that only looks, nothing is kept.
  if (site_.may_write() && (!whole || round.ended)) site_.book().keep_round(round);
  save();
  if (!looked) return looked.error();
  report_.bad = site_.book().grade().bad;
  return report_;
}

Result<RoundReport> CopyRound::go_on(std::stop_token stop) {
  const auto copy = GREFFE_TRY(site_.open());
  copy_ = copy.get();
  const std::optional<std::uint64_t> size = GREFFE_TRY(held(*copy->pool));
  if (!size) GREFFE_TRY(site_.is_there(*copy->pool));
  const CopyGrade known = site_.book().grade();
  const bool rests = !known.going && known.last && clock_.utc_now().ms - known.last->began.ms < kRoundMs;
  if (size && !rests) {
    Round round = site_.book().round(*size);
    // One that was begun when the copy had more: entries that an epoch had behind its end are no part of the archive.
    round.size = std::min(round.size, *size);
    round.next = std::min(round.next, round.size);
    return walk(round, false, stop);
  }
  RoundReport nothing;
  nothing.bad = known.bad;
  return nothing;
}

Result<RoundReport> CopyRound::go_through(std::stop_token stop) {
  const auto copy = GREFFE_TRY(site_.open());
  copy_ = copy.get();
  const std::optional<std::uint64_t> size = GREFFE_TRY(held(*copy->pool));
  if (!size) return site_.there(fail(Errc::not_found, "it has nothing of the main log of " + source_.archive));
  Round round;
  round.began = clock_.utc_now();
  round.size = *size;
  return walk(round, true, stop);
}

}  // namespace greffe::replicate
