// One try to deliver what a verb has just recorded.
#ifndef GREFFE_INGEST_DELIVER_NOW_H
#define GREFFE_INGEST_DELIVER_NOW_H

#include <string>
#include <vector>

#include "ingest/delivery.h"

namespace greffe::ingest {

struct DeliveredNow {
  bool tried = false;  // false: this station has no archive that it can reach yet
  std::string problem;
  std::vector<std::string> notices;
  ReceiptState receipt;
};
// A recording without a network is not a failure: it waits in the spool. Where the archive does not answer, or has gone on at another
// site, it is looked for, once, and followed.
DeliveredNow deliver_now(FileSystem& files, Clock& clock, const IngestSettings& settings, const HearingId& id);

}  // namespace greffe::ingest

#endif
