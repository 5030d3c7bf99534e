#include "archive/store/census.h"

#include <fmt/format.h>

#include "archive/format/names.h"
#include "archive/store/key_walk.h"
#include "archive/store/pace.h"

namespace greffe::store {
namespace {

// The two directories below "sha256/" say how much of the walk is done: digests are spread evenly.
unsigned share_of(const Digest& digest) { return static_cast<unsigned>(digest.bytes[0]) << 8 | digest.bytes[1]; }

void fill_up_one(Pool& pool, ObjectRepair& repair, bool expected, const Digest& digest, CensusTotals& totals) {
  ++totals.lacking;
  const auto health = expected ? repair.fill(digest) : repair.check(digest);
  if (health) {
    totals.written += health->repaired;
    totals.bytes_read += health->bytes;
    if (health->good >= health->wanted) return;
  }
  ++totals.stuck;
  totals.problem = health ? fmt::format("{} is on {} volumes instead of {}: no other one can take it", object_key(digest), health->good, pool.settings.replicas)
                          : health.error().message;
}

}  // namespace

Result<CensusTotals> fill_up_objects(Pool& pool, ObjectRepair& repair, const CensusSettings& settings,
                                     const std::function<bool(const CensusTotals&)>& visit, std::stop_token stop) {
  if (!pool.may_write()) return read_only_pool("cannot write replicas").error();
  CensusTotals totals;
  totals.finished = true;
  totals.after = settings.after;
  Pace pace(pool.clock, settings.bytes_per_second, stop);
  GREFFE_TRY(walk_keys(pool, "sha256/", [&](const WalkedKey& walked) {
    if (stop.stop_requested()) return totals.finished = false;
    const auto digest = parse_object_key(walked.key);
    if (!digest) return true;  // scrub reports it
    ++totals.objects;
    totals.share_of_names = share_of(*digest);
    const std::uint64_t before = totals.bytes_read;
    if (walked.kept < pool.settings.replicas) fill_up_one(pool, repair, settings.volumes_changed, *digest, totals);
    if (totals.stuck == 0) totals.after = walked.key;
    if (!visit(totals)) return totals.finished = false;
    pace.after(totals.bytes_read - before);
    return true;
  }, settings.after));
  return totals;
}

}  // namespace greffe::store
