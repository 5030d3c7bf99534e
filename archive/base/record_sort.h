// Sorts more fixed-width records than memory holds, in temporary files: by their first byte into 256 parts, each of which is
// sorted when it is taken. The first bytes must be spread evenly, as those of digests are. One thread.
#ifndef GREFFE_ARCHIVE_BASE_RECORD_SORT_H
#define GREFFE_ARCHIVE_BASE_RECORD_SORT_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "archive/base/file_system.h"

namespace greffe {

// The parts as bytes; without the width of a record.
class RecordParts {
 public:
  static constexpr unsigned kParts = 256;
  // Files "<path>.00" to "<path>.ff", which nobody else has; removed when they are taken, and by the destructor. They are never
  // synced: after a crash they are worth nothing, and whoever begins again removes what lies there.
  RecordParts(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~RecordParts();
  RecordParts(const RecordParts&) = delete;
  RecordParts& operator=(const RecordParts&) = delete;

  Status add(ByteView record);  // no_space, io_error: the sort is over
  // Fills `out`, which is as long as size(part); the part is empty afterwards.
  Status take(unsigned part, std::span<std::uint8_t> out);
  std::uint64_t size(unsigned part) const { return parts_[part].written + parts_[part].waiting.size(); }

 private:
  struct Part {
    Bytes waiting;
    std::uint64_t written = 0;  // bytes in its file
  };
  std::string file_of(unsigned part) const;
  Status write(unsigned part);

  FileSystem& files_;
  const std::string path_;
  std::array<Part, kParts> parts_;
};

template <std::size_t kWidth>
class RecordSort {
 public:
  using Record = std::array<std::uint8_t, kWidth>;
  static constexpr unsigned kParts = RecordParts::kParts;

  RecordSort(FileSystem& files, std::string path) : parts_(files, std::move(path)) {}
  Status add(const Record& record) {
    ++count_;
    return parts_.add(record);
  }
  std::uint64_t count() const { return count_; }  // that were added
  // Those whose first byte is `part`, sorted, each once. Once for each part.
  Result<std::vector<Record>> take(unsigned part) {
    static_assert(sizeof(Record) == kWidth);
    std::vector<Record> out(static_cast<std::size_t>(parts_.size(part) / kWidth));
    GREFFE_TRY(parts_.take(part, {out.empty() ? nullptr : out.front().data(), out.size() * kWidth}));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

 private:
  RecordParts parts_;
  std::uint64_t count_ = 0;
};

}  // namespace greffe

#endif
