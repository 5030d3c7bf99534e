#include "archive/pool_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "archive/ahead_check.h"
#include "archive/all_logs.h"
#include "archive/archive_keys.h"
#include "archive/base/progress.h"
#include "archive/format/lost_declarations.h"
#include "archive/main_log.h"
#include "archive/scrub_logs.h"

namespace greffe::archive {
namespace {

constexpr std::string_view kRepaired = "; repaired";

// The key that a log's first entry names for the log itself. nullopt: it names none.
std::optional<VerifierKey> own_key(const std::string& path, std::string_view first_entry) {
  if (const auto id = parse_hearing_id(path.substr(path.find_last_of('/') + 1))) {
    const auto entry = parse_hearing_entry(first_entry);
    const auto* open = entry ? std::get_if<OpenEntry>(&*entry) : nullptr;
    if (open == nullptr) return std::nullopt;
    return VerifierKey{hearing_origin(open->archive, *id), KeyType::ed25519, open->station_key};
  }
  if (const auto promotion = parse_promotion(first_entry)) return promotion->log_verifier();
  const auto entry = parse_main_entry(first_entry);
  const auto* genesis = entry ? std::get_if<GenesisEntry>(&*entry) : nullptr;
  if (genesis == nullptr) return std::nullopt;
  return log_verifier(genesis->archive, genesis->log_key);
}

void check_signature(const std::string& path, const tlog::LogCheck& checked, PoolCheck& out) {
  const std::optional<VerifierKey> key = own_key(path, checked.first);
  if (!key) return;  // greffe-verify says what is wrong with the entry
  const auto note = parse_signed_note(checked.head);
  const Status by_its_key = note ? verify_note(*note, *key) : Status(note.error());
  if (by_its_key) return;
  out.findings.push_back(fmt::format("{}: its checkpoint of {} entries is not signed by the key that its first entry names: {}", path,
                                     checked.size, by_its_key.error().message));
}

Status check_logs(store::WholePool& pool, tlog::CheckMode mode, PoolCheck& out) {
  const std::vector<std::string> paths = GREFFE_TRY(all_logs(pool));
  for (const std::string& path : paths) {
    const auto checked = tlog::check_log(pool, pool, pool, path, mode);
    if (!checked && checked.error().code == Errc::not_found) continue;
    ++out.logs;
    if (!checked) {
      out.findings.push_back(path + ": " + checked.error().message);
      continue;
    }
    out.entries += checked->size;
    check_signature(path, *checked, out);
    for (const tlog::LogFinding& f : checked->findings) {
      out.findings.push_back(fmt::format("{}: {} copies missing, {} altered{}", f.key, f.missing.size(), f.different.size(),
                                         f.lost ? "; no good copy is left here" : f.repaired > 0 ? kRepaired : ""));
      out.repaired += f.repaired;
    }
  }
  return ok();
}

// What is known ahead of logs, which is nothing that a log says.
Status check_what_is_ahead(store::WholePool& pool, tlog::CheckMode mode, PoolCheck& out) {
  const AheadCheck checked = GREFFE_TRY(check_ahead(pool, pool, &pool, mode));
  for (const tlog::LogFinding& f : checked.findings) {
    const std::string_view done = f.lost ? (mode == tlog::CheckMode::repair ? "; no good copy was left, and it was removed: it is to be sent again"
                                                                            : "; no good copy is left: it is to be sent again")
                                         : f.repaired > 0 ? kRepaired : std::string_view();
    out.findings.push_back(fmt::format("{} (entries ahead of their objects): {} copies missing, {} altered{}", f.key, f.missing.size(), f.different.size(), done));
    out.repaired += f.repaired;
  }
  return ok();
}

// The objects of which no good copy is left.
Result<std::set<Digest>> check_objects(Clock& clock, store::WholePool& pool, PoolCheck& out) {
  std::set<Digest> bad;
  Progress progress(clock, "reading every copy", 0, ProgressUnit::bytes);
  const store::ScrubTotals totals = GREFFE_TRY(pool.scrub({}, [&](const store::ScrubbedObject& object) {
    for (const store::Damage& damage : object.health.damage) {
      out.findings.push_back(fmt::format("{} on volume {}: {}{}", object.key, damage.volume, damage.what, damage.repaired ? kRepaired : ""));
    }
    out.repaired += object.health.repaired;
    progress.add(object.health.bytes);
    if (object.problem.empty()) return true;
    out.findings.push_back(object.key + ": " + object.problem);
    if (const auto digest = parse_object_key(object.key)) bad.insert(*digest);
    return true;
  }));
  out.objects = totals.objects;
  return bad;
}

// What two officers declared lost, in every main log of the pool.
Result<std::vector<LostDeclarations>> declarations_in(store::WholePool& pool, const std::vector<std::string>& paths) {
  std::vector<LostDeclarations> out;
  for (const std::string& path : paths) {
    if (path != main_log_path() && !path.starts_with("log/from/")) continue;
    const auto head = tlog::LogReader(pool, pool, path).checkpoint();
    const auto name = head ? parse_epoch_origin(head->checkpoint.origin) : Result<EpochName>(head.error());
    if (!name || name->epoch > 1) continue;  // check_logs has said it, or it is read with the first epoch
    const auto chain = tlog::LogChain::open(pool, pool, name->archive, path);
    const auto size = chain ? chain->size() : Result<std::uint64_t>(chain.error());
    if (!size) continue;
    LostDeclarations& declared = out.emplace_back(name->archive);
    static_cast<void>(chain->entries(0, *size, [&](std::uint64_t, std::string_view text) {
      const auto entry = LostDeclarations::concerns(text) ? parse_main_entry(text) : Result<MainEntry>(UnknownEntry{});
      if (entry) static_cast<void>(declared.take(*entry));  // one that is not signed declares nothing
      return true;
    }));
  }
  return out;
}

// I2: no log entry names an absent object, but those that a `lost` entry names. Every entry of every log is read. What is there and not
// among the `bad` ones was hashed just now.
Status check_references(store::WholePool& pool, const std::set<Digest>& bad, PoolCheck& out) {
  const std::vector<std::string> paths = GREFFE_TRY(all_logs(pool));
  const std::vector<LostDeclarations> declared = GREFFE_TRY(declarations_in(pool, paths));
  for (const std::string& path : paths) {
    if (!tlog::LogReader(pool, pool, path).checkpoint()) continue;  // check_logs has said it
    const auto found = find_named(pool, path, [&](const Digest& digest) {
      const auto held = pool.holds_object(digest);
      return !held || !*held || bad.contains(digest);
    });
    if (!found) out.findings.push_back(path + ": " + found.error().message);
    for (const auto& [digest, place] : found ? *found : std::map<Digest, NamedPlace>()) {
      const Digest& object = digest;
      const std::optional<HearingId>& about = place.hearing;
      if (std::any_of(declared.begin(), declared.end(), [&](const LostDeclarations& log) { return log.covers(about, object); })) continue;
      const auto file = pool.open_object(digest);
      if (!file) out.findings.push_back(fmt::format("{} entry {} names {}, which is not here: {}", path, place.entry, digest.hex(), file.error().message));
    }
  }
  return ok();
}

// I8: the catalogue rebuilt equals the catalogue. Built in a file of its own beside it.
Status check_catalogue(FileSystem& files, store::WholePool& pool, const EpochName& name, const std::string& path, tlog::CheckMode mode, PoolCheck& out) {
  const std::string other = path + ".check";
  if (files.stat(other)) GREFFE_TRY(files.remove(other));
  const Stores stores{pool, pool, pool};
  const tlog::LogChain main_log = GREFFE_TRY(tlog::open_main_log(pool, pool, name));
  const auto dump_rebuilt = [&]() -> Result<std::pair<std::uint64_t, std::string>> {
    const catalogue::CatalogueBuilder rebuilt = GREFFE_TRY(catalogue::rebuild(files, other, catalogue_sources(stores), main_log));
    std::string dump = GREFFE_TRY(rebuilt.dump());
    return std::pair(rebuilt.applied().size, std::move(dump));
  };
  const auto rebuilt = dump_rebuilt();
  GREFFE_TRY(files.remove(other));
  if (!rebuilt) return rebuilt.error().within("the catalogue cannot be rebuilt");
  const auto differs = [&]() -> Result<std::string> {
    const auto kept = catalogue::CatalogueBuilder::open(path, catalogue_sources(stores));
    if (!kept && kept.error().code == Errc::unavailable) return std::string();  // the archive is running and writes to it
    if (!kept) return "the catalogue: " + kept.error().message;
    const std::string dump = GREFFE_TRY(kept->dump());
    if (kept->applied().size != rebuilt->first || dump == rebuilt->second) return std::string();
    return std::string("the catalogue says something else than the logs");
  };
  const std::string finding = GREFFE_TRY(differs());
  if (finding.empty()) return ok();
  if (mode == tlog::CheckMode::report) {
    out.findings.push_back(finding + "; run rebuild-catalogue, or check --repair");
    return ok();
  }
  GREFFE_TRY(catalogue::rebuild(files, path, catalogue_sources(stores), main_log));
  out.findings.push_back(finding + "; it was made anew");
  ++out.repaired;
  return ok();
}

}  // namespace

Result<PoolCheck> check_pool_logs(store::WholePool& pool, tlog::CheckMode mode) {
  PoolCheck out;
  GREFFE_TRY(check_logs(pool, mode, out));
  GREFFE_TRY(check_what_is_ahead(pool, mode, out));
  return out;
}

Result<PoolCheck> check_pool(FileSystem& files, Clock& clock, store::WholePool& pool, const EpochName& name, const std::string& catalogue_path,
                             tlog::CheckMode mode) {
  PoolCheck out;
  GREFFE_TRY(check_logs(pool, mode, out));
  GREFFE_TRY(check_what_is_ahead(pool, mode, out));
  const std::set<Digest> bad = GREFFE_TRY(check_objects(clock, pool, out));
  GREFFE_TRY(check_references(pool, bad, out));
  GREFFE_TRY(check_catalogue(files, pool, name, catalogue_path, mode, out));
  return out;
}

Json json_of(const PoolCheck& check) {
  Json::Array findings;
  for (const std::string& finding : check.findings) findings.push_back(finding);
  Json out;
  out.set("entries", check.entries).set("findings", std::move(findings)).set("logs", check.logs).set("objects", check.objects)
      .set("repaired", check.repaired);
  return out;
}

}  // namespace greffe::archive
