#include "archive/declared_lost.h"

#include "archive/tlog/copied_main_log.h"

namespace greffe::archive {

DeclaredLost::DeclaredLost(store::ObjectStore& objects, store::HeadStore& heads, const catalogue::Catalogue& catalogue, tlog::MainLogPlace own)
    : objects_(objects), heads_(heads), catalogue_(catalogue), own_(std::move(own)) {}

Result<std::vector<std::string>> DeclaredLost::origins() const {
  std::vector<std::string> out = {own_.name.archive};
  const std::vector<catalogue::KnownKey> keys = GREFFE_TRY(catalogue_.keys("origin"));
  for (const catalogue::KnownKey& key : keys) out.push_back(key.name);
  return out;
}

Result<const DeclaredLost::Read*> DeclaredLost::read_on(const std::string& origin) {
  Read& log = read_.try_emplace(origin, Read{LostDeclarations(origin)}).first->second;
  const auto chain = origin == own_.name.archive ? tlog::LogChain::open(objects_, heads_, origin, own_.first_path)
                                                 : tlog::open_copied_log(objects_, heads_, origin);
  if (!chain && chain.error().code == Errc::not_found) return &log;  // nothing is held of it yet
  if (!chain) return chain.error();
  // What the epoch before has beyond its pin does not count any more.
  if (const std::uint64_t epoch = chain->newest().name.epoch; epoch != log.epoch) log = Read{LostDeclarations(origin), 0, epoch};
  const std::uint64_t size = GREFFE_TRY(chain->size());
  GREFFE_TRY(chain->entries(log.size, size, [&](std::uint64_t number, std::string_view text) {
    log.size = number + 1;
    if (!LostDeclarations::concerns(text)) return true;
    const auto entry = parse_main_entry(text);
    // One that does not hold declares nothing; the verifier names it.
    if (entry) static_cast<void>(log.declarations.take(*entry));
    return true;
  }));
  return &log;
}

Result<bool> DeclaredLost::covers(const std::optional<HearingId>& hearing, const Digest& digest) {
  const std::vector<std::string> logs = GREFFE_TRY(origins());
  const std::lock_guard lock(mutex_);
  for (const std::string& origin : logs) {
    const Read* const read = GREFFE_TRY(read_on(origin));
    if (read->declarations.covers(hearing, digest)) return true;
  }
  return false;
}

Result<bool> DeclaredLost::names(const Digest& digest) {
  const std::vector<std::string> logs = GREFFE_TRY(origins());
  const std::lock_guard lock(mutex_);
  for (const std::string& origin : logs) {
    const Read* const read = GREFFE_TRY(read_on(origin));
    if (read->declarations.names(digest)) return true;
  }
  return false;
}

Result<DeclaredLost::Read> DeclaredLost::of(const std::string& origin) {
  const std::lock_guard lock(mutex_);
  const Read* const read = GREFFE_TRY(read_on(origin));
  return *read;
}

}  // namespace greffe::archive
