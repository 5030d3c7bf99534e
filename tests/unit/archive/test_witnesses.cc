// The witnesses of an archive's main log: who is asked, what is kept, and when an archive must not sign any more.
#include <chrono>

#include "archive/witness.h"
#include "archive/witnesses.h"
#include "tests/unit/archive/sample_archive.h"
#include "tests/unit/support/manual_clock.h"

using greffe::Errc;
using greffe::HttpResponse;
using greffe::PrivateKey;
using greffe::SignedCheckpoint;
using greffe::VerifierKey;
using greffe::archive::Witness;
using greffe::archive::Witnesses;
using greffe::archive::WitnessFacts;
using greffe::archive::WitnessPlace;
using greffe::testing::append_range;
using greffe::testing::deposit_all_objects;
using greffe::testing::ManualClock;
using greffe::testing::SampleArchive;
using greffe::testing::SampleHearing;
using greffe::testing::TemporaryFolder;

namespace {

constexpr std::int64_t kHoldMs = 600'000;
constexpr std::int64_t kAlarmMs = 300'000;

HttpResponse response(int status, std::string body = {}) {
  HttpResponse out;
  out.status = status;
  out.body = std::move(body);
  return out;
}

// A witness at another place: an honest one, unless it was told to answer otherwise.
struct Elsewhere {
  explicit Elsewhere(const std::string& name, greffe::FileSystem& files, ManualClock& clock) : witness(files, clock, folder.path, name) {}

  TemporaryFolder folder;
  Witness witness;
  bool is_reachable = true;
  bool shows = true;                   // what it has cosigned, to whoever asks
  std::optional<HttpResponse> answer;  // to whatever it is asked to cosign
  int asked = 0;

  greffe::Result<HttpResponse> add_checkpoint(const std::string& body) {
    ++asked;
    if (!is_reachable) return greffe::fail(Errc::unavailable, "the line is cut");
    if (answer) return *answer;
    const auto judged = witness.add_checkpoint(body);
    REQUIRE(judged);
    using Outcome = Witness::Answer::Outcome;
    switch (judged->outcome) {
      case Outcome::cosigned: return response(200, greffe::write_cosignatures(judged->lines));
      case Outcome::malformed: return response(400);
      case Outcome::unknown_log: return response(404);
      case Outcome::not_signed: return response(403);
      case Outcome::other_size: return response(409, greffe::write_witness_size(judged->size));
      case Outcome::not_consistent: return response(422);
    }
    return response(500);
  }
  greffe::Result<HttpResponse> newest(const greffe::Digest& origin) {
    if (!is_reachable) return greffe::fail(Errc::unavailable, "the line is cut");
    const auto held = witness.newest(origin);
    return held && shows ? response(200, held->note.write()) : response(404);
  }
};

class Line : public greffe::archive::WitnessChannel {
 public:
  explicit Line(Elsewhere& there) : there_(there) {}
  greffe::Result<HttpResponse> add_checkpoint(const std::string& body) override { return there_.add_checkpoint(body); }
  greffe::Result<HttpResponse> newest(const greffe::Digest& origin) override { return there_.newest(origin); }

 private:
  Elsewhere& there_;
};

// An archive with two witnesses, of which the second is not told of at first.
struct World {
  World() {
    grow(3);
    for (Elsewhere* one : {&city, &office}) {
      REQUIRE(one->witness.add_log(greffe::archive::log_verifier(archive.name, archive.keys->log.public_key())));
    }
    connect();
  }
  ~World() { witnesses.reset(); }

