// Brings a hearing of the spool to the archive and checks the receipt: have, PUT, entries, verify, store. Only a
// receipt that verifies counts. Nothing here retries; drain and the uploader do.
#ifndef GREFFE_INGEST_DELIVERY_H
#define GREFFE_INGEST_DELIVERY_H

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/file_system.h"
#include "archive/base/progress.h"
#include "archive/client/archive_client.h"
#include "ingest/bandwidth.h"
#include "ingest/continuation.h"
#include "ingest/followed_log.h"
#include "ingest/lost_objects.h"
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
Result<ReceiptState> read_receipt(FileSystem& files, const FollowedLog& log, const PublicKey& station_key, const Enrolment& enrolment,
                                  const IngestSettings& settings);

// How far the delivery of a hearing is.
struct Delivered {
  std::uint64_t entries = 0;            // signed here
  bool closed = false;
  ReceiptState receipt;
  std::uint64_t read_back_size = 0;     // what the archive said last that it has read back; its word only, no signature
  std::uint64_t waiting_objects = 0;    // recordings behind the receipt
  std::uint64_t waiting_bytes = 0;
  std::optional<HearingId> continued;   // it goes on in this one, which is to be delivered
  bool answered = false;                // the archive was asked something this time, and answered
  std::uint64_t media_bytes = 0;        // of all recordings in the log, as far as it is known here
};

class Delivery {
 public:
  // All but the enrolment must outlive this object. `stop` ends any call with `cancelled` at once.
  Delivery(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
           std::stop_token stop = {});
  ~Delivery();
  // ok: the receipt over everything that is signed now is stored, durably, and what it covers is returned. unavailable,
  // io_error, no_space: try again later. denied, invalid: somebody must act. corrupt: an object here is lost: settle(). conflict: not
  // as things are. Where the archive holds another log of the hearing, its rest becomes a new hearing, which is delivered instead.
  Result<ReceiptState> deliver(const HearingId& id);
  // One step of that: some dozens of objects, the entries that name them, and the receipt up to there. Between two objects it
  // ends early, without an error, when `give_way` (asked by several threads) says so. Errors as above.
  Result<Delivered> advance(const HearingId& id, const std::function<bool()>& give_way);
  // After `corrupt`: see settle_lost().
  Result<LostSettled> settle(const HearingId& id);
  // What is known of it here, without asking anybody.
  Result<Delivered> here(const HearingId& id);
  // What the archive says of the hearing now: how much it has read back, who else has signed. Where it holds less than the receipt
  // says, because it was restored from an older state, the receipt is set aside, so that everything is offered again.
  Result<Delivered> look(const HearingId& id);
  // Looks at the archive's main log, so that the next hearing can say what it was not made before.
  Status see_main_log();
  // Learns who may say one day that the archive goes on elsewhere, and whom to ask then: see ingest/succession.h.
  Status learn_successors();
  // Whether the archive has said that an epoch has begun whose keys this enrolment has not.
  bool has_heard_of_later_epoch() const;
  // Keeps the highest epoch that the archive stated and the addresses of its machines, durably.
  Status remember_archive();
  // What the user must know of what was done, in sentences.
  std::vector<std::string> notices() const;
  Bandwidth& bandwidth() { return bandwidth_; }

 private:
  struct Work;
  struct Round;
  struct Earlier;
  Work& work_on(const HearingId& id);
  Delivered state_of(const Work& work) const;
  Result<Delivered> ended(const HearingId& id, const Status& done);
  Status read_here(Work& work);
  Status choose_key(Work& work);
  Status step(Work& work, const std::function<bool()>& give_way);
  Status ask_what_is_held(Work& work);
  Status withdraw_receipt(Work& work);
  Error older_copy(const Work& work, std::uint64_t held) const;
  Round next_round(const Work& work) const;
  Status send_round(Work& work, const std::function<bool()>& give_way);
  Status post_what_arrived(Work& work, Round round, const Error& why);
  void end_before(const Work& work, Round& round, const std::function<bool(const FollowedLog::Wanted&)>& stops) const;
  Result<std::vector<Digest>> missing_of(Work& work, const Round& round);
  Status keep_to_documents(const Work& work, Round& round, std::vector<Digest>& missing);
  Result<bool> put_all(const Work& work, const Round& round, const std::vector<Digest>& missing, const std::function<bool()>& give_way);
  std::size_t lanes();
  Status put_one(const Work& work, const Digest& digest, bool media);
  Status post(Work& work, const Round& round);
  Status take_refusal(Work& work, const Round& round, const client::EntriesRefused& refused);
  Status go_on_elsewhere(Work& work);
  Result<Continuation> find_divergence(const Work& work);
  Result<bool> is_common(const Work& work, std::uint64_t size);
  SignedCheckpoint checkpoint_at(const Work& work, std::uint64_t size) const;
  Status store_receipt(Work& work, const Checkpoint& sent, std::string_view note);
  Status take_second_site(Work& work, const SignedCheckpoint& held, std::string_view text);

  FileSystem& files_;
  Clock& clock_;
  const IngestSettings& settings_;
  const Enrolment enrolment_;
  const PrivateKey& key_;
  Bandwidth bandwidth_;
  const std::stop_token stop_;
  client::ArchiveClient archive_;
  std::uint64_t kept_epoch_;                // what remember_archive() has kept
  std::vector<std::string> kept_nodes_;
  std::map<PublicKey, std::unique_ptr<Earlier>> earlier_;  // the station's earlier keys, of hearings that were opened under them
  std::map<HearingId, std::unique_ptr<Work>> works_;  // hearings that are under way
  std::vector<std::string> notices_;
  std::uint64_t offered_again_ = 0;  // hearings
  Progress* progress_ = nullptr;     // of deliver(), while it runs
};

}  // namespace greffe::ingest

#endif
