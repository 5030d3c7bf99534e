// The main log of an archive through all its epochs. Each epoch is a log of its own, which pins the one before it with its first
// entry; entries are numbered through: number = entries of the epochs before, up to where they are pinned, + index. Thread-safe; cheap to
// copy; copies share what they have loaded. See docs/decisions/0018-epochs.md.
#ifndef GREFFE_ARCHIVE_TLOG_LOG_CHAIN_H
#define GREFFE_ARCHIVE_TLOG_LOG_CHAIN_H

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/promotion.h"
#include "archive/tlog/log_reader.h"

namespace greffe::tlog {

// Where the main log of an archive lies in a pool, in one of its epochs.
struct MainLogPlace {
  EpochName name;
  std::string path;        // of this epoch's log
  std::string first_path;  // of the first epoch's
  std::string origin() const { return epoch_origin(name); }
};
// Of an archive that was never promoted, in the pool that it began.
MainLogPlace first_place(const std::string& archive);
// Whether this pool began the archive, or took its first epoch as a copy, the head of the pool's own log says. corrupt, unavailable: as
// HeadStore::read_head.
Result<MainLogPlace> find_main_log(store::HeadStore& heads, const EpochName& name);

class LogChain;
// All epochs up to this one, of an archive whose own pool this is; of one that was never promoted also where nothing is written yet.
Result<LogChain> open_main_log(store::ObjectStore& objects, store::HeadStore& heads, const EpochName& name);

class LogChain {
 public:
  struct Link {
    EpochName name;
    std::string path;         // of its log; empty in a chain of one log alone, as is the archive in its name
    std::uint64_t first = 0;  // number of its entry 0
    LogReader reader;
  };
  struct Place {
    const Link* link;     // lives as long as the chain
    std::uint64_t index;  // in that log
  };

  // One log alone: an archive that was never promoted, or a log that does not exist yet.
  LogChain(LogReader only);  // NOLINT: where a chain is asked for a log is one
  // All epochs of `archive` that the stores hold: the first at `first_path`, later ones below "log/from". Whose signatures a promotion
  // bears was checked by whoever let it into the pool; here only that each epoch pins a state of the one before. Epochs that come later
  // are seen by a chain that is opened then. not_found: not even the first one. corrupt: a log that is called an epoch does not begin
  // with its promotion. conflict: it pins a state that the one before never had.
  static Result<LogChain> open(store::ObjectStore& objects, store::HeadStore& heads, const std::string& archive, const std::string& first_path);
  // The same up to this epoch. not_found: it is not there.
  static Result<LogChain> open(store::ObjectStore& objects, store::HeadStore& heads, const MainLogPlace& newest);

  const Link& newest() const { return links_.back(); }
  const std::vector<Link>& links() const { return links_; }  // in order; at least one

  // Of the newest epoch; its signature is the caller's to check.
  Result<SignedCheckpoint> checkpoint() const { return newest().reader.checkpoint(); }
  Result<std::uint64_t> size() const;  // the number that the next entry will have
  // Entries with the numbers [first, last), as LogReader::entries. What an old epoch has beyond its pin is not among them.
  Status entries(std::uint64_t first, std::uint64_t last, const std::function<bool(std::uint64_t number, std::string_view entry)>& visit) const;
  Result<std::vector<std::string>> entries(std::uint64_t first, std::uint64_t last) const;
  // The root of the epoch that entry `size` - 1 belongs to, where it ends with that entry: it stands for everything before as well, by
  // the pins.
  Result<Digest> root_at(std::uint64_t size) const;
  Place place_of(std::uint64_t number) const;

 private:
  explicit LogChain(std::vector<Link> links) : links_(std::move(links)) {}
  static Result<LogChain> open_up_to(store::ObjectStore& objects, store::HeadStore& heads, const EpochName& last, const std::string& first_path);
  std::vector<Link> links_;
};

}  // namespace greffe::tlog

#endif
