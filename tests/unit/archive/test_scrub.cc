// The scrub over a real pool in a temporary folder: what it reads, repairs, names, and where it goes on.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "archive/damage_journal.h"
#include "archive/scrub.h"
#include "archive/store/remote_store.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/manual_clock.h"
#include "tests/unit/support/memory_service.h"
#include "tests/unit/support/pretended_site.h"

using greffe::Bytes;
using greffe::Digest;
using greffe::Errc;
using greffe::Json;
using greffe::object_key;
using greffe::UtcTime;
using greffe::archive::position_of;
using greffe::archive::Scrub;
using greffe::archive::ScrubSettings;
using greffe::archive::ScrubState;
using greffe::archive::VolumePass;
using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::deposit_object;
using greffe::testing::ManualClock;
using greffe::testing::PretendedSite;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;

namespace {

constexpr std::int64_t kPeriodMs = 90LL * 24 * 3'600'000;

template <class Condition>
void await(const Condition& condition) {
  for (int i = 0; i < 6000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(condition());
}

// An archive with one hearing, and its scrub with what belongs to it.
struct Scrubbed {
  Scrubbed() {
    archive.listeners.on_damage = [this](const greffe::store::Damage& damage) { journal->report(damage); };
    archive.restart();
    start();
    for (int i = 0; i < 5; ++i) hearing.add_segment(2000);
    hearing.close();
    deposit_all_objects(archive, hearing);
    REQUIRE(append_range(archive, hearing, 0, hearing.entries.size()));
  }
  ~Scrubbed() { stop(); }
  void start() {
    journal = std::make_unique<greffe::archive::DamageJournal>(archive.clock, archive.log);
    journal->start(*archive.main_log);
    settings.state_path = archive.folder.path + "/state/scrub.json";
    settings.on_damage = [this](const greffe::store::Damage& damage) { journal->report(damage); };
    scrub = std::make_unique<Scrub>(clock, archive.log, archive.files, *archive.pool, *archive.main_log, settings);
  }
  void stop() {
    scrub.reset();
    journal.reset();
  }
  void restart() {
    stop();
    archive.restart();
    start();
  }
  Json read_all() {
    const auto done = scrub->read_all_now();
    if (!done) FAIL(done.error().message);
    return *done;
  }
  std::string path(unsigned volume, const Digest& digest) const {
    return archive.folder.path + "/v" + std::to_string(volume) + "/" + object_key(digest);
  }
  void flip(unsigned volume, const Digest& digest) {
    Bytes bytes = *archive.files.read_file(path(volume, digest), 1 << 20);
    bytes[3] ^= 1;
    REQUIRE(archive.files.replace(path(volume, digest), bytes, 0440));
  }
  unsigned good_copies(const Digest& digest) {
    unsigned out = 0;
    for (unsigned volume = 0; volume < 3; ++volume) {
      const auto bytes = archive.files.read_file(path(volume, digest), 1 << 20);
      if (bytes && greffe::sha256(*bytes) == digest) ++out;
    }
    return out;
  }
  // Names of all objects on a volume, in order.
  std::vector<Digest> names(unsigned volume) const {
    std::vector<Digest> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(archive.folder.path + "/v" + std::to_string(volume) + "/sha256")) {
      if (entry.is_regular_file()) out.push_back(*greffe::digest_from_hex(entry.path().filename().string()));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::vector<greffe::ScrubEntry> entries() {
    std::vector<greffe::ScrubEntry> out;
    const auto texts = archive.main_log->reader().entries(0, archive.main_log->head().checkpoint.size);
    REQUIRE(texts);
    for (const std::string& text : *texts) {
      const auto entry = greffe::parse_main_entry(text);
      if (const auto* found = entry ? std::get_if<greffe::ScrubEntry>(&*entry) : nullptr) out.push_back(*found);
    }
    return out;
  }
  std::vector<greffe::ScrubEntry> passes() {
    std::vector<greffe::ScrubEntry> out = entries();
    std::erase_if(out, [](const auto& one) { return one.finding != "pass"; });
    return out;
  }
  std::vector<std::string> findings(const Digest& digest) {
    std::vector<std::string> out;
    for (const auto& one : entries()) {
      if (one.key == object_key(digest)) out.push_back(one.finding + " " + one.action);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  // Each volume waits for the time of its first name.
  bool all_listed() const {
    const auto report = scrub->report();
    return report.volumes.size() == 3 && std::all_of(report.volumes.begin(), report.volumes.end(), [](const auto& one) { return one.share > 0; });
  }
  Digest segment() const { return hearing.objects[2].first; }

  SampleArchive archive;
  ManualClock standing;                 // of a scrub whose time a test moves
  greffe::SystemClock running;
  struct Turned : greffe::Clock {       // whichever of the two is chosen
    explicit Turned(Scrubbed& all) : all_(all) {}
    greffe::Clock& now() { return all_.manual ? static_cast<greffe::Clock&>(all_.standing) : all_.running; }
    UtcTime utc_now() override { return now().utc_now(); }
    std::int64_t monotonic_ms() override { return now().monotonic_ms(); }
    std::string boot_id() override { return now().boot_id(); }
    Scrubbed& all_;
  };
  bool manual = false;
  Turned clock{*this};
  ScrubSettings settings;
  std::unique_ptr<greffe::archive::DamageJournal> journal;
  std::unique_ptr<Scrub> scrub;
  SampleHearing hearing{archive.name};
};

// A new officer of the archive, who signs.
greffe::archive::LostObjects::Signed signed_by(Scrubbed& s, const std::string& name, const std::string& statement) {
  const greffe::PrivateKey key = greffe::PrivateKey::generate();
  greffe::KeyEntry officer;
  officer.action = "added";
  officer.role = "officer";
  officer.name = name;
  officer.key = key.public_key();
  REQUIRE(s.archive.main_log->append(officer));
  return {name, key.sign(greffe::as_bytes(statement))};
}

// Another site, from here on.
std::shared_ptr<PretendedSite> with_site(Scrubbed& s) {
  auto site = std::make_shared<PretendedSite>();
  s.stop();
  s.settings.sites = [site] { return std::vector<std::shared_ptr<greffe::archive::OtherSite>>{site}; };
  s.start();
  return site;
}

// From here on the test moves the clock; every volume's names have been looked at.
void start_by_hand(Scrubbed& s) {
  s.manual = true;
  s.settings.period_ms = kPeriodMs;
  s.restart();
  s.scrub->start();
  await([&] { return s.all_listed(); });
}

}  // namespace

TEST_CASE("who asks has every replica and every log read, and the main log has the results") {
  Scrubbed s;
  s.scrub->start();
  const Json done = s.read_all();
  const std::vector<Digest> names = s.names(0);
  REQUIRE(names.size() >= 6);
  CHECK(*done.size("objects") == 3 * names.size());
  CHECK(*done.size("failures") == 0);
  CHECK(*done.size("logs") == 2);
  CHECK(done.array("unrepaired")->empty());
  const auto passes = s.passes();
  REQUIRE(passes.size() == 4);  // three volumes, and the logs
  greffe::TreeEdge edge;
  for (const Digest& name : names) edge.append(greffe::leaf_hash(greffe::as_bytes(name.hex() + " good")));
  for (const auto& volume : s.archive.pool->volumes()) {
    const auto pass = std::find_if(passes.begin(), passes.end(), [&](const auto& one) { return one.volume == volume.id; });
    REQUIRE(pass != passes.end());
    CHECK(pass->objects == names.size());
    CHECK(pass->failures == 0);
    REQUIRE(pass->results);
    CHECK(pass->results->root == edge.root());
    CHECK(pass->results->began <= pass->utc);
    CHECK_FALSE(pass->results->oldest_ms);  // before the first pass nothing was read
  }
  s.read_all();
  const auto again = s.passes();
  CHECK(std::count_if(again.begin(), again.end(), [](const auto& one) { return one.results->oldest_ms.has_value(); }) == 3);
}

TEST_CASE("bad replicas are rewritten from a good one and read again, one or two of three") {
  Scrubbed s;
  s.scrub->start();
  const Digest one = s.hearing.objects[1].first;
  const Digest two = s.hearing.objects[2].first;
  const Digest gone = s.hearing.objects[3].first;
  s.flip(1, one);
  s.flip(0, two);
  s.flip(2, two);
  REQUIRE(s.archive.files.remove(s.path(1, gone)));
  const Json done = s.read_all();
  CHECK(*done.size("failures") == 4);
  CHECK(*done.size("repaired") == 4);
  CHECK(done.array("unrepaired")->empty());
  for (const Digest& digest : {one, two, gone}) CHECK(s.good_copies(digest) == 3);
  await([&] { return s.findings(gone).size() == 1 && s.findings(two).size() == 2; });
  CHECK(s.findings(one) == std::vector<std::string>{"damaged repaired"});
  CHECK(s.findings(two) == std::vector<std::string>(2, "damaged repaired"));
  CHECK(s.findings(gone) == std::vector<std::string>{"missing repaired"});
  CHECK(*s.read_all().size("failures") == 0);
}

TEST_CASE("what no volume has any more is named with its hearing and seconds, once, until it is back") {
  Scrubbed s;
  const bool absent = GENERATE(false, true);
  const Digest digest = s.segment();
  for (unsigned volume = 0; volume < 3; ++volume) {
    if (absent) REQUIRE(s.archive.files.remove(s.path(volume, digest)));
    if (!absent) s.flip(volume, digest);
  }
  s.scrub->start();
  const Json done = s.read_all();
  const Json::Array unrepaired = *done.array("unrepaired");
  REQUIRE(unrepaired.size() == 1);
  CHECK(*unrepaired[0].string("key") == object_key(digest));
  CHECK(*unrepaired[0].string("hearing") == s.hearing.id.text());
  CHECK(*unrepaired[0].string("stream") == "mic-judge");
  CHECK(*unrepaired[0].integer("ms") == 10'000);
  CHECK(*unrepaired[0].string("utc") == greffe::to_text(UtcTime{1'795'338'010'000}));
  const std::size_t said = absent ? 1 : 3;
  await([&] { return s.findings(digest).size() >= said; });
  s.read_all();
  s.restart();  // it is known from the main log
  s.scrub->start();
  await([&] { return s.scrub->lost().count() == 1 && s.scrub->lost().all().at(digest).place; });
  CHECK(s.findings(digest) == std::vector<std::string>(said, absent ? "missing not-repaired" : "damaged not-repaired"));
  // From the other site, or from the station.
  REQUIRE(deposit_object(s.archive, s.hearing, digest, s.hearing.objects[2].second));
  CHECK(s.read_all().array("unrepaired")->empty());
  CHECK(s.scrub->lost().count() == 0);
  await([&] { return s.archive.main_log->catalogue().scrub_facts()->open_findings == 0; });
  CHECK(s.good_copies(digest) == 3);
}

TEST_CASE("what no volume has any more is fetched from another site when a scrub finds it") {
  Scrubbed s;
  const bool absent = GENERATE(false, true);
  const auto site = with_site(s);
  const Digest digest = s.segment();
  site->keep(s.hearing.id, digest, s.hearing.objects[2].second);
  for (unsigned volume = 0; volume < 3; ++volume) {
    if (absent) REQUIRE(s.archive.files.remove(s.path(volume, digest)));
    if (!absent) s.flip(volume, digest);
  }
  s.scrub->start();
  const Json done = s.read_all();
  CHECK(done.array("unrepaired")->empty());
  CHECK(*done.size("failures") >= 1);
  CHECK(*done.size("repaired") >= 3);
  CHECK(s.good_copies(digest) == 3);
  CHECK(s.scrub->lost().count() == 0);
  await([&] { return s.archive.main_log->catalogue().scrub_facts()->open_findings == 0; });
  CHECK(*s.read_all().size("failures") == 0);
}

TEST_CASE("by itself, too, once it is known which hearing names it; and a site that was silent is asked again") {
  Scrubbed s;
  const auto site = with_site(s);
  site->set_reachable(false);
  const Digest digest = s.segment();
  site->keep(s.hearing.id, digest, s.hearing.objects[2].second);
  for (unsigned volume = 0; volume < 3; ++volume) REQUIRE(s.archive.files.remove(s.path(volume, digest)));
  s.manual = true;
  s.scrub->start();
  const Json done = s.read_all();
  REQUIRE(done.array("unrepaired")->size() == 1);
  CHECK(*(*done.array("unrepaired"))[0].string("hearing") == s.hearing.id.text());
  CHECK(site->asked() >= 1);
  CHECK(s.scrub->lost().count() == 1);
  site->set_reachable(true);
  s.standing.pass_ms(60'000);
  await([&] { return s.good_copies(digest) == 3 && s.scrub->lost().count() == 0; });
}

TEST_CASE("an object that the hearing declared lost is not missed") {
  Scrubbed s;
  SampleHearing other(s.archive.name);
  other.add_segment();
  other.add_segment();
  other.lose_last_object();
  other.close();
  deposit_all_objects(s.archive, other);
  REQUIRE(append_range(s.archive, other, 0, other.entries.size()));
  s.scrub->start();
  const Json done = s.read_all();
  CHECK(done.array("unrepaired")->empty());
  CHECK(*done.size("failures") == 0);
}

TEST_CASE("what two officers declared lost is not missed any more, and its damaged replicas are moved aside") {
  Scrubbed s;
  const bool absent = GENERATE(false, true);
  const Digest digest = s.segment();
  const greffe::archive::LostOrder order{s.hearing.id, {digest}};
  s.scrub->start();
  CHECK(s.scrub->lost().statement(order).error().code == Errc::conflict);  // it is whole
  for (unsigned volume = 0; volume < 3; ++volume) {
    if (absent) REQUIRE(s.archive.files.remove(s.path(volume, digest)));
    if (!absent) s.flip(volume, digest);
  }
  REQUIRE(s.read_all().array("unrepaired")->size() == 1);
  await([&] { return s.archive.main_log->catalogue().scrub_facts()->open_findings == (absent ? 1u : 3u); });

  SampleHearing other(s.archive.name, UtcTime{1'795'348'000'000});
  CHECK(s.scrub->lost().statement({other.id, {digest}}).error().code == Errc::not_found);
  CHECK(s.scrub->lost().statement({std::nullopt, {digest}}).error().code == Errc::not_found);
  const auto statement = s.scrub->lost().statement(order);
  REQUIRE(statement);
  std::vector<greffe::archive::LostObjects::Signed> signatures;
  for (const std::string name : {"officer-1", "officer-2"}) {
    CHECK(s.scrub->lost().declare(order, signatures).error().code == Errc::denied);
    signatures.push_back(signed_by(s, name, *statement));
  }
  const auto declared = s.scrub->lost().declare(order, signatures);
  if (!declared) FAIL(declared.error().message);
  CHECK(s.scrub->lost().count() == 0);
  for (unsigned volume = 0; volume < 3; ++volume) CHECK_FALSE(std::filesystem::exists(s.path(volume, digest)));
  CHECK(s.scrub->lost().statement(order).error().code == Errc::already_exists);
  const auto site = std::make_shared<PretendedSite>();
  site->keep(s.hearing.id, digest, s.hearing.objects[2].second);
  greffe::archive::Recall recall(s.clock, s.scrub->lost(), [&] { return std::vector<std::shared_ptr<greffe::archive::OtherSite>>{site}; });
  CHECK(recall.bring_back(s.hearing.id, digest).error().code == Errc::not_found);
  CHECK(site->asked() == 0);  // two officers have said that it is gone
  await([&] { return s.archive.main_log->catalogue().scrub_facts()->open_findings == 0; });
  CHECK(s.archive.main_log->catalogue().hearing(s.hearing.id, greffe::catalogue::CourtSet::everything())->lost_objects == std::vector<Digest>{digest});
  for (int round = 0; round < 2; ++round) {
    const Json done = s.read_all();
    CHECK(done.array("unrepaired")->empty());
    CHECK(*done.size("failures") == 0);
    s.restart();
    s.scrub->start();
  }
  CHECK(s.scrub->lost().count() == 0);
}

TEST_CASE("a damaged replica that comes back after its object was declared lost is moved aside without a word") {
  Scrubbed s;
  const Digest digest = s.segment();
  const greffe::archive::LostOrder order{s.hearing.id, {digest}};
  for (unsigned volume = 0; volume < 3; ++volume) REQUIRE(s.archive.files.remove(s.path(volume, digest)));
  s.scrub->start();
  s.read_all();
  const std::string statement = *s.scrub->lost().statement(order);
  REQUIRE(s.scrub->lost().declare(order, {signed_by(s, "officer-1", statement), signed_by(s, "officer-2", statement)}));
  REQUIRE(s.archive.files.replace(s.path(1, digest), greffe::as_bytes("not it"), 0440));
  CHECK(s.read_all().array("unrepaired")->empty());
  CHECK_FALSE(std::filesystem::exists(s.path(1, digest)));
  CHECK(s.scrub->lost().count() == 0);
}

TEST_CASE("names have their time, the oldest first, and nothing is in a hurry") {
  Scrubbed s;
  start_by_hand(s);
  const auto read_up_to = [&](double share) {
    const std::vector<Digest> names = s.names(0);
    const auto count = static_cast<std::uint64_t>(std::count_if(names.begin(), names.end(), [&](const Digest& name) {
      return position_of(name) <= share * greffe::archive::kAllNames;
    }));
    await([&] {
      const auto report = s.scrub->report();
      return std::all_of(report.volumes.begin(), report.volumes.end(), [&](const auto& one) { return one.objects == count && one.share >= share; });
    });
  };
  s.standing.pass_ms(greffe::archive::pass_length_ms(kPeriodMs) / 2);
  read_up_to(0.5);
  for (const auto& one : s.scrub->report().volumes) {
    CHECK(one.passes == 0);
    CHECK(one.left_ms == greffe::archive::pass_length_ms(kPeriodMs) / 2);
    CHECK_FALSE(one.late);
  }
  s.standing.pass_ms(greffe::archive::pass_length_ms(kPeriodMs) / 2);
  await([&] {
    const auto report = s.scrub->report();
    return std::all_of(report.volumes.begin(), report.volumes.end(), [](const auto& one) { return one.passes == 1 && one.oldest; });
  });
}

TEST_CASE("what comes while a pass waits for the next name is read by that pass") {
  Scrubbed s;
  start_by_hand(s);
  SampleHearing more(s.archive.name);
  for (int i = 0; i < 20; ++i) more.add_segment(2000);
  deposit_all_objects(s.archive, more);
  s.standing.pass_ms(greffe::archive::pass_length_ms(kPeriodMs));
  await([&] { return s.passes().size() >= 4; });
  const std::uint64_t all = s.names(0).size();
  for (const auto& pass : s.passes()) {
    INFO(pass.volume);
    if (pass.volume != "logs") CHECK(pass.objects == all);
  }
}

TEST_CASE("it goes on where it was, reads nothing twice that was saved, and skips nothing") {
  Scrubbed s;
  s.scrub->start();
  s.read_all();
  s.stop();
  const std::vector<Digest> names = s.names(0);
  auto state = *greffe::archive::load_scrub_state(s.archive.files, s.settings.state_path);
  const std::size_t half = names.size() / 2;
  const UtcTime long_ago{s.running.utc_now().ms - kPeriodMs * 2};
  for (VolumePass& pass : state.volumes) {
    pass.began = long_ago;  // so that it is due
    for (std::size_t i = 0; i < half; ++i) pass.take(names[i], 1, true, long_ago);
  }
  REQUIRE(save_scrub_state(s.archive.files, s.settings.state_path, state));
  s.flip(0, names[half]);      // the first one that is to be read
  s.flip(1, names[half - 1]);  // one that was read: the next pass finds it
  const std::size_t before = s.passes().size();
  s.archive.restart();
  s.start();
  s.scrub->start();
  await([&] { return s.passes().size() >= before + 3; });
  await([&] { return s.good_copies(names[half]) == 3; });
  CHECK(s.good_copies(names[half - 1]) == 2);
  const auto passes = s.passes();
  for (std::size_t i = before; i < before + 3; ++i) {
    INFO(passes[i].volume);
    CHECK(passes[i].objects == names.size());  // with those of before the restart
    CHECK(passes[i].results->began == long_ago);
  }
}

TEST_CASE("a state that cannot be read, or is of another pool, begins anew and says so") {
  Scrubbed s;
  const bool other = GENERATE(false, true);
  ScrubState state;
  state.pool = std::string(32, '0');
  state.volumes.push_back(VolumePass::begin(s.archive.pool->volumes()[0].id, s.running.utc_now()));
  state.volumes[0].passes = 7;
  std::string text = write_scrub_state(state);
  if (!other) text.resize(text.size() / 2);
  REQUIRE(s.archive.files.replace(s.settings.state_path, greffe::as_bytes(text), 0600));
  s.scrub->start();
  CHECK(*s.read_all().size("objects") == 3 * s.names(0).size());
  for (const auto& one : s.scrub->report().volumes) CHECK(one.passes == 1);
}

TEST_CASE("a volume that is away is not called read, and is read when it is back") {
  Scrubbed s;
  s.stop();
  s.archive.stop();
  const std::string v2 = s.archive.folder.path + "/v2";
  std::filesystem::rename(v2, s.archive.folder.path + "/elsewhere");
  s.archive.start();
  s.settings.volumes_settled = [] { return false; };
  s.start();
  s.scrub->start();
  const Json done = s.read_all();
  CHECK(*done.strings("not_read") == std::vector<std::string>{v2});
  CHECK(*done.size("objects") == 2 * s.names(0).size());
  CHECK(*done.size("failures") == 0);  // what lacks there is no damage
  std::filesystem::rename(s.archive.folder.path + "/elsewhere", v2);
  await([&] { return s.archive.pool->volumes()[2].state == greffe::store::VolumeState::active; });
  const auto whole = [&] {
    const auto report = s.scrub->report();
    return report.volumes.size() == 3 && std::all_of(report.volumes.begin(), report.volumes.end(), [](const auto& one) { return one.there; });
  };
  await(whole);
  CHECK(*s.read_all().size("objects") == 3 * s.names(0).size());
}

TEST_CASE("the rate is kept when nobody waits") {
  Scrubbed s;
  SampleHearing more(s.archive.name);
  for (int i = 0; i < 30; ++i) more.add_segment(20'000);
  deposit_all_objects(s.archive, more);
  s.settings.bytes_per_second = 1'000'000;
  s.settings.period_ms = 10;  // all is due at once
  s.restart();
  const auto began = std::chrono::steady_clock::now();
  s.scrub->start();
  await([&] {
    const auto report = s.scrub->report();
    return report.volumes.size() == 3 && std::all_of(report.volumes.begin(), report.volumes.end(), [](const auto& one) { return one.passes > 0; });
  });
  CHECK(std::chrono::steady_clock::now() - began > std::chrono::milliseconds(1500));  // of 1.8 s
}

TEST_CASE("who waits is told when the archive stops") {
  Scrubbed s;
  CHECK(s.scrub->read_all_now().error().code == Errc::cancelled);  // it does not run
  std::atomic<bool> asked = false;
  s.manual = true;
  s.scrub->start();
  std::thread waiting([&] {
    for (;;) {
      asked = true;
      const auto done = s.scrub->read_all_now();
      if (done) continue;
      CHECK(done.error().code == Errc::cancelled);
      return;
    }
  });
  await([&] { return asked.load(); });
  s.scrub->stop();
  waiting.join();
}

TEST_CASE("more damage than a log should keep is written little by little, and all that waits at the end") {
  Scrubbed s;
  s.stop();
  const auto written = [&] {
    const auto all = s.entries();
    return std::count_if(all.begin(), all.end(), [](const auto& one) { return one.finding == "damaged"; });
  };
  ManualClock clock;
  {
    greffe::archive::DamageJournal journal(clock, s.archive.log);
    for (int i = 0; i < 12'000; ++i) journal.report({"sha256/" + std::to_string(i), "v", "it is bad", false, true});
    journal.start(*s.archive.main_log);
    await([&] { return written() == 1000; });
    clock.pass_ms(25'000);
    journal.report({"sha256/x", "v", "it is bad", false, true});  // wakes it, at the latest in ten seconds
    await([&] { return written() == 1002; });
  }
  CHECK(written() == 10'001);  // 2,000 found no room, and one more when there was
}

TEST_CASE("of a service that keeps the replicas everything is read when somebody asks, and only then") {
  greffe::testing::TemporaryFolder folder;
  greffe::PosixFileSystem files;
  greffe::Log log("test");
  greffe::SystemClock clock;
  greffe::testing::MemoryService service;
  greffe::testing::FixedTerm term{1};
  greffe::store::RemoteHeads heads{service, &term};
  greffe::store::RemoteStore store{service, heads, clock, greffe::store::PoolMode::writer, {3, 2, true},
                                   {"the memory", "memory", "00112233445566778899aabbccddeeff"}, {}};
  const greffe::archive::Stores stores{store, store, store};
  const auto main_log = greffe::archive::MainLog::open(files, log, stores, greffe::tlog::first_place("archive.court.example"), folder.path, greffe::PrivateKey::generate(), false);
  REQUIRE(main_log);
  std::vector<Digest> digests;
  for (int i = 0; i < 3; ++i) {
    const Bytes bytes = greffe::to_bytes("object " + std::to_string(i));
    digests.push_back(greffe::sha256(bytes));
    auto writer = store.begin_object(bytes.size());
    REQUIRE(writer);
    REQUIRE((*writer)->write(bytes));
    REQUIRE((*writer)->commit(digests.back()));
  }
  ScrubSettings settings;
  settings.period_ms = 10;  // by which all would be due
  settings.state_path = folder.path + "/scrub.json";
  Scrub scrub(clock, log, files, store, **main_log, settings);
  scrub.start();
  const auto done = scrub.read_all_now();
  REQUIRE(done);
  CHECK(*done->size("objects") == 3);
  CHECK(*done->size("failures") == 0);
  service.values()[object_key(digests[1])][0] ^= 1;
  const unsigned reads = service.reads();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // it could do nothing in: then this test says less
  CHECK(service.reads() == reads);
  const auto report = scrub.report();
  CHECK(report.by_service);
  REQUIRE(report.volumes.size() == 1);
  CHECK((report.volumes[0].passes == 1 && !report.volumes[0].late && !report.volumes[0].left_ms));
  const auto again = scrub.read_all_now();
  REQUIRE(again);
  CHECK(*again->size("failures") == 1);
  REQUIRE(again->array("unrepaired")->size() == 1);
  CHECK(*(*again->array("unrepaired"))[0].string("key") == object_key(digests[1]));
  CHECK(scrub.lost().count() == 1);
}
