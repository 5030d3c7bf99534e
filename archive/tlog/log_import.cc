#include "archive/tlog/log_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "archive/format/merkle.h"
#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/tlog/stored_tree.h"
#include "archive/tlog/tile_edge.h"

namespace greffe::tlog {
namespace {

// Durable on W volumes, and read back. The bytes are known to be the good ones; whatever else has that name is not.
Status put_good(const LogStores& pool, const std::string& key, ByteView bytes) {
  const Status put = pool.objects.put(key, bytes);
  if (!put && put.error().code != Errc::conflict) return put;
  if (!put) {
    const store::ReplicaReport repaired = GREFFE_TRY(pool.replicas.restore(key, bytes));
    if (repaired.good < pool.objects.traits().write_quorum) {
      return fail(Errc::unavailable, fmt::format("{} is on {} volumes and needs {}", key, repaired.good, pool.objects.traits().write_quorum));
    }
  }
  const std::vector<Bytes> read = GREFFE_TRY(pool.objects.get_all(key));
  const bool same = std::any_of(read.begin(), read.end(), [&](const Bytes& one) { return std::equal(one.begin(), one.end(), bytes.begin(), bytes.end()); });
  return same ? ok() : Status(fail(Errc::corrupt, key + " does not read back as it was written"));
}

// The note to publish, with the signatures that the head has already; empty: it is published.
Result<std::string> note_over(const std::string& old, const std::string& log_path, SignedCheckpoint next) {
  const auto before = parse_signed_checkpoint(old);
  if (!before) return next.note.write();  // none, or not one that can be read
  const Checkpoint& held = before->checkpoint;
  const bool other_tree = held.size == next.checkpoint.size && held.root != next.checkpoint.root;
  if (held.origin != next.checkpoint.origin || held.size > next.checkpoint.size || other_tree) {
    return fail(Errc::conflict, fmt::format("{}: the pool has a head of {} with {} entries, which is not an earlier state of the {} entries of {}", log_path,
                                            held.origin, held.size, next.checkpoint.size, next.checkpoint.origin));
  }
  if (held == next.checkpoint) {
    for (const NoteSignature& line : before->note.signatures) {
      const auto same = [&](const NoteSignature& one) { return one.name == line.name && one.key_id == line.key_id; };
      if (std::none_of(next.note.signatures.begin(), next.note.signatures.end(), same)) put_signature(next.note, line);
    }
  }
  return next.note.write();
}

// Full bundles and their tiles. The entries behind the last multiple of 256 that is below the size: never none.
Result<std::vector<std::string>> put_bundles(const LogStores& pool, const std::string& log_path, const Checkpoint& wanted, const BundleSource& bundle) {
  TileEdge edge;
  std::vector<std::string> entries;
  for (std::uint64_t index = 0; index * kTileWidth < wanted.size; ++index) {
    entries = GREFFE_TRY(bundle(index));
    if (entries.size() != std::min(kTileWidth, wanted.size - index * kTileWidth)) {
      return fail(Errc::corrupt, fmt::format("{}: {} entries were given from {} on", log_path, entries.size(), index * kTileWidth));
    }
    std::vector<std::pair<TileName, Bytes>> tiles;
    for (const std::string& entry : entries) {
      edge.append(leaf_hash(as_bytes(entry)), [&](unsigned level, std::uint64_t tile, const auto& hashes) {
        tiles.emplace_back(TileName{false, level, tile, 0}, write_tile(hashes));
      });
    }
    if (entries.size() < kTileWidth) break;
    GREFFE_TRY(put_good(pool, tile_key(log_path, {true, 0, index, 0}), as_bytes(write_bundle(entries))));
    for (const auto& [name, bytes] : tiles) GREFFE_TRY(put_good(pool, tile_key(log_path, name), bytes));
  }
  if (edge.root() != wanted.root) return fail(Errc::corrupt, log_path + ": the entries do not lead to the root of the signed checkpoint");
  return entries;
}

}  // namespace

Status import_log(const LogStores& pool, const std::string& log_path, const std::string& note, const BundleSource& bundle) {
  SignedCheckpoint head = GREFFE_TRY(parse_signed_checkpoint(note));
  const Checkpoint wanted = head.checkpoint;
  if (wanted.size == 0) return fail(Errc::invalid, log_path + ": a log without entries is none");
  const std::string head_key = checkpoint_path(log_path);
  const auto there = pool.heads.read_head(head_key);
  if (!there && there.error().code != Errc::not_found) return there.error();
  const std::string old = there ? *there : std::string();
  const std::string next = GREFFE_TRY(note_over(old, log_path, std::move(head)));

  const std::vector<std::string> tail = GREFFE_TRY(put_bundles(pool, log_path, wanted, bundle));
  // A head that no stage and no tiles of a finished log stand behind would be taken for damage.
  const std::string stage = stage_path(log_path, {(wanted.size - 1) / kTileWidth * kTileWidth, wanted.size, wanted.root});
  GREFFE_TRY(put_good(pool, stage, as_bytes(write_bundle(tail))));
  if (next != old) GREFFE_TRY(pool.heads.swap_head(head_key, old, next));

  std::vector<std::string> older;
  GREFFE_TRY(pool.objects.list(log_path + "/stage/", [&](const store::ObjectInfo& info) {
    if (info.key != stage) older.push_back(info.key);
    return true;
  }));
  for (const std::string& key : older) static_cast<void>(pool.stages.remove_stage(key).has_value());  // superfluous, and may stay
  return ok();
}

}  // namespace greffe::tlog
