// What no volume has any more, fetched from another site when somebody reads it: real volumes, a site in memory.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "archive/damage_journal.h"
#include "archive/recall.h"
#include "archive/retrieval.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/manual_clock.h"
#include "tests/unit/support/pretended_site.h"

using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::object_key;
using greffe::Result;
using greffe::archive::kRecallRestMs;
using greffe::archive::kRecallsAtOnce;
using greffe::archive::LostObjects;
using greffe::archive::OtherSite;
using greffe::archive::Recall;
using greffe::archive::Retrieval;
using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::ManualClock;
using greffe::testing::PretendedSite;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

// One hearing here and, with all that it names, at another site.
struct TwoSites {
  TwoSites() {
    archive.listeners.on_damage = [this](const greffe::store::Damage& damage) { journal->report(damage); };
    journal = std::make_unique<greffe::archive::DamageJournal>(archive.clock, archive.log);
    archive.restart();
    journal->start(*archive.main_log);
    for (int i = 0; i < 8; ++i) hearing.add_segment(2000);
    gap = hearing.add_gap(5000, "recess");
    hearing.explain(gap, "The lamp had failed.");
    hearing.close();
    deposit_all_objects(archive, hearing);
    REQUIRE(append_range(archive, hearing, 0, hearing.entries.size()));
    for (const auto& [digest, bytes] : hearing.objects) site->keep(hearing.id, digest, bytes);
    lost = std::make_unique<LostObjects>(archive.clock, archive.log, *archive.pool, *archive.main_log,
                                         [this](const greffe::store::Damage& damage) { journal->report(damage); });
    recall = std::make_unique<Recall>(clock, *lost, [this] { return sites; });
    retrieval = std::make_unique<Retrieval>(archive.stores(), *archive.hearings, recall.get());
  }
  ~TwoSites() { journal->stop(); }

  const Digest& segment(std::size_t number) const { return hearing.objects[1 + number].first; }
  const std::string& bytes_of(std::size_t number) const { return hearing.objects[1 + number].second; }
  std::string path(unsigned volume, const Digest& digest) const {
    return archive.folder.path + "/v" + std::to_string(volume) + "/" + object_key(digest);
  }
  void spoil(const Digest& digest) {
    for (unsigned volume = 0; volume < 3; ++volume) REQUIRE(archive.files.replace(path(volume, digest), greffe::as_bytes("not it"), 0440));
  }
  void remove(const Digest& digest) {
    for (unsigned volume = 0; volume < 3; ++volume) REQUIRE(archive.files.remove(path(volume, digest)));
  }
  unsigned good_copies(const Digest& digest) {
    unsigned out = 0;
    for (unsigned volume = 0; volume < 3; ++volume) {
      const auto bytes = archive.files.read_file(path(volume, digest), 1 << 20);
      if (bytes && greffe::sha256(*bytes) == digest) ++out;
    }
    return out;
  }
  Result<std::string> read(const Digest& digest) {
    const auto file = GREFFE_TRY(retrieval->open(hearing.id, digest));
    Bytes bytes(GREFFE_TRY(file->size()));
    GREFFE_TRY(file->read_at(0, bytes));
    return std::string(greffe::as_text(bytes));
  }
  unsigned quarantined() const {
    unsigned out = 0;
    for (unsigned volume = 0; volume < 3; ++volume) {
      const std::string folder = archive.folder.path + "/v" + std::to_string(volume) + "/quarantine";
      if (!std::filesystem::exists(folder)) continue;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) out += entry.is_regular_file() ? 1 : 0;
    }
    return out;
  }
  // Of an object, "damaged repaired", in the order of the main log; after all that was reported is written.
  std::vector<std::string> findings(const Digest& digest) {
    journal->stop();
    std::vector<std::string> out;
    const auto texts = archive.main_log->reader().entries(0, archive.main_log->head().checkpoint.size);
    REQUIRE(texts);
    for (const std::string& text : *texts) {
      const auto entry = greffe::parse_main_entry(text);
      const auto* found = entry ? std::get_if<greffe::ScrubEntry>(&*entry) : nullptr;
      if (found != nullptr && found->key == object_key(digest)) out.push_back(found->finding + " " + found->action);
    }
    return out;
  }
  std::uint64_t open_findings() {
    journal->stop();
    return archive.main_log->catalogue().scrub_facts()->open_findings;
  }

  SampleArchive archive;
  ManualClock clock;
  std::unique_ptr<greffe::archive::DamageJournal> journal;
  SampleHearing hearing{archive.name};
  std::uint64_t gap = 0;
  const std::shared_ptr<PretendedSite> site = std::make_shared<PretendedSite>();
  std::vector<std::shared_ptr<OtherSite>> sites{site};
  std::unique_ptr<LostObjects> lost;
  std::unique_ptr<Recall> recall;
  std::unique_ptr<Retrieval> retrieval;
};

}  // namespace

