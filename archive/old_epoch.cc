#include "archive/old_epoch.h"

#include "archive/archive_keys.h"

namespace greffe::archive {
namespace {

Result<VerifierKey> key_of(const tlog::LogChain::Link& link) {
  const std::vector<std::string> first = GREFFE_TRY(link.reader.entries(0, 1));
  if (link.name.epoch > 1) return GREFFE_TRY(parse_promotion(first.front())).log_verifier();
  const MainEntry entry = GREFFE_TRY(parse_main_entry(first.front()));
  const auto* genesis = std::get_if<GenesisEntry>(&entry);
  if (genesis == nullptr) return fail(Errc::corrupt, "the main log of " + epoch_origin(link.name) + " does not begin as one of an archive");
  return log_verifier(epoch_origin(link.name), genesis->log_key);
}

}  // namespace

Result<OldEpoch> old_epoch(const MainLog& main_log, const std::string& origin) {
  const std::vector<tlog::LogChain::Link>& links = main_log.chain().links();
  for (std::size_t i = 0; i + 1 < links.size(); ++i) {
    if (epoch_origin(links[i].name) != origin) continue;
    VerifierKey key = GREFFE_TRY(key_of(links[i]));
    const std::uint64_t next = links[i + 1].first;
    return OldEpoch{links[i], std::move(key), next - links[i].first, next};
  }
  return fail(Errc::not_found, "this archive had no earlier epoch with the main log " + origin);
}

}  // namespace greffe::archive
