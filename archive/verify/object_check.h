// Re-hashes objects, and checks media segments from the inside: hash boxes, times, sizes. Uses several threads
// ("gr-hash.N"); each object is read once and hashed once.
#ifndef GREFFE_ARCHIVE_VERIFY_OBJECT_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_OBJECT_CHECK_H

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/progress.h"
#include "archive/format/entries.h"
#include "archive/verify/files.h"
#include "archive/verify/report.h"

namespace greffe::verify {

struct ObjectJob {
  Digest digest;
  std::string log;      // "main" or "hearing"; empty: no entry names it
  std::string hearing;
  std::uint64_t entry = 0;  // the entry of that log that names it
  std::optional<SegmentEntry> segment;  // when it is a media segment
  bool may_be_absent = false;           // a logged entry declares it lost
};

// Where copies of an object stand, whether they exist or not: one path a volume, or one in an export.
using ObjectPaths = std::function<std::vector<std::string>(const ObjectJob& job)>;

class ObjectChecker {
 public:
  ObjectChecker(ObjectPaths paths, unsigned threads, Files& files, Report& report, Progress& progress);
  // Findings: `object-missing`, `object-altered`, `object-replaced`, `object-size`, `segment-boxes`, `segment-time`,
  // `unreadable`. Every copy is hashed. Returns how many of the objects that may be absent are.
  std::uint64_t check(const std::vector<ObjectJob>& jobs);

 private:
  enum class Copy { absent, good, bad };
  Copy check_copy(const ObjectJob& job, const std::string& path, Bytes& buffer);
  void check_layout(const ObjectJob& job, const std::string& path, ByteView bytes);
  void locate_damage(const ObjectJob& job, const std::string& path, ByteView bytes);
  void found(const ObjectJob& job, const std::string& path, Finding finding);

  const ObjectPaths paths_;
  const unsigned threads_;
  Files& files_;
  Report& report_;
  Progress& progress_;
};

}  // namespace greffe::verify

#endif
