// The checks of one hearing: its log, its place in the main log, its time line, its objects. Used for exports and pools.
#ifndef GREFFE_ARCHIVE_VERIFY_HEARING_CHECK_H
#define GREFFE_ARCHIVE_VERIFY_HEARING_CHECK_H

#include <functional>
#include <string>
#include <vector>

#include "archive/verify/log_files.h"
#include "archive/verify/main_facts.h"
#include "archive/verify/object_check.h"
#include "archive/verify/timeline.h"

namespace greffe::verify {

struct MainContext {
  const MainFacts& facts;
  const Policy& policy;
  std::vector<const TileTree*> trees;  // the whole main log, one of each epoch; none in an export
  std::uint64_t size = 0;          // of the verified main checkpoint, through all epochs
  std::uint64_t covered = 0;       // entries that the policy's quorum has cosigned
  bool is_copy = false;            // a replica's copy of another archive's log
  Files* files = nullptr;          // where the logs are read from
  std::uint64_t epochs = 1;        // of the main log
};

class HearingCheck {
 public:
  HearingCheck(HearingId id, std::vector<std::string> folders, const MainContext& main, ObjectChecker& objects, Report& report);
  // The order of evidence-formats: log -> signatures -> commits -> entries and time line -> objects. Adds the summary.
  void run();
  // The segments in the order of the log, for playlists; after run().
  const std::vector<SegmentEntry>& segments() const { return segments_; }
  // Every object that the log names, sorted; after run().
  const std::vector<Digest>& named() const { return named_; }
  // What a closing sheet is compared with; after run().
  const HearingId& id() const { return id_; }
  const Checkpoint& checkpoint() const { return checkpoint_.checkpoint; }
  const TileTree& tree() const { return log_.tree(); }
  const Timeline& timeline() const { return timeline_; }
  // The gaps and what explains them, with their index.
  const std::vector<std::pair<std::uint64_t, HearingEntry>>& interruptions() const { return interruptions_; }
  // In the order of the log.
  const std::vector<CorrectionEntry>& corrections() const { return corrections_; }
  TimeAccount account() const { return accounting_.account(); }

 private:
  bool choose_checkpoint();
  void check_other_checkpoints();
  void check_commits(bool root_holds);
  void check_came_back();
  void check_station();
  void check_receipt();
  std::uint64_t filed_by() const;
  void check_close();
  void check_not_before();
  void read_entry(std::uint64_t index, std::string_view bytes);
  void note_correction(std::uint64_t index, const CorrectionEntry& correction);
  void add_jobs(std::uint64_t index, const HearingEntry& entry, std::string_view bytes);
  void check_objects();
  void found(Finding finding);
  void found(Verdict verdict, const char* code, std::string what, std::optional<std::uint64_t> entry = {},
             std::optional<std::uint64_t> entry_end = {}, const std::string& file = {});

  const HearingId id_;
  const MainContext& main_;
  const HearingFacts* facts_;
  ObjectChecker& objects_;
  Report& report_;
  LogFiles log_;
  Timeline timeline_;
  TimeAccounting accounting_;
  std::vector<NoteCopy> notes_;   // all copies of the checkpoint, largest first
  SignedCheckpoint checkpoint_;   // the one that is judged
  std::string checkpoint_file_;
  std::vector<ObjectJob> jobs_;
  std::vector<SegmentEntry> segments_;
  std::vector<std::pair<std::uint64_t, HearingEntry>> interruptions_;
  std::vector<CorrectionEntry> corrections_;
  std::vector<Digest> named_;
  std::set<Digest> lost_;
  HearingSummary summary_;
};

}  // namespace greffe::verify

#endif
