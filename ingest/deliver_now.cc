#include "ingest/deliver_now.h"

#include "ingest/succession.h"

namespace greffe::ingest {
namespace {

// ok: delivered. `elsewhere`: the archive may go on at another site.
Status try_once(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key, const HearingId& id,
                DeliveredNow& out, bool& elsewhere) {
  Delivery delivery(files, clock, settings, enrolment, key);
  const auto receipt = delivery.deliver(id);
  elsewhere = !receipt && (may_be_elsewhere(receipt.error().code) || delivery.has_heard_of_later_epoch());
  if (receipt) {
    out.receipt = *receipt;
    (void)delivery.remember_archive();  // kept with the next delivery, if it cannot be kept now
    (void)delivery.learn_successors();  // the same
    const Status seen = delivery.see_main_log();
    if (!seen && seen.error().code == Errc::conflict) out.notices.push_back(seen.error().message);
  }
  for (const std::string& notice : delivery.notices()) out.notices.push_back(notice);
  return receipt ? ok() : Status(receipt.error());
}

}  // namespace

DeliveredNow deliver_now(FileSystem& files, Clock& clock, const IngestSettings& settings, const HearingId& id) {
  DeliveredNow out;
  auto enrolment = load_enrolment(files, settings.directory);
  if (!enrolment || enrolment->address.empty()) return out;
  const auto key = load_station_key(files, settings.directory, false);
  if (!key) return out;
  out.tried = true;
  bool elsewhere = false;
  Status done = try_once(files, clock, settings, *enrolment, *key, id, out, elsewhere);
  if (!done && elsewhere) {
    const auto searched = find_successor(files, clock, settings.directory, *enrolment, *key);
    if (searched) out.notices.insert(out.notices.end(), searched->refused.begin(), searched->refused.end());
    if (searched && searched->found) {
      out.notices.push_back(succession_words(*searched->found));
      done = try_once(files, clock, settings, *searched->found, *key, id, out, elsewhere);
    }
  }
  if (!done) out.problem = done.error().message;
  return out;
}

}  // namespace greffe::ingest
