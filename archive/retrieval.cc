#include "archive/retrieval.h"

#include <algorithm>
#include <functional>

#include "archive/format/documents.h"

namespace greffe::archive {
namespace {

constexpr std::int64_t kTicksPerMs = 90;

class TimelineReader {
 public:
  using ReadDocument = std::function<Result<Bytes>(const Digest&)>;
  explicit TimelineReader(ReadDocument read) : read_(std::move(read)) {}

  Status add(std::uint64_t index, std::string_view bytes) {
    const HearingEntry entry = GREFFE_TRY(parse_hearing_entry(bytes));
    if (const auto* open = std::get_if<OpenEntry>(&entry)) begin(*open);
    if (const auto* late = std::get_if<StreamEntry>(&entry)) out_.streams.push_back({late->stream, {}});
    if (const auto* segment = std::get_if<SegmentEntry>(&entry)) add_segment(index, *segment);
    if (const auto* gap = std::get_if<GapEntry>(&entry)) {
      out_.gaps.push_back({index, *gap, gap->note ? text_of(document_of(*gap->note)) : std::string(), {}});
      cover(gap->from, gap->to);
    }
    if (const auto* explanation = std::get_if<ExplanationEntry>(&entry)) add_explanation(index, *explanation);
    if (const auto* peaks = std::get_if<PeaksEntry>(&entry)) out_.peaks.push_back({index, *peaks});
    if (const auto* mark = std::get_if<MarkEntry>(&entry)) out_.marks.push_back({index, *mark});
    if (const auto* close = std::get_if<CloseEntry>(&entry)) {
      out_.closed = true;
      cover(out_.start, close->end);
    }
    out_.log_size = index + 1;
    accounting_.add(entry);
    return ok();
  }

  Timeline finish() && {
    out_.account = accounting_.account();
    return std::move(out_);
  }

 private:
  void begin(const OpenEntry& open) {
    out_.open = open;
    out_.start = open.start;
    out_.end = open.start;
    for (const ExpectedStream& stream : open.streams) out_.streams.push_back({stream, {}});
  }

  void cover(UtcTime from, UtcTime to) {
    out_.start = std::min(out_.start, from);
    out_.end = std::max(out_.end, to);
  }

  void add_segment(std::uint64_t index, const SegmentEntry& segment) {
    auto found = std::find_if(out_.streams.begin(), out_.streams.end(),
                              [&](const TimelineStream& s) { return s.stream.name == segment.stream; });
    if (found == out_.streams.end()) {
      const std::string medium = segment.codecs.starts_with("avc") || segment.codecs.starts_with("hvc") ? "video" : "audio";
      found = out_.streams.insert(found, TimelineStream{{segment.stream, medium, "room"}, {}});
    }
    found->segments.push_back({index, segment});
    cover(segment.utc, end_of(segment));
  }

  // One that explains no gap of this log is not shown; greffe-verify says so.
  void add_explanation(std::uint64_t index, const ExplanationEntry& entry) {
    for (TimelineGap& gap : out_.gaps) {
      if (gap.index != entry.gap) continue;
      std::string document = document_of(entry.note);
      std::string text = text_of(document);
      gap.explanations.push_back({index, entry, std::move(document), std::move(text)});
    }
  }

  std::string document_of(const Digest& digest) {
    const auto bytes = read_(digest);
    return bytes ? std::string(as_text(*bytes)) : std::string();
  }

  static std::string text_of(const std::string& document) {
    const auto text = parse_note(document);
    return text ? *text : std::string();
  }

  const ReadDocument read_;
  Timeline out_;
  TimeAccounting accounting_;
};

}  // namespace

UtcTime end_of(const SegmentEntry& segment) { return UtcTime{segment.utc.ms + segment.duration_90k / kTicksPerMs}; }

Retrieval::Retrieval(Stores stores, HearingLogs& hearings, Recall* recall) : stores_(stores), hearings_(hearings), recall_(recall) {}

// Only what is bad or nowhere: what cannot be read just now is here.
bool Retrieval::recalled(const HearingId& id, const Digest& digest, const Error& why) {
  if (recall_ == nullptr || (why.code != Errc::corrupt && why.code != Errc::not_found)) return false;
  return recall_->bring_back(id, digest).has_value();
}

Result<std::string> Retrieval::archive_of(const HearingId& id) {
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(hearings_.get(id));
  const std::lock_guard lock(hearing->mutex);
  if (!hearing->open) return fail(Errc::not_found, "nothing is held of this hearing");
  return hearing->open->archive;
}

Result<Bytes> Retrieval::document(const HearingId& id, const Digest& digest) {
  auto bytes = stores_.objects.read_object(digest);
  if (bytes || !recalled(id, digest, bytes.error())) return bytes;
  return stores_.objects.read_object(digest);
}

Result<std::shared_ptr<ReadableFile>> Retrieval::open(const HearingId& id, const Digest& digest) {
  GREFFE_TRY(names(id, digest));
  auto file = stores_.objects.open_object(digest);
  if (file || !recalled(id, digest, file.error())) return file;
  return stores_.objects.open_object(digest);
}

Status Retrieval::names(const HearingId& id, const Digest& digest) {
  const std::shared_ptr<HearingState> hearing = GREFFE_TRY(hearings_.get(id));
  const std::lock_guard lock(hearing->mutex);
  return hearing->named.contains(digest) ? ok() : Status(fail(Errc::not_found, "this hearing names no such object"));
}

Result<std::shared_ptr<ReadableFile>> Retrieval::open_here(const HearingId& id, const Digest& digest) {
  GREFFE_TRY(names(id, digest));
  return stores_.objects.open_object(digest);
}

Result<Timeline> Retrieval::timeline(const HearingId& id) {
  const tlog::LogReader reader = hearings_.reader(id);
  const auto head = reader.checkpoint();
  if (!head) return head.error();
  TimelineReader timeline([&](const Digest& digest) { return document(id, digest); });
  Status added = ok();
  GREFFE_TRY(reader.entries(0, head->checkpoint.size, [&](std::uint64_t index, std::string_view bytes) {
    added = timeline.add(index, bytes);
    return bool(added);
  }));
  GREFFE_TRY(std::move(added));
  return std::move(timeline).finish();
}

}  // namespace greffe::archive
