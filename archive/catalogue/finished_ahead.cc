#include "archive/catalogue/finished_ahead.h"

#include <algorithm>

#include "archive/base/log.h"
#include "archive/format/finished_hearing.h"

namespace greffe::catalogue {

namespace {

constexpr std::size_t kReadAhead = 512;  // hearings
constexpr std::string_view kHearing = "\"hearing\":\"";
constexpr std::size_t kIdCharacters = 36;

// The hearing that a checkpoint entry is about, without reading the whole of it.
std::optional<HearingId> hearing_of(std::string_view entry) {
  if (entry.find("\"kind\":\"hearing-checkpoint\"") == std::string_view::npos) return std::nullopt;
  const std::size_t at = entry.find(kHearing);
  if (at == std::string_view::npos) return std::nullopt;
  const auto id = parse_hearing_id(entry.substr(at + kHearing.size(), kIdCharacters));
  return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<FinishedAhead>> FinishedAhead::read(const Sources& sources, const tlog::LogChain& main_log, std::uint64_t first,
                                                           std::uint64_t last) {
  std::unique_ptr<FinishedAhead> out(new FinishedAhead(sources));
  std::map<HearingId, std::uint64_t> seen;
  GREFFE_TRY(main_log.entries(first, last, [&](std::uint64_t index, std::string_view entry) {
    out->note(index, entry, seen);
    return true;
  }));
  for (auto& one : out->finished_) {
    one.second.seen_first = seen[one.first];
    out->order_.push_back(&one);
  }
  std::sort(out->order_.begin(), out->order_.end(), [](const auto* a, const auto* b) { return a->second.seen_first < b->second.seen_first; });
  for (std::size_t place = 0; place < out->order_.size(); ++place) out->order_[place]->second.place = place;
  if (sources.finished && !out->order_.empty()) {
    out->reader_ = std::jthread([ahead = out.get()](const std::stop_token& stop) { ahead->run(stop); });
  }
  return out;
}

FinishedAhead::~FinishedAhead() = default;

// An entry that is not as it should be finishes nothing: its hearing is read whole, and the applier says what is wrong.
void FinishedAhead::note(std::uint64_t index, std::string_view entry, std::map<HearingId, std::uint64_t>& seen) {
  const std::optional<HearingId> id = hearing_of(entry);
  if (!id) return;
  seen.emplace(*id, index);
  if (!entry.starts_with("{\"beside\":")) return;  // canonical: it is the first member
  const auto parsed = parse_main_entry(entry);
  const auto* checkpoint = parsed ? std::get_if<HearingCheckpointEntry>(&*parsed) : nullptr;
  if (checkpoint == nullptr || !checkpoint->closed || checkpoint->hearing != *id) return;
  const auto note = parse_signed_checkpoint(checkpoint->note);
  if (!note || checkpoint->beside.back() + 1 != note->checkpoint.size) return;  // `close` is the last entry
  Finished one;
  one.end = note->checkpoint;
  one.beside = checkpoint->beside;
  finished_.emplace(*id, std::move(one));
}

void FinishedAhead::run(const std::stop_token& stop) {
  name_thread("gr-rebuild");
  for (std::size_t place = 0; place < order_.size(); ++place) {
    {
      std::unique_lock lock(mutex_);
      const bool due = changed_.wait(lock, stop, [&] { return place < asked_ + kReadAhead; });
      if (!due || stop.stop_requested()) return;
    }
    auto& [id, finished] = *order_[place];
    auto read = sources_.finished(id, finished.end, finished.beside);
    const std::lock_guard lock(mutex_);
    if (read && read->size() == finished.beside.size()) finished.entries = *std::move(read);
    finished.read = true;
    changed_.notify_all();
  }
}

void FinishedAhead::await(Finished& finished) {
  if (!reader_.joinable()) return;
  std::unique_lock lock(mutex_);
  if (finished.place > asked_) {
    asked_ = finished.place;
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return finished.read; });
}

bool FinishedAhead::knows(const HearingId& id, std::uint64_t size) const {
  const auto found = finished_.find(id);
  return found != finished_.end() && size <= found->second.end.size;
}

Status FinishedAhead::entries(const HearingId& id, std::uint64_t first, std::uint64_t last,
                              const std::function<bool(std::uint64_t, std::string_view)>& visit) {
  Finished& finished = finished_.at(id);
  const auto begin = std::lower_bound(finished.beside.begin(), finished.beside.end(), first);
  const auto end = std::lower_bound(begin, finished.beside.end(), last);
  if (begin == end) return ok();
  await(finished);
  if (finished.entries.empty()) {
    return sources_.hearing(id, first, last, [&](std::uint64_t index, std::string_view entry) {
      return !std::binary_search(begin, end, index) || visit(index, entry);
    });
  }
  for (auto at = begin; at != end; ++at) {
    if (!visit(*at, finished.entries[static_cast<std::size_t>(at - finished.beside.begin())])) return ok();
  }
  if (end == finished.beside.end()) std::vector<std::string>().swap(finished.entries);  // nothing more comes of this hearing
  return ok();
}

}  // namespace greffe::catalogue
