#include "ingest/spooled_hearing.h"

#include <algorithm>

#include "ingest/hearing_key.h"
#include "ingest/import_begin.h"
#include "ingest/lost_objects.h"

namespace greffe::ingest {
namespace {

// The key that the hearing was opened under, if this station has or had it; `key` otherwise, with which nothing of it verifies.
PublicKey signer_of(FileSystem& files, const IngestSettings& settings, const SignedLog& log, const PublicKey& key) {
  const auto named = key_named_in(log);
  if (!named || *named == key || !load_earlier_key(files, settings.directory, *named)) return key;
  return *named;
}

}  // namespace

bool covers_all(const IngestSettings& settings, const ReceiptState& receipt, std::uint64_t entries) {
  return entries > 0 && receipt.archive_size == entries && (!settings.safe_needs_second_site || receipt.second_site_size == entries);
}

UtcTime safe_since(const IngestSettings& settings, const ReceiptState& receipt) {
  return settings.safe_needs_second_site ? std::max(receipt.archive_utc, receipt.second_site_utc) : receipt.archive_utc;
}

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
  out.lost = lost_parts(log->entries);
  bool closed = false;
  if (!log->entries.empty()) {
    const HearingEntry last = GREFFE_TRY(parse_hearing_entry(log->entries.back()));
    closed = std::holds_alternative<CloseEntry>(last);
  }
  const std::vector<ImportRecord> records = GREFFE_TRY(read_import_records(files, paths));
  const bool importing = !closed && !records.empty() && !records.back().done;
  out.state = closed ? "closed" : files.stat(paths.waits()) ? "waits" : importing ? "importing" : "open";
  const PublicKey signer = signer_of(files, settings, *log, key);
  out.receipt = GREFFE_TRY(read_receipt(files, paths, *log, signer, enrolment, settings));
  if (const auto continued = GREFFE_TRY(read_continuation(files, paths))) {
    out.state = "continued";
    out.continued = continued->hearing;
    // What it had before is with the archive, which proved it; the rest is counted where it is now.
    out.safe = check_continuation(*continued, *log, signer, enrolment).has_value();
    return out;
  }
  out.safe = closed && covers_all(settings, out.receipt, out.entries);
  return out;
}

}  // namespace greffe::ingest
