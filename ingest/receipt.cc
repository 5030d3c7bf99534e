#include <fmt/format.h>

#include "ingest/delivery.h"

namespace greffe::ingest {
Result<ReceiptState> read_receipt(FileSystem& files, const SpoolPaths& paths, const SignedLog& log, const PublicKey& station_key,
                                  const Enrolment& enrolment, const IngestSettings& settings) {
  ReceiptState out;
  const auto bytes = files.read_file(paths.receipt(), kMaxNoteBytes);
  if (!bytes && bytes.error().code == Errc::not_found) return out;
  if (!bytes) return bytes.error();
  if (!log.checkpoint) return out;
  const auto receipt = parse_signed_checkpoint(as_text(*bytes));
  if (!receipt) return out;
  const Checkpoint& covered = receipt->checkpoint;
  const std::string& origin = log.checkpoint->checkpoint.origin;
  if (covered.origin != origin || covered.size > log.entries.size()) return out;
  if (covered.root != root_at(log, covered.size)) return out;
  if (!verify_note(receipt->note, VerifierKey{origin, KeyType::ed25519, station_key})) return out;
  const auto holder = enrolment.holder();
  if (!holder) return out;
  const auto given = verify_cosignature(receipt->note, *holder);
  if (!given) return out;
  out.archive_size = covered.size;
  out.archive_utc = *given;
  if (!settings.second_site) return out;
  const auto second = verify_cosignature(receipt->note, *settings.second_site);
  if (second) {
    out.second_site_size = covered.size;
    out.second_site_utc = *second;
  }
  return out;
}

}  // namespace greffe::ingest
