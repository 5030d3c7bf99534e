#include "ingest/drain.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "ingest/import_begin.h"

namespace greffe::ingest {
namespace {

constexpr std::int64_t kFirstPauseMs = 200;
constexpr std::int64_t kLongestPauseMs = 60'000;
constexpr std::int64_t kDayMs = 86'400'000;

bool may_pass(Errc code) {
  return code == Errc::unavailable || code == Errc::io_error || code == Errc::no_space || code == Errc::conflict;
}

// Delivery says these itself, or nobody can do anything about them.
bool may_pass_unsaid(Errc code) { return code == Errc::unavailable || code == Errc::io_error; }

bool covers_all(const IngestSettings& settings, const ReceiptState& receipt, std::uint64_t entries) {
  return entries > 0 && receipt.archive_size == entries && (!settings.safe_needs_second_site || receipt.second_site_size == entries);
}

UtcTime safe_since(const IngestSettings& settings, const ReceiptState& receipt) {
  return settings.safe_needs_second_site ? std::max(receipt.archive_utc, receipt.second_site_utc) : receipt.archive_utc;
}

// The one place where recordings leave the station: the receipt that covers every entry was verified against the
// entries just now, and has been so for `keep_days`. The mark comes first, so that a crash in the middle is seen as
// "freed", never as "damaged"; the next drain removes the rest.
Result<std::uint64_t> free_media(FileSystem& files, const SpoolPaths& paths) {
  const Status marked = files.write_new(paths.freed(), as_bytes("The media of this hearing were removed after the archive confirmed them.\n"));
  if (!marked && marked.error().code != Errc::already_exists) return marked.error();
  std::uint64_t freed = 0;
  const std::vector<std::string> names = GREFFE_TRY(files.list(paths.objects()));
  for (const std::string& name : names) {
    const auto facts = files.stat(join(paths.objects(), name));
    GREFFE_TRY(files.remove(join(paths.objects(), name)));
    freed += facts ? facts->size : 0;
  }
  return freed;
}

class Drain {
 public:
  Drain(FileSystem& files, Clock& clock, const IngestSettings& settings, Enrolment enrolment, const PrivateKey& key)
      : files_(files), clock_(clock), settings_(settings), enrolment_(std::move(enrolment)), key_(key),
        delivery_(files, clock, settings, enrolment_, key) {}

  Result<DrainOutcome> run(std::int64_t retry_for_s) {
    const std::int64_t until = clock_.monotonic_ms() + retry_for_s * 1000;
    std::vector<HearingId> todo = GREFFE_TRY(list_hearings(files_, settings_.directory));
    DrainOutcome out;
    const Status seen = delivery_.see_main_log();
    for (std::int64_t pause = kFirstPauseMs;; pause = std::min(2 * pause, kLongestPauseMs)) {
      out.problems.clear();
      if (!seen && !may_pass_unsaid(seen.error().code)) out.problems.push_back(seen.error().message);
      todo = try_all(todo, out);
      GREFFE_TRY(remember_epoch());
      const std::int64_t left = until - clock_.monotonic_ms();
      if (todo.empty() || left <= 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(with_jitter(pause), left)));
    }
    out.notices = delivery_.notices();
    const std::vector<HearingId> all = GREFFE_TRY(list_hearings(files_, settings_.directory));
    for (const HearingId& id : all) {
      SpooledHearing hearing = GREFFE_TRY(look_at(files_, settings_, enrolment_, key_.public_key(), id));
      GREFFE_TRY(free_when_due(hearing, out));
      out.hearings.push_back(std::move(hearing));
    }
    return out;
  }

 private:
  // Stations that lost the same archive must not all come back at once.
  static std::int64_t with_jitter(std::int64_t pause) {
    std::uint8_t random[1];
    fill_random(random);
    return pause / 2 + pause * random[0] / 512;
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
      if (before->entries == 0 || covers_all(settings_, before->receipt, before->entries)) continue;
      const auto receipt = delivery_.deliver(id);
      if (!receipt) {
        out.problems.push_back(fmt::format("hearing {}: {}", id.text(), receipt.error().message));
        if (may_pass(receipt.error().code)) again.push_back(id);
        // Nobody answers: the next hearing would only wait for the same.
        if (receipt.error().code == Errc::unavailable) {
          const auto rest = std::find(todo.begin(), todo.end(), id) + 1;
          again.insert(again.end(), rest, todo.end());
          return again;
        }
        continue;
      }
      if (receipt->archive_size > before->receipt.archive_size) ++out.delivered;
      if (!covers_all(settings_, *receipt, before->entries)) again.push_back(id);  // the second site lags, or it grew
    }
    return again;
  }

  Status remember_epoch() {
    if (delivery_.epoch() <= enrolment_.epoch) return ok();
    Enrolment newer = enrolment_;
    newer.epoch = delivery_.epoch();
    return save_enrolment(files_, settings_.directory, newer);
  }

  Status free_when_due(SpooledHearing& hearing, DrainOutcome& out) {
    if (hearing.state == "continued") return ok();  // somebody will want to look into it
    if (!hearing.safe || hearing.objects == 0) return ok();
    const UtcTime since = safe_since(settings_, hearing.receipt);
    if (clock_.utc_now().ms - since.ms < settings_.keep_days * kDayMs) return ok();
    out.freed_bytes += GREFFE_TRY(free_media(files_, spool_of(settings_.directory, hearing.id)));
    hearing.freed = true;
    hearing.bytes = 0;
    hearing.objects = 0;
    return ok();
  }

  FileSystem& files_;
  Clock& clock_;
  const IngestSettings& settings_;
  const Enrolment enrolment_;
  const PrivateKey& key_;
  Delivery delivery_;
};

}  // namespace

Result<SpooledHearing> look_at(FileSystem& files, const IngestSettings& settings, const Enrolment& enrolment, const PublicKey& key,
                               const HearingId& id) {
  const SpoolPaths paths = spool_of(settings.directory, id);
  SpooledHearing out;
  out.id = id;
  out.start = id.time();
  const auto names = files.list(paths.objects());
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    const auto facts = files.stat(join(paths.objects(), name));
    out.bytes += facts ? facts->size : 0;
    ++out.objects;
  }
  out.freed = static_cast<bool>(files.stat(paths.freed()));
  const auto log = read_signed_log(files, paths);
  if (!log) {
    out.state = "damaged";
    out.problem = log.error().message;
    return out;
  }
  out.entries = log->entries.size();
  bool closed = false;
  if (!log->entries.empty()) {
    const HearingEntry last = GREFFE_TRY(parse_hearing_entry(log->entries.back()));
    closed = std::holds_alternative<CloseEntry>(last);
  }
  const std::vector<ImportRecord> records = GREFFE_TRY(read_import_records(files, paths));
  const bool importing = !closed && !records.empty() && !records.back().done;
  out.state = closed ? "closed" : importing ? "importing" : "open";
  out.receipt = GREFFE_TRY(read_receipt(files, paths, *log, key, enrolment, settings));
  if (const auto continued = GREFFE_TRY(read_continuation(files, paths))) {
    out.state = "continued";
    out.continued = continued->hearing;
    // What it had before is with the archive, which proved it; the rest is counted where it is now.
    out.safe = check_continuation(*continued, *log, key, enrolment).has_value();
    return out;
  }
  out.safe = closed && covers_all(settings, out.receipt, out.entries);
  return out;
}

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