TEST_CASE("what is damaged on all volumes is read from another site, once, and is whole on all of them") {
  TwoSites s;
  s.spoil(s.segment(2));
  const auto read = s.read(s.segment(2));
  if (!read) FAIL(read.error().message);
  CHECK(*read == s.bytes_of(2));
  CHECK(s.good_copies(s.segment(2)) == 3);
  CHECK(s.quarantined() == 3);
  CHECK(*s.read(s.segment(2)) == s.bytes_of(2));
  CHECK(s.site->asked() == 1);
  CHECK(s.lost->count() == 0);
  const std::vector<std::string> findings = s.findings(s.segment(2));
  CHECK(std::count(findings.begin(), findings.end(), "damaged repaired") >= 3);
  CHECK(s.open_findings() == 0);
}

TEST_CASE("what no volume has is brought back from another site, and the main log says so") {
  TwoSites s;
  s.remove(s.segment(4));
  CHECK(*s.read(s.segment(4)) == s.bytes_of(4));
  CHECK(s.good_copies(s.segment(4)) == 3);
  CHECK(s.findings(s.segment(4)) == std::vector<std::string>{"missing repaired"});
}

TEST_CASE("what a scrub had named as lost is settled when it comes back with a reader") {
  TwoSites s;
  s.remove(s.segment(4));
  s.lost->add_absent(s.segment(4), {greffe::hearing_log_path(s.hearing.id), 5, "segment", s.hearing.id, "", {}, 0});
  CHECK(s.lost->count() == 1);
  CHECK(*s.read(s.segment(4)) == s.bytes_of(4));
  CHECK(s.lost->count() == 0);
  CHECK(s.open_findings() == 0);
}

TEST_CASE("bytes that are not the object's are refused, whatever the site says, and the next site is asked") {
  TwoSites s;
  s.spoil(s.segment(1));
  const std::string before = s.read(s.segment(0)).value();
  s.site->keep(s.hearing.id, s.segment(1), s.bytes_of(0));
  const auto refused = s.read(s.segment(1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);  // as without another site
  CHECK(refused.error().message.find("no good replica is left") != std::string::npos);
  CHECK(s.good_copies(s.segment(1)) == 0);
  CHECK(s.quarantined() == 0);
  CHECK(s.read(s.segment(0)).value() == before);

  const auto second = std::make_shared<PretendedSite>("province.court.example");
  second->keep(s.hearing.id, s.segment(1), s.bytes_of(1));
  s.sites.push_back(second);
  s.clock.pass_ms(kRecallRestMs);
  CHECK(*s.read(s.segment(1)) == s.bytes_of(1));
  CHECK(s.site->asked() == 2);
  CHECK(second->asked() == 1);
}

TEST_CASE("many who read it at the same time wait for one fetch") {
  TwoSites s;
  s.spoil(s.segment(3));
  s.site->hold_up(true);
  std::atomic<unsigned> good{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&] {
      const auto read = s.read(s.segment(3));
      if (read && *read == s.bytes_of(3)) ++good;
    });
  }
  s.site->await_asked(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  s.site->hold_up(false);
  for (std::thread& reader : readers) reader.join();
  CHECK(good == 8);
  CHECK(s.site->asked() == 1);
}

