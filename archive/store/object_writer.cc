#include "archive/store/object_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/names.h"
#include "archive/store/reservation.h"

namespace greffe::store {
namespace {

struct Replica {
  Volume* volume;
  Reservation room;
  std::unique_ptr<WritableFile> file;
};

class LocalObjectWriter : public ObjectWriter {
 public:
  LocalObjectWriter(Pool& pool, GroupCommit& commits, ObjectRepair& repair, std::uint64_t size,
                    std::vector<Replica> replicas)
      : pool_(pool), commits_(commits), repair_(repair), announced_(size), replicas_(std::move(replicas)) {}

  Status write(ByteView bytes) override {
    if (bytes.size() > announced_ - written_) {
      return fail(Errc::invalid, fmt::format("more bytes than the {} that were announced", announced_));
    }
    // In pieces, so that the bytes that are hashed are still in the processor's cache when they are copied.
    while (!bytes.empty()) {
      const ByteView piece = bytes.first(std::min(bytes.size(), kTransferBytes));
      bytes = bytes.subspan(piece.size());
      GREFFE_TRY(write_piece(piece));
    }
    return ok();
  }

  Status commit(const Digest& expected) override {
    const Digest found = hash_.finish();
    if (found != expected) {
      return fail(Errc::conflict, fmt::format("the bytes have the digest {}, not {}: nothing was stored", found.hex(),
                                              expected.hex()));
    }
    std::vector<CommitTicket> tickets;
    for (const Replica& replica : replicas_) tickets.push_back({replica.volume, replica.file.get(), expected, {}});
    commits_.commit(tickets);
    std::vector<Volume*> holders;
    std::string trouble = trouble_;
    for (const CommitTicket& ticket : tickets) {
      // One that has begun to be emptied while the bytes came does not count; whoever empties it may be past this name.
      if (*ticket.result && ticket.volume->duty() == VolumeDuty::active) {
        holders.push_back(ticket.volume);
      } else if (!*ticket.result) {
        trouble += ticket.result->error().message + "; ";
      }
    }
    replicas_.clear();
    // A replica that failed is written again from a good one, to another volume if there is one.
    auto good = static_cast<unsigned>(holders.size());
    if (good > 0 && good < pool_.settings.replicas) {
      Volume& source = *holders.front();
      good += repair_.add_replicas(expected, source, std::move(holders), pool_.settings.replicas);
    }
    if (good >= pool_.settings.write_quorum) return ok();
    return fail(Errc::unavailable, fmt::format("only {} of the {} replicas that are needed were stored: {}", good,
                                               pool_.settings.write_quorum, trouble));
  }

 private:
  Status write_piece(ByteView piece) {
    hash_.update(piece);
    written_ += piece.size();
    since_writeback_ += piece.size();
    const bool start_now = since_writeback_ >= kTransferBytes;
    if (start_now) since_writeback_ = 0;
    for (auto replica = replicas_.begin(); replica != replicas_.end();) {
      const Status written = replica->file->write(piece);
      if (!written) {
        trouble_ += replica->volume->note_failure(written.error()).message + "; ";
        last_ = written.error().code;
        replica = erase(replica);
        continue;
      }
      if (start_now) replica->file->start_writeback();
      ++replica;
    }
    if (replicas_.empty()) {
      return fail(last_ == Errc::no_space ? Errc::no_space : Errc::io_error, "no volume could write the object: " + trouble_);
    }
    return ok();
  }

  std::vector<Replica>::iterator erase(std::vector<Replica>::iterator at) {
    std::vector<Replica> left;
    const auto index = static_cast<std::size_t>(at - replicas_.begin());
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      if (i != index) left.push_back(std::move(replicas_[i]));
    }
    replicas_.swap(left);
    return replicas_.begin() + static_cast<std::ptrdiff_t>(index);
  }

  Pool& pool_;
  GroupCommit& commits_;
  ObjectRepair& repair_;
  const std::uint64_t announced_;
  std::uint64_t written_ = 0;
  std::uint64_t since_writeback_ = 0;
  Sha256 hash_;
  std::vector<Replica> replicas_;  // those that took every byte so far
  std::string trouble_;            // what happened to the others
  Errc last_ = Errc::io_error;     // of the last one that failed
};

// Nobody knows the digest yet, so the volumes are drawn: random keys spread objects as evenly as digests do.
std::vector<Volume*> drawn_volumes(const Pool& pool) {
  std::uint8_t draw[8];
  fill_random(draw);
  return pool.ranked(to_hex(draw));
}

}  // namespace

Result<std::unique_ptr<ObjectWriter>> begin_local_object(Pool& pool, GroupCommit& commits, ObjectRepair& repair,
                                                         std::uint64_t size) {
  if (size > kMaxObjectBytes) {
    return fail(Errc::invalid, fmt::format("an object of {} bytes; at most {} are allowed", size, kMaxObjectBytes));
  }
  std::vector<Replica> replicas;
  std::string trouble;
  bool full = false;
  for (Volume* volume : drawn_volumes(pool)) {
    if (replicas.size() == pool.settings.replicas) break;
    auto room = Reservation::make(*volume, size);
    if (!room) {
      full = full || room.error().code == Errc::no_space;
      trouble += room.error().message + "; ";
      continue;
    }
    auto file = pool.files.create_unnamed(volume->file("sha256"));
    if (!file) {
      full = full || file.error().code == Errc::no_space;
      trouble += volume->note_failure(file.error()).message + "; ";
      continue;
    }
    replicas.push_back({volume, *std::move(room), *std::move(file)});
  }
  if (replicas.size() < pool.settings.write_quorum) {
    return fail(full ? Errc::no_space : Errc::unavailable,
                fmt::format("an object of {} bytes needs {} volumes and {} can take it: {}", size,
                            pool.settings.write_quorum, replicas.size(), trouble));
  }
  return std::unique_ptr<ObjectWriter>(
      std::make_unique<LocalObjectWriter>(pool, commits, repair, size, std::move(replicas)));
}

}  // namespace greffe::store
