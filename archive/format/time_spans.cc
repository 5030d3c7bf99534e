#include "archive/format/time_spans.h"

#include <algorithm>

namespace greffe {

TimeSpans united(TimeSpans spans) {
  std::erase_if(spans, [](const TimeSpan& s) { return s.to <= s.from; });
  std::sort(spans.begin(), spans.end(), [](const TimeSpan& a, const TimeSpan& b) { return a.from < b.from; });
  TimeSpans out;
  for (const TimeSpan& s : spans) {
    if (!out.empty() && s.from <= out.back().to) {
      out.back().to = std::max(out.back().to, s.to);
    } else {
      out.push_back(s);
    }
  }
  return out;
}

TimeSpans united(TimeSpans spans, const TimeSpans& more) {
  spans.insert(spans.end(), more.begin(), more.end());
  return united(std::move(spans));
}

TimeSpans without(const TimeSpans& spans, const TimeSpans& taken) {
  TimeSpans out;
  auto next = taken.begin();
  for (TimeSpan s : spans) {
    while (next != taken.end() && next->to <= s.from) ++next;
    for (auto t = next; t != taken.end() && t->from < s.to; ++t) {
      if (t->from > s.from) out.push_back({s.from, t->from});
      s.from = std::max(s.from, t->to);
    }
    if (s.from < s.to) out.push_back(s);
  }
  return out;
}

TimeSpans within(const TimeSpans& spans, const TimeSpans& bounds) { return without(spans, without(spans, bounds)); }

std::int64_t length_ms(const TimeSpans& spans) {
  std::int64_t out = 0;
  for (const TimeSpan& s : spans) out += s.to - s.from;
  return out;
}

}  // namespace greffe
