// The archives whose main logs are held here, for reading: this one's own, and at a second site or in a province those whose copies
// it keeps. Each has a catalogue of its own, derived from its own log, so that nothing of one can show in another. Thread-safe.
//
// Thread "gr-copies" looks for new entries of copied main logs every two seconds and has their catalogues follow. Until a copy's
// catalogue is made for the first time (minutes for a million hearings) the copy is not seen here. What a copied archive shares with a court
// of this one it files in this archive's own log as well (share_counterparts.h).
//
// A court of a copied archive is named with its archive, "archive.lyon.example/civil"; one of this archive's own just "civil".
#ifndef GREFFE_ARCHIVE_HELD_ARCHIVES_H
#define GREFFE_ARCHIVE_HELD_ARCHIVES_H

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "archive/accounts/accounts.h"
#include "archive/main_log.h"
#include "archive/officer_entries.h"

namespace greffe::archive {

struct HeldArchive {
  std::string name;
  bool own = false;
  std::shared_ptr<const catalogue::Catalogue> catalogue;
  tlog::LogChain chain;    // of its main log
  std::string log_path;    // of the newest epoch's
  PublicKey log_key;       // that signs that
  std::string site;        // the name of this site's own archive
  UtcTime asked;           // at which shares that end are judged
  std::shared_ptr<OfficerEntries> officers;  // of `chain`

  // Of a court of its own, or of another archive: "<archive>/<court>".
  std::string court_here(const std::string& court) const;
  // What of it this account may see: its courts, and what is shared with them.
  catalogue::CourtSet seen_by(const accounts::Account& account) const;
};

struct FoundHearing {
  HeldArchive archive;
  catalogue::HearingRecord record;  // its court as it is named here
};

// Of the archive that is copied: "<state>/catalogue-<first 16 hex digits of the SHA-256 of its name>.sqlite".
std::string copied_catalogue_path(const std::string& state_directory, const std::string& name);

class HeldArchives {
 public:
  // All of them outlive it.
  HeldArchives(Clock& clock, FileSystem& files, Log& log, Stores stores, MainLog& own, const PublicKey& own_log_key, std::string state_directory);
  ~HeldArchives();  // stops the thread
  void start();
  void stop();  // a catalogue that is being made is broken off, and begun again at the next start

  HeldArchive own() const;
  std::vector<HeldArchive> all() const;                        // its own first, then by name
  Result<HeldArchive> named(const std::string& name) const;    // not_found: not held here, or not seen yet

  // As Catalogue::find, over all of them; `query.court` as courts are named here. A page's rows say of which archive they are.
  struct Row {
    std::string archive;  // empty: its own
    catalogue::HearingRow row;
  };
  struct Page {
    std::vector<Row> hearings;
    std::optional<std::string> next_cursor;
    std::uint64_t count = 0;
    bool count_is_exact = true;
  };
  Result<Page> find(catalogue::HearingQuery query, const accounts::Account& account) const;
  // As Catalogue::hearing.
  Result<FoundHearing> hearing(const HearingId& id, const accounts::Account& account) const;
  // Its marks, whoever asks; not_found: no archive has it.
  Result<std::vector<catalogue::Mark>> marks(const HearingId& id) const;
  // Every court of every archive, its own first.
  Result<std::vector<catalogue::Court>> places() const;

 private:
  struct Copy;
  void run(std::stop_token stop);
  Status look_for_epochs(Copy& copy);
  void follow(Copy& copy, const std::stop_token& stop);
  void file_counterparts(Copy& copy);
  Status file_shares(Copy& copy);
  Status look_for_copies();

  Clock& clock_;
  FileSystem& files_;
  Log& log_;
  const Stores stores_;
  MainLog& own_;
  const PublicKey own_log_key_;
  const std::shared_ptr<OfficerEntries> own_officers_ = std::make_shared<OfficerEntries>();
  const std::string state_directory_;
  mutable std::mutex mutex_;  // guards `copies_`, the map and what `Copy` says is guarded
  std::map<std::string, std::shared_ptr<Copy>> copies_;  // by name
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
