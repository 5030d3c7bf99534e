// One hearing in the station's spool: its own log and the objects that the log names, durable in the order that
// docs/formats/spool.md writes down. Used by one thread; only the holder of the hearing's lock writes.
#ifndef GREFFE_INGEST_SPOOL_H
#define GREFFE_INGEST_SPOOL_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/ed25519.h"
#include "archive/format/merkle.h"
#include "archive/format/segment.h"
#include "archive/format/signed_note.h"
#include "ingest/hearing_state.h"

namespace greffe::ingest {

// Every path of a hearing in the spool.
struct SpoolPaths {
  std::string directory;
  std::string entries() const { return join(directory, "entries"); }
  std::string checkpoint() const { return join(directory, "checkpoint"); }
  std::string receipt() const { return join(directory, "receipt"); }
  std::string continued() const { return join(directory, "continued.json"); }
  std::string waits() const { return join(directory, "waits.json"); }  // ingest/second_start.h
  std::string freed() const { return join(directory, "freed"); }
  std::string lock() const { return join(directory, "lock"); }
  std::string live_record() const { return join(directory, "live.json"); }
  std::string import_record(std::uint64_t number) const { return join(directory, "import-" + std::to_string(number) + ".json"); }
  std::string open() const { return join(directory, "open"); }
  std::string objects() const { return join(directory, "objects"); }
  std::string lost() const { return join(directory, "lost"); }
  std::string quarantine() const { return join(directory, "quarantine"); }
  std::string object(const Digest& digest) const { return join(objects(), digest.hex()); }
};

// The record at the front of `bytes` of an `entries` file, or nothing when it is not whole.
std::optional<std::string_view> first_record(ByteView bytes);

// The signed part of a hearing's log, as anybody may read it at any time.
struct SignedLog {
  std::optional<SignedCheckpoint> checkpoint;  // none: nothing is signed yet
  std::vector<std::string> entries;            // exactly those that the checkpoint commits to
};
Digest root_at(const SignedLog& log, std::uint64_t size);  // of its first `size` entries
// corrupt: the entries do not have the root that was signed.
Result<SignedLog> read_signed_log(FileSystem& files, const SpoolPaths& paths);

// What the name of a segment file in open/ says, for who finds it after a crash:
// "<stream>-<run>-<wall clock ms>-<monotonic ms>.mp4", both of its first sample; "…-t.mp4" where what is in it was decoded and
// encoded again.
struct OpenSegmentName {
  std::string stream;
  std::uint64_t run = 0;
  UtcTime utc;
  std::int64_t mono_ms = 0;
  bool transcoded = false;
  std::string text() const;
};
std::optional<OpenSegmentName> parse_open_name(std::string_view name);

// A segment file while it is written and until its entry is durable.
struct OpenSegment {
  std::string path;
  std::unique_ptr<WritableFile> file;    // shared with the reading process, which can only append to it
  std::unique_ptr<ReadableFile> reader;
  std::uint64_t sealed = 0;
  Sha256 hash;                           // over [0, sealed)
  SegmentScan scan;                      // of [0, sealed)
};
// Whose monotonic clock stands in the names of recovered segments, and how good its wall clock was.
struct RecoveredFrom {
  std::string boot;
  ClockState clock;
};
class HearingSpool {
 public:
  // Makes the empty hearing; the caller renames it into place. Durable.
  static Status create(FileSystem& files, const SpoolPaths& paths);
  // Takes the lock and recovers: what follows the signed part is kept as far as it is whole and its objects are there,
  // and is signed; a torn rest goes to quarantine. unavailable: another process writes this hearing.
  // conflict: it goes on in another hearing, or waits for the station's other directory.
  static Result<std::unique_ptr<HearingSpool>> open(FileSystem& files, SpoolPaths paths, HearingId id, std::string archive,
                                                    const PrivateKey& key);

  const SpoolPaths& paths() const { return paths_; }
  const HearingId& id() const { return id_; }
  const std::vector<std::string>& entries() const { return entries_; }  // durable ones and those of the next commit
  const HearingState& state() const { return state_; }

  // Durable when it returns; the same document twice is one object.
  Result<Digest> put_document(ByteView bytes);
  // A new file in open/; the name is durable.
  Result<OpenSegment> begin_segment(const OpenSegmentName& name);
  // The file has `bytes` bytes now, written by somebody who waits: what is new is hashed and its hash box appended. The digest
  // of all with the box. Not durable yet. invalid: the file is not as was said.
  Result<Digest> seal_fragment(OpenSegment& segment, std::uint64_t bytes);
  // What the file holds, once nobody can add to it any more: our descriptor is closed, everybody else's must be, and
  // the bytes are synced by this process; its digest. invalid: somebody still has it open for writing, or something follows
  // the last seal.
  Result<Digest> end_segment(OpenSegment& segment);
  // Whole, synced and checked; becomes an object with the next commit.
  void finish_segment(OpenSegment segment, const Digest& digest);
  // A file that must never become an object goes to quarantine.
  Status distrust_segment(OpenSegment segment);
  void append(const HearingEntry& entry);
  std::size_t waiting() const { return entries_.size() - committed_; }
  // Everything appended is durable and signed. A crash in it: see docs/formats/spool.md. After an error every further
  // call answers the same error and touches nothing: only open() can tell what is on the disk.
  Status commit();
  // What lost/ names (ingest/lost_objects.h) and the log does not say yet: a `lost` entry, committed with everything that
  // waits; damaged bytes go to quarantine. Nothing happens when there is none. To be called before `close`, and now and then by
  // who records for long.
  Status declare_lost();
  // After a crash without the source at hand: every whole fragment in open/ becomes a `recovered` segment, what is
  // behind it goes to quarantine. The entries wait for commit().
  Status recover_open_segments(const RecoveredFrom& from);
  // The same for one of them, whose reader is gone in the middle of it.
  Status recover_segment(OpenSegment segment, const RecoveredFrom& from);
  Status discard_open_segments();  // the source is at hand and gives them again

 private:
  HearingSpool(FileSystem& files, SpoolPaths paths, HearingId id, std::string archive, const PrivateKey& key)
      : files_(files), paths_(std::move(paths)), id_(id), archive_(std::move(archive)), key_(key) {}
  Status load();
  Status keep_unsigned_tail(ByteView tail);
  bool is_whole(std::string_view entry);
  Status set_aside(const std::string& name, ByteView bytes);
  Status sign();
  Status recover_one(const std::string& name, const RecoveredFrom& from);
  Status keep_aside(const Digest& digest);
  Status link_finished();
  Status commit_waiting();
  Bytes records_from(std::size_t first) const;

  FileSystem& files_;
  const SpoolPaths paths_;
  const HearingId id_;
  const std::string archive_;
  const PrivateKey& key_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<WritableFile> log_;  // entries, open for appending
  std::vector<std::string> entries_;
  std::size_t committed_ = 0;
  std::optional<Error> broken_;        // why commit() cannot go on
  TreeEdge tree_;                      // over the committed entries
  HearingState state_;
  Bytes piece_;                        // a fragment; kept, because fresh memory for every one costs as much as hashing it
  struct Finished {
    OpenSegment segment;
    Digest digest;
  };
  std::vector<Finished> finished_;
};

}  // namespace greffe::ingest

#endif
