#include "replicate/patient_site.h"

#include <condition_variable>
#include <mutex>

namespace greffe::replicate {

PatientSite::Waits PatientSite::usual_waits() {
  using std::chrono::seconds;
  return {seconds(1), seconds(2), seconds(4), seconds(8), seconds(15), seconds(30), seconds(60)};
}

void PatientSite::wait(std::chrono::milliseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any wakes;
  wakes.wait_for(lock, stop_, time, [] { return false; });
}

template <class Ask>
auto PatientSite::patiently(const Ask& ask) -> decltype(ask()) {
  constexpr int kBadAnswers = 2;
  int bad = 0;
  for (std::size_t waited = 0;;) {
    auto answer = ask();
    if (answer && waiting_.exchange(false)) log_.info("the second site answers again");
    if (answer || stop_.stop_requested()) return answer;
    if (answer.error().code == Errc::corrupt && bad++ < kBadAnswers) continue;
    if (answer.error().code != Errc::unavailable || waited == waits_.size()) return answer;
    if (!waiting_.exchange(true)) log_.warn(answer.error().message + "; asking again for a while");
    wait(waits_[waited++]);
  }
}

Result<client::LogPiece> PatientSite::read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) {
  return patiently([&] { return site_.read_entries(log, first, last); });
}

Result<std::vector<HearingId>> PatientSite::hearings_of_day(const std::string& origin, const std::string& day) {
  return patiently([&] { return site_.hearings_of_day(origin, day); });
}

Result<Bytes> PatientSite::get_object(const client::LogTarget& log, const Digest& digest, std::uint64_t entry) {
  return patiently([&] { return site_.get_object(log, digest, entry); });
}

}  // namespace greffe::replicate
