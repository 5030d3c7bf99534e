#include "archive/successor_facts.h"

#include <algorithm>

#include "archive/format/officers.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kEntriesAtOnce = 200;

}  // namespace

Status SuccessorFacts::read_on(std::uint64_t size) {
  std::vector<std::uint64_t> fresh;
  catalogue::EntryQuery query;
  query.kind = "key";
  query.limit = kEntriesAtOnce;
  query.before = size;
  for (bool more = read_ < size; more;) {
    const std::vector<std::uint64_t> page = GREFFE_TRY(main_log_.catalogue().entries(query));  // the newest first
    more = page.size() == kEntriesAtOnce && page.back() > read_;
    if (!page.empty()) query.before = page.back();
    for (const std::uint64_t number : page) {
      if (number < read_) continue;
      const std::vector<std::string> entry = GREFFE_TRY(main_log_.chain().entries(number, number + 1));
      if (Officers::concerns(entry.front())) fresh.push_back(number);
    }
  }
  officers_.insert(officers_.end(), fresh.rbegin(), fresh.rend());
  read_ = std::max(read_, size);
  return ok();
}

// In the tree of its own epoch: the newest one's at its published size, an earlier one's where the next one pins it.
Result<ProvedEntry> SuccessorFacts::proved(std::uint64_t number, std::uint64_t size) const {
  const tlog::LogChain& chain = main_log_.chain();
  const auto [link, index] = chain.place_of(number);
  const std::uint64_t end = link == &chain.newest() ? size : (link + 1)->first;
  const std::vector<std::string> entry = GREFFE_TRY(link->reader.entries(index, index + 1));
  return ProvedEntry{entry.front(), link->name.epoch, index, GREFFE_TRY(link->reader.inclusion(index, end - link->first))};
}

Result<Successors> SuccessorFacts::now() {
  const tlog::LogChain& chain = main_log_.chain();
  const SignedCheckpoint head = GREFFE_TRY(chain.checkpoint());
  const std::uint64_t size = chain.newest().first + head.checkpoint.size;
  std::vector<std::uint64_t> numbers;
  {
    const catalogue::Applied applied = GREFFE_TRY(main_log_.catalogue().applied());  // which may be an entry behind
    const std::lock_guard lock(mutex_);
    GREFFE_TRY(read_on(std::min(size, applied.size)));
    numbers = officers_;
  }
  for (const tlog::LogChain::Link& link : chain.links()) {
    if (link.first > 0) numbers.push_back(link.first);  // the promotion that begins it
  }
  std::sort(numbers.begin(), numbers.end());
  std::erase_if(numbers, [size](std::uint64_t number) { return number >= size; });
  if (numbers.size() > kSuccessorEntriesMax) return fail(Errc::conflict, "the main log has more entries about officers than stations can be told");
  Successors out;
  out.checkpoint = head.note.write();
  for (const std::uint64_t number : numbers) out.entries.push_back(GREFFE_TRY(proved(number, size)));
  out.sites = sites_.places();
  return out;
}

}  // namespace greffe::archive
