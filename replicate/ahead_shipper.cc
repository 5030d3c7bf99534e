#include "replicate/ahead_shipper.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/entries.h"

namespace greffe::replicate {
namespace {

constexpr LogCopier::Limits kSmall{256 * 1024, 1024, 1};
constexpr std::size_t kMostCursors = 65'536;
constexpr std::size_t kMostLater = 4096;
constexpr std::uint64_t kWalkedAtOnce = 2048;  // main-log entries in one round
constexpr int kMostTries = 3;                  // the target says each time that it knows something else
constexpr std::int64_t kRestMs = 10'000;

bool stops_the_round(Errc code) { return code == Errc::unavailable || code == Errc::cancelled; }

}  // namespace

AheadShipper::AheadShipper(Sites sites, Bandwidth& bandwidth, Clock& clock, Options options, Log& log)
    : sites_(std::move(sites)), clock_(clock), options_(options), small_(sites_, bandwidth, kSmall, log), large_(sites_, bandwidth, {}, log),
      fresh_(sites_.source) {}

// Makes room by forgetting the one that came first: it is asked about again.
AheadShipper::Cursor& AheadShipper::at(const HearingId& id) {
  const auto [found, made] = cursors_.try_emplace(id);
  if (!made) return found->second;
  order_.push_back(id);
  if (order_.size() > kMostCursors) {
    cursors_.erase(order_.front());
    order_.pop_front();
  }
  return found->second;
}

// What the target confirmed and the archive was told.
std::uint64_t AheadShipper::confirmed_here(const std::string& log_path) const {
  if (!sites_.target_key) return 0;
  const auto kept = sites_.source.heads.read_head(cosigned_path(log_path, sites_.target_key->id()));
  const auto note = kept ? parse_signed_checkpoint(*kept) : Result<SignedCheckpoint>(kept.error());
  return note && verify_cosignature(note->note, *sites_.target_key) ? note->checkpoint.size : 0;
}

// The usual way gets a moment. Where the target only knows what it should hold by now, everything else goes at once.
bool AheadShipper::is_due(const LogState& log, Cursor& cursor) {
  const std::uint64_t confirmed = confirmed_here(log.path);
  const bool lags = cursor.known > confirmed;
  cursor.known = std::max(cursor.known, confirmed);
  const std::int64_t now = clock_.monotonic_ms();
  if (cursor.armed_size == 0 || confirmed >= cursor.armed_size) {
    cursor.armed_size = log.head.checkpoint.size;
    cursor.armed_ms = now;
  }
  return lags || now - cursor.armed_ms >= options_.after_ms;
}

// It must be the beginning of the log as it is here, or what it knows counts for nothing.
Status AheadShipper::ask(const LogState& log, const tlog::LogReader& reader, Cursor& cursor) {
  const auto there = sites_.target.known_ahead(log.target);
  supported_ = there || there.error().code != Errc::not_found;
  if (!there) return there.error();
  const std::uint64_t known = there->known_size;
  const SignedCheckpoint now = GREFFE_TRY(reader.checkpoint());  // it may have grown, and what came be there already
  const std::uint64_t size = now.checkpoint.size;
  if (known > size) return fail(Errc::conflict, fmt::format("the second site knows {} entries, this pool has {}: an older state was put in place here", known, size));
  const Digest root = GREFFE_TRY(reader.root_at(known));
  if (root != there->known_root) return fail(Errc::conflict, fmt::format("the second site knows another log: the first {} entries are not the same", known));
  cursor.asked = true;
  cursor.known = known;
  return ok();
}

Result<LogCopier::End> AheadShipper::next_end(LogCopier& copier, const LogState& log, const tlog::LogReader& reader, std::uint64_t first) {
  if (log.hearing) return copier.next_hearing_end(*log.hearing, reader, log.head, first);
  Step opened;
  opened.origin = log.head.checkpoint.origin;
  opened.path = log.path;
  opened.source_size = log.head.checkpoint.size;
  opened.note = log.head.note.write();
  return copier.next_main_end(opened, first);
}

// One request. False: the target knows something else than was thought; now it is known what.
Result<bool> AheadShipper::send(const LogState& log, const tlog::LogReader& reader, Cursor& cursor) {
  auto end = next_end(small_, log, reader, cursor.known);
  if (!end && end.error().code == Errc::invalid) end = next_end(large_, log, reader, cursor.known);
  if (!end) return end.error();
  const std::vector<std::string> entries = GREFFE_TRY(reader.entries(cursor.known, end->size));
  const auto answer = sites_.target.post_ahead(log.target, cursor.known, entries, end->note);
  supported_ = answer || answer.error().code != Errc::not_found;
  if (!answer) return answer.error();
  if (const auto* refused = std::get_if<client::AheadRefused>(&*answer)) {
    if (refused->diverged) return fail(Errc::conflict, refused->detail);
    GREFFE_TRY(ask(log, reader, cursor));
    return false;
  }
  report_.entries += entries.size();
  cursor.known = std::max(end->size, std::get<client::KnownThere>(*answer).known_size);
  return true;
}

// What concerns this log alone.
AheadShipper::Went AheadShipper::hinder(const LogState& log, Cursor& cursor, const Error& error) {
  const std::int64_t now = clock_.monotonic_ms();
  cursor = Cursor();
  cursor.not_before_ms = now + options_.again_ms;
  if (error.code == Errc::no_space || error.code == Errc::denied) rest_until_ms_ = now + kRestMs;  // the next log would hear the same
  if (report_.problems.size() < AheadReport::kMostNamed) report_.problems.push_back(error.within(log.head.checkpoint.origin + " ahead of its objects").message);
  return Went::later;
}

Result<AheadShipper::Went> AheadShipper::go(const LogState& log, Cursor& cursor) {
  const std::uint64_t size = log.head.checkpoint.size;
  if (cursor.known >= size && cursor.asked) return Went::there;
  if (clock_.monotonic_ms() < cursor.not_before_ms) return Went::later;
  cursor.not_before_ms = 0;
  const bool due = is_due(log, cursor);
  if (cursor.known >= size) return Went::there;
  if (!due) return Went::later;
  const tlog::LogReader reader(sites_.source.objects, sites_.source.heads, log.path);
  Status done = cursor.asked ? ok() : ask(log, reader, cursor);
  int tries = 0;
  while (done && cursor.known < size) {
    const auto sent = send(log, reader, cursor);
    if (!sent) done = sent.error();
    else if (!*sent && ++tries == kMostTries) done = fail(Errc::conflict, "the second site says each time that it knows something else: another replicator may be at work");
  }
  if (!done && !supported_) {
    rest_until_ms_ = clock_.monotonic_ms() + options_.again_ms;
    return Went::later;
  }
  if (!done && stops_the_round(done.error().code)) return done.error();
  if (!done) return hinder(log, cursor, done.error());
  cursor.armed_size = 0;
  return Went::there;
}

Result<AheadShipper::Went> AheadShipper::go(const HearingId& id) {
  LogState log;
  log.hearing = id;
  log.target = client::LogTarget{id};
  log.path = hearing_log_path(id);
  Cursor& cursor = at(id);
  const auto text = sites_.source.heads.read_head(checkpoint_path(log.path));
  if (!text && text.error().code == Errc::not_found) return Went::there;  // begun, nothing filed
  auto head = text ? parse_signed_checkpoint(*text) : Result<SignedCheckpoint>(text.error());
  if (!head) {
    log.head.checkpoint.origin = "hearing " + id.text();
    return hinder(log, cursor, head.error());
  }
  log.head = *std::move(head);
  if (cursor.asked && cursor.known >= log.head.checkpoint.size) return Went::there;
  if (sites_.target_key && verify_cosignature(log.head.note, *sites_.target_key)) {
    cursor = Cursor();
    cursor.asked = true;
    cursor.known = log.head.checkpoint.size;
    return Went::there;
  }
  return go(log, cursor);
}

Result<AheadShipper::Went> AheadShipper::go_main() {
  LogState log;
  log.target = client::LogTarget{sites_.source.main_origin()};
  log.path = sites_.source.main_path();
  log.head = GREFFE_TRY(tlog::LogReader(sites_.source.objects, sites_.source.heads, log.path).checkpoint());
  return go(log, main_);
}

// A finished one of which the target has confirmed the main log's entry is held there.
Status AheadShipper::go_fresh(const std::stop_token& stop) {
  const std::vector<FreshHearing> fresh = GREFFE_TRY(fresh_.look());
  const std::uint64_t confirmed = sites_.source.main.newest().first + confirmed_here(sites_.source.main_path());
  std::vector<HearingId> ids;
  for (const FreshHearing& one : fresh) {
    const bool is_held = one.committed && one.committed->closed && one.committed->number < confirmed;
    if (!is_held) ids.push_back(one.id);
  }
  ids.insert(ids.end(), later_.begin(), later_.end());
  later_.clear();
  for (const HearingId& id : ids) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped on request");
    if (clock_.monotonic_ms() < rest_until_ms_) return ok();
    const Went went = GREFFE_TRY(go(id));
    if (went == Went::later && later_.size() < kMostLater) later_.insert(id);
  }
  return ok();
}

