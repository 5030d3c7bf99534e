// What an archive may answer, good and bad: only a receipt that verifies counts, and nothing is taken back or repeated in vain.
#include <chrono>
#include <thread>

#include "ingest/lost_objects.h"
#include "ingest/second_catch_up.h"
#include "tests/unit/ingest/memory_archive.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::kArchive;
using greffe::testing::MemoryArchive;
using greffe::testing::Uploading;

namespace {

Delivery delivery_of(Uploading& station) { return {station.files, station.clock, station.settings, station.enrolment, station.key}; }

std::uint64_t covered(Uploading& station, const HearingId& id) {
  const auto log = read_signed_log(station.files, station.paths(id));
  REQUIRE(log);
  const auto receipt = read_receipt(station.files, station.paths(id), *log, station.key.public_key(), station.enrolment, station.settings);
  REQUIRE(receipt);
  return receipt->archive_size;
}

// The receipt that the archive sends, changed on its way.
MemoryArchive::Meddler changed_receipt(Uploading& station, const std::function<void(SignedCheckpoint&)>& how) {
  return [&station, how](const http::Request& request) -> std::optional<http::Response> {
    if (!request.path.ends_with("/entries")) return std::nullopt;
    auto note = *parse_signed_checkpoint(*parse_json(request.body)->string("checkpoint"));
    const std::string holder = std::string(kArchive) + "/holder";
    put_signature(note.note, cosign_checkpoint(note.checkpoint, holder, station.archive.holder_key, UtcTime{1'795'340'000'000}));
    how(note);
    Json out;
    out.set("checkpoint", note.note.write());
    return http::json_response(200, write_json(out));
  };
}

}  // namespace

TEST_CASE("a hearing is delivered in steps, each of which leaves a receipt, and reads the log on where it grew") {
  Uploading station;
  const HearingId id = station.begin(0);
  for (int i = 0; i < 150; ++i) station.record(id);
  Delivery delivery = delivery_of(station);
  std::vector<std::uint64_t> sizes;
  for (;;) {
    const auto at = delivery.advance(id, [] { return false; });
    INFO((at ? std::string() : at.error().message));
    REQUIRE(at);
    CHECK(at->answered);
    sizes.push_back(at->receipt.archive_size);
    CHECK(covered(station, id) == at->receipt.archive_size);
    CHECK(at->waiting_objects == 151 - at->receipt.archive_size);
    if (at->receipt.archive_size == at->entries) break;
  }
  CHECK(sizes == std::vector<std::uint64_t>{64, 128, 151});
  CHECK(station.delivered(id));
  // Nothing new: nobody is asked.
  const std::size_t asked = station.archive.asked().size();
  CHECK_FALSE(delivery.advance(id, [] { return false; })->answered);
  CHECK(station.archive.asked().size() == asked);
  // One more segment: three questions.
  station.record(id);
  REQUIRE(delivery.advance(id, [] { return false; }));
  CHECK(station.archive.asked().size() == asked + 3);
  CHECK(station.delivered(id));
  CHECK(delivery.look(id)->read_back_size == 152);
  station.close(id);
  CHECK(delivery.deliver(id)->archive_size == 153);
  CHECK(station.delivered(id));
}

TEST_CASE("after 5,000 entries, one more segment costs what it costs at the beginning") {
  Uploading station;
  const HearingId id = station.begin(0);
  for (int i = 0; i < 5000; ++i) station.spools.at(id)->append(greffe::testing::gap_entry(i));
  station.record(id);
  Delivery delivery = delivery_of(station);
  REQUIRE(delivery.deliver(id));
  for (int i = 0; i < 3; ++i) {
    station.record(id);
    const std::uint64_t read = station.files.log_bytes;
    const std::size_t asked = station.archive.asked().size();
    const auto begun = std::chrono::steady_clock::now();
    REQUIRE(delivery.advance(id, [] { return false; }));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
    UNSCOPED_INFO("it took " << took.count() << " ms");
    CHECK(station.files.log_bytes - read == 2 + station.spools.at(id)->entries().back().size());
    CHECK(station.archive.asked().size() == asked + 3);
  }
  CHECK(station.delivered(id));
}

TEST_CASE("a delivery gives way between two objects, and goes on where it was") {
  Uploading station;
  station.settings.upload.connections = 1;
  const HearingId id = station.begin(0);
  for (int i = 0; i < 20; ++i) station.record(id);
  Delivery delivery = delivery_of(station);
  int objects = 0;
  const auto at = delivery.advance(id, [&] { return ++objects > 5; });
  REQUIRE(at);
  CHECK(at->receipt.archive_size == 0);
  CHECK(station.archive.held(id).objects.size() == 5);
  REQUIRE(delivery.deliver(id));
  CHECK(station.delivered(id));
  const auto asked = station.archive.asked();
  CHECK(std::count(asked.begin(), asked.end(), "PUT " + id.text()) == 21);
}

