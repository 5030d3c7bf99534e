// What the replicator itself saw of a copy that nobody answers for: how much of it was read back, when, and what was not as it should
// be. It lies with the copy, in "log/copy/grade". No cosignature, and never taken for one. See docs/formats/passive-copy.md. Values.
#ifndef GREFFE_REPLICATE_COPY_GRADE_H
#define GREFFE_REPLICATE_COPY_GRADE_H

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe::replicate {

inline constexpr std::string_view kCopyGradeKey = "log/copy/grade";

// Objects that were looked for, and those of them that were read whole and hashed to their name.
struct Looks {
  std::uint64_t objects = 0;
  std::uint64_t read = 0;
  std::uint64_t bytes = 0;  // read
};

// A walk over everything that the copied main log commits to.
struct Round {
  UtcTime began;
  std::optional<UtcTime> ended;
  std::uint64_t next = 0;  // main-log entry that it goes on with
  std::uint64_t size = 0;  // main-log entries in all
  Looks looks;
  std::uint64_t bad = 0;   // objects and logs that it found missing or damaged; also those that were mended since
};

// Named by an entry that the copy has; not there, or not what its name says. A hole of the copy until it is mended.
struct BadObject {
  Digest object;
  std::optional<HearingId> hearing;  // none: the main log names it
  bool is_missing = false;           // else its bytes are others, or cannot be read
  UtcTime since;
};

struct CopyGrade {
  static constexpr std::size_t kMostBad = 200;  // more are not looked for before some of these are mended

  UtcTime utc;                   // of these words
  std::uint64_t generation = 0;  // grows each time they are written
  Looks written;                 // copied, and of these read back whole at once
  std::optional<Round> going;
  std::optional<Round> last;     // the newest that came to its end
  std::vector<BadObject> bad;    // at most kMostBad

  Json json() const;             // for people's programs; what is stored has the same members
  std::string words() const;     // a sentence or two, each a line
};

std::string write_copy_grade(const CopyGrade& grade);
Result<CopyGrade> parse_copy_grade(std::string_view text);  // invalid with the reason: anything but what write_copy_grade gives

}  // namespace greffe::replicate

#endif
