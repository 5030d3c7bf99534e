#include "archive/base/back_off.h"
#include "ingest/drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "ingest/import_begin.h"
#include "ingest/succession.h"

namespace greffe::ingest {
namespace {

bool may_pass(Errc code) {
  return code == Errc::unavailable || code == Errc::io_error || code == Errc::no_space || code == Errc::conflict;
}

// Delivery says these itself, or nobody can do anything about them.
bool may_pass_unsaid(Errc code) { return code == Errc::unavailable || code == Errc::io_error; }

class Drain {
 public:
  Drain(FileSystem& files, Clock& clock, const IngestSettings& settings, Enrolment enrolment, const PrivateKey& key)
      : files_(files), clock_(clock), settings_(settings), enrolment_(std::move(enrolment)), key_(key),
        delivery_(std::make_unique<Delivery>(files, clock, settings, enrolment_, key)) {}

  Result<DrainOutcome> run(std::int64_t retry_for_s) {
    const std::int64_t until = clock_.monotonic_ms() + retry_for_s * 1000;
    std::vector<HearingId> todo = GREFFE_TRY(list_hearings(files_, settings_.directory));
    DrainOutcome out;
    Status seen = see_main_log();
    const bool full = GREFFE_TRY(measure_space(files_, settings_)).level == SpaceLevel::full;
    if (full) (void)GREFFE_TRY(look_at_all(out, is_trusted(seen)));  // a full disk has no room for receipts
    for (BackOff pause;;) {
      out.problems.clear();
      if (!seen && !may_pass_unsaid(seen.error().code)) out.problems.push_back(seen.error().message);
      todo = try_all(todo, out);
      if (GREFFE_TRY(follow(out))) {
        seen = see_main_log();
        todo = GREFFE_TRY(list_hearings(files_, settings_.directory));
        continue;
      }
      GREFFE_TRY(delivery_->remember_archive());
      const std::int64_t left = until - clock_.monotonic_ms();
      if (todo.empty() || left <= 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(pause.next_ms(), left)));
    }
    take_notices(out);
    out.hearings = GREFFE_TRY(look_at_all(out, is_trusted(seen)));
    return out;
  }

 private:
  Status see_main_log() {
    const Status seen = delivery_->see_main_log();
    in_vain_ = !seen && may_be_elsewhere(seen.error().code);
    if (seen) (void)delivery_->learn_successors();  // another time, if not now
    return seen;
  }
  // An archive that has forgotten something may have forgotten what it confirmed: nothing goes then.
  static bool is_trusted(const Status& seen) { return seen || seen.error().code != Errc::conflict; }

  void take_notices(DrainOutcome& out) const {
    const std::vector<std::string> notices = delivery_->notices();
    out.notices.insert(out.notices.end(), notices.begin(), notices.end());
  }

  // True: the archive goes on at another site, and from now on this delivers there.
  Result<bool> follow(DrainOutcome& out) {
    const std::int64_t now = clock_.monotonic_ms();
    if ((!in_vain_ && !delivery_->has_heard_of_later_epoch()) || now < next_search_ms_) return false;
    next_search_ms_ = now + settings_.upload.ask_successors_after_ms;
    const Search searched = GREFFE_TRY(find_successor(files_, clock_, settings_.directory, enrolment_, key_));
    for (const std::string& why : searched.refused) {
      if (std::find(out.notices.begin(), out.notices.end(), why) == out.notices.end()) out.notices.push_back(why);
    }
    if (!searched.found) return false;
    take_notices(out);
    out.notices.push_back(succession_words(*searched.found));
    enrolment_ = *searched.found;
    delivery_ = std::make_unique<Delivery>(files_, clock_, settings_, enrolment_, key_);
    answers_ = true;
    return true;
  }