TEST_CASE("a receipt that does not verify counts for nothing, in words") {
  Uploading station;
  const HearingId id = station.begin(0);
  station.record(id);
  Delivery delivery = delivery_of(station);
  const std::string holder = std::string(kArchive) + "/holder";
  std::function<void(SignedCheckpoint&)> how;
  SECTION("the cosignature is another key's") {
    how = [&](SignedCheckpoint& note) {
      note.note.signatures.pop_back();
      put_signature(note.note, cosign_checkpoint(note.checkpoint, holder, PrivateKey::generate(), UtcTime{1'795'340'000'000}));
    };
  }
  SECTION("a bit of the cosignature is wrong") {
    how = [](SignedCheckpoint& note) { note.note.signatures.back().signature.back() ^= 1; };
  }
  SECTION("there is no cosignature") {
    how = [](SignedCheckpoint& note) { note.note.signatures.pop_back(); };
  }
  SECTION("it is about an older size") {
    how = [&](SignedCheckpoint& note) {
      TreeEdge tree;
      tree.append(leaf_hash(as_bytes(station.spools.at(id)->entries().front())));
      note.checkpoint.size = 1;
      note.checkpoint.root = tree.root();
      note.note = {};
      note.note.text = note.checkpoint.text();
      put_signature(note.note, sign_checkpoint(note.checkpoint, station.key));
      put_signature(note.note, cosign_checkpoint(note.checkpoint, holder, station.archive.holder_key, UtcTime{1'795'340'000'000}));
    };
  }
  SECTION("it is of another hearing") {
    how = [&](SignedCheckpoint& note) {
      note.checkpoint.origin = hearing_origin(kArchive, make_hearing_id(UtcTime{1'795'400'000'000}));
      note.note = {};
      note.note.text = note.checkpoint.text();
      put_signature(note.note, cosign_checkpoint(note.checkpoint, holder, station.archive.holder_key, UtcTime{1'795'340'000'000}));
    };
  }
  station.archive.set_meddler(changed_receipt(station, how));
  const auto refused = delivery.deliver(id);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK_THAT(refused.error().message, Catch::Contains("does not count") && Catch::Contains("Nothing is freed"));
  CHECK(covered(station, id) == 0);
  station.archive.set_meddler({});
  CHECK(delivery.deliver(id)->archive_size == 2);
  CHECK(station.delivered(id));
}

TEST_CASE("nonsense is refused in words, and delivery works again afterwards") {
  Uploading station;
  const HearingId id = station.begin(0);
  station.record(id);
  Delivery delivery = delivery_of(station);
  const auto answering = [](int status, std::string body) {
    return [status, body](const http::Request&) { return std::optional(http::json_response(status, body)); };
  };
  const std::vector<std::pair<MemoryArchive::Meddler, Errc>> nonsense = {
      {answering(200, "{\"missing\":[\"x\"]}"), Errc::invalid}, {answering(200, "not JSON"), Errc::invalid},
      {answering(200, "{}"), Errc::not_found},                  {answering(200, std::string(2'000'000, ' ')), Errc::invalid},
      {answering(500, "<html>"), Errc::io_error},               {answering(503, "{}"), Errc::unavailable},
      {answering(507, "{}"), Errc::no_space},                   {answering(200, "{\"checkpoint\":7}"), Errc::invalid}};
  for (const auto& [meddler, code] : nonsense) {
    station.archive.set_meddler(meddler);
    const auto refused = delivery.deliver(id);
    REQUIRE_FALSE(refused);
    CAPTURE(refused.error().message);
    CHECK((refused.error().code == code || refused.error().code == Errc::invalid));
    CHECK(refused.error().message.size() > 20);
    CHECK(covered(station, id) == 0);
  }
  // It asks for what these entries do not name, and never stops asking for what it has.
  station.archive.set_meddler([](const http::Request& request) -> std::optional<http::Response> {
    if (!request.path.ends_with("/entries")) return std::nullopt;
    return http::problem(409, "conflict", "More.", "\"missing\":[\"" + std::string(64, '7') + "\"]");
  });
  CHECK_THAT(delivery.deliver(id).error().message, Catch::Contains("do not name"));
  station.archive.set_meddler([](const http::Request& request) -> std::optional<http::Response> {
    if (!request.path.ends_with("/entries")) return std::nullopt;
    return http::problem(409, "conflict", "Again.", "\"held_size\":0");
  });
  CHECK_THAT(delivery.deliver(id).error().message, Catch::Contains("keeps asking"));
  station.archive.set_meddler({});
  CHECK(delivery.deliver(id)->archive_size == 2);
}

