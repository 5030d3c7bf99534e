// The thread "gr-upload" of a recording station: brings what is recorded to the archive while it is recorded, and what waited
// before; frees what policy allows. The live hearing goes first, then the newest of the others; between two objects of those the
// live one is looked at. When nobody answers it tries again after 0.2 s and ever longer, up to a minute; while something is
// recorded, up to 3 s, so that a live hearing is covered within 10 s of the network's return. After a minute without an answer, and at once
// when the archive says that a later epoch has begun, it looks where the archive goes on (ingest/succession.h), and delivers there
// from then on, also what it had delivered before.
#ifndef GREFFE_INGEST_UPLOADER_H
#define GREFFE_INGEST_UPLOADER_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/log.h"
#include "ingest/delivery.h"

namespace greffe::ingest {

struct UploadedHearing {
  HearingId id;
  bool live = false;         // the one that wake() named last
  Delivered delivered;       // sizes: of the log here, the receipt, what was read back, the second site; what waits
  bool freed = false;
  std::string problem;       // why it does not get on, in a sentence; empty: nothing is in its way
  UtcTime problem_since;
};

// What the control page and `status` show.
struct UploadStatus {
  std::vector<UploadedHearing> hearings;     // newest first; not those whose media were freed
  std::uint64_t waiting_objects = 0;         // recordings without a receipt, of all of them
  std::uint64_t waiting_bytes = 0;
  std::uint64_t rate_bytes_s = 0;            // of the last half minute of sending; 0: nothing was sent yet
  std::optional<std::int64_t> drained_in_s;  // at that rate
  UtcTime last_success;                      // when the archive last answered as it should; 0: not yet
  std::string problem;                       // why it cannot be reached; empty: it can, or nothing was tried yet
  UtcTime problem_since;
  std::string address;                       // where it is brought
  std::uint64_t epoch = 1;                   // of the archive there
  std::optional<UtcTime> since;              // when the station followed the archive there; none: it was enrolled there
  std::vector<std::string> notices;          // sentences: what was done that the user must know
};

// Thread-safe.
class Uploader {
 public:
  // Begins at once. All but the enrolment must outlive this object.
  Uploader(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key);
  ~Uploader();  // stop()
  // After every commit of the hearing that is recorded, its last one too. Never blocks; several calls may count as one.
  void wake(const HearingId& live);
  UploadStatus status() const;
  // Ends within a second, also in the middle of a transfer, which is done again another time.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace greffe::ingest

#endif
