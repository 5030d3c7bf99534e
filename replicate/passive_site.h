// A copy with nobody behind it, as the replicator's target. What a second site does for itself is done here by who copies: every digest
// and root is recomputed from bytes, a log grows only when everything that it names is there, and what was written is read back from
// the medium. All of it in the first 30 days of a copy; then one in a hundred, and of the rest what the store knows of them. Nobody
// cosigns: what is known of a copy is its grade, kept beside it. Thread-safe.
//
// It has no way to remove anything. Damaged bytes that make room for good ones are kept aside (docs/formats/passive-copy.md).
#ifndef GREFFE_REPLICATE_PASSIVE_SITE_H
#define GREFFE_REPLICATE_PASSIVE_SITE_H

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_set>
#include <vector>

#include "replicate/copied_log.h"
#include "replicate/grade_book.h"
#include "replicate/passive_pool.h"
#include "replicate/remote_sites.h"

namespace greffe::replicate {

constexpr std::int64_t kAllReadBackMs = 30LL * 24 * 3600 * 1000;  // of a new copy: everything is read back
constexpr unsigned kReadBackPercent = 1;                          // later, at least
// By chance: never less often than so many times of a hundred.
bool is_drawn(unsigned percent);

class PassiveSite : public CopySite {
 public:
  // All of them must outlive this object. `owner`: with the keys of all epochs of the source.
  PassiveSite(PassivePool& pool, const Source& source, CopyOwner owner, Clock& clock, Log& words, std::stop_token stop);

  // not_found never: a copy that is not there is `unavailable`.
  Result<client::HeldCheckpoint> checkpoint(const client::LogTarget& log) override;
  Result<client::HeldCheckpoint> checkpoint_from(const client::LogTarget& log, std::uint64_t from) override;
  // What is there already is read back before it counts.
  Result<std::vector<Digest>> have(const client::LogTarget& log, const std::vector<Digest>& digests) override;
  // corrupt: what was read at the source are other bytes. unavailable also: it does not read back as it was written.
  Status put_object(const client::LogTarget& log, const Digest& digest, std::shared_ptr<ReadableFile> bytes, Pace pace) override;
  // 1, when the pool is there and has our label.
  Result<std::uint64_t> echo(const std::string& nonce) override;
  Result<std::variant<std::string, client::EntriesRefused>> post_entries(const client::LogTarget& log, std::uint64_t first,
                                                                         const std::vector<std::string>& entries, std::string_view checkpoint_note,
                                                                         const std::vector<ShownEntry>& shown) override;
  Status give_signatures(const client::LogTarget& log, const std::vector<std::string>& notes) override;
  Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest) override;
  // Entries without their objects are not written where nobody reads them: not_found.
  Result<client::KnownThere> known_ahead(const client::LogTarget& log) override;
  Result<std::variant<client::KnownThere, client::AheadRefused>> post_ahead(const client::LogTarget& log, std::uint64_t first,
                                                                            const std::vector<std::string>& entries,
                                                                            std::string_view checkpoint_note) override;
  // What was found missing or damaged there.
  Result<std::vector<client::LostThere>> lost_objects() override;
  // Puts good bytes in the place of what is bad, and reads them back.
  Status return_object(const Digest& digest, ByteView bytes) override;

  // ---- for whoever looks after the copy (copy_round.h) ----

  Result<std::shared_ptr<OpenedCopy>> open();
  // True: as many good replicas as the pool promises were read whole from their media, after a repair if one was needed and could be made.
  Result<bool> read_back(store::WholePool& pool, const Digest& digest, std::uint64_t& bytes);
  // The logs of one hearing, or the main log, are one thread's at a time.
  std::mutex& mutex_of(const client::LogTarget& log);
  // Whether all that is written or looked at is to be read whole.
  bool reads_all(const CopyLabel& label) const;
  GradeBook& book() { return book_; }
  // What is known of the copy; with what this process has seen.
  Result<CopyGrade> grade();
  // Makes it durable. Does nothing as a reader, or when nothing is new.
  Status save_grade();
  const std::string& name() const { return pool_.name(); }
  bool may_write() const { return pool_.mode() == store::PoolMode::writer; }
  // Asked where something is not there: of a disk that was unplugged nothing is. unavailable: the copy itself is gone.
  Status is_there(store::WholePool& pool);
  // What an error of the pool means to who copies: `unavailable` where the medium failed.
  Error there(Error error);

 private:
  bool is_known(const Digest& digest) const;
  void know(const Digest& digest);
  Status write(store::WholePool& pool, const Digest& digest, ReadableFile& bytes, const Pace& pace);
  Result<bool> settle(store::WholePool& pool, const Digest& digest);
  Status make_way(store::WholePool& pool, const Digest& digest);
  Result<VerifierKey> key_of(const std::string& origin) const;
  Status check_signature(const client::LogTarget& log, std::uint64_t first, const std::vector<std::string>& entries, const SignedCheckpoint& wanted) const;
  Status follows(store::WholePool& pool, const EpochName& name, std::string_view promotion);
  Status keep_end(store::WholePool& pool, const Checkpoint& end);
  struct Named {
    std::set<Digest> objects;
    std::set<Digest> excused;
    std::vector<HearingCheckpointEntry> hearings;  // of a main log
    bool closes = false;                           // of a hearing
  };
  static Result<Named> read_hearing(const std::vector<std::string>& entries);
  static Result<Named> read_main(const std::vector<std::string>& entries);
  Result<std::vector<Digest>> not_there(store::WholePool& pool, Named named, const std::vector<ShownEntry>& shown);
  Status holds_hearings(store::WholePool& pool, const std::vector<HearingCheckpointEntry>& hearings);
  Status keep_older(store::WholePool& pool, const std::string& log_path, const SignedCheckpoint& note);
  void save_grade_at_times();

  PassivePool& pool_;
  const Source source_;
  const CopyOwner owner_;
  Clock& clock_;
  Log& words_;
  const std::stop_token stop_;
  GradeBook book_;
  std::array<std::mutex, 64> mutexes_;  // by the path of a log; taken before anything below

  mutable std::mutex mutex_;            // guards what follows
  std::weak_ptr<OpenedCopy> seen_;      // of whose grade the book is
  std::unordered_set<Digest> known_;    // objects that this process wrote or read back there
  std::deque<Digest> known_order_;      // oldest first
  std::vector<std::string> given_;      // signed notes of the main log that were given last, and taken
  std::int64_t saved_ms_ = 0;           // monotonic; of the grade
};

}  // namespace greffe::replicate

#endif