TEST_CASE("an archive that was restored from an older state gets back what it lost") {
  Uploading station;
  const HearingId id = station.begin(0);
  for (int i = 0; i < 3; ++i) station.record(id);
  Delivery delivery = delivery_of(station);
  REQUIRE(delivery.deliver(id));
  const MemoryArchive::Held before = station.archive.held(id);
  const bool knows_nothing = GENERATE(true, false);
  const bool finished = GENERATE(true, false);
  for (int i = 0; i < 3; ++i) station.record(id);
  REQUIRE(delivery.deliver(id));
  if (finished) station.close(id);
  REQUIRE(delivery.deliver(id));
  station.archive.change(id, [&](MemoryArchive::Held& held) { held = knows_nothing ? MemoryArchive::Held() : before; });
  const std::uint64_t had = covered(station, id);
  SECTION("that is asked again") {
    const auto looked = delivery.look(id);
    REQUIRE(looked);
    CHECK(looked->receipt.archive_size == 0);
    CHECK(covered(station, id) == 0);
  }
  SECTION("that is sent more") {
    if (finished) return;
    station.record(id);
  }
  CHECK(delivery.deliver(id)->archive_size >= had);
  CHECK(station.delivered(id));
  CHECK(station.archive.held(id).objects.size() == 1 + station.segments[id]);
  const auto notices = delivery.notices();
  REQUIRE(notices.size() == 1);
  CHECK_THAT(notices[0], Catch::Contains("restored from an older state"));
  // What was once confirmed is kept as evidence.
  CHECK(station.files.list(station.paths(id).quarantine())->size() == 1);
}

TEST_CASE("setting a receipt aside survives a crash at any step") {
  using greffe::testing::Fault;
  const Fault fault = GENERATE(Fault::power_off, Fault::fails_before, Fault::fails_after);
  for (std::uint64_t step = 1;; ++step) {
    CAPTURE(static_cast<int>(fault), step);
    Uploading station;
    const HearingId id = station.begin(0);
    station.record(id);
    Delivery delivery = delivery_of(station);
    REQUIRE(delivery.deliver(id));
    station.archive.change(id, [](MemoryArchive::Held& held) { held = {}; });
    station.files.faults().arm(fault, step);
    const auto looked = delivery.look(id);
    const bool happened = station.files.faults().happened();
    station.files.faults().disarm();
    if (!happened) {
      REQUIRE(looked);
      break;
    }
    station.files.crash(step);
    // The receipt is there or it is not; whoever asks again ends at the same.
    Delivery next = delivery_of(station);
    REQUIRE(next.look(id));
    CHECK(covered(station, id) == 0);
    CHECK(next.deliver(id)->archive_size == 2);
    CHECK(station.delivered(id));
  }
}

TEST_CASE("when only the log may go, it goes up to the first recording that is not there") {
  Uploading station;
  station.settings.upload.timetable = Timetable(0);
  const HearingId id = station.begin(0);
  station.spools.at(id)->append(greffe::testing::gap_entry(1));
  station.record(id);
  Delivery delivery = delivery_of(station);
  const auto waits = delivery.deliver(id);
  REQUIRE_FALSE(waits);
  CHECK(waits.error().code == Errc::conflict);
  CHECK_THAT(waits.error().message, Catch::Contains("only the log may go"));
  CHECK(covered(station, id) == 2);
  CHECK(station.archive.held(id).objects.size() == 1);  // the details
  station.settings.upload.timetable = Timetable();
  CHECK(delivery.deliver(id)->archive_size == 3);
}

TEST_CASE("an archive that takes only so much without entries gets the entries of what it has, and then the rest") {
  Uploading station;
  station.settings.upload.connections = 1;
  const HearingId id = station.begin(0);
  for (int i = 0; i < 40; ++i) station.record(id);
  station.close(id);
  const auto unnamed = [&] {
    const MemoryArchive::Held held = station.archive.held(id);
    std::set<Digest> named;
    for (const std::string& entry : held.entries) {
      for (const Digest& digest : named_objects(*parse_json(entry))) named.insert(digest);
    }
    return static_cast<std::size_t>(std::count_if(held.objects.begin(), held.objects.end(), [&](const auto& one) { return !named.contains(one.first); }));
  };
  std::atomic<std::size_t> most{7};
  std::atomic<int> refused{0};
  station.archive.set_meddler([&](const http::Request& request) -> std::optional<http::Response> {
    if (request.method != "PUT" || unnamed() < most) return std::nullopt;
    ++refused;
    return http::problem(507, "no_space", "Send the entries first.");
  });
  Delivery delivery = delivery_of(station);
  const auto whole = delivery.deliver(id);
  INFO((whole ? std::string() : whole.error().message));
  REQUIRE(whole);
  CHECK(station.delivered(id));
  CHECK(refused > 0);
  // One that takes nothing at all is waited for, and nothing is lost by it.
  const HearingId other = station.begin(1);
  station.record(other);
  most = 0;
  CHECK(delivery.deliver(other).error().code == Errc::no_space);
  most = 7;
  REQUIRE(delivery.deliver(other));
  CHECK(station.delivered(other));
}

