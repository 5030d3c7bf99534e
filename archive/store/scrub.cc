#include "archive/store/scrub.h"

#include "archive/format/names.h"
#include "archive/store/pace.h"

namespace greffe::store {
namespace {

ScrubbedObject scrub_one(const ScrubSource& source, const std::string& key) {
  ScrubbedObject out;
  out.key = key;
  const auto digest = parse_object_key(key);
  if (!digest) {
    out.problem = key + " is not an object: nothing of Greffe's has such a name";
    return out;
  }
  auto health = source.check(*digest);
  if (health) {
    out.health = *std::move(health);
  } else {
    out.problem = health.error().message;
  }
  return out;
}

}  // namespace

Result<ScrubTotals> scrub_objects(Clock& clock, const ScrubSource& source, const ScrubSettings& settings,
                                  const std::function<bool(const ScrubbedObject&)>& visit, std::stop_token stop) {
  ScrubTotals totals;
  totals.finished = true;
  Pace pace(clock, settings.bytes_per_second, stop);
  GREFFE_TRY(source.walk([&](const std::string& key) {
    if (stop.stop_requested()) return totals.finished = false;
    if (!settings.after.empty() && key <= settings.after) return true;
    const ScrubbedObject object = scrub_one(source, key);
    ++totals.objects;
    totals.bytes += object.health.bytes;
    totals.failures += object.health.damage.size() + (object.problem.empty() ? 0 : 1);
    totals.repaired += object.health.repaired;
    if (!visit(object)) return totals.finished = false;
    pace.after(object.health.bytes);
    return true;
  }));
  return totals;
}

}  // namespace greffe::store
