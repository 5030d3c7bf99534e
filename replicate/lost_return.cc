#include "replicate/lost_return.h"

#include <fmt/format.h>

namespace greffe::replicate {

Returned give_back(RepairableSite& site, const TakeLost& take, const std::stop_token& stop) {
  Returned out;
  const auto lost = site.lost_objects();
  if (!lost) return out;
  for (const client::LostThere& one : *lost) {
    if (stop.stop_requested()) return out;
    const auto bytes = take(one);
    const Status given = bytes ? site.return_object(one.digest, *bytes) : Status(bytes.error());
    if (given) {
      ++out.objects;
    } else if (given.error().code != Errc::not_found || !bytes) {  // else it came back some other way meanwhile
      const std::string of = one.hearing ? "hearing " + one.hearing->text() : std::string("the main log");
      out.problems.push_back(fmt::format("object {} of {} is lost at one site and does not come from the other: {}", one.digest.hex(), of,
                                         given.error().message));
    }
  }
  return out;
}

// What the main log says about a hearing, a correction or a mark, is held with the main log there.
TakeLost take_from(CopySite& target, std::string archive) {
  return [&target, origin = std::move(archive)](const client::LostThere& lost) -> Result<Bytes> {
    auto of_hearing = lost.hearing ? target.get_object({*lost.hearing}, lost.digest) : Result<Bytes>(fail(Errc::not_found, "of no hearing"));
    if (of_hearing || of_hearing.error().code != Errc::not_found) return of_hearing;
    return target.get_object({origin}, lost.digest);
  };
}

TakeLost take_from(store::ObjectStore& objects) {
  return [&objects](const client::LostThere& lost) { return objects.read_object(lost.digest); };
}

}  // namespace greffe::replicate