TEST_CASE("the cap holds over all connections") {
  Uploading station;
  const HearingId id = station.begin(0);
  for (int i = 0; i < 24; ++i) station.record(id, 125'000);
  station.settings.upload.timetable = Timetable(8'000);  // a million bytes a second
  Delivery delivery = delivery_of(station);
  const auto begun = std::chrono::steady_clock::now();
  REQUIRE(delivery.deliver(id));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  // A busy machine may be slower; never faster, but for what was saved up.
  CHECK(took.count() > 3.0 * 0.85);
  CHECK(delivery.bandwidth().rate_bytes_s() < 1'150'000);
  CHECK(delivery.bandwidth().rate_bytes_s() > 100'000);
}

TEST_CASE("a stop ends a delivery at once, wherever it is") {
  std::atomic<bool> release{false};
  std::atomic<bool> reached{false};
  Uploading station;
  const HearingId id = station.begin(0);
  station.record(id, 1'000'000);
  std::stop_source stop;
  SECTION("in a transfer") {
    station.settings.upload.timetable = Timetable(16);
    station.archive.set_meddler([&](const http::Request&) -> std::optional<http::Response> {
      reached = true;
      return std::nullopt;
    });
  }
  SECTION("while the archive thinks") {
    station.archive.set_meddler([&](const http::Request&) -> std::optional<http::Response> {
      reached = true;
      while (!release) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      return std::nullopt;
    });
  }
  Delivery delivery(station.files, station.clock, station.settings, station.enrolment, station.key, stop.get_token());
  std::chrono::steady_clock::time_point asked;
  std::thread stopper([&] {
    greffe::testing::comes_true([&] { return reached.load(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    asked = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  const auto stopped = delivery.deliver(id);
  const auto at = std::chrono::steady_clock::now();
  stopper.join();
  release = true;
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == Errc::cancelled);
  CHECK(at - asked < std::chrono::seconds(1));
}

TEST_CASE("what a lost entry excuses is not sent, and goes in one request with it") {
  std::atomic<bool> first{true};
  Uploading station;
  const HearingId id = station.begin(0);
  const Digest lost = station.record(id);
  for (int i = 0; i < 100; ++i) station.record(id);
  REQUIRE(station.files.remove(station.paths(id).object(lost)));
  LostEntry entry;
  entry.objects = {lost};
  entry.reason = "unreadable";
  station.spools.at(id)->append(entry);
  station.record(id);
  station.archive.set_meddler([&](const http::Request& request) -> std::optional<http::Response> {
    if (!request.path.ends_with("/entries") || !first.exchange(false)) return std::nullopt;
    CHECK(parse_json(request.body)->strings("entries")->size() >= 103);
    station.archive.change(id, [&](MemoryArchive::Held& held) { held.objects[lost] = {}; });  // as if it knew the rule
    return std::nullopt;
  });
  Delivery delivery = delivery_of(station);
  const auto done = delivery.deliver(id);
  INFO((done ? std::string() : done.error().message));
  REQUIRE(done);
  CHECK(station.delivered(id));
}

TEST_CASE("what this directory no longer gives back is delivered from the station's other one, and nothing is called lost") {
  Uploading station;
  station.settings.second = "/other";
  const HearingId id = station.begin(0);
  const Digest damaged = station.record(id);
  const Digest gone = station.record(id);
  const SpoolPaths other{"/other/spool/" + id.text()};
  REQUIRE(catch_up_hearing(station.files, station.paths(id), other, [] { return false; }));
  REQUIRE(station.files.damage(station.paths(id).object(damaged), [](Bytes& bytes) { bytes[0] ^= 1; }));
  REQUIRE(station.files.remove(station.paths(id).object(gone)));
  Delivery delivery = delivery_of(station);
  const auto first = delivery.deliver(id);
  REQUIRE_FALSE(first);
  REQUIRE(first.error().code == Errc::corrupt);
  const auto settled = delivery.settle(id);
  INFO((settled ? settled->words : settled.error().message));
  REQUIRE(settled);
  CHECK(settled->deliver_again);
  CHECK(settled->words.find("/other") != std::string::npos);
  REQUIRE(delivery.deliver(id));
  CHECK(station.delivered(id));
  CHECK(station.spools.at(id)->state().lost().empty());
  CHECK(noted_lost(station.files, station.paths(id))->empty());
}