// A piece of the main log, from what the target confirmed on: hearings that nobody works on any more.
Status AheadShipper::walk(const std::stop_token& stop) {
  const tlog::LogReader main(sites_.source.objects, sites_.source.heads, sites_.source.main_path());
  const SignedCheckpoint head = GREFFE_TRY(main.checkpoint());
  const std::int64_t now = clock_.monotonic_ms();
  walk_waits_ = false;
  if (again_from_ && now >= walk_again_ms_) {
    walked_ = std::min(*again_from_, walked_.value_or(*again_from_));
    again_from_.reset();
  }
  const std::uint64_t first = std::min(walked_.value_or(confirmed_here(sites_.source.main_path())), head.checkpoint.size);
  const std::uint64_t last = std::min(first + kWalkedAtOnce, head.checkpoint.size);
  std::vector<std::pair<std::uint64_t, HearingId>> named;
  GREFFE_TRY(main.entries(first, last, [&](std::uint64_t index, std::string_view text) {
    const auto entry = parse_main_entry(text);
    const auto* commit = entry ? std::get_if<HearingCheckpointEntry>(&*entry) : nullptr;
    if (commit != nullptr) named.emplace_back(index, commit->hearing);
    return true;
  }));
  walked_ = first;
  std::set<HearingId> seen;
  for (const auto& [index, id] : named) {
    if (!seen.insert(id).second) continue;  // it was looked at as it is now
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped on request");
    if (clock_.monotonic_ms() < rest_until_ms_) return ok();
    const Went went = GREFFE_TRY(go(id));
    walked_ = index + 1;
    if (went == Went::there) continue;
    const auto cursor = cursors_.find(id);
    if (cursor != cursors_.end() && cursor->second.not_before_ms == 0) {  // its moment comes
      walked_ = index;
      walk_waits_ = true;
      return ok();
    }
    if (!again_from_) {
      again_from_ = index;
      walk_again_ms_ = clock_.monotonic_ms() + options_.again_ms;
    }
    again_from_ = std::min(*again_from_, index);
  }
  walked_ = last;
  return ok();
}

Result<AheadReport> AheadShipper::round(const std::stop_token& stop) {
  report_ = {};
  if (clock_.monotonic_ms() >= rest_until_ms_) {
    supported_ = true;
    GREFFE_TRY(go_fresh(stop));
  }
  if (clock_.monotonic_ms() >= rest_until_ms_) GREFFE_TRY(go_main());
  if (clock_.monotonic_ms() >= rest_until_ms_) GREFFE_TRY(walk(stop));
  report_.supported = supported_;
  const auto head = tlog::LogReader(sites_.source.objects, sites_.source.heads, sites_.source.main_path()).checkpoint();
  const bool resting = clock_.monotonic_ms() < rest_until_ms_;
  report_.more = !resting && !walk_waits_ && head && walked_.value_or(0) < head->checkpoint.size;
  return std::move(report_);
}

}  // namespace greffe::replicate