  // Those that may work another time.
  std::vector<HearingId> try_all(const std::vector<HearingId>& todo, DrainOutcome& out) {
    std::vector<HearingId> again;
    for (const HearingId& id : todo) {
      const auto before = look_at(files_, settings_, enrolment_, key_.public_key(), id);
      if (!before || before->state == "damaged") {
        out.problems.push_back(before ? before->problem : before.error().message);
        continue;
      }
      if (before->state == "continued" && files_.stat(spool_of(settings_.directory, *before->continued).directory)) continue;
      const bool covered = covers_all(settings_, before->receipt, before->entries);
      if (before->entries == 0 || (covered && still_held(*before, out))) continue;
      const auto receipt = deliver(id, out);
      if (!receipt) {
        out.problems.push_back(fmt::format("hearing {}: {}", id.text(), receipt.error().message));
        if (may_pass(receipt.error().code)) again.push_back(id);
        in_vain_ = in_vain_ || may_be_elsewhere(receipt.error().code);
        // Nobody answers: the next hearing would only wait for the same.
        if (receipt.error().code == Errc::unavailable) {
          const auto rest = std::find(todo.begin(), todo.end(), id) + 1;
          again.insert(again.end(), rest, todo.end());
          return again;
        }
        continue;
      }
      in_vain_ = false;
      if (covered || receipt->archive_size > before->receipt.archive_size) ++out.delivered;
      if (!covers_all(settings_, *receipt, before->entries)) again.push_back(id);  // the second site lags, or it grew
    }
    return again;
  }

  // What can no longer be read here is said in the log, and the rest is delivered.
  Result<ReceiptState> deliver(const HearingId& id, DrainOutcome& out) {
    auto receipt = delivery_->deliver(id);
    if (receipt || receipt.error().code != Errc::corrupt) return receipt;
    const LostSettled settled = GREFFE_TRY(delivery_->settle(id));
    if (!settled.deliver_again) return receipt;
    out.notices.push_back(settled.words);
    return delivery_->deliver(id);
  }

  // An archive that was restored from an older state gets back what the station still has. Where nobody answers, or what is
  // said cannot be judged now, the receipt counts as before.
  bool still_held(const SpooledHearing& hearing, DrainOutcome& out) {
    if (hearing.freed || !answers_) return true;
    const auto now = delivery_->look(hearing.id);
    if (now) return covers_all(settings_, now->receipt, now->entries);
    answers_ = !may_pass_unsaid(now.error().code);
    in_vain_ = in_vain_ || may_be_elsewhere(now.error().code);
    if (answers_) out.problems.push_back(fmt::format("hearing {}: {}", hearing.id.text(), now.error().message));
    return true;
  }

  Result<std::vector<SpooledHearing>> look_at_all(DrainOutcome& out, bool make_room_too) {
    const std::vector<HearingId> all = GREFFE_TRY(list_hearings(files_, settings_.directory));
    std::vector<SpooledHearing> hearings;
    for (const HearingId& id : all) hearings.push_back(GREFFE_TRY(look_at(files_, settings_, enrolment_, key_.public_key(), id)));
    if (!make_room_too) return hearings;
    const RoomMade made = GREFFE_TRY(make_room(files_, clock_.utc_now(), settings_, hearings));
    out.made.freed_bytes += made.freed_bytes;
    out.made.early += made.early;
    return hearings;
  }

  FileSystem& files_;
  Clock& clock_;
  const IngestSettings& settings_;
  Enrolment enrolment_;
  const PrivateKey& key_;
  std::unique_ptr<Delivery> delivery_;
  bool in_vain_ = false;            // the archive was asked last, and may be elsewhere
  std::int64_t next_search_ms_ = 0;
  bool answers_ = true;  // the archive, when it was asked for nothing but what it holds
};

}  // namespace

Result<DrainOutcome> drain(FileSystem& files, Clock& clock, const IngestSettings& settings, std::int64_t retry_for_s) {
  Enrolment enrolment = GREFFE_TRY(load_enrolment(files, settings.directory));
  const PrivateKey key = GREFFE_TRY(load_station_key(files, settings.directory, false));
  if (enrolment.address.empty()) {
    return fail(Errc::invalid, fmt::format("station {} is not enrolled with {} yet; what it records stays here until it is: greffe-ingest enrol",
                                           enrolment.name, enrolment.archive));
  }
  Drain work(files, clock, settings, std::move(enrolment), key);
  return work.run(retry_for_s);
}

}  // namespace greffe::ingest
