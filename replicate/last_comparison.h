// When two sites were last compared, and what came of it: "<state>/compared/<target>/comparison.json". Nobody may call a site in sync for any other
// reason than this.
#ifndef GREFFE_REPLICATE_LAST_COMPARISON_H
#define GREFFE_REPLICATE_LAST_COMPARISON_H

#include <optional>
#include <string>

#include "archive/base/file_system.h"
#include "archive/format/canonical_json.h"

namespace greffe::replicate {

struct LastComparison {
  UtcTime utc;                     // when it began
  std::uint64_t main_size = 0;     // entries of the main log that it was about
  std::uint64_t items = 0;         // objects and logs that are here
  Digest root;                     // of the tree over them
  std::uint64_t differences = 0;   // what only one site has, or none
  std::uint64_t challenged = 0;    // objects whose bytes the second site was asked to prove
  std::uint64_t unproved = 0;      // that it, or this site, did not
  bool equal() const { return differences == 0 && unproved == 0; }
  std::string words() const;       // "compared on … at … main log entries: …", without an end of line
  Json json() const;
};

// Durable when it returns. `folder` is there, and this target's alone.
Status save_comparison(FileSystem& files, const std::string& folder, const LastComparison& comparison);
// none: there was no comparison yet. invalid: the file.
Result<std::optional<LastComparison>> load_comparison(FileSystem& files, const std::string& folder);

}  // namespace greffe::replicate

#endif
