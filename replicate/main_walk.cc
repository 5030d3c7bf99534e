#include "replicate/main_walk.h"

#include <algorithm>

#include "archive/format/entries.h"

namespace greffe::replicate {

Status MainWalk::begin(bool again) {
  main_ = GREFFE_TRY(copier_.open_main());
  whole_ = again || !blocked_ || first_ < main_.held || first_ > main_.source_size;
  if (whole_) {
    blocked_ = false;
    first_ = main_.held;
  }
  end_.reset();
  given_next_.clear();
  return ok();
}

Result<bool> MainWalk::open_step() {
  if (end_) return true;
  if (first_ >= main_.source_size && !blocked_ && !is_newest()) GREFFE_TRY(begin(true));
  if (first_ >= main_.source_size) return false;
  end_ = GREFFE_TRY(copier_.next_main_end(main_, first_));
  read_ = first_;
  return true;
}

Status MainWalk::visit(std::uint64_t first, std::uint64_t last, const std::function<bool(const Commitment&)>& visitor) const {
  const tlog::LogReader reader(source_.objects, source_.heads, main_.path);
  Status read = ok();
  const auto take = [&](std::string_view text) -> Result<bool> {
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    const auto* commit = std::get_if<HearingCheckpointEntry>(&entry);
    if (commit == nullptr) return true;
    const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(commit->note));
    return visitor({commit->hearing, stated.checkpoint.size});
  };
  GREFFE_TRY(reader.entries(first, last, [&](std::uint64_t, std::string_view text) {
    const Result<bool> more = take(text);
    if (!more) read = more.error();
    return more && *more;
  }));
  return read;
}

Result<std::optional<Commitment>> MainWalk::next() {
  while (given_next_.empty() && read_ < end_->size) {
    // To the end of the bundle, so that none is read twice.
    const std::uint64_t last = std::min((read_ / kTileWidth + 1) * kTileWidth, end_->size);
    GREFFE_TRY(visit(read_, last, [&](const Commitment& one) {
      given_next_.push_back(one);
      return true;
    }));
    read_ = last;
  }
  if (given_next_.empty()) return std::optional<Commitment>();
  const Commitment out = given_next_.front();
  given_next_.pop_front();
  return std::optional(out);
}

Step MainWalk::step() const {
  Step out;
  out.target = main_.target;
  out.origin = main_.origin;
  out.path = main_.path;
  out.first_number = main_.first_number;
  out.source_size = main_.source_size;
  out.held = first_;
  out.size = end_->size;
  out.note = end_->note;
  return out;
}

// What an old epoch has behind its pin has no number.
std::uint64_t MainWalk::held() const {
  std::uint64_t out = main_.first_number + main_.held;
  for (const tlog::LogChain::Link& link : source_.main.links()) {
    if (link.first > main_.first_number) out = std::min(out, link.first);
  }
  return out;
}

void MainWalk::held(const Step& committed) {
  main_.held = committed.held;
  main_.held_note = committed.held_note;
  first_ = committed.held;
  end_.reset();
}

void MainWalk::blocked() {
  blocked_ = true;
  first_ = end_->size;
  end_.reset();
}

}  // namespace greffe::replicate