TEST_CASE("only so many objects are fetched at the same time") {
  TwoSites s;
  for (std::size_t i = 0; i < 8; ++i) s.remove(s.segment(i));
  s.site->hold_up(true);
  std::atomic<unsigned> good{0};
  std::vector<std::thread> readers;
  for (std::size_t i = 0; i < 8; ++i) {
    readers.emplace_back([&, i] {
      const auto read = s.read(s.segment(i));
      if (read && *read == s.bytes_of(i)) ++good;
    });
  }
  s.site->await_asked(kRecallsAtOnce);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(s.site->asked() == kRecallsAtOnce);
  s.site->hold_up(false);
  for (std::thread& reader : readers) reader.join();
  CHECK(good == 8);
  CHECK(s.site->most_at_once() == kRecallsAtOnce);
}

TEST_CASE("a site that does not answer leaves everything as it is, and is left alone for a while") {
  TwoSites s;
  s.remove(s.segment(0));
  s.spoil(s.segment(1));
  s.site->set_reachable(false);
  CHECK(s.read(s.segment(0)).error().code == Errc::not_found);
  CHECK(s.read(s.segment(0)).error().message.find("no volume has") != std::string::npos);
  CHECK(s.read(s.segment(1)).error().code == Errc::corrupt);
  CHECK(s.site->asked() == 1);
  s.site->set_reachable(true);
  s.clock.pass_ms(kRecallRestMs - 1);
  CHECK(s.read(s.segment(0)).error().code == Errc::not_found);
  CHECK(s.site->asked() == 1);
  s.clock.pass_ms(1);
  CHECK(*s.read(s.segment(0)) == s.bytes_of(0));
  CHECK(*s.read(s.segment(1)) == s.bytes_of(1));
}

TEST_CASE("what no site has is not asked for again at once, others are") {
  TwoSites s;
  const Digest unknown = s.segment(0);
  const auto empty = std::make_shared<PretendedSite>();
  s.sites = {empty};
  s.remove(unknown);
  s.remove(s.segment(1));
  CHECK(s.read(unknown).error().code == Errc::not_found);
  CHECK(s.read(unknown).error().code == Errc::not_found);
  CHECK(empty->asked() == 2);  // for the hearing and for the main log, once
  empty->keep(s.hearing.id, s.segment(1), s.bytes_of(1));
  CHECK(*s.read(s.segment(1)) == s.bytes_of(1));
  CHECK(empty->asked() == 3);
}

TEST_CASE("another site's question is answered with what is here, and asks nobody") {
  TwoSites s;
  s.remove(s.segment(0));
  CHECK(s.retrieval->open_here(s.hearing.id, s.segment(0)).error().code == Errc::not_found);
  CHECK(s.site->asked() == 0);
  CHECK(s.retrieval->open(s.hearing.id, greffe::sha256(greffe::as_bytes("not named"))).error().code == Errc::not_found);
  CHECK(s.site->asked() == 0);
  CHECK(*s.retrieval->archive_of(s.hearing.id) == s.archive.name);
}

TEST_CASE("the words of an explanation come back with the timeline, those of the main log from its copy") {
  TwoSites s;
  const Digest words = s.hearing.objects.back().first;
  s.spoil(words);
  const auto timeline = s.retrieval->timeline(s.hearing.id);
  REQUIRE(timeline);
  REQUIRE(timeline->gaps.size() == 1);
  REQUIRE(timeline->gaps[0].explanations.size() == 1);
  CHECK(timeline->gaps[0].explanations[0].text == "The lamp had failed.");
  CHECK(s.good_copies(words) == 3);

  const std::string note = greffe::write_note("mark", "Objection.");
  const Digest mark = greffe::sha256(greffe::as_bytes(note));
  s.site->keep(std::nullopt, mark, note);
  const auto document = s.retrieval->document(s.hearing.id, mark);
  REQUIRE(document);
  CHECK(greffe::as_text(*document) == note);
  CHECK(s.good_copies(mark) == 3);
}

TEST_CASE("without another site everything is as ever") {
  TwoSites s;
  s.sites.clear();
  s.spoil(s.segment(0));
  CHECK(s.read(s.segment(0)).error().code == Errc::corrupt);
  CHECK_FALSE(s.recall->has_sites());
  CHECK(s.recall->bring_back(s.hearing.id, s.segment(0)).error().code == Errc::not_found);
}
