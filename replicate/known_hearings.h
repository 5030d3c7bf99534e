// What this process learned about hearings at the target, of the last so many: only saves questions. One thread.
#ifndef GREFFE_REPLICATE_KNOWN_HEARINGS_H
#define GREFFE_REPLICATE_KNOWN_HEARINGS_H

#include <deque>
#include <map>
#include <optional>

#include "archive/format/names.h"
#include "replicate/media_class.h"

namespace greffe::replicate {

struct KnownHearing {
  std::optional<std::uint64_t> held;  // that the target confirmed; a hearing there never shrinks
  std::optional<Digest> settled;      // of the head here when it was held there and the archive had the confirmation
  bool finished = false;              // that head was its last one, and nothing had to be done
  std::optional<Digest> parted;       // of the head here when its picture or sound had to wait for the line
  MediaClass parted_for = MediaClass::picture;  // which of them
};

class KnownHearings {
 public:
  static constexpr std::size_t kMost = 65'536;

  KnownHearing* find(const HearingId& id) {
    const auto found = hearings_.find(id);
    return found == hearings_.end() ? nullptr : &found->second;
  }
  // Makes room by forgetting the one that came first.
  KnownHearing& at(const HearingId& id) {
    const auto [found, made] = hearings_.try_emplace(id);
    if (!made) return found->second;
    order_.push_back(id);
    if (order_.size() > kMost) {
      hearings_.erase(order_.front());
      order_.pop_front();
    }
    return found->second;
  }
  std::size_t size() const { return hearings_.size(); }

 private:
  std::map<HearingId, KnownHearing> hearings_;
  std::deque<HearingId> order_;
};

}  // namespace greffe::replicate

#endif
