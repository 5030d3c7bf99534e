// Names that appear in logs, paths and addresses, and every path that is written to a volume. Pure.
// See docs/formats/volume.md.
#ifndef GREFFE_ARCHIVE_FORMAT_NAMES_H
#define GREFFE_ARCHIVE_FORMAT_NAMES_H

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "archive/base/clock.h"
#include "archive/base/result.h"
#include "archive/format/digest.h"

namespace greffe {

constexpr std::size_t kMaxObjectBytes = 16 * 1024 * 1024;

// Court, courtroom, stream, station and account names: [a-z0-9-]{1,32}.
bool is_valid_name(std::string_view name);
// Archive names are origins of logs: host-like, [a-z0-9.-]{1,120}, no empty label.
bool is_valid_archive_name(std::string_view name);
// Where a machine is reached: "https://archive.court.example:8444", "https://[::1]:8444". Host and port, no path, at most 200 characters.
bool is_https_origin(std::string_view text);
// A case number: 1 to 200 characters of valid UTF-8, none of them a control character, not only spaces.
Status check_case_number(std::string_view text);

// UUIDv7 (RFC 9562): sortable; its first 48 bits are the UTC milliseconds of its making.
struct HearingId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const HearingId&) const = default;
  std::string text() const;  // lower case, 8-4-4-4-12
  UtcTime time() const;
};
Result<HearingId> parse_hearing_id(std::string_view text);  // invalid: not a version 7 UUID in lower case
HearingId make_hearing_id(UtcTime now);                     // random apart from the time

std::string hearing_origin(std::string_view archive_name, const HearingId& id);  // "<archive>/hearing/<uuid>"
struct HearingOrigin {
  std::string archive_name;
  HearingId id;
};
Result<HearingOrigin> parse_hearing_origin(std::string_view origin);

// Keys of stores and paths below a volume.
std::string object_key(const Digest& digest);               // "sha256/ab/cd/<64 hex>"
Result<Digest> parse_object_key(std::string_view key);
std::string main_log_path();                                // "log/main"
std::string hearing_log_path(const HearingId& id);          // "log/hearing/2026/11/22/<uuid>"
std::string foreign_log_path(std::string_view origin);      // "log/from/<SHA-256 of origin>"
std::string open_marker_path(const HearingId& id);          // "log/open/<uuid>"
std::string checkpoint_path(std::string_view log_path);     // "<log>/checkpoint"
// The newest checkpoint that a cosigner signed, with its signature: "<log>/cosigned/<8 hex key id>"
std::string cosigned_path(std::string_view log_path, std::uint32_t key_id);
// "<log>/stage/<first>-<size>-<root hex>": the entries [first, size) since the last full bundle.
struct StageName {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
  Digest root;
  std::string text() const;
  auto operator<=>(const StageName&) const = default;
};
Result<StageName> parse_stage_name(std::string_view text);
std::string stage_path(std::string_view log_path, const StageName& stage);

}  // namespace greffe

#endif
