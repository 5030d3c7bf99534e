#include "archive/shares.h"

#include <algorithm>

#include "archive/format/documents.h"
#include "archive/share_counterparts.h"
#include "archive/store_document.h"

namespace greffe::archive {
namespace {

// As the catalogue names it: without the archive where that is the hearing's own.
std::string short_court(const std::string& archive, const std::string& court) {
  const std::string prefix = archive + "/";
  return court.starts_with(prefix) ? court.substr(prefix.size()) : court;
}

Status check_name(const std::string& court) {
  const std::size_t slash = court.find('/');
  const bool good = slash == std::string::npos ? is_valid_name(court) : is_valid_archive_name(court.substr(0, slash)) && is_valid_name(court.substr(slash + 1));
  if (good) return ok();
  return fail(Errc::invalid, "\"" + court + "\" is not the name of a court: give one of this archive, or <archive>/<court>");
}

}  // namespace

std::string_view name_of(Counterpart counterpart) {
  switch (counterpart) {
    case Counterpart::same_log: return "same-log";
    case Counterpart::logged: return "logged";
    case Counterpart::missing: return "missing";
    case Counterpart::unknown: return "unknown";
  }
  return "unknown";
}

Shares::Shares(Clock& clock, Stores stores, MainLog& main_log, const HeldArchives& archives, std::function<void(const HearingId&)> on_ended)
    : clock_(clock), stores_(stores), main_log_(main_log), archives_(archives), on_ended_(std::move(on_ended)) {}

// A court of an archive that is not held here is taken at its word: nobody here knows that archive's courts.
Status Shares::check_court(const std::string& own_court, const std::string& court) const {
  if (court == own_court) return fail(Errc::invalid, "the hearing is of this court: its people see it already");
  const std::size_t slash = court.find('/');
  const auto archive = archives_.named(slash == std::string::npos ? main_log_.archive_name() : court.substr(0, slash));
  if (!archive) return archive.error().code == Errc::not_found ? ok() : Status(archive.error());
  const std::vector<catalogue::Court> courts = GREFFE_TRY(archive->catalogue->places());
  const std::string code = slash == std::string::npos ? court : court.substr(slash + 1);
  const bool known = std::any_of(courts.begin(), courts.end(), [&](const catalogue::Court& one) { return one.court == code; });
  if (known) return ok();
  return fail(Errc::not_found, "there is no court " + court + "; greffe-archive place set names the courts of an archive");
}

Result<std::uint64_t> Shares::append(const ShareOrder& order, std::string_view action, const std::string& court) {
  ShareEntry entry;
  entry.action = action;
  entry.archive = main_log_.archive_name();
  entry.hearing = order.hearing;
  entry.court = court;
  if (action == "granted") entry.until = order.until;
  entry.reason = GREFFE_TRY(store_document(stores_.objects, write_note("reason", order.reason)));
  entry.account = order.account;
  entry.utc = clock_.utc_now();
  return main_log_.append(entry);
}

Result<std::uint64_t> Shares::grant(const ShareOrder& order) {
  GREFFE_TRY(check_name(order.court));
  const std::string court = short_court(main_log_.archive_name(), order.court);
  if (order.reason.empty() || order.reason.size() > kMaxShareReasonBytes) return fail(Errc::invalid, "say why it is shared (at most 2,000 characters)");
  if (order.until && *order.until <= clock_.utc_now()) return fail(Errc::invalid, "that time is over already: give a later one, or none");
  const std::lock_guard lock(mutex_);
  const catalogue::HearingRecord record = GREFFE_TRY(main_log_.catalogue().hearing(order.hearing, catalogue::CourtSet::everything()));
  GREFFE_TRY(check_court(record.row.court, court));
  return append(order, "granted", court);
}

Result<std::uint64_t> Shares::revoke(const ShareOrder& order) {
  GREFFE_TRY(check_name(order.court));
  const std::string court = short_court(main_log_.archive_name(), order.court);
  if (order.reason.empty() || order.reason.size() > kMaxShareReasonBytes) return fail(Errc::invalid, "say why it is not shared any more (at most 2,000 characters)");
  const std::lock_guard lock(mutex_);
  const std::vector<catalogue::Share> shares = GREFFE_TRY(main_log_.catalogue().shares(order.hearing));
  const bool there = std::any_of(shares.begin(), shares.end(), [&](const catalogue::Share& one) { return one.court == court && !one.revoked; });
  if (!there) return fail(Errc::not_found, "the hearing is not shared with the court " + court);
  const std::uint64_t index = GREFFE_TRY(append(order, "revoked", court));
  on_ended_(order.hearing);
  return index;
}

Result<Counterpart> Shares::counterpart(const HeldArchive& archive, const catalogue::Share& share) const {
  const std::size_t slash = share.court.find('/');
  if (slash == std::string::npos) return Counterpart::same_log;
  const auto other = archives_.named(share.court.substr(0, slash));
  if (!other) return other.error().code == Errc::not_found ? Result<Counterpart>(Counterpart::unknown) : Result<Counterpart>(other.error());
  const std::uint64_t newest = share.revoked ? share.revoked->entry_index : share.entry_index;
  const std::vector<std::string> bytes = GREFFE_TRY(archive.chain.entries(newest, newest + 1));
  const MainEntry entry = GREFFE_TRY(parse_main_entry(bytes[0]));
  const auto* act = std::get_if<ShareEntry>(&entry);
  if (act == nullptr) return fail(Errc::corrupt, "the catalogue names an entry as a share that is none: rebuild it");
  const bool logged = GREFFE_TRY(has_share(*other->catalogue, other->chain, *act));
  return logged ? Counterpart::logged : Counterpart::missing;
}

}  // namespace greffe::archive
