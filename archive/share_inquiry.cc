#include "archive/share_inquiry.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "archive/share_counterparts.h"
#include "archive/store_document.h"

namespace greffe::archive {
namespace {

constexpr std::chrono::seconds kAskEvery(10);
constexpr int kQuestionsMax = 16;  // one after the other

}  // namespace

ShareInquiry::ShareInquiry(Log& log, Stores stores, MainLog& own, const HeldArchives& archives, AskableSites sites)
    : log_(log), stores_(stores), own_(own), archives_(archives), sites_(std::move(sites)) {}

void ShareInquiry::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ShareInquiry::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void ShareInquiry::run(const std::stop_token& stop) {
  name_thread("gr-shares");
  std::mutex mutex;
  std::condition_variable_any wakes;
  while (!stop.stop_requested()) {
    for (const std::shared_ptr<OtherSite>& site : sites_()) {
      const Status asked = ask(*site);
      // A site that cannot be reached is no news: whoever needs it says so.
      const bool is_told = !asked && asked.error().code != Errc::unavailable && !stop.stop_requested();
      const std::string words = is_told ? asked.error().within("what other archives share with courts here, as " + site->name() + " tells it, is not in the main log yet").message : "";
      if (!words.empty() && words != said_[site->name()]) log_.warn(words);
      said_[site->name()] = words;
    }
    std::unique_lock lock(mutex);
    wakes.wait_for(lock, stop, kAskEvery, [] { return false; });
  }
}

Status ShareInquiry::ask(OtherSite& site) {
  LookedAt& known = looked_at_[site.name()];
  for (int i = 0; i < kQuestionsMax; ++i) {
    const auto told = site.shares(known);
    if (!told && told.error().code == Errc::not_found) return ok();
    if (!told) return told.error();
    GREFFE_TRY(file(told->shares));
    known = told->looked_at;
    if (told->shares.empty()) break;
  }
  return ok();
}

// A reason is durable before an entry names it.
Status ShareInquiry::file(const std::vector<ToldShare>& told) {
  std::vector<ShareEntry> shares;
  std::map<Digest, std::string> reasons;
  for (const ToldShare& one : told) {
    const bool is_ours = one.share.court.starts_with(own_.archive_name() + "/") && one.share.archive != own_.archive_name();
    if (!is_ours) return fail(Errc::invalid, "it tells of a share that is none with a court of " + own_.archive_name());
    if (archives_.named(one.share.archive)) continue;  // filed from the copy (held_archives.h)
    shares.push_back(one.share);
    reasons[one.share.reason] = one.reason;
  }
  return file_counterparts(own_, shares, [&](const ShareEntry& share) -> Status {
    GREFFE_TRY(store_document(stores_.objects, reasons.at(share.reason)));
    return ok();
  });
}

}  // namespace greffe::archive
