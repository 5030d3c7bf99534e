// Documents: objects of canonical JSON with a random 32-byte salt, so that their digest is a commitment that hides
// what they say. Personal data and free text live here, never in a log. See docs/formats/details.md.
#ifndef GREFFE_ARCHIVE_FORMAT_DOCUMENTS_H
#define GREFFE_ARCHIVE_FORMAT_DOCUMENTS_H

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/canonical_json.h"

namespace greffe {

struct Party {
  std::string name;
  std::string role;                     // free text: "plaintiff", "défendeur", "原告"
  std::vector<std::string> spellings;   // other spellings of the name
  bool operator==(const Party&) const = default;
};
struct HearingPart {  // cases heard together or one after the other
  UtcTime from;
  UtcTime to;
  std::vector<std::string> cases;
  bool operator==(const HearingPart&) const = default;
};
struct Details {
  std::vector<std::string> cases;  // case numbers; each passes check_case_number
  std::vector<Party> parties;
  std::vector<std::string> judges;
  std::string clerk;
  std::string title;
  UtcTime scheduled;
  bool is_public = true;  // "public"
  std::vector<HearingPart> parts;
  std::string language;   // BCP 47
  bool operator==(const Details&) const = default;
};
constexpr std::size_t kMaxDocumentBytes = 256 * 1024;

// With a fresh salt each time.
std::string write_details(const Details& details);
// From a stored document (salt required) or from what a person wrote (salt absent; `parts` and lists may be absent).
Result<Details> parse_details(std::string_view text);

std::string write_note(std::string_view kind, std::string_view text);  // {"kind","salt","text","v":1}
Result<std::string> parse_note(std::string_view document);             // its text
std::string write_place_names(const std::map<std::string, std::string>& name_by_language);
Result<std::map<std::string, std::string>> parse_place_names(std::string_view document);

}  // namespace greffe

#endif
