// What the verifier found: findings with their places, and the verdict that follows from them. Thread-safe.
#ifndef GREFFE_ARCHIVE_VERIFY_REPORT_H
#define GREFFE_ARCHIVE_VERIFY_REPORT_H

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/time_account.h"

namespace greffe::verify {

// In rising order: the verdict of a whole is the highest of its parts.
enum class Verdict { verified, verified_with_declared_gaps, incomplete, unknown_format, unreadable, tampered };
std::string_view name_of(Verdict verdict);  // "VERIFIED", …: never change, programs compare them

// Something that keeps the whole from being VERIFIED, and where it is. Members that do not apply are empty.
struct Finding {
  Verdict verdict = Verdict::tampered;
  std::string code;     // a stable word for programs; docs/formats/verdicts.md lists them
  std::string what;     // a sentence for people
  std::string hearing;  // UUID
  std::string stream;
  std::string log;      // "main" or "hearing": the log that `entry` counts in
  std::optional<std::uint64_t> entry;
  std::optional<std::uint64_t> entry_end;  // when only a range is known: entries [entry, entry_end)
  std::string object;   // 64 hexadecimal digits
  std::string file;
  std::optional<std::uint64_t> offset;  // in the object or file: what is before it is good
  std::optional<UtcTime> from;  // wall clock of the recording
  std::optional<UtcTime> to;
};

struct FiledExplanation {  // of a gap, by an entry after it; it excuses nothing
  Digest note;
  std::string person;
  std::string reason;
};

struct DeclaredGap {
  std::uint64_t entry = 0;
  std::vector<std::string> streams;
  UtcTime from;
  UtcTime to;
  std::string reason;
  std::string person;
  std::optional<Digest> note;
  std::vector<FiledExplanation> explanations;
};

struct HearingSummary {
  std::string hearing;
  std::string court;
  std::string room;
  std::string station;
  std::optional<UtcTime> start;
  std::optional<UtcTime> end;  // of a finished hearing
  std::vector<std::string> streams;
  std::uint64_t entries = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;     // of its objects, each counted once
  std::uint64_t lost = 0;      // objects that a logged entry declares lost
  std::vector<DeclaredGap> gaps;
  std::optional<TimeAccount> account;  // of a log of which every entry is there
  std::vector<std::string> cosigned_by;
};

struct LogSummary {
  std::string origin;
  std::uint64_t size = 0;
  std::string root;
  std::vector<std::pair<std::string, UtcTime>> cosigned;  // newest first of each cosigner
  std::uint64_t covered = 0;  // entries that the policy's quorum has cosigned
};

class Report {
 public:
  void add(Finding finding);
  void note(std::string text);  // worth knowing, changes no verdict
  void add(HearingSummary hearing);
  void add(LogSummary log);
  void add_lost_documents(std::uint64_t count);  // that only the main log names, absent and declared lost
  void set_paths(std::string kind, std::vector<std::string> paths);

  Verdict verdict() const;
  std::vector<Finding> findings() const;
  std::vector<HearingSummary> hearings() const;
  std::string words() const;
  Json json() const;

  // Counters; any thread.
  std::atomic<std::uint64_t> objects{0};  // different objects
  std::atomic<std::uint64_t> copies{0};   // files hashed
  std::atomic<std::uint64_t> bytes{0};    // hashed
  std::atomic<std::uint64_t> entries{0};

 private:
  mutable std::mutex mutex_;  // guards all below
  std::string kind_;
  std::vector<std::string> paths_;
  std::vector<Finding> findings_;
  std::uint64_t unlisted_findings_ = 0;  // beyond the limit of what is kept
  Verdict worst_ = Verdict::verified;
  std::vector<std::string> notes_;
  std::vector<HearingSummary> hearings_;
  std::vector<LogSummary> logs_;
};

}  // namespace greffe::verify

#endif
