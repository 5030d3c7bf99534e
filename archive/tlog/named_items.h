// What a main log of a certain size, through all epochs, and the hearings that it commits to, say that a pool must hold: both sites derive
// it from their own logs. Reads every entry of every log; one thread.
#ifndef GREFFE_ARCHIVE_TLOG_NAMED_ITEMS_H
#define GREFFE_ARCHIVE_TLOG_NAMED_ITEMS_H

#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/comparison_tree.h"
#include "archive/format/lost_declarations.h"
#include "archive/store/object_store.h"
#include "archive/tlog/log_chain.h"

namespace greffe::tlog {

class NamedItems {
 public:
  struct Bound {
    std::string archive;  // its name
    LogChain main;        // its main log, up to the epoch that is compared
    std::uint64_t size = 0;  // of the newest epoch's log in it
    Digest root;             // that this had then
    std::uint64_t number() const { return main.newest().first + size; }  // of the entry behind, through all epochs
  };
  // `directory`: for temporary files, 64 bytes for each entry that commits to a hearing; it is there already.
  NamedItems(FileSystem& files, store::ObjectStore& objects, store::HeadStore& heads, Bound bound, std::string directory);

  // `here`, of a log: the entries that are stored give the root that the main log states. What a log names that is not here, or is
  // excused by it or by two officers at this size, is not named. conflict: the main log had another root at that size.
  // unavailable: it is shorter here, or storage does not answer. `hearings_done` of 256 parts.
  using Take = std::function<Status(const ComparedItem& item, bool here)>;
  Status walk(const Take& take, std::atomic<std::uint64_t>& hearings_done, const std::stop_token& stop);

  // Whether something that is stated further on, as far as the logs are published here, excuses what is missing. After walk().
  Result<bool> is_excused_by_now(const ComparedItem& item);

 private:
  struct Hearing {
    HearingId id;
    std::uint64_t size = 0;
    Digest root;
  };
  class Commitments;
  Status read_main(Commitments& commitments);
  Status name_documents(const Take& take);
  Status name_hearing(const Hearing& hearing, const Take& take);
  Result<std::vector<Digest>> objects_of(const Hearing& hearing);

  FileSystem& files_;
  store::ObjectStore& objects_;
  store::HeadStore& heads_;
  const Bound bound_;
  const std::string directory_;
  LostDeclarations declared_;                  // at the size
  std::optional<LostDeclarations> by_now_;     // at the published head; read when it is asked for
  std::map<HearingId, std::set<Digest>> excused_by_now_;  // by hearings that were asked about
};

}  // namespace greffe::tlog

#endif
