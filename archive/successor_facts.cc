#include "archive/successor_facts.h"

#include <algorithm>

namespace greffe::archive {
namespace {

// In the tree of its own epoch: the newest one's at its published size, an earlier one's where the next one pins it.
Result<ProvedEntry> proved(const tlog::LogChain& chain, std::uint64_t number, std::uint64_t size) {
  const auto [link, index] = chain.place_of(number);
  const std::uint64_t end = link == &chain.newest() ? size : (link + 1)->first;
  const std::vector<std::string> entry = GREFFE_TRY(link->reader.entries(index, index + 1));
  return ProvedEntry{entry.front(), link->name.epoch, index, GREFFE_TRY(link->reader.inclusion(index, end - link->first))};
}

}  // namespace

Result<Successors> SuccessorFacts::now() const {
  const HeldArchive own = archives_.own();
  const tlog::LogChain& chain = own.chain;
  const SignedCheckpoint head = GREFFE_TRY(chain.checkpoint());
  const std::uint64_t size = chain.newest().first + head.checkpoint.size;
  std::vector<std::uint64_t> numbers = GREFFE_TRY(own.officers->below(size, *own.catalogue, chain));
  for (const tlog::LogChain::Link& link : chain.links()) {
    if (link.first > 0) numbers.push_back(link.first);  // the promotion that begins it
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.size() > kSuccessorEntriesMax) return fail(Errc::conflict, "the main log has more entries about officers than stations can be told");
  Successors out;
  out.checkpoint = head.note.write();
  for (const std::uint64_t number : numbers) out.entries.push_back(GREFFE_TRY(proved(chain, number, size)));
  out.sites = sites_.places();
  return out;
}

}  // namespace greffe::archive
