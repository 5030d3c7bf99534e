#include "archive/successor_facts.h"

#include <algorithm>

#include "archive/epoch_end.h"

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

// One that cannot be had lacks: whoever slept through that epoch is enrolled again. One that could not be read just now is asked for again.
std::vector<std::string> SuccessorFacts::ends(const HeldArchive& own) {
  if (ends_) return *ends_;
  std::vector<std::string> out;
  bool known = true;
  const std::vector<tlog::LogChain::Link>& links = own.chain.links();
  for (std::size_t i = links.size() - 1 - std::min(links.size() - 1, kSuccessorEndsMax); i + 1 < links.size(); ++i) {
    const auto end = end_of_epoch(stores_, *own.catalogue, own.chain, links[i]);
    if (end) out.push_back(end->note.write());
    known = known && (end || end.error().code == Errc::not_found);
  }
  if (known) ends_ = out;
  return out;
}

Result<Successors> SuccessorFacts::now() {
  const HeldArchive own = archives_.own();
  const tlog::LogChain& chain = own.chain;
  const SignedCheckpoint head = GREFFE_TRY(chain.checkpoint());
  const std::uint64_t size = chain.newest().first + head.checkpoint.size;
  std::vector<std::uint64_t> numbers = GREFFE_TRY(own.officers->below(size, *own.catalogue, chain));
  Successors out;
  {
    const std::lock_guard lock(mutex_);
    out.ends = ends(own);
  }
  for (const tlog::LogChain::Link& link : chain.links()) {
    if (link.first > 0) numbers.push_back(link.first);  // the promotion that begins it
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.size() > kSuccessorEntriesMax) return fail(Errc::conflict, "the main log has more entries about officers than stations can be told");
  out.checkpoint = head.note.write();
  for (const std::uint64_t number : numbers) out.entries.push_back(GREFFE_TRY(proved(chain, number, size)));
  out.sites = sites_.places();
  return out;
}

}  // namespace greffe::archive