  void connect(bool accept_head = false) {
    const auto open = [this](const WitnessPlace& place, const std::stop_token&) -> std::unique_ptr<greffe::archive::WitnessChannel> {
      return std::make_unique<Line>(place.key.name.starts_with("city") ? city : office);
    };
    witnesses = std::make_unique<Witnesses>(archive.files, clock, archive.log, *archive.main_log, *archive.pool,
                                            Witnesses::Settings{archive.folder.path + "/state", kHoldMs, kAlarmMs, accept_head}, open);
    CHECK(witnesses->load().empty());
  }
  void stop() {
    witnesses.reset();
    archive.stop();
  }
  void start(bool accept_head = false) {
    archive.accept_head = accept_head;
    archive.start();
    connect(accept_head);
  }
  void add(Elsewhere& there, bool by_hand = false) {
    WitnessPlace place;
    place.key = *there.witness.key();
    if (!by_hand) place.url = "https://witness.example/v1/witness";
    REQUIRE(witnesses->add(place));
  }
  greffe::Result<std::uint64_t> append() {
    greffe::KeyEntry entry;
    entry.action = "added";
    entry.role = "officer";
    entry.name = "officer-" + std::to_string(++officers);
    entry.key = PrivateKey::generate().public_key();
    entry.utc = entry.since = clock.utc_now();
    return archive.main_log->append(entry);
  }
  void grow(int count) {
    for (int i = 0; i < count; ++i) REQUIRE(append());
  }
  std::uint64_t size() const { return archive.main_log->head().checkpoint.size; }
  WitnessFacts facts(const std::string& name) const {
    for (const WitnessFacts& one : witnesses->facts()) {
      if (one.name == name) return one;
    }
    FAIL("no facts of " << name);
    return {};
  }
  bool is_signed() const { return !archive.main_log->refusal(); }

