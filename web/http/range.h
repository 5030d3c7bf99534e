// Range, If-Range, If-None-Match (RFC 9110 sections 13 and 14). Pure.
#ifndef GREFFE_WEB_HTTP_RANGE_H
#define GREFFE_WEB_HTTP_RANGE_H

#include <cstdint>
#include <string_view>

namespace greffe::http {

enum class RangeKind {
  whole,          // no range, or one that a server may ignore: another unit, several ranges, not well formed
  part,           // `first` and `size` are within the file; size > 0
  unsatisfiable,  // 416
};
struct ByteRange {
  RangeKind kind = RangeKind::whole;
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};

// The value of a Range header, against a file of `file_size` bytes.
ByteRange parse_range(std::string_view header, std::uint64_t file_size);

// Does the value of If-None-Match name this entity tag ("…" with its quotes) or "*"? Weak comparison.
bool names_etag(std::string_view if_none_match, std::string_view etag);

// May a range be answered under this value of If-Range? Only the same strong tag counts; a date never does, since
// these files have none.
bool if_range_holds(std::string_view if_range, std::string_view etag);

}  // namespace greffe::http

#endif
