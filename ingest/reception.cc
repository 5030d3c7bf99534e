#include "ingest/reception.h"

#include <fmt/format.h>

namespace greffe::ingest {

// A reader that lies spoils only the recording that it reads, and only until it is found out.
Error Reception::lie(std::string_view what) const {
  return fail(Errc::corrupt, fmt::format("{}: its reader was not honest: {}. What it reads may be built to attack; nothing of it was logged "
                                         "from here on", source_, what));
}

Status Reception::need(const SegmentStart& start) {
  if (wanted_ || writing_ || skipping_) return lie("it wants a file before it has finished the last one");
  wanted_ = start;
  return ok();
}

Status Reception::give_file(HearingSpool& spool, const OpenSegmentName& name) {
  asked_ = *wanted_;
  wanted_.reset();
  writing_ = GREFFE_TRY(spool.begin_segment(name));
  return worker_.give_file(writing_->file->descriptor());
}

Status Reception::give_nothing() {
  asked_ = *wanted_;
  wanted_.reset();
  skipping_ = true;
  return worker_.give_file(-1);
}

// The only hash of what was recorded, made here and not by who has parsed foreign bytes.
Status Reception::seal(const FragmentWritten& fragment, HearingSpool& spool) {
  if (!writing_) return lie("it ends a fragment of no file");
  const auto digest = spool.seal_fragment(*writing_, fragment.bytes);
  if (digest) return worker_.give_seal(*digest);
  return digest.error().code == Errc::invalid ? distrust(lie(digest.error().message), spool) : Status(digest.error());
}

Status Reception::distrust(Error why, HearingSpool& spool) {
  if (writing_) GREFFE_TRY(spool.distrust_segment(std::move(*writing_)));
  writing_.reset();
  return why;
}

// The file is what the entry will say, or nothing is logged. A segment that is computed only is compared with the log.
Status Reception::check(const FinishedSegment& segment, HearingSpool& spool) {
  if (!skipping_ && !writing_) return lie("it reports a segment that nobody asked for");
  if (segment.start != asked_) return lie("it reports a segment that begins elsewhere than the one it asked for");
  const Status follows = check_.follows(segment);
  if (!follows) return lie(follows.error().message);
  if (skipping_) return ok();
  const auto sealed = spool.end_segment(*writing_);
  if (!sealed && sealed.error().code != Errc::invalid) return sealed.error();
  const Status matches = sealed ? check_.matches(writing_->scan, *sealed, segment) : Status(sealed.error());
  return matches ? ok() : Status(lie(matches.error().message));
}

Result<std::optional<OpenSegment>> Reception::finish(const FinishedSegment& segment, HearingSpool& spool) {
  const Status checked = check(segment, spool);
  if (!checked && checked.error().code == Errc::corrupt) {
    const Status why = distrust(checked.error(), spool);
    return why.error();
  }
  if (!checked) return checked.error();
  skipping_ = false;
  return std::exchange(writing_, std::nullopt);
}

std::optional<OpenSegment> Reception::take_unfinished() { return std::exchange(writing_, std::nullopt); }

}  // namespace greffe::ingest
