#include "replicate/lag.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/base/progress.h"
#include "archive/format/entries.h"

namespace greffe::replicate {
namespace {

std::optional<UtcTime> time_of(std::string_view text) {
  const auto json = parse_canonical_json(text);
  const auto utc = json && json->has("utc") ? json->utc("utc") : Result<UtcTime>(fail(Errc::not_found, ""));
  return utc ? std::optional(*utc) : std::nullopt;
}

void note_oldest(Lag& lag, std::optional<UtcTime> time) {
  if (time && (!lag.oldest || *time < *lag.oldest)) lag.oldest = time;
}

// Size that the site confirmed with its key; 0 when it holds nothing or its line does not verify.
Result<std::uint64_t> confirmed_size(CopySite& target, const client::LogTarget& log, const VerifierKey& key,
                                     std::optional<UtcTime>* time) {
  const client::HeldCheckpoint held = GREFFE_TRY(target.checkpoint(log));
  if (held.note.empty()) return std::uint64_t{0};
  const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(held.note));
  const auto at = verify_cosignature(note.note, key);
  if (!at) return std::uint64_t{0};
  if (time != nullptr) *time = *at;
  return note.checkpoint.size;
}

Status add_hearing(const Source& source, CopySite& target, const VerifierKey& key, const HearingId& id, Lag& lag) {
  const tlog::LogReader reader(source.objects, source.heads, hearing_log_path(id));
  const auto head = reader.checkpoint();
  if (!head && head.error().code == Errc::not_found) return ok();  // begun, nothing filed
  if (!head) return head.error();
  const std::uint64_t held = GREFFE_TRY(confirmed_size(target, client::LogTarget{id}, key, nullptr));
  if (held >= head->checkpoint.size) return ok();
  ++lag.hearings_behind;
  lag.hearing_entries_behind += head->checkpoint.size - held;
  return reader.entries(held, head->checkpoint.size, [&](std::uint64_t, std::string_view text) {
    note_oldest(lag, time_of(text));
    const auto entry = parse_hearing_entry(text);
    if (const auto* segment = entry ? std::get_if<SegmentEntry>(&*entry) : nullptr) lag.bytes_behind += segment->bytes;
    return true;
  });
}

}  // namespace

Result<Lag> measure_lag(const Source& source, CopySite& target, const VerifierKey& target_key) {
  Lag lag;
  lag.target = target_key.name;
  lag.main_held = GREFFE_TRY(confirmed_size(target, client::LogTarget{source.archive}, target_key, &lag.cosigned));
  const tlog::LogReader main(source.objects, source.heads, main_log_path());
  const SignedCheckpoint head = GREFFE_TRY(main.checkpoint());
  lag.main_size = head.checkpoint.size;
  lag.entries_behind = lag.main_size - std::min(lag.main_size, lag.main_held);
  std::set<HearingId> changed;  // everything below the confirmed main size is covered by that confirmation
  GREFFE_TRY(main.entries(std::min(lag.main_held, lag.main_size), lag.main_size, [&](std::uint64_t, std::string_view text) {
    note_oldest(lag, time_of(text));
    const auto entry = parse_main_entry(text);
    if (const auto* commit = entry ? std::get_if<HearingCheckpointEntry>(&*entry) : nullptr) changed.insert(commit->hearing);
    return true;
  }));
  GREFFE_TRY(source.objects.list("log/open/", [&](const store::ObjectInfo& info) {
    const auto id = parse_hearing_id(std::string_view(info.key).substr(info.key.find_last_of('/') + 1));
    if (id) changed.insert(*id);
    return true;
  }));
  for (const HearingId& id : changed) GREFFE_TRY(add_hearing(source, target, target_key, id, lag));
  return lag;
}

Json Lag::json(UtcTime now) const {
  Json out;
  out.set("target", target).set("main_size", main_size).set("main_held", main_held).set("entries_behind", entries_behind);
  out.set("hearings_behind", hearings_behind).set("hearing_entries_behind", hearing_entries_behind);
  out.set("bytes_behind", bytes_behind);
  if (oldest) out.set("oldest", *oldest).set("age_ms", std::max<std::int64_t>(0, now.ms - oldest->ms));
  if (cosigned) out.set("cosigned", *cosigned);
  out.set("caught_up", entries_behind == 0 && hearings_behind == 0);
  if (compared) out.set("compared", compared->json());
  return out;
}

std::string Lag::words(UtcTime now) const {
  std::string out;
  if (entries_behind == 0 && hearings_behind == 0) {
    out = fmt::format("The second site ({}) has confirmed everything: {} main log entries.\n", target, main_held);
  } else {
    out = fmt::format("The second site ({}) is behind: {} of {} main log entries, {} hearings ({} entries, {}).\n", target, entries_behind,
                      main_size, hearings_behind, hearing_entries_behind, human_bytes(bytes_behind));
    if (oldest) {
      out += fmt::format("The oldest thing that it does not hold is from {}, {} ago.\n", to_text(*oldest),
                         human_duration(std::max<std::int64_t>(0, now.ms - oldest->ms) / 1000));
    }
  }
  out += cosigned ? fmt::format("It last confirmed the main log on {}, with {} entries.\n", to_text(*cosigned), main_held)
                  : std::string("It has confirmed nothing yet.\n");
  // What was confirmed was held then; only looking again at both sites says that it is there still.
  if (!compared) return out + "The two sites were never compared: `greffe-replicate compare` does.\n";
  return out + (compared->equal() ? "In sync: " : "NOT IN SYNC: ") + compared->words() + ".\n";
}

}  // namespace greffe::replicate
