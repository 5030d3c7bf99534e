#include "replicate/source.h"

#include "archive/format/entries.h"
#include "archive/tlog/copied_main_log.h"

namespace greffe::replicate {

Result<Source> Source::open(store::ObjectStore& objects, store::HeadStore& heads, const EpochName& name) {
  Source out(objects, heads, name.archive);
  if (name.epoch > 1) out.main = GREFFE_TRY(tlog::open_main_log(objects, heads, name));
  return out;
}

Result<std::vector<VerifierKey>> Source::log_keys(const VerifierKey& newest) const {
  if (main.links().size() == 1) return std::vector<VerifierKey>{newest};
  const std::vector<std::string> first = GREFFE_TRY(main.entries(0, 1));
  const MainEntry entry = GREFFE_TRY(parse_main_entry(first.front()));
  const auto* genesis = std::get_if<GenesisEntry>(&entry);
  if (genesis == nullptr) return fail(Errc::corrupt, "the main log of " + archive + " does not begin as that of an archive");
  const std::vector<tlog::SignedLog> logs = GREFFE_TRY(tlog::signed_logs(main, {archive, KeyType::ed25519, genesis->log_key}));
  std::vector<VerifierKey> out;
  for (const tlog::SignedLog& log : logs) out.push_back(log.key);
  if (out.back() == newest) return out;
  return fail(Errc::denied, "the main log of " + newest.name + " says that another key signs it than enrolment at the archive said");
}

}  // namespace greffe::replicate
