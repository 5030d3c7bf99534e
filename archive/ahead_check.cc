#include "archive/ahead_check.h"

#include <optional>
#include <string>

#include "archive/format/ahead_piece.h"

namespace greffe::archive {
namespace {

std::optional<Bytes> good_replica(const std::vector<Bytes>& replicas, const StageName& name) {
  for (const Bytes& replica : replicas) {
    const auto checked = parse_ahead_piece(as_text(replica));
    if (checked && checked->name() == name) return replica;
  }
  return std::nullopt;
}

// The log holds it meanwhile, or a piece that reaches farther took its place.
bool is_gone(store::ObjectStore& objects, const std::string& key) {
  const auto now = objects.get(key);
  return !now && now.error().code == Errc::not_found;
}

}  // namespace

Result<AheadCheck> check_ahead(store::ObjectStore& objects, store::ReplicaRepair& replicas, store::StageRemover* remover, tlog::CheckMode mode,
                               const std::stop_token& stop) {
  std::vector<std::string> keys;
  GREFFE_TRY(objects.list(kAheadLogs, [&](const store::ObjectInfo& info) {
    keys.push_back(info.key);
    return !stop.stop_requested();
  }));
  AheadCheck out;
  for (const std::string& key : keys) {
    const auto parsed = parse_ahead_key(key);
    if (!parsed) continue;  // not ours
    if (stop.stop_requested()) break;
    const auto held = objects.get_all(key);
    if (!held && held.error().code == Errc::not_found) continue;
    const std::optional<Bytes> good = held ? good_replica(*held, parsed->name) : std::nullopt;
    if (!good && is_gone(objects, key)) continue;
    ++out.pieces;
    if (!good) {
      out.findings.push_back({key, {}, {}, 0, true});
      if (mode == tlog::CheckMode::repair && remover != nullptr) GREFFE_TRY(remover->remove_stage(key));
      continue;
    }
    out.bytes += good->size();
    const store::ReplicaReport report = GREFFE_TRY(replicas.compare(key, *good));
    if (report.clean() || is_gone(objects, key)) continue;
    tlog::LogFinding finding{key, report.missing, report.different, 0, false};
    if (mode == tlog::CheckMode::repair) {
      const store::ReplicaReport repaired = GREFFE_TRY(replicas.restore(key, *good));
      finding.repaired = repaired.repaired;
    }
    out.findings.push_back(std::move(finding));
  }
  return out;
}

}  // namespace greffe::archive
