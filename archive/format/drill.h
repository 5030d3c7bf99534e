// A rehearsal of the worst: what a second site found when it rebuilt the copy of an archive from its own disks alone, and read it: the report
// that the entry `drill` of that site's main log names. Pure. See docs/formats/main-log.md.
#ifndef GREFFE_ARCHIVE_FORMAT_DRILL_H
#define GREFFE_ARCHIVE_FORMAT_DRILL_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"

namespace greffe {

struct DrillFailure {
  std::string code;  // one of kDrillFailures
  std::string what;  // a sentence that names it; English
};
// "head": what the copy states as its newest state; "log": a tree, or who signed it; "catalogue": it cannot be made, or is not the one in
// use; "object": bytes that are not what their name says, or are gone; "decode": what was recorded does not play.
extern const std::vector<std::string_view> kDrillFailures;
constexpr std::size_t kDrillFailuresTold = 200;
constexpr std::size_t kDrillFailureBytes = 500;  // of a sentence

// How long each part took, in milliseconds.
struct DrillTimes {
  std::int64_t head = 0;       // newest state read, its signature checked
  std::int64_t catalogue = 0;  // made from nothing
  std::int64_t sample = 0;
  std::int64_t decode = 0;
  std::int64_t compare = 0;    // of the catalogue with the one in use
  std::int64_t log = 0;        // every tile and root of the main log derived again
  std::int64_t day = 0;
};

struct DrilledCatalogue {
  std::uint64_t entries = 0;   // of the main log
  std::uint64_t hearings = 0;
  bool equal = false;          // to the one in use
  Digest sum;                  // over all that it says
};
struct DrilledDay {            // all of it was read
  std::string date;            // UTC, "2026-11-22"
  std::uint64_t hearings = 0;  // that began on it
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};
struct DrilledSample {         // entries of hearings, drawn at random among all of them
  std::uint64_t entries = 0;
  std::uint64_t objects = 0;   // that they name
  std::uint64_t bytes = 0;
};
struct DrilledMedia {          // a stream at random, up to an hour of it
  HearingId hearing;
  std::string stream;
  std::uint64_t segments = 0;
  std::uint64_t frames = 0;
  std::int64_t media_ms = 0;
};

struct DrillReport {
  std::string archive;
  std::string site;      // the archive that holds the copy, by its name
  bool asked = false;    // by a person; else it was its time
  UtcTime began;
  UtcTime ended;
  std::uint64_t size = 0;
  Digest root;
  UtcTime newest;                // when the newest entry that is held was made
  std::optional<UtcTime> heard;  // when the archive was heard of last
  DrillTimes ms;
  std::optional<DrilledCatalogue> catalogue;  // none: it could not be made, and so there is nothing of what follows
  std::optional<DrilledDay> day;              // none: there are no hearings
  DrilledSample sample;
  std::optional<DrilledMedia> media;          // none: there are no recordings, or none could be decoded
  std::int64_t rpo_ms = 0;                    // what was made after the newest entry, at most, is not here
  std::optional<std::int64_t> rto_ms;         // from nothing but the disks to the first picture or sound
  std::int64_t level = 0;                     // drill_level
  std::uint64_t failure_count = 0;
  std::vector<DrillFailure> failures;         // at most kDrillFailuresTold of them

  // Counts it, once however often it is found (the sample and the day can meet the same object), and tells it as far as there is room: characters that steer a terminal are taken out, and it is cut.
  void fail(std::string_view code, std::string_view what);
};

// The level of GB/T 20988 whose times these keep, by the example table of its 2007 text: 5 for half an hour and two days, 4 for a day and two
// days, 2 for a week of what is lost; 0: none. Never 6, which wants that nothing is lost; never 3, which asks less than 4 and nothing else that is measured.
std::int64_t drill_level(std::int64_t rpo_ms, std::int64_t rto_ms);

// A document, with a fresh salt each time.
std::string write_drill_report(const DrillReport& report);
// invalid with the member, or over kMaxDocumentBytes.
Result<DrillReport> parse_drill_report(std::string_view document);

}  // namespace greffe

#endif
