#include "archive/officer_entries.h"

#include <algorithm>

#include "archive/format/officers.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kEntriesAtOnce = 200;

Result<bool> is_about_an_officer(const tlog::LogChain& chain, std::uint64_t number) {
  const std::vector<std::string> text = GREFFE_TRY(chain.entries(number, number + 1));
  if (!Officers::concerns(text.front())) return false;
  const MainEntry entry = GREFFE_TRY(parse_main_entry(text.front()));
  const auto* key = std::get_if<KeyEntry>(&entry);
  return key != nullptr && key->role == "officer";
}

}  // namespace

Status OfficerEntries::read_on(std::uint64_t size, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain) {
  std::vector<std::uint64_t> fresh;
  catalogue::EntryQuery query;
  query.kind = "key";
  query.limit = kEntriesAtOnce;
  query.before = size;
  for (bool more = read_ < size; more;) {
    const std::vector<std::uint64_t> page = GREFFE_TRY(catalogue.entries(query));  // the newest first
    more = page.size() == kEntriesAtOnce && page.back() > read_;
    if (!page.empty()) query.before = page.back();
    for (const std::uint64_t number : page) {
      if (number >= read_ && GREFFE_TRY(is_about_an_officer(chain, number))) fresh.push_back(number);
    }
  }
  numbers_.insert(numbers_.end(), fresh.rbegin(), fresh.rend());
  read_ = std::max(read_, size);
  return ok();
}

Result<std::vector<std::uint64_t>> OfficerEntries::below(std::uint64_t size, const catalogue::Catalogue& catalogue, const tlog::LogChain& chain) {
  const catalogue::Applied applied = GREFFE_TRY(catalogue.applied());  // which may be an entry behind
  const std::lock_guard lock(mutex_);
  GREFFE_TRY(read_on(std::min(size, applied.size), catalogue, chain));
  return std::vector<std::uint64_t>(numbers_.begin(), std::lower_bound(numbers_.begin(), numbers_.end(), size));
}

}  // namespace greffe::archive
