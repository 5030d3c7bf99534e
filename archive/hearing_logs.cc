#include "archive/hearing_logs.h"

namespace greffe::archive {

tlog::LogReader HearingLogs::reader(const HearingId& id) const {
  return {stores_.objects, stores_.heads, hearing_log_path(id)};
}

Result<std::shared_ptr<HearingState>> HearingLogs::load(const HearingId& id) const {
  tlog::LogWriter writer =
      GREFFE_TRY(tlog::LogWriter::open(stores_.objects, stores_.heads, stores_.stages, hearing_log_path(id)));
  auto state = std::make_shared<HearingState>(std::move(writer));
  Status parsed = ok();
  const auto visit = [&](std::uint64_t index, std::string_view bytes) {
    const auto entry = parse_hearing_entry(bytes);
    const auto json = parse_json(bytes);
    if (!entry || !json) {
      parsed = entry ? json.error() : entry.error();
      return false;
    }
    if (const auto* open = std::get_if<OpenEntry>(&*entry)) state->open = *open;
    if (std::holds_alternative<CloseEntry>(*entry)) state->closed = true;
    state->finished.take(index, *entry);
    for (const Digest& digest : named_objects(*json)) state->named.insert(digest);
    return true;
  };
  if (state->writer.size() > 0) GREFFE_TRY(reader(id).entries(0, state->writer.size(), visit));
  GREFFE_TRY(std::move(parsed));
  return state;
}

Result<std::shared_ptr<HearingState>> HearingLogs::get(const HearingId& id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = kept_.find(id); found != kept_.end()) {
    Recent& where = recent(found->second.finished);
    where.splice(where.begin(), where, found->second.place);
    return found->second.state;
  }
  std::shared_ptr<HearingState> state = GREFFE_TRY(load(id));
  Recent& where = recent(state->closed);
  where.push_front(id);
  kept_.emplace(id, Kept{state, state->closed, where.begin()});
  forget_idle(going_on_, limits_.going_on);
  forget_idle(finished_, limits_.finished);
  return state;
}

// Only idle ones go: whoever holds the pointer still relies on being the only writer.
void HearingLogs::forget_idle(Recent& recent, std::size_t limit) {
  for (auto last = recent.end(); recent.size() > limit && last != recent.begin();) {
    --last;
    const auto candidate = kept_.find(*last);
    if (candidate->second.state.use_count() > 1) continue;
    kept_.erase(candidate);
    last = recent.erase(last);
  }
}

void HearingLogs::forget(const HearingId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(id);
  if (found == kept_.end()) return;
  recent(found->second.finished).erase(found->second.place);
  kept_.erase(found);
}

Result<std::vector<HearingId>> HearingLogs::begun() const {
  std::vector<HearingId> ids;
  GREFFE_TRY(stores_.objects.list("log/open/", [&](const store::ObjectInfo& info) {
    const auto id = parse_hearing_id(info.key.substr(info.key.find_last_of('/') + 1));
    if (id) ids.push_back(*id);
    return true;
  }));
  return ids;
}

Status HearingLogs::mark_begun(const HearingId& id) {
  return stores_.objects.put(open_marker_path(id), as_bytes(id.text() + "\n"));
}

Status HearingLogs::mark_finished(const HearingId& id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(id);
    if (found != kept_.end() && !found->second.finished) {
      finished_.splice(finished_.begin(), going_on_, found->second.place);
      found->second.finished = true;
      forget_idle(finished_, limits_.finished);
    }
  }
  return stores_.stages.remove_stage(open_marker_path(id));
}

}  // namespace greffe::archive
