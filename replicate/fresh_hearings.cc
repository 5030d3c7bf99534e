#include "replicate/fresh_hearings.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "archive/format/entries.h"
#include "archive/format/signed_note.h"

namespace greffe::replicate {
namespace {

// The markers of the pool: hearings that are begun and not finished. The newest ones, oldest first.
Result<std::deque<HearingId>> hearings_in_progress(store::ObjectStore& objects) {
  std::deque<HearingId> out;
  GREFFE_TRY(objects.list("log/open/", [&](const store::ObjectInfo& info) {
    const auto id = parse_hearing_id(std::string_view(info.key).substr(info.key.find_last_of('/') + 1));
    if (id) out.push_back(*id);  // sorted by name, which begins with the time
    if (out.size() > FreshHearings::kMostOpen) out.pop_front();
    return true;
  }));
  return out;
}

// Of the entry with which a hearing is finished. Entries are canonical JSON, in which no string holds these quotes: thousands are looked at.
std::optional<HearingId> finished_by(std::string_view entry) {
  constexpr std::string_view kHearing = "\"hearing\":\"";
  constexpr std::size_t kIdLength = 36;
  const std::size_t at = entry.find(kHearing);
  if (at == std::string_view::npos || entry.find("\"closed\":true") == std::string_view::npos) return {};
  const auto id = parse_hearing_id(entry.substr(at + kHearing.size(), kIdLength));
  return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

Result<std::vector<FreshHearing>> FreshHearings::look() {
  const std::deque<HearingId> open = GREFFE_TRY(hearings_in_progress(source_.objects));
  const std::uint64_t size = GREFFE_TRY(source_.main.size());
  if (!began_) {
    began_ = true;
    owed_ = size > kLookBackEntries ? size - kLookBackEntries : 0;
    owed_end_ = size;
  }
  std::deque<HearingId> newest;
  std::map<HearingId, NewestCommitment> committed;
  const std::uint64_t from = std::max(std::min(seen_, size), size > kNewestEntries ? size - kNewestEntries : 0);
  GREFFE_TRY(source_.main.entries(from, size, [&](std::uint64_t number, std::string_view text) {
    const auto entry = parse_main_entry(text);
    const auto* commit = entry ? std::get_if<HearingCheckpointEntry>(&*entry) : nullptr;
    if (commit == nullptr) return true;
    newest.push_back(commit->hearing);
    const auto stated = parse_signed_checkpoint(commit->note);
    if (stated) committed[commit->hearing] = {number, stated->checkpoint.size, commit->closed};
    return true;
  }));
  seen_ = size;
  std::vector<FreshHearing> out;
  std::set<HearingId> seen;
  for (const std::deque<HearingId>* list : std::initializer_list<const std::deque<HearingId>*>{&open, &newest}) {
    for (auto id = list->rbegin(); id != list->rend(); ++id) {
      if (!seen.insert(*id).second) continue;
      const auto found = committed.find(*id);
      out.push_back({*id, found == committed.end() ? std::nullopt : std::optional(found->second)});
    }
  }
  return out;
}

Result<std::vector<HearingId>> FreshHearings::look_back() {
  std::vector<HearingId> out;
  std::set<HearingId> seen;
  while (out.empty() && owed_ < owed_end_) {
    given_to_ = std::min(owed_ + kLookBackStep, owed_end_);
    GREFFE_TRY(source_.main.entries(owed_, given_to_, [&](std::uint64_t, std::string_view text) {
      const auto id = finished_by(text);
      if (id && seen.insert(*id).second) out.push_back(*id);
      return true;
    }));
    if (out.empty()) owed_ = given_to_;
  }
  return out;
}

void FreshHearings::looked_back() { owed_ = std::max(owed_, given_to_); }

void FreshHearings::owe(std::uint64_t from_entry) {
  owed_ = owed_ < owed_end_ ? std::min(owed_, from_entry) : from_entry;
  owed_end_ = std::max(owed_end_, seen_);
  given_to_ = 0;  // what was given last is not done with
}

}  // namespace greffe::replicate
