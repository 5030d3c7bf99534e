#include "archive/tlog/copied_main_log.h"

#include "archive/format/names.h"

namespace greffe::tlog {

Result<std::string> copied_log_path(store::HeadStore& heads, const std::string& origin) {
  const auto own = heads.read_head(checkpoint_path(main_log_path()));
  if (!own && own.error().code == Errc::not_found) return foreign_log_path(origin);
  if (!own) return own.error();
  const SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(*own));
  return head.checkpoint.origin == origin ? main_log_path() : foreign_log_path(origin);
}

Result<LogChain> open_copied_log(store::ObjectStore& objects, store::HeadStore& heads, const std::string& archive) {
  const std::string first = GREFFE_TRY(copied_log_path(heads, archive));
  return LogChain::open(objects, heads, archive, first);
}

Result<std::vector<SignedLog>> signed_logs(const LogChain& chain, const VerifierKey& first) {
  std::vector<SignedLog> out;
  for (const LogChain::Link& link : chain.links()) {
    if (out.empty()) {
      out.push_back({first, link.first});
      continue;
    }
    const std::vector<std::string> entries = GREFFE_TRY(link.reader.entries(0, 1));
    const PromotionEntry promotion = GREFFE_TRY(parse_promotion(entries.front()));
    out.push_back({promotion.log_verifier(), link.first});
  }
  return out;
}

Result<Officers> officers_before(const LogChain& chain, std::uint64_t number) {
  Officers out;
  GREFFE_TRY(chain.entries(0, number, [&out](std::uint64_t, std::string_view text) {
    out.take(text);
    return true;
  }));
  return out;
}

}  // namespace greffe::tlog
