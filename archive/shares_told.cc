#include "archive/shares_told.h"

#include "archive/share_counterparts.h"

namespace greffe::archive {

Status SharesForOthers::add(const HeldArchive& of, const std::string& asking, std::uint64_t from, SharesTold& out) const {
  const std::size_t room = kToldSharesMax - out.shares.size();
  const SharesFound found = GREFFE_TRY(shares_with(asking, of.name, *of.catalogue, of.chain, from, room));
  std::uint64_t& looked_at = out.looked_at[of.name];
  for (const FoundShare& one : found.shares) {
    const auto reason = stores_.objects.read_object(one.share.reason);
    looked_at = one.number;
    if (!reason) return ok();
    out.shares.push_back({one.share, std::string(as_text(*reason))});
  }
  looked_at = found.looked_at;
  return ok();
}

Result<SharesTold> SharesForOthers::tell(const std::string& asking, const LookedAt& looked_at) const {
  SharesTold out;
  for (const HeldArchive& of : archives_.all()) {
    if (of.name == asking) continue;
    const auto before = looked_at.find(of.name);
    GREFFE_TRY(add(of, asking, before == looked_at.end() ? 0 : before->second, out));
  }
  return out;
}

}  // namespace greffe::archive
