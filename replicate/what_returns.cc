#include "replicate/what_returns.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/progress.h"
#include "archive/format/entries.h"
#include "archive/format/merkle.h"

namespace greffe::replicate {
namespace {

constexpr std::size_t kHaveAtOnce = 4096;  // of the protocol
constexpr std::string_view kOpenMarkers = "log/open/";

class Survey {
 public:
  Survey(const Sites& sites, const Step& main, std::stop_token stop) : sites_(sites), main_(main), stop_(std::move(stop)) {
    out_.origin = main.origin;
    out_.held = main.held;
    out_.size = main.source_size;
  }
  Result<WhatReturns> run(const std::function<void()>& looked);

 private:
  using Sizes = std::map<Digest, std::uint64_t>;  // 0: not of sound or picture
  Status read_main();
  Status take_main(std::string_view text, Sizes& named);
  void take_key(const KeyEntry& entry);
  Status add_begun();
  Status look_at(const HearingId& id);
  Result<std::optional<std::uint64_t>> held_there(const client::LogTarget& target, const tlog::LogReader& reader, const SignedCheckpoint& head, std::string& why);
  Status count_entries(const tlog::LogReader& reader, std::uint64_t first, std::uint64_t last, Sizes& named);
  Status count_missing(const client::LogTarget& target, const Sizes& named);

  const Sites& sites_;
  const Step& main_;
  const std::stop_token stop_;
  std::set<HearingId> hearings_;
  WhatReturns out_;
};

void Survey::take_key(const KeyEntry& entry) {
  if (entry.role == "station") return;
  ++out_.keys_found;
  if (out_.keys.size() < WhatReturns::kMostNamed) out_.keys.push_back({entry.action, entry.role, entry.name});
}

Status Survey::take_main(std::string_view text, Sizes& named) {
  const Json json = GREFFE_TRY(parse_canonical_json(text));
  ++out_.entries[GREFFE_TRY(json.string("kind"))];
  const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
  if (const auto* commit = std::get_if<HearingCheckpointEntry>(&entry)) hearings_.insert(commit->hearing);
  if (const auto* key = std::get_if<KeyEntry>(&entry)) take_key(*key);
  if (std::holds_alternative<MainLostEntry>(entry)) return ok();
  for (const Digest& digest : named_objects(json)) named.emplace(digest, 0);
  return ok();
}

Status Survey::read_main() {
  if (main_.held == main_.source_size) return ok();
  const tlog::LogReader reader(sites_.source.objects, sites_.source.heads, main_.path);
  Sizes named;
  Status read = ok();
  GREFFE_TRY(reader.entries(main_.held, main_.source_size, [&](std::uint64_t, std::string_view text) {
    read = stop_.stop_requested() ? Status(fail(Errc::cancelled, "stopped on request")) : take_main(text, named);
    return read.has_value();
  }));
  GREFFE_TRY(read);
  return count_missing(main_.target, named);
}

// Of those in progress the newest entries may be in no main log yet.
Status Survey::add_begun() {
  return sites_.source.objects.list(kOpenMarkers, [&](const store::ObjectInfo& info) {
    const auto id = parse_hearing_id(std::string_view(info.key).substr(kOpenMarkers.size()));
    if (id) hearings_.insert(*id);
    return true;
  });
}

// How many of its first entries are there; nothing: something else is, `why`.
Result<std::optional<std::uint64_t>> Survey::held_there(const client::LogTarget& target, const tlog::LogReader& reader, const SignedCheckpoint& head,
                                                        std::string& why) {
  client::HeldCheckpoint held = GREFFE_TRY(sites_.target.checkpoint(target));
  if (held.note.empty()) return std::optional<std::uint64_t>(0);
  const SignedCheckpoint theirs = GREFFE_TRY(parse_signed_checkpoint(held.note));
  const Checkpoint& there = theirs.checkpoint;
  const Checkpoint& here = head.checkpoint;
  if (there.origin == here.origin && there.size <= here.size) {
    if (GREFFE_TRY(reader.root_at(there.size)) == there.root) return std::optional(there.size);
  } else if (there.origin == here.origin) {
    held = GREFFE_TRY(sites_.target.checkpoint_from(target, here.size));
    if (verify_consistency(here.size, there.size, here.root, there.root, held.consistency)) return std::optional(here.size);
  }
  why = fmt::format("the {} entries there and the {} here are not the same recording: it went on otherwise there", there.size, here.size);
  return std::optional<std::uint64_t>();
}

Status Survey::count_entries(const tlog::LogReader& reader, std::uint64_t first, std::uint64_t last, Sizes& named) {
  Status read = ok();
  const auto take = [&](std::string_view text) -> Status {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(text));
    const Json json = GREFFE_TRY(parse_canonical_json(text));
    if (const auto* gone = std::get_if<LostEntry>(&entry)) {
      for (const Digest& digest : gone->objects) named.erase(digest);
      return ok();
    }
    if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
      out_.recorded_ms += segment->duration_90k / 90;
      named[segment->sha256] = segment->bytes;
    }
    for (const Digest& digest : named_objects(json)) named.emplace(digest, 0);
    return ok();
  };
  GREFFE_TRY(reader.entries(first, last, [&](std::uint64_t, std::string_view text) {
    read = take(text);
    return read.has_value();
  }));
  return read;
}

