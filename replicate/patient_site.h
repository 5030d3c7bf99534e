// A site that is asked again for a while: a line that is cut for a minute, or one bad answer, does not end hours of work.
#ifndef GREFFE_REPLICATE_PATIENT_SITE_H
#define GREFFE_REPLICATE_PATIENT_SITE_H

#include <atomic>
#include <chrono>
#include <stop_token>

#include "archive/base/log.h"
#include "replicate/remote_sites.h"

namespace greffe::replicate {

// What is `unavailable` is asked for again after each of `waits`, and the log says so once; what arrives `corrupt`, at most twice and at
// once. Thread-safe.
class PatientSite : public RestoreSite {
 public:
  using Waits = std::vector<std::chrono::milliseconds>;
  static Waits usual_waits();  // together about two minutes
  PatientSite(RestoreSite& site, Waits waits, Log& log, std::stop_token stop) : site_(site), waits_(std::move(waits)), log_(log), stop_(std::move(stop)) {}

  Result<client::LogPiece> read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) override;
  Result<std::vector<HearingId>> hearings_of_day(const std::string& origin, const std::string& day) override;
  Result<Bytes> get_object(const client::LogTarget& log, const Digest& digest, std::uint64_t entry) override;

 private:
  template <class Ask>
  auto patiently(const Ask& ask) -> decltype(ask());
  void wait(std::chrono::milliseconds time);

  RestoreSite& site_;
  const Waits waits_;
  Log& log_;
  const std::stop_token stop_;
  std::atomic<bool> waiting_{false};  // it was said
};

}  // namespace greffe::replicate

#endif
