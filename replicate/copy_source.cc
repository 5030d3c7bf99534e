#include "replicate/copy_source.h"

#include "archive/tlog/log_piece.h"
#include "archive/tlog/log_reader.h"
#include "replicate/copied_log.h"

namespace greffe::replicate {

Result<client::LogPiece> CopySource::read_entries(const client::LogTarget& log, std::uint64_t first, std::optional<std::uint64_t> last) {
  const auto copy = GREFFE_TRY(pool_.get());
  store::WholePool& pool = *copy->pool;
  const std::string path = copied_path(log);
  SignedCheckpoint head = GREFFE_TRY(tlog::LogReader(pool, pool, path).checkpoint());
  tlog::LogPiece piece = GREFFE_TRY(tlog::read_piece(pool, pool, path, std::move(head), first, last));
  client::LogPiece out;
  out.note = piece.head.note.write();
  out.first = piece.first;
  out.entries = std::move(piece.entries);
  out.kept = std::move(piece.kept);
  return out;
}

Result<std::vector<HearingId>> CopySource::hearings_of_day(const std::string& origin, const std::string& day) {
  const auto copy = GREFFE_TRY(pool_.get());
  return tlog::hearings_of(*copy->pool, *copy->pool, origin, day);
}

Result<Bytes> CopySource::get_object(const client::LogTarget&, const Digest& digest, std::uint64_t) {
  const auto copy = GREFFE_TRY(pool_.get());
  return copy->pool->read_object(digest);
}

}  // namespace greffe::replicate
