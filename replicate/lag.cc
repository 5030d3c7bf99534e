#include "replicate/lag.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "archive/base/progress.h"
#include "archive/format/entries.h"
#include "replicate/echo_watch.h"

namespace greffe::replicate {
namespace {

// A hearing has many entries in the main log. Those that came longer ago are counted again, which is too much, never too little.
constexpr std::size_t kMostRemembered = 65'536;

class Counted {
 public:
  bool is_new(const HearingId& id) {
    if (!seen_.insert(id).second) return false;
    order_.push_back(id);
    if (order_.size() > kMostRemembered) {
      seen_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  std::set<HearingId> seen_;
  std::deque<HearingId> order_;
};

void note_oldest(std::optional<UtcTime>& oldest, std::optional<UtcTime> time) {
  if (time && (!oldest || *time < *oldest)) oldest = time;
}

// Measures one target, which is asked until it does not answer. From then on what it has confirmed here counts.
class Measure {
 public:
  Measure(const Source& source, CopySite& target, const std::optional<VerifierKey>& key, const std::string& name) : source_(source), target_(target), key_(key) {
    lag_.target = key ? key->name : name;
    lag_.is_passive = !key;
  }
  Result<Lag> measure();

 private:
  Status add_main();
  Status add_hearing(const HearingId& id);
  void add_entry(std::string_view text, MediaClass media, const SegmentEntry* segment, bool known);
  std::uint64_t known_there(const client::LogTarget& log, const tlog::LogReader& reader, std::uint64_t held);
  std::uint64_t confirmed_here(const std::string& log_path, std::optional<UtcTime>* time) const;
  std::optional<std::uint64_t> confirmed_there(const client::LogTarget& log, const tlog::LogReader& reader, std::optional<UtcTime>* time);
  std::uint64_t confirmed(std::string_view note, std::optional<UtcTime>* time) const;
  std::uint64_t stated(const client::LogTarget& log, std::string_view text, const tlog::LogReader& reader);

  const Source source_;
  CopySite& target_;
  const std::optional<VerifierKey> key_;
  Lag lag_;
  bool asks_ahead_ = true;  // false: the target is too old to know anything ahead
  Counted counted_;
};

// Size that the site confirmed with its key, which there is; 0 when its line does not verify.
std::uint64_t Measure::confirmed(std::string_view text, std::optional<UtcTime>* time) const {
  const auto note = parse_signed_checkpoint(text);
  const auto at = note ? verify_cosignature(note->note, *key_) : Result<UtcTime>(note.error());
  if (!at) return 0;
  if (time != nullptr) *time = *at;
  return note->checkpoint.size;
}

// The newest confirmation that was brought here.
std::uint64_t Measure::confirmed_here(const std::string& log_path, std::optional<UtcTime>* time) const {
  if (!key_) return 0;
  const auto kept = source_.heads.read_head(cosigned_path(log_path, key_->id()));
  return kept ? confirmed(*kept, time) : 0;
}

// What stands in a copy counts as far as it is a state of the log here; anybody could have written it. After a promotion it may go on behind that.
std::uint64_t Measure::stated(const client::LogTarget& log, std::string_view text, const tlog::LogReader& reader) {
  const auto note = parse_signed_checkpoint(text);
  const auto root = note ? reader.root_at(note->checkpoint.size) : Result<Digest>(note.error());
  if (root) return *root == note->checkpoint.root ? note->checkpoint.size : 0;
  const auto here = reader.checkpoint();
  if (!note || !here || here->checkpoint.size >= note->checkpoint.size || source_.main.links().size() == 1) return 0;
  const auto there = target_.checkpoint_from(log, here->checkpoint.size);
  const bool same = there && verify_consistency(here->checkpoint.size, note->checkpoint.size, here->checkpoint.root, note->checkpoint.root, there->consistency);
  return same ? note->checkpoint.size : 0;
}

// Its answer counts more than what it confirmed earlier: it may have lost it since. Nothing: it does not answer.
std::optional<std::uint64_t> Measure::confirmed_there(const client::LogTarget& log, const tlog::LogReader& reader, std::optional<UtcTime>* time) {
  if (!lag_.not_asked.empty()) return std::nullopt;
  const auto held = target_.checkpoint(log);
  if (held && held->note.empty()) return 0;
  if (held) return key_ ? confirmed(held->note, time) : stated(log, held->note, reader);
  lag_.not_asked = held.error().message;
  return std::nullopt;
}

// How much of a log it knows that it does not hold. What cannot be asked, or is another log, is not known.
std::uint64_t Measure::known_there(const client::LogTarget& log, const tlog::LogReader& reader, std::uint64_t held) {
  if (!lag_.not_asked.empty() || !asks_ahead_) return held;
  const auto there = target_.known_ahead(log);
  if (!there && there.error().code == Errc::not_found) asks_ahead_ = false;
  if (!there || there->known_size <= held) return held;
  const auto root = reader.root_at(there->known_size);
  return root && *root == there->known_root ? there->known_size : held;
}

// What an entry adds that no checkpoint covers.
void Measure::add_entry(std::string_view text, MediaClass media, const SegmentEntry* segment, bool known) {
  const auto json = parse_canonical_json(text);
  const auto utc = json && json->has("utc") ? json->utc("utc") : Result<UtcTime>(fail(Errc::not_found, ""));
  const std::optional<UtcTime> time = utc ? std::optional(*utc) : std::nullopt;
  ClassLag& log = lag_.classes[index_of(MediaClass::log)];
  log.bytes += text.size();
  note_oldest(log.oldest, time);
  note_oldest(lag_.oldest, time);
  ++(known ? lag_.log.known_ahead : lag_.log.unknown);
  // An entry about a segment is written when that ends.
  const auto written = time && segment != nullptr ? std::optional(UtcTime{time->ms + segment->duration_90k / 90}) : time;
  if (!known) note_oldest(lag_.log.oldest, written);
  if (segment != nullptr) {
    ClassLag& of = lag_.classes[index_of(media)];
    ++of.objects;
    of.bytes += segment->bytes;
    lag_.bytes_behind += segment->bytes;
    note_oldest(of.oldest, time);
    return;
  }
  const auto kind = json ? json->string("kind") : Result<std::string>(json.error());
  if (json && kind && *kind != "lost") log.objects += named_objects(*json).size();
}

Status Measure::add_hearing(const HearingId& id) {
  if (!counted_.is_new(id)) return ok();
  const std::string path = hearing_log_path(id);
  const tlog::LogReader reader(source_.objects, source_.heads, path);
  const auto head = reader.checkpoint();
  if (!head && head.error().code == Errc::not_found) return ok();  // begun, nothing filed
  if (!head) return head.error();
  const std::uint64_t size = head->checkpoint.size;
  std::optional<std::uint64_t> there = confirmed_there(client::LogTarget{id}, reader, nullptr);
  if (!there) there = key_ && verify_cosignature(head->note, *key_) ? size : confirmed_here(path, nullptr);
  const std::uint64_t held = *there;
  if (held >= size) return ok();
  ++lag_.hearings_behind;
  lag_.hearing_entries_behind += size - held;
  const std::uint64_t known = known_there(client::LogTarget{id}, reader, held);
  HearingClasses classes(reader, held);
  Status read = ok();
  GREFFE_TRY(reader.entries(held, size, [&](std::uint64_t index, std::string_view text) {
    const auto entry = parse_hearing_entry(text);
    const auto media = entry ? classes.of(*entry) : Result<MediaClass>(MediaClass::log);
    if (!media) read = media.error();
    else add_entry(text, *media, entry ? std::get_if<SegmentEntry>(&*entry) : nullptr, index < known);
    return read.has_value();
  }));
  return read;
}

Status Measure::add_main() {
  const tlog::LogChain& main = source_.main;
  lag_.main_size = GREFFE_TRY(main.size());
  // The newest epoch of which it has confirmed anything: with that, all before it.
  std::uint64_t end = lag_.main_size;  // of an epoch, by the numbers of its entries
  for (auto link = main.links().rbegin(); link != main.links().rend() && lag_.main_held == 0; ++link) {
    const auto there = confirmed_there(client::LogTarget{source_.origin(*link)}, link->reader, &lag_.cosigned);
    const std::uint64_t held = there ? *there : confirmed_here(source_.path(*link), &lag_.cosigned);
    if (held > 0) lag_.main_held = std::min(link->first + held, end);
    end = link->first;
  }
  lag_.entries_behind = lag_.main_size - lag_.main_held;
  const tlog::LogChain::Link& newest = main.newest();
  std::uint64_t known = lag_.main_held;
  if (lag_.entries_behind > 0 && known >= newest.first) {
    known = newest.first + known_there(client::LogTarget{source_.main_origin()}, newest.reader, known - newest.first);
  }
  // Everything below the confirmed main size is covered by that confirmation.
  Status added = ok();
  GREFFE_TRY(main.entries(std::min(lag_.main_held, lag_.main_size), lag_.main_size, [&](std::uint64_t index, std::string_view text) {
    add_entry(text, MediaClass::log, nullptr, index < known);
    const auto entry = parse_main_entry(text);
    const auto* commit = entry ? std::get_if<HearingCheckpointEntry>(&*entry) : nullptr;
    if (commit != nullptr) added = add_hearing(commit->hearing);
    return added.has_value();
  }));
  return added;
}

Result<Lag> Measure::measure() {
  GREFFE_TRY(add_main());
  Status added = ok();
  GREFFE_TRY(source_.objects.list("log/open/", [&](const store::ObjectInfo& info) {
    const auto id = parse_hearing_id(std::string_view(info.key).substr(info.key.find_last_of('/') + 1));
    if (id) added = add_hearing(*id);
    return added.has_value();
  }));
  GREFFE_TRY(added);
  return lag_;
}

std::int64_t age_ms(UtcTime now, UtcTime then) { return std::max<std::int64_t>(0, now.ms - then.ms); }

}  // namespace

Result<Lag> measure_lag(const Source& source, CopySite& target, const std::optional<VerifierKey>& target_key, const std::string& name) {
  return Measure(source, target, target_key, name).measure();
}

Json Lag::json(UtcTime now) const {
  Json::Array list;
  for (const MediaClass media : kMediaClasses) {
    const ClassLag& of = classes[index_of(media)];
    Json one;
    one.set("class", name_of(media)).set("objects", of.objects).set("bytes", of.bytes);
    if (of.oldest) one.set("oldest", *of.oldest).set("age_ms", age_ms(now, *of.oldest));
    list.push_back(std::move(one));
  }
  Json out;
  out.set("target", target).set("main_size", main_size).set("main_held", main_held).set("entries_behind", entries_behind);
  out.set("hearings_behind", hearings_behind).set("hearing_entries_behind", hearing_entries_behind);
  Json of_log;
  of_log.set("known_ahead", log.known_ahead).set("unknown", log.unknown);
  if (log.oldest) of_log.set("oldest", *log.oldest).set("age_ms", age_ms(now, *log.oldest));
  out.set("bytes_behind", bytes_behind).set("classes", std::move(list));
  out.set("log", std::move(of_log));
  if (oldest) out.set("oldest", *oldest).set("age_ms", age_ms(now, *oldest));
  out.set("passive", is_passive);
  if (grade) out.set("grade", grade->json());
  if (cosigned) out.set("cosigned", *cosigned);
  if (!not_asked.empty()) out.set("not_asked", not_asked);
  out.set("caught_up", caught_up());
  if (compared) out.set("compared", compared->json());
  return out;
}

std::string Lag::words(UtcTime now) const {
  std::string out;
  const std::string who = fmt::format("The {} ({})", is_passive ? "copy" : "second site", target);
  if (caught_up()) {
    out = fmt::format("{} has {}: {} main log entries.\n", who, is_passive ? "everything" : "confirmed everything", main_held);
  } else {
    out = fmt::format("{} is behind: {} of {} main log entries, {} hearings ({} entries, {}).\n", who, entries_behind, main_size,
                      hearings_behind, hearing_entries_behind, human_bytes(bytes_behind));
    for (const MediaClass media : kMediaClasses) {
      const ClassLag& of = classes[index_of(media)];
      const std::string age = of.oldest ? human_duration(age_ms(now, *of.oldest) / 1000) + " old" : std::string("-");
      if (of.bytes > 0) out += fmt::format("  {:<8} {:>9} objects  {:>9}  the oldest {}\n", name_of(media), of.objects, human_bytes(of.bytes), age);
    }
    out += "  (not confirmed yet, whatever is known of it there)\n";
    if (log.known_ahead > 0) out += fmt::format("Of the log it knows {} entries ahead of the sound and picture that they name.\n", log.known_ahead);
    if (log.unknown == 0) out += "Every entry of the log is known there.\n";
    else out += fmt::format("{} entries of the log are not known there{}.\n", log.unknown, log.oldest ? ", the oldest for " + human_duration(age_ms(now, *log.oldest) / 1000) : std::string());
    if (oldest) {
      out += fmt::format("The oldest thing that it does not hold is from {}, {} ago.\n", to_text(*oldest),
                         human_duration(age_ms(now, *oldest) / 1000));
    }
  }
  if (is_passive) {
    out += grade ? grade->words() : std::string("Nothing is known of how it was read back.\n");
    if (!not_asked.empty()) out += "It is not there now, and counts as having nothing: " + not_asked + "\n";
    return out;
  }
  out += cosigned ? fmt::format("It last confirmed the main log on {}, with {} entries.\n", to_text(*cosigned), main_held)
                  : std::string("It has confirmed nothing yet.\n");
  if (!not_asked.empty()) out += "It does not answer; what it has not confirmed here counts as behind: " + not_asked + "\n";
  // What was confirmed was held then; only looking again at both sites says that it is there still.
  if (!compared) return out + "The two sites were never compared: `greffe-replicate compare` does.\n";
  return out + (compared->equal() ? "In sync: " : "NOT IN SYNC: ") + compared->words() + ".\n";
}

void add_live(Json& lag, const LiveFacts& live) {
  Json rates;
  for (const MediaClass one : kMediaClasses) rates.set(std::string(name_of(one)), live.rate[index_of(one)]);
  Json echo;
  echo.set("silent_ms", live.silent_ms).set("late", live.silent_ms >= kEchoLateMs);
  if (live.round_trip_ms) echo.set("round_trip_ms", *live.round_trip_ms);
  lag.set("rate", std::move(rates)).set("holes", live.holes).set("echo", std::move(echo));
  if (!live.problem.empty()) lag.set("problem", live.problem);
}

void add_drain(Json& lag) {
  const auto rates = lag.object("rate");
  const auto sound = rates ? rates->size(name_of(MediaClass::sound)) : Result<std::uint64_t>(rates.error());
  const auto picture = rates ? rates->size(name_of(MediaClass::picture)) : Result<std::uint64_t>(rates.error());
  const auto bytes = lag.size("bytes_behind");
  if (sound && picture && bytes && *bytes > 0 && *sound + *picture > 0) lag.set("drain_s", *bytes / (*sound + *picture));
}

std::string live_words(const Json& with_live) {
  std::string out;
  const auto echo = with_live.object("echo");
  const auto silent = echo ? echo->size("silent_ms") : Result<std::uint64_t>(echo.error());
  const auto late = echo ? echo->boolean("late") : Result<bool>(echo.error());
  const auto trip = echo ? echo->size("round_trip_ms") : Result<std::uint64_t>(echo.error());
  if (late && *late && silent) out += fmt::format("NO ECHO for {}.\n", human_duration(static_cast<std::int64_t>(*silent / 1000)));
  else if (trip) out += fmt::format("It answers within {} ms.\n", *trip);
  if (const auto holes = with_live.size("holes"); holes && *holes > 0) {
    out += fmt::format("{} objects cannot be read here (holes): greffe-replicate once names them.\n", *holes);
  }
  if (const auto drain = with_live.size("drain_s")) {
    out += fmt::format("At the rate of the last five minutes it has everything in {}.\n", human_duration(static_cast<std::int64_t>(*drain)));
  }
  if (const auto problem = with_live.string("problem")) out += "PROBLEM: " + *problem + "\n";
  return out;
}

}  // namespace greffe::replicate
