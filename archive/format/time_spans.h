// Sets of stretches of time on one axis, in milliseconds. Pure.
#ifndef GREFFE_ARCHIVE_FORMAT_TIME_SPANS_H
#define GREFFE_ARCHIVE_FORMAT_TIME_SPANS_H

#include <cstdint>
#include <vector>

namespace greffe {

struct TimeSpan {  // [from, to)
  std::int64_t from = 0;
  std::int64_t to = 0;
  bool operator==(const TimeSpan&) const = default;
};
using TimeSpans = std::vector<TimeSpan>;

// Sorted, disjoint, none of them empty or next to another: what the functions below take and give. What stands twice
// counts once; a span that ends before it begins is nothing.
TimeSpans united(TimeSpans spans);
TimeSpans united(TimeSpans spans, const TimeSpans& more);
TimeSpans without(const TimeSpans& spans, const TimeSpans& taken);
TimeSpans within(const TimeSpans& spans, const TimeSpans& bounds);
std::int64_t length_ms(const TimeSpans& spans);

}  // namespace greffe

#endif
