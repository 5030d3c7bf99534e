// Another archive of which a sample archive holds a copy.
#ifndef GREFFE_TESTS_UNIT_ARCHIVE_COPIED_ARCHIVE_H
#define GREFFE_TESTS_UNIT_ARCHIVE_COPIED_ARCHIVE_H

#include <catch2/catch.hpp>

#include "archive/store_document.h"
#include "tests/unit/archive/sample_archive.h"

namespace greffe::testing {

inline constexpr std::int64_t kStartMs = 1'795'338'000'000;

// Another archive, as the replicator has brought it: its main log and its hearings' logs in this pool.
class Copied {
 public:
  Copied(SampleArchive& site, std::string name) : site_(site), name_(std::move(name)) {
    KeyEntry known;
    known.action = "added";
    known.role = "origin";
    known.name = name_;
    known.key = log_key_.public_key();
    REQUIRE(site_.main_log->append(known));
  }

  HearingId file(const std::string& case_number, std::int64_t after_s, const std::string& court = "court-1") {
    const UtcTime start{kStartMs + after_s * 1000};
    const HearingId id = make_hearing_id(start);
    Details details;
    details.cases = {case_number};
    OpenEntry open;
    open.archive = name_;
    open.hearing = id;
    open.station = "station-1";
    open.station_key = station_.public_key();
    open.court = court;
    open.room = "room-1";
    open.streams = {{"mic-judge", "audio", "room"}};
    open.details = archive::store_document(site_.stores().objects, write_details(details)).value();
    open.main_root = empty_root();
    open.start = start;
    open.boot = "boot-1";
    CloseEntry close;
    close.end = UtcTime{start.ms + 60'000};
    close.boot = "boot-1";
    HearingCheckpointEntry commit;
    commit.hearing = id;
    commit.note = append(hearing_log_path(id), hearing_origin(name_, id), station_,
                         {write_hearing_entry(open), write_hearing_entry(close)});
    commit.closed = true;
    commit.utc = close.end;
    append(foreign_log_path(name_), name_, log_key_, {write_main_entry(commit)});
    return id;
  }

  // What it says of sharing, as its own log has it.
  ShareEntry share(const HearingId& id, const std::string& court, const std::string& action = "granted", std::optional<UtcTime> until = {}) {
    ShareEntry entry;
    entry.action = action;
    entry.archive = name_;
    entry.hearing = id;
    entry.court = court;
    entry.until = until;
    entry.reason = archive::store_document(site_.stores().objects, write_note("reason", action)).value();
    entry.account = "u-lyon";
    entry.utc = site_.clock.utc_now();
    append(foreign_log_path(name_), name_, log_key_, {write_main_entry(entry)});
    return entry;
  }

  void revoke() {
    KeyEntry gone;
    gone.action = "revoked";
    gone.role = "origin";
    gone.name = name_;
    gone.key = log_key_.public_key();
    gone.why = "retired";
    REQUIRE(site_.main_log->append(gone));
  }

 private:
  std::string append(const std::string& path, const std::string& origin, const PrivateKey& key, const std::vector<std::string>& entries) {
    const archive::Stores stores = site_.stores();
    auto writer = tlog::LogWriter::open(stores.objects, stores.heads, stores.stages, path);
    REQUIRE(writer);
    std::string published;
    const Status done = writer->append(entries, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
      const Checkpoint checkpoint{origin, size, root};
      SignedNote note{checkpoint.text(), {sign_checkpoint(checkpoint, key)}};
      published = note.write();
      return published;
    });
    REQUIRE(done);
    return published;
  }

  SampleArchive& site_;
  const std::string name_;
  const PrivateKey log_key_ = PrivateKey::generate();
  const PrivateKey station_ = PrivateKey::generate();
};

// The `share` entries of the site's own main log, oldest first.
inline std::vector<std::string> own_shares(SampleArchive& archive) {
  std::vector<std::string> out;
  catalogue::EntryQuery query;
  query.kind = "share";
  const auto indices = archive.main_log->catalogue().entries(query);
  REQUIRE(indices);
  for (const std::uint64_t index : *indices) out.insert(out.begin(), archive.main_log->chain().entries(index, index + 1)->front());
  return out;
}

}  // namespace greffe::testing

#endif
