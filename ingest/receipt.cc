#include <fmt/format.h>

#include "ingest/delivery.h"

namespace greffe::ingest {
namespace {

// `root_of` gives the root of the first so many entries.
Result<ReceiptState> judged(FileSystem& files, const SpoolPaths& paths, const SignedLog& log, const std::function<Digest(std::uint64_t)>& root_of,
                            const PublicKey& station_key, const Enrolment& enrolment, const IngestSettings& settings) {
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
  if (covered.root != root_of(covered.size)) return out;
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

}  // namespace

Result<ReceiptState> read_receipt(FileSystem& files, const SpoolPaths& paths, const SignedLog& log, const PublicKey& station_key,
                                  const Enrolment& enrolment, const IngestSettings& settings) {
  return judged(files, paths, log, [&](std::uint64_t size) { return root_at(log, size); }, station_key, enrolment, settings);
}

Result<ReceiptState> read_receipt(FileSystem& files, const FollowedLog& log, const PublicKey& station_key, const Enrolment& enrolment,
                                  const IngestSettings& settings) {
  return judged(files, log.paths(), log.log(), [&](std::uint64_t size) { return log.root_at(size); }, station_key, enrolment, settings);
}

}  // namespace greffe::ingest
