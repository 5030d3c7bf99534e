// Asks the sites that hold this archive's copies what other archives share with its courts, and files it in this archive's log: the counterparts
// (share_counterparts.h) of archives whose copies are not held here. Two cities under one province have each other's shares in this way.
//
// Nothing proves them: neither archive knows the other's keys. They open nothing here; a site that lies makes this log longer, by a thousand
// entries in ten seconds at most, until its operator removes it.
#ifndef GREFFE_ARCHIVE_SHARE_INQUIRY_H
#define GREFFE_ARCHIVE_SHARE_INQUIRY_H

#include <map>
#include <stop_token>
#include <string>
#include <thread>

#include "archive/base/log.h"
#include "archive/held_archives.h"
#include "archive/other_sites.h"

namespace greffe::archive {

class ShareInquiry {
 public:
  // All of them outlive it.
  ShareInquiry(Log& log, Stores stores, MainLog& own, const HeldArchives& archives, AskableSites sites);
  ~ShareInquiry() { stop(); }
  // Thread "gr-shares" asks every site every ten seconds. Begun again from the first entry at each start: what is filed already is found, whatever
  // a crash cut short.
  void start();
  void stop();  // waits for the question under way; OtherSites::stop breaks that off

  // Once, all that this site has to tell. ok also when it is too old to say. Errors of the site, or as MainLog::append. One thread.
  Status ask(OtherSite& site);

 private:
  void run(const std::stop_token& stop);
  Status file(const std::vector<ToldShare>& told);

  Log& log_;
  const Stores stores_;
  MainLog& own_;
  const HeldArchives& archives_;
  const AskableSites sites_;
  // Of the thread alone, by site.
  std::map<std::string, LookedAt> looked_at_;
  std::map<std::string, std::string> said_;  // what stands in its way, as it was logged last
  std::jthread thread_;
};

}  // namespace greffe::archive

#endif