Status Survey::count_missing(const client::LogTarget& target, const Sizes& named) {
  std::vector<Digest> asked;
  const auto ask = [&]() -> Status {
    const std::vector<Digest> missing = GREFFE_TRY(sites_.target.have(target, asked));
    for (const Digest& digest : missing) {
      const auto found = named.find(digest);
      if (found == named.end()) return fail(Errc::invalid, "the other site lacks objects that it was not asked about");
      ++out_.objects;
      out_.bytes += found->second;
    }
    asked.clear();
    return ok();
  };
  for (const auto& [digest, bytes] : named) {
    asked.push_back(digest);
    if (asked.size() == kHaveAtOnce) GREFFE_TRY(ask());
  }
  return asked.empty() ? ok() : ask();
}

Status Survey::look_at(const HearingId& id) {
  const tlog::LogReader reader(sites_.source.objects, sites_.source.heads, hearing_log_path(id));
  const auto head = reader.checkpoint();
  if (!head && head.error().code == Errc::not_found) return ok();  // the marker is there, the first entries are not
  if (!head) return head.error();
  const client::LogTarget target{id};
  std::string why;
  const std::optional<std::uint64_t> held = GREFFE_TRY(held_there(target, reader, *head, why));
  if (!held) {
    ++out_.apart_found;
    if (out_.apart.size() < WhatReturns::kMostNamed) out_.apart.push_back({id, why});
    return ok();
  }
  if (*held == head->checkpoint.size) return ok();
  ++out_.hearings;
  out_.hearing_entries += head->checkpoint.size - *held;
  Sizes named;
  GREFFE_TRY(count_entries(reader, *held, head->checkpoint.size, named));
  return count_missing(target, named);
}

Result<WhatReturns> Survey::run(const std::function<void()>& looked) {
  GREFFE_TRY(read_main());
  GREFFE_TRY(add_begun());
  for (const HearingId& id : hearings_) {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped on request");
    const Status done = look_at(id);
    if (!done) return done.error().within("hearing " + id.text());
    looked();
  }
  return std::move(out_);
}

}  // namespace

Result<WhatReturns> what_returns(const Sites& sites, const Step& main, const std::function<void()>& looked, const std::stop_token& stop) {
  return Survey(sites, main, stop).run(looked);
}

Json WhatReturns::json() const {
  Json kinds;
  for (const auto& [kind, count] : entries) kinds.set(kind, count);
  Json::Array key_list;
  for (const Key& one : keys) {
    Json key;
    key.set("action", one.action).set("name", one.name).set("role", one.role);
    key_list.push_back(std::move(key));
  }
  Json::Array apart_list;
  for (const Apart& one : apart) {
    Json hearing;
    hearing.set("hearing", one.hearing.text()).set("why", one.why);
    apart_list.push_back(std::move(hearing));
  }
  Json out;
  out.set("apart", std::move(apart_list)).set("apart_found", apart_found).set("bytes", bytes).set("entries", size - held).set("entries_by_kind", std::move(kinds));
  out.set("hearing_entries", hearing_entries).set("hearings", hearings).set("held", held).set("keys", std::move(key_list)).set("keys_found", keys_found);
  out.set("objects", objects).set("origin", origin).set("recorded_ms", recorded_ms).set("size", size);
  return out;
}

std::string WhatReturns::words() const {
  std::string kinds;
  for (const auto& [kind, count] : entries) kinds += fmt::format("{}{} {}", kinds.empty() ? ": " : ", ", count, kind);
  std::string out = fmt::format("{}: {} entries here, {} there; {} come back{}\n", origin, size, held, size - held, kinds);
  out += fmt::format("{} hearings with {} entries more than there, {:.1f} s of recording (all streams), {} objects, {} of sound and picture\n", hearings,
                     hearing_entries, static_cast<double>(recorded_ms) / 1000, objects, human_bytes(bytes));
  for (const Key& one : keys) {
    out += fmt::format("TO DECIDE: the {} {} was {} here; this is not said again by itself\n", one.role, one.name, one.action);
  }
  if (keys_found > keys.size()) out += fmt::format("and {} more keys\n", keys_found - keys.size());
  for (const Apart& one : apart) out += fmt::format("CANNOT COME BACK: hearing {}: {}\n", one.hearing.text(), one.why);
  if (apart_found > apart.size()) out += fmt::format("and {} more hearings\n", apart_found - apart.size());
  return out;
}

}  // namespace greffe::replicate
