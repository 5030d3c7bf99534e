// What the reading process says to the importing one: messages of a process that foreign media may have taken over.
#include <cstdint>

#include "archive/base/result.h"
#include "ingest/media_worker.h"
#include "ingest/segment_check.h"

namespace {

using namespace greffe::ingest;

void check_segment(const SegmentCut& cut) {
  const greffe::Json said = write_segment_message(cut.segment);
  const auto again = parse_news(said);
  GREFFE_CHECK(again && std::holds_alternative<SegmentCut>(*again));
  GREFFE_CHECK(std::get<SegmentCut>(*again).segment.sha256 == cut.segment.sha256);
  // Any order of segments may be said; none may do more than be refused.
  SegmentCheck check(true, false);
  (void)check.follows(cut.segment);
  FinishedSegment next = cut.segment;
  next.start_90k += next.duration_90k;
  (void)check.follows(next);
  (void)check.matches(greffe::SegmentScan(), next.sha256, next);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto json = greffe::parse_json(text);
  if (!json) return 0;
  if (const auto facts = parse_facts(*json)) {
    const auto again = parse_facts(write_facts(*facts));
    GREFFE_CHECK(again && again->medium == facts->medium && again->first_us == facts->first_us);
  }
  if (const auto decoded = parse_decoded(*json)) {
    const auto again = parse_decoded(write_decoded(*decoded));
    GREFFE_CHECK(again && again->frames == decoded->frames && again->problem() == decoded->problem());
  }
  const auto news = parse_news(*json);
  if (!news) return 0;
  if (const auto* cut = std::get_if<SegmentCut>(&*news)) check_segment(*cut);
  if (const auto* peaks = std::get_if<PeaksMeasured>(&*news)) {
    GREFFE_CHECK(!peaks->peaks.levels.empty() && peaks->peaks.levels.size() <= kPeaksPerObject);
  }
  return 0;
}