  // Everything that this machine has, as it is now and as it was then.
  void keep_copy() {
    stop();
    std::filesystem::copy(archive.folder.path, copy.path, std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
    start();
  }
  void put_copy_back(bool accept_head = false) {
    stop();
    for (const auto& one : std::filesystem::directory_iterator(archive.folder.path)) std::filesystem::remove_all(one.path());
    std::filesystem::copy(copy.path, archive.folder.path, std::filesystem::copy_options::recursive);
    start(accept_head);
  }

  ManualClock clock;
  SampleArchive archive;
  Elsewhere city{"city.court.example", archive.files, clock};
  Elsewhere office{"office.audit.example", archive.files, clock};
  std::unique_ptr<Witnesses> witnesses;
  TemporaryFolder copy;
  int officers = 0;
};

const std::string kCity = "city.court.example/witness";
const std::string kOffice = "office.audit.example/witness";

}  // namespace

TEST_CASE("the newest checkpoint is cosigned by each witness, kept, and published with their lines") {
  World world;
  world.add(world.city);
  world.add(world.office);
  const std::uint64_t size = world.size();
  CHECK(size == 5);  // three entries, and the keys of two witnesses
  world.witnesses->ask(kCity);
  world.witnesses->ask(kOffice);
  CHECK(world.facts(kCity).size == size);
  CHECK(world.facts(kCity).problem.empty());
  const auto published = world.archive.main_log->published();
  REQUIRE(published);
  CHECK(published->note.signatures.size() == 3);
  CHECK(greffe::verify_cosignature(published->note, *world.city.witness.key()));
  CHECK(greffe::verify_cosignature(published->note, *world.office.witness.key()));

  world.grow(300);
  world.witnesses->ask(kCity);
  CHECK(world.facts(kCity).size == size + 300);
  CHECK(world.facts(kOffice).size == size);
  CHECK(world.archive.main_log->published()->note.signatures.size() == 2);
}

TEST_CASE("a witness that is further than this archive remembers is asked from where it is") {
  World world;
  world.add(world.city);
  // The answer to this one is lost.
  REQUIRE(world.city.add_checkpoint(*world.witnesses->request(kCity, std::nullopt))->status == 200);
  world.grow(2);
  world.witnesses->ask(kCity);
  CHECK(world.facts(kCity).size == world.size());
  CHECK(world.city.asked == 3);
}

TEST_CASE("a witness that answers with anything else than its own cosignature is not believed") {
  World world;
  world.add(world.city);
  const SignedCheckpoint head = world.archive.main_log->head();
  const PrivateKey other = PrivateKey::generate();
  world.city.answer = response(200, greffe::write_cosignatures({greffe::cosign_checkpoint(head.checkpoint, kCity, other, world.clock.utc_now())}));
  world.witnesses->ask(kCity);
  CHECK(world.facts(kCity).size == 0);
  CHECK_FALSE(world.facts(kCity).problem.empty());
  for (const int status : {400, 403, 404, 500, 307}) {
    world.city.answer = response(status);
    world.witnesses->ask(kCity);
    CHECK_THAT(world.facts(kCity).problem, Catch::Contains(std::to_string(status)));
  }
  world.city.answer = response(409, "many\n");
  world.witnesses->ask(kCity);
  CHECK_FALSE(world.facts(kCity).problem.empty());
  CHECK(world.is_signed());
}

TEST_CASE("after a start nothing is signed until a witness agrees") {
  World world;
  world.add(world.city);
  world.witnesses->ask(kCity);
  world.stop();
  world.start();
  CHECK_FALSE(world.is_signed());
  CHECK(world.append().error().code == Errc::unavailable);
  world.witnesses->look();
  CHECK_FALSE(world.is_signed());
  world.witnesses->ask(kCity);
  CHECK(world.is_signed());
  CHECK(world.append());
}

TEST_CASE("a start waits for a witness that is not heard of for a minute, and then goes on with an alarm") {
  World world;
  world.add(world.city);
  world.witnesses->ask(kCity);
  world.stop();
  world.city.is_reachable = false;
  world.start();
  world.clock.pass_ms(59'999);
  world.witnesses->ask(kCity);
  CHECK_FALSE(world.is_signed());
  world.clock.pass_ms(1);
  world.witnesses->look();
  CHECK(world.is_signed());
  CHECK_FALSE(world.facts(kCity).alarm);
  world.clock.pass_ms(kAlarmMs);
  CHECK(world.facts(kCity).alarm);
  CHECK(world.append());
  world.city.is_reachable = true;
  world.witnesses->ask(kCity);
  CHECK_FALSE(world.facts(kCity).alarm);
}

TEST_CASE("a witness that claims more than there is, and shows nothing, holds a start up for a bounded time and never ends the signing") {
  World world;
  world.add(world.city);
  world.city.answer = response(409, "1000000\n");
  world.witnesses->ask(kCity);  // while it runs: an alarm, no more
  CHECK(world.is_signed());
  CHECK(world.facts(kCity).alarm);
  CHECK(world.facts(kCity).claims == std::uint64_t{1'000'000});

  world.stop();
  world.start();
  world.witnesses->ask(kCity);
  world.clock.pass_ms(kHoldMs - 1);
  world.witnesses->ask(kCity);
  CHECK_FALSE(world.is_signed());
  CHECK_THAT(*world.archive.main_log->refusal(), Catch::Contains("1000000"));
  world.clock.pass_ms(1);
  world.witnesses->look();
  CHECK(world.is_signed());
  CHECK(world.append());
  CHECK(world.facts(kCity).alarm);
}

TEST_CASE("what a liar shows without this archive's signature is no proof, and one that agrees ends the waiting") {
  World world;
  world.add(world.city);
  world.add(world.office);
  world.stop();
  world.city.answer = response(409, "1000000\n");
  world.start();
  world.witnesses->ask(kCity);
  CHECK_FALSE(world.is_signed());
  world.witnesses->ask(kOffice);
  CHECK(world.is_signed());
  CHECK(world.append());
  // A tree that it has made up, with its own signature.
  const PrivateKey liar = PrivateKey::generate();
  const greffe::Checkpoint tree{world.archive.name, 1'000'000, greffe::sha256(greffe::as_bytes("made up"))};
  const SignedCheckpoint made_up{tree, {tree.text(), {greffe::sign_checkpoint(tree, liar)}}};
  CHECK(world.archive.main_log->compare(made_up, kCity).error().code == Errc::denied);
  CHECK(world.is_signed());
}

TEST_CASE("an archive that was put back to an older state stops when a witness shows its newer one, until an operator accepts that") {
  World world;
  world.add(world.city);
  world.grow(2);
  world.witnesses->ask(kCity);
  world.keep_copy();
  world.witnesses->ask(kCity);
  world.grow(4);
  world.witnesses->ask(kCity);
  const std::uint64_t newest = world.facts(kCity).size;
  SampleHearing hearing(world.archive.name);

  world.put_copy_back();
  CHECK(world.size() == newest - 4);
  world.witnesses->ask(kCity);
  REQUIRE_FALSE(world.is_signed());
  CHECK_THAT(*world.archive.main_log->refusal(), Catch::Contains("has cosigned " + std::to_string(newest)) && Catch::Contains("--accept-head"));
  CHECK(world.append().error().code == Errc::unavailable);
  // A station keeps what it has: nothing is confirmed.
  hearing.add_segment();
  deposit_all_objects(world.archive, hearing);
  const auto receipt = append_range(world.archive, hearing, 0, 2);
  REQUIRE_FALSE(receipt);
  CHECK(receipt.error().code == Errc::unavailable);
  // No time and no restart changes that, also when the witness is gone.
  world.city.is_reachable = false;
  world.clock.pass_ms(10 * kHoldMs);
  world.witnesses->look();
  CHECK_FALSE(world.is_signed());
  world.stop();
  world.start();
  world.clock.pass_ms(10 * kHoldMs);
  world.witnesses->look();
  CHECK_FALSE(world.is_signed());

  world.city.is_reachable = true;
  world.stop();
  world.start(true);
  CHECK(world.is_signed());
  world.witnesses->ask(kCity);
  CHECK(world.is_signed());
  deposit_all_objects(world.archive, hearing);
  const auto confirmed = append_range(world.archive, hearing, 0, 2);
  REQUIRE(confirmed);
  CHECK(std::holds_alternative<greffe::archive::Receipt>(*confirmed));
  // From now on it is known: the witness goes on contradicting, and nobody stops for it again.
  world.stop();
  world.start();
  world.witnesses->ask(kCity);
  CHECK(world.is_signed());
  CHECK(world.append());
}

TEST_CASE("an operator who accepts the head at the start accepts what each witness shows first, and no more") {
  World world;
  world.add(world.city);
  world.add(world.office);
  world.keep_copy();
  world.witnesses->ask(kOffice);
  world.grow(4);
  world.witnesses->ask(kCity);

  world.put_copy_back(true);
  CHECK(world.is_signed());
  world.witnesses->ask(kCity);
  CHECK(world.is_signed());
  world.witnesses->ask(kOffice);  // it agrees: what it has seen is here
  CHECK(world.facts(kOffice).problem.empty());
  // Somebody else goes on signing the old branch.
  const greffe::Checkpoint tree{world.archive.name, 1'000'000, greffe::sha256(greffe::as_bytes("the other branch"))};
  const SignedCheckpoint other{tree, {tree.text(), {greffe::sign_checkpoint(tree, world.archive.keys->log)}}};
  CHECK(world.archive.main_log->compare(other, kCity).error().code == Errc::conflict);
  CHECK_FALSE(world.is_signed());
}

TEST_CASE("volumes with the newest state end what a witness had shown against an older one") {
  World world;
  world.add(world.city);
  world.witnesses->ask(kCity);
  world.keep_copy();
  world.witnesses->ask(kCity);
  world.grow(4);
  world.witnesses->ask(kCity);
  TemporaryFolder newest;
  world.stop();
  std::filesystem::copy(world.archive.folder.path, newest.path, std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  world.start();
  world.put_copy_back();
  world.witnesses->ask(kCity);
  REQUIRE_FALSE(world.is_signed());
  world.stop();
  for (const char* volume : {"/v0", "/v1", "/v2"}) {
    std::filesystem::remove_all(world.archive.folder.path + volume);
    std::filesystem::copy(newest.path + volume, world.archive.folder.path + volume, std::filesystem::copy_options::recursive);
  }
  world.start();
  world.witnesses->ask(kCity);
  CHECK(world.is_signed());
  CHECK(world.append());
}

TEST_CASE("a witness is reached by hand: what it signs is taken, and what it holds against the log as well") {
  World world;
  world.add(world.city, true);
  CHECK(world.is_signed());
  const auto carry = [&world] {
    const auto request = world.witnesses->request(kCity, std::nullopt);
    REQUIRE(request);
    const auto judged = world.city.witness.add_checkpoint(*request);
    REQUIRE(judged);
    REQUIRE(judged->newest);
    return judged->newest->note.write();
  };
  REQUIRE(world.witnesses->take(carry()));
  CHECK(world.facts(kCity).size == world.size());
  world.grow(3);
  const std::string back = carry();
  world.keep_copy();
  CHECK(world.is_signed());  // nobody is asked, so nothing waits
  world.grow(2);
  REQUIRE(world.witnesses->take(back));
  CHECK(world.facts(kCity).size == world.size() - 2);
  REQUIRE(world.witnesses->take(carry()));
  CHECK(world.facts(kCity).size == world.size());

  CHECK(world.witnesses->take("no checkpoint\n").error().code == Errc::invalid);
  CHECK(world.witnesses->take(world.archive.main_log->head().note.write()).error().code == Errc::denied);
  CHECK(world.witnesses->request("nobody.example/witness", std::nullopt).error().code == Errc::not_found);
  CHECK(world.witnesses->request(kCity, world.size() + 1).error().code == Errc::invalid);
  CHECK_FALSE(world.facts(kCity).alarm);
  world.clock.pass_ms(41LL * 24 * 3'600'000);
  CHECK(world.facts(kCity).alarm);

  world.put_copy_back();
  CHECK(world.is_signed());
  CHECK(world.witnesses->take(carry()).error().code == Errc::conflict);  // the request is behind; its answer says so
  CHECK_FALSE(world.is_signed());
}

TEST_CASE("witnesses are added, exchanged, bounded and removed") {
  World world;
  world.add(world.city);
  const auto refused = [&world](const WitnessPlace& place) {
    const auto added = world.witnesses->add(place);
    REQUIRE_FALSE(added);
    return added.error().code;
  };
  WitnessPlace place;
  place.key = *world.office.witness.key();
  for (const char* bad : {"http://witness.example", "https://", "https:///x", "https://user@witness.example", "https://witness.example/?a=b", "witness.example"}) {
    place.url = bad;
    CHECK(refused(place) == Errc::invalid);
  }
  place.url = "https://witness.example:8445/v1/witness";
  place.authorities_pem = "PEM";
  place.server_key = greffe::sha256({});
  CHECK(refused(place) == Errc::invalid);
  place = {};
  place.key = greffe::archive::log_verifier("log.example", PrivateKey::generate().public_key());
  CHECK(refused(place) == Errc::invalid);
  place.key = greffe::archive::witness_verifier("city.court.example", PrivateKey::generate().public_key());
  CHECK(refused(place) == Errc::already_exists);  // another key under the same name
  for (std::size_t i = 1; i < greffe::archive::kMaxWitnesses; ++i) {
    place.key = greffe::archive::witness_verifier("w" + std::to_string(i) + ".example", PrivateKey::generate().public_key());
    REQUIRE(world.witnesses->add(place));
  }
  place.key = greffe::archive::witness_verifier("one-too-many.example", PrivateKey::generate().public_key());
  CHECK(refused(place) == Errc::no_space);

  // The same one with another address: no second entry of the log.
  const std::uint64_t size = world.size();
  world.add(world.city);
  CHECK(world.size() == size);
  REQUIRE(world.witnesses->remove(kCity));
  CHECK(world.witnesses->remove(kCity).error().code == Errc::not_found);
  world.stop();
  world.start();
  CHECK(world.witnesses->facts().size() == greffe::archive::kMaxWitnesses - 1);
}

TEST_CASE("a file of a witness that cannot be read is named, and the others are asked") {
  World world;
  world.add(world.city);
  world.stop();
  REQUIRE(world.archive.files.replace(world.archive.folder.path + "/state/witnesses/00000000.json", greffe::as_bytes("{}"), 0600));
  world.archive.start();
  Witnesses witnesses(world.archive.files, world.clock, world.archive.log, *world.archive.main_log, *world.archive.pool,
                      {world.archive.folder.path + "/state", kHoldMs, kAlarmMs, false}, [&world](const WitnessPlace&, const std::stop_token&) {
                        return std::make_unique<Line>(world.city);
                      });
  const std::vector<std::string> problems = witnesses.load();
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems.front(), Catch::Contains("00000000.json"));
  CHECK(witnesses.facts().size() == 1);
}

TEST_CASE("the threads ask by themselves, and end when they are told to") {
  World world;
  world.add(world.city);
  world.witnesses->start();
  world.add(world.office);  // while it runs
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while ((world.facts(kCity).size != world.size() || world.facts(kOffice).size != world.size()) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(world.facts(kCity).size == world.size());
  CHECK(world.facts(kOffice).size == world.size());
  REQUIRE(world.witnesses->remove(kOffice));
  world.witnesses->stop();
}
