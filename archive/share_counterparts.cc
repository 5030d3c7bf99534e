#include "archive/share_counterparts.h"

#include <algorithm>

namespace greffe::archive {
namespace {

constexpr std::size_t kAtOnce = 200;

// The `share` entries from number `from` on, oldest first.
Result<std::vector<std::uint64_t>> shares_from(const catalogue::Catalogue& catalogue, const std::optional<HearingId>& hearing, std::uint64_t from) {
  std::vector<std::uint64_t> out;
  catalogue::EntryQuery query;
  query.kind = "share";
  query.hearing = hearing;
  query.limit = kAtOnce;
  for (bool more = true; more;) {
    const std::vector<std::uint64_t> page = GREFFE_TRY(catalogue.entries(query));
    more = page.size() == kAtOnce;
    for (const std::uint64_t number : page) {
      if (number >= from) out.push_back(number);
      query.before = number;
      more = more && number > from;
    }
  }
  std::reverse(out.begin(), out.end());
  return out;
}

Result<std::optional<ShareEntry>> share_at(const tlog::LogChain& chain, std::uint64_t number) {
  const std::vector<std::string> bytes = GREFFE_TRY(chain.entries(number, number + 1));
  const auto entry = parse_main_entry(bytes[0]);
  std::optional<ShareEntry> out;
  if (!entry) return out;  // the catalogue names it as a problem
  if (const auto* share = std::get_if<ShareEntry>(&*entry)) out = *share;
  return out;
}

}  // namespace

Result<bool> has_share(const catalogue::Catalogue& catalogue, const tlog::LogChain& chain, const ShareEntry& share) {
  const std::string wanted = write_main_entry(share);
  const std::vector<std::uint64_t> there = GREFFE_TRY(shares_from(catalogue, share.hearing, 0));
  for (const std::uint64_t number : there) {
    const std::vector<std::string> bytes = GREFFE_TRY(chain.entries(number, number + 1));
    if (bytes[0] == wanted) return true;
  }
  return false;
}

Result<SharesFound> shares_with(const std::string& with, const std::string& of, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain,
                                std::uint64_t from, std::size_t limit) {
  SharesFound out;
  const catalogue::Applied applied = GREFFE_TRY(catalogue.applied());
  out.looked_at = std::max(from, applied.size);
  if (applied.size <= from) return out;
  const std::vector<std::uint64_t> numbers = GREFFE_TRY(shares_from(catalogue, std::nullopt, from));
  for (const std::uint64_t number : numbers) {
    if (out.shares.size() == limit) {
      out.looked_at = number;
      break;
    }
    const std::optional<ShareEntry> share = GREFFE_TRY(share_at(chain, number));
    if (share && share->archive == of && share->court.starts_with(with + "/")) out.shares.push_back({number, *share});
  }
  return out;
}

Status file_counterparts(MainLog& own, const std::vector<ShareEntry>& shares, const std::function<Status(const ShareEntry&)>& before) {
  std::vector<MainEntry> lacking;
  for (const ShareEntry& share : shares) {
    const bool there = GREFFE_TRY(has_share(own.catalogue(), own.chain(), share));
    if (there) continue;
    if (before) GREFFE_TRY(before(share));
    lacking.push_back(share);
  }
  if (!lacking.empty()) GREFFE_TRY(own.append(lacking));
  return ok();
}

}  // namespace greffe::archive
