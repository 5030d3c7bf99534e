// A second site in real files that holds the copy of another archive: three days of hearings, with media that are none.
#ifndef GREFFE_TESTS_UNIT_ARCHIVE_DRILLED_SITE_H
#define GREFFE_TESTS_UNIT_ARCHIVE_DRILLED_SITE_H

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "archive/drills.h"
#include "archive/held_archives.h"
#include "archive/store_document.h"
#include "tests/unit/archive/sample_archive.h"

namespace greffe::testing {

class DrilledSite {
 public:
  static constexpr const char* kOrigin = "first.example";
  static constexpr std::int64_t kDayMs = 86'400'000;

  explicit DrilledSite(int days = 3) {
    KeyEntry known;
    known.action = "added";
    known.role = "origin";
    known.name = kOrigin;
    known.key = log_key.public_key();
    known.since = known.utc = site.clock.utc_now();
    REQUIRE(site.main_log->append(known));
    for (int day = 0; day < days; ++day) file(day);
    if (!hearings.empty()) correct(hearings.front().id);
    held = std::make_unique<archive::HeldArchives>(site.clock, site.files, site.log, site.stores(), *site.main_log, site.keys->log.public_key(), state());
    held->start();
    if (days > 0) until([&] { return held->all().size() == 2; });
  }

  // A hearing of so many segments on a day, as the replicator has brought it.
  void file(int day, int segments = 3) {
    SampleHearing& hearing = hearings.emplace_back(kOrigin, UtcTime{1'795'338'000'000 + day * kDayMs});
    for (int i = 0; i < segments; ++i) hearing.add_segment();
    hearing.close();
    for (const auto& [digest, bytes] : hearing.objects) store_bytes(bytes);
    const std::string note = hearing.checkpoint(hearing.entries.size());
    append(hearing_log_path(hearing.id), hearing.entries, [&](std::uint64_t, const Digest&) { return Result<std::string>(note); });
    HearingCheckpointEntry entry;
    entry.hearing = hearing.id;
    entry.note = note;
    entry.closed = true;
    entry.utc = site.clock.utc_now();
    append_main(write_main_entry(entry));
  }
  void correct(const HearingId& id) {
    DetailsEntry entry;
    entry.hearing = id;
    Details details;
    details.cases = {"RG 26/00002"};
    entry.details = archive::store_document(*site.pool, write_details(details)).value();
    entry.reason = archive::store_document(*site.pool, write_note("reason", "typing error")).value();
    entry.account = "u-1";
    entry.utc = site.clock.utc_now();
    corrected = entry.details;
    append_main(write_main_entry(entry));
  }
  void append_main(const std::string& entry) {
    const std::string origin = epoch_origin({kOrigin, epoch});
    append(foreign_log_path(origin), {entry}, [&](std::uint64_t size, const Digest& root) -> Result<std::string> {
      const Checkpoint checkpoint{origin, size, root};
      SignedNote note{checkpoint.text(), {}};
      put_signature(note, sign_checkpoint(checkpoint, signs_with ? *signs_with : log_key));
      return note.write();
    });
  }
  // The archive goes on at another site, with the same key; it was checked who ordered that when it came.
  void promote() {
    PromotionEntry entry;
    entry.previous = tlog::LogReader(*site.pool, *site.pool, foreign_log_path(epoch_origin({kOrigin, epoch}))).checkpoint()->checkpoint;
    entry.name = {kOrigin, ++epoch};
    entry.log_key = log_key.public_key();
    entry.holder = {"second.example/holder", KeyType::cosignature_v1, log_key.public_key()};
    entry.machine_url = "https://second.example:8444";
    entry.machine_key = log_key.public_key();
    entry.utc = site.clock.utc_now();
    append_main(write_promotion(entry));
  }
  std::uint64_t epoch = 1;
  void store_bytes(const std::string& bytes) { REQUIRE(archive::store_document(*site.pool, bytes)); }

  archive::DrillOrder order() const {
    archive::DrillOrder out;
    out.archive = kOrigin;
    out.log_key = log_key.public_key();
    out.site = site.name;
    out.kept_catalogue = archive::copied_catalogue_path(state(), kOrigin);
    out.directory = site.folder.path + "/state/drill";
    out.catch_up_ms = 5000;
    return out;
  }
  archive::CheckMedia plays() {
    return [this](const std::vector<std::string>& paths, const std::stop_token&) -> Result<archive::CheckedMedia> {
      archive::CheckedMedia out;
      for (const std::string& path : paths) {
        if (!std::filesystem::exists(path)) return fail(Errc::not_found, path + " is not there");
        decoded.push_back(path);
      }
      out.packets = out.frames = 10 * paths.size();
      out.media_ms = 10'000 * static_cast<std::int64_t>(paths.size());
      return out;
    };
  }
  Result<DrillReport> drill() { return drill(order(), plays()); }
  Result<DrillReport> drill(archive::DrillOrder what, const archive::CheckMedia& check_media, std::stop_token stop = {}) {
    const auto pool = GREFFE_TRY(open_reader());
    archive::Drill one(site.files, site.clock, *pool, site.main_log->declared_lost(), check_media, std::move(what), progress, std::move(stop));
    return one.run();
  }
  Result<std::unique_ptr<store::WholePool>> open_reader() {  // any thread: asserts nothing
    store::PoolSettings settings;
    for (int i = 0; i < 3; ++i) settings.volumes.push_back(site.folder.path + "/v" + std::to_string(i));
    auto opened = store::LocalPool::open(site.files, site.clock, settings, store::PoolMode::reader);
    if (!opened) return opened.error();
    return std::unique_ptr<store::WholePool>(std::move(*opened));
  }

  std::string state() const { return site.folder.path + "/state"; }
  std::vector<std::filesystem::path> copies(const std::string& key) const {
    std::vector<std::filesystem::path> out;
    for (int i = 0; i < 3; ++i) {
      const std::filesystem::path path = site.folder.path + "/v" + std::to_string(i) + "/" + key;
      if (std::filesystem::exists(path)) out.push_back(path);
    }
    REQUIRE_FALSE(out.empty());
    return out;
  }
  static void spoil(const std::filesystem::path& path) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::ofstream(path, std::ios::binary | std::ios::in) << "X";
  }
  void until(const std::function<bool()>& condition) const {
    for (int i = 0; i < 400 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(25));
    REQUIRE(condition());
  }

  SampleArchive site{"replica"};
  PrivateKey log_key = PrivateKey::generate();
  const PrivateKey* signs_with = nullptr;  // instead of that key
  std::vector<SampleHearing> hearings;
  Digest corrected;
  std::unique_ptr<archive::HeldArchives> held;
  archive::DrillProgress progress;
  std::vector<std::string> decoded;  // paths

 private:
  template <class Sign>
  void append(const std::string& path, const std::vector<std::string>& entries, const Sign& sign) {
    auto writer = tlog::LogWriter::open(*site.pool, *site.pool, *site.pool, path);
    REQUIRE(writer);
    REQUIRE(writer->append(entries, sign));
  }
};

}  // namespace greffe::testing

#endif
