// What one site has lost is taken from the other one and given back to it. One thread.
#ifndef GREFFE_REPLICATE_LOST_RETURN_H
#define GREFFE_REPLICATE_LOST_RETURN_H

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/store/object_store.h"
#include "replicate/remote_sites.h"

namespace greffe::replicate {

struct Returned {
  std::uint64_t objects = 0;
  std::vector<std::string> problems;  // what the other site has not either, each a sentence
};

// Everything on the list of `site`, once: at most what one answer names. Nothing when it does not answer, or does not know the question:
// the next time asks again.
using TakeLost = std::function<Result<Bytes>(const client::LostThere& lost)>;
Returned give_back(RepairableSite& site, const TakeLost& take, const std::stop_token& stop);

// What the archive lost, from the second site, which holds it for the hearing or with the main log of this origin.
TakeLost take_from(CopySite& target, std::string archive);
// What the second site lost, from the pool here.
TakeLost take_from(store::ObjectStore& objects);

}  // namespace greffe::replicate

#endif
