// What stations have deposited and no entry of a hearing names yet: it takes room in the pool and nobody can ask for it, so
// each station has a quota of it. Thread-safe; never touches the pool.
//
// The list of it lies in a file of the state directory, one line for each object that came or was named since. A line is
// written before the deposit is answered, so a killed process forgets nothing that it answered; it is synced within a
// second, so a power cut forgets what came in the last one at most. A line that says "named" may be lost: whoever
// starts asks the hearings' logs again, see hearings(). Without the file every station begins with its whole quota.
#ifndef GREFFE_ARCHIVE_UNFILED_BYTES_H
#define GREFFE_ARCHIVE_UNFILED_BYTES_H

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/digest.h"
#include "archive/format/names.h"

namespace greffe::archive {

// An object counts as this much at least: a million tiny ones cost more than their bytes.
inline constexpr std::uint64_t kUnfiledLeastBytes = 64 * 1024;

class UnfiledBytes {
 public:
  // Reads the list and writes it anew, without what no longer counts. A line that is not whole is left out.
  static Result<std::unique_ptr<UnfiledBytes>> open(FileSystem& files, const std::string& path, std::uint64_t quota_bytes);
  ~UnfiledBytes();  // syncs

  // Room in a station's quota for an object that is on its way; given back when this goes.
  class Admission {
   public:
    Admission(Admission&& other) noexcept;
    Admission& operator=(Admission&&) = delete;
    ~Admission();

   private:
    friend class UnfiledBytes;
    Admission(UnfiledBytes* owner, std::string station, std::uint64_t bytes);
    UnfiledBytes* owner_;
    const std::string station_;
    const std::uint64_t bytes_;
  };
  // no_space: the station has its quota; entries that name what it sent make room. An object that counts already, because it
  // was sent before, is admitted: it takes no more room than it has.
  Result<Admission> admit(const std::string& station, const Digest& digest, std::uint64_t bytes);

  // It was stored, and is counted until an entry names it. An error of the disk is kept for sync(): the count holds.
  void deposited(const std::string& station, const HearingId& hearing, const Digest& digest, std::uint64_t bytes);
  // An entry of some hearing names these: they count for nobody any more.
  void named(const std::vector<Digest>& digests);

  // What is counted, for whoever knows which hearings name what.
  std::set<HearingId> hearings() const;
  // By station; what is on its way not included.
  std::map<std::string, std::uint64_t> by_station() const;
  std::uint64_t quota_bytes() const { return quota_bytes_; }

  // Makes the list durable, and shorter when it is mostly about what no longer counts. io_error, no_space: the list on disk is
  // behind; what is counted in memory holds, and the next call tries again.
  Status sync();

 private:
  struct Counted {
    std::string station;
    HearingId hearing;
    std::uint64_t bytes = 0;
  };
  UnfiledBytes(FileSystem& files, std::string path, std::uint64_t quota_bytes);
  void read(std::string_view text) /* before anybody else */;
  void count(const Digest& digest, Counted counted) /* mutex_ held */;
  bool forget(const Digest& digest) /* mutex_ held */;
  void write_line(const std::string& line) /* mutex_ held */;
  Status rewrite() /* mutex_ held */;

  FileSystem& files_;
  const std::string path_;
  const std::uint64_t quota_bytes_;
  mutable std::mutex mutex_;  // guards what follows; held while the file is written
  std::map<Digest, Counted> counted_;
  std::map<std::string, std::uint64_t> held_;      // by station: of counted_
  std::map<std::string, std::uint64_t> on_its_way_;  // by station
  std::unique_ptr<WritableFile> file_;               // none: it is to be written anew
  std::size_t lines_ = 0;                            // in the file
  bool unsynced_ = false;
};

}  // namespace greffe::archive

#endif
