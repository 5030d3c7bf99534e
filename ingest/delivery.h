// Brings a hearing of the spool to the archive and checks the receipt: have, PUT, entries, verify, store. Only a
// receipt that verifies counts. Nothing here retries; drain does.
#ifndef GREFFE_INGEST_DELIVERY_H
#define GREFFE_INGEST_DELIVERY_H

#include <cstdint>
#include <optional>
#include <string>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/client/archive_client.h"
#include "ingest/continuation.h"
#include "ingest/settings.h"
#include "ingest/spool.h"
#include "ingest/station.h"

namespace greffe::ingest {

// How far a hearing is covered.
struct ReceiptState {
  std::uint64_t archive_size = 0;      // entries that the archive's receipt covers
  std::uint64_t second_site_size = 0;  // entries that the second site's cosignature covers
  UtcTime archive_utc;                 // when they were given
  UtcTime second_site_utc;
};

// Judges the stored receipt against the entries that are in the spool now: the exact root at its size, this station's
// own signature, the archive's cosignature. Nothing is believed that does not verify: sizes of 0 then.
Result<ReceiptState> read_receipt(FileSystem& files, const SpoolPaths& paths, const SignedLog& log, const PublicKey& station_key,
                                  const Enrolment& enrolment, const IngestSettings& settings);

class Delivery {
 public:
  // Everything must outlive this object.
  Delivery(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key);
  // ok: the receipt over everything that is signed now is stored, durably, and what it covers is returned. unavailable,
  // io_error, no_space: try again later. denied, invalid: somebody must act. corrupt: an object here is lost: settle_lost(). Where the
  // archive holds another log of the hearing, its rest becomes a new hearing, which is delivered instead.
  Result<ReceiptState> deliver(const HearingId& id);
  // Looks at the archive's main log, so that the next hearing can say what it was not made before.
  Status see_main_log();
  // What the user must know of what deliver() did, in sentences.
  const std::vector<std::string>& notices() const { return notices_; }
  std::uint64_t epoch() const { return archive_.server_epoch(); }

 private:
  struct Work;
  Status ask_what_is_held(Work& work);
  Error older_copy(const Work& work, std::uint64_t held) const;
  Status send_objects(Work& work, const std::vector<Digest>& digests);
  Status put_all(Work& work, const std::vector<Digest>& missing);
  Status put_one(const Work& work, const Digest& digest);
  Status send_entries(Work& work);
  std::uint64_t whole_at(const Work& work, std::uint64_t size) const;
  Status post_up_to(Work& work, std::uint64_t size);
  Result<ReceiptState> go_on_elsewhere(Work& work);
  Result<Continuation> find_divergence(const Work& work);
  Result<bool> is_common(const Work& work, std::uint64_t size);
  Result<std::string> checkpoint_at(const Work& work, std::uint64_t size) const;
  Status store_receipt(const Work& work, std::string_view note);
  Status fetch_second_site(Work& work);

  FileSystem& files_;
  Clock& clock_;
  const IngestSettings& settings_;
  const Enrolment& enrolment_;
  const PrivateKey& key_;
  client::ArchiveClient archive_;
  std::vector<std::string> notices_;
};

}  // namespace greffe::ingest

#endif
