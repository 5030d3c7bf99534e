// One hearing as it is to be restored: its log, and the objects that the log names. One thread at a time.
#ifndef GREFFE_REPLICATE_RESTORED_HEARING_H
#define GREFFE_REPLICATE_RESTORED_HEARING_H

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replicate/restored_main_log.h"

namespace greffe::replicate {

class RestoredHearing {
 public:
  RestoredHearing(RestoreSite& site, tlog::LogStores pool, const RestoreKeys& keys, const RestoredMainLog& main, HearingId id);

  // Reads and checks the log, and stores nothing. As SiteLog::read; corrupt also: not the log that the main log committed to, or not
  // signed by the station that opened it, or by one that the archive did not enrol, or not confirmed by the site.
  Status read();
  // Stores the log, with the marker of a hearing that the archive has to go on with, and the site's confirmation. After its objects.
  Status store();

  const HearingId& id() const { return id_; }
  const std::string& court() const { return open_->court; }
  const std::vector<NamedObject>& objects() const { return objects_; }
  // Declared lost, by the station or by two officers: nobody need have it.
  bool is_lost(const Digest& digest) const;
  std::uint64_t fetched() const { return log_.fetched(); }

 private:
  Status take(std::uint64_t index, std::string_view text);
  Status check_signatures() const;

  const tlog::LogStores pool_;
  const RestoreKeys& keys_;
  const RestoredMainLog& main_;
  const HearingId id_;
  const std::string origin_;
  SiteLog log_;
  std::optional<CommittedHead> committed_;
  bool meets_committed_ = false;
  std::optional<OpenEntry> open_;
  std::vector<NamedObject> objects_;
  std::set<Digest> lost_;
  bool closed_ = false;
};

// The court in which a hearing was opened, from the pool's copy of its log, or from the site's. Not verified.
Result<std::string> court_of(RestoreSite& site, const tlog::LogStores& pool, const HearingId& id);

}  // namespace greffe::replicate

#endif
