// What a site tells an archive of hearings that others share with its courts (docs/formats/machine-protocol.md, POST /v1/shares). Pure. The
// readers are strict: they take what the writers give, within the limits below; invalid otherwise, with the field.
#ifndef GREFFE_ARCHIVE_FORMAT_SHARE_MESSAGES_H
#define GREFFE_ARCHIVE_FORMAT_SHARE_MESSAGES_H

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/entries.h"

namespace greffe {

constexpr std::size_t kToldSharesMax = 64;        // in one answer: with their reasons it is below a mebibyte
constexpr std::size_t kToldReasonBytesMax = 12'288;
constexpr std::size_t kLookedAtArchivesMax = 1000;

// By archive: its main log's entries below this number, through all epochs, were looked at.
using LookedAt = std::map<std::string, std::uint64_t>;

struct ToldShare {
  ShareEntry share;
  std::string reason;  // the document that it names, verbatim
};
struct SharesTold {
  std::vector<ToldShare> shares;  // of each archive in the order of its log
  LookedAt looked_at;             // to be sent with the next question
};

std::string write_shares_question(const LookedAt& looked_at);
Result<LookedAt> parse_shares_question(std::string_view text);
std::string write_shares_told(const SharesTold& told);
// Each entry is one byte string only, and the reason the one that it names.
Result<SharesTold> parse_shares_told(std::string_view text);

}  // namespace greffe

#endif
