// The client against a real server on loopback that plays an archive: what is sent, what is believed, what is refused.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include "archive/client/archive_client.h"
#include "web/http/server.h"

using greffe::Digest;
using greffe::Errc;
using greffe::Json;
using greffe::client::ArchiveClient;
using greffe::client::LogTarget;
namespace http = greffe::http;

namespace {

struct Spoken {
  std::string method;
  std::string path;
  std::string body;
  std::string epoch;
  std::string peer;
  std::string target;  // with the query
};

// Comes piece by piece, with a pause before each.
class SlowFile : public greffe::ReadableFile {
 public:
  static constexpr std::size_t kPieces = 60;
  greffe::Result<std::uint64_t> size() override { return std::uint64_t{kPieces * kPieceBytes}; }
  greffe::Result<std::size_t> read_at(std::uint64_t, std::span<std::uint8_t> out) override {
    ++reads;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::fill(out.begin(), out.end(), std::uint8_t{'x'});
    return out.size();
  }
  int descriptor() const override { return -1; }
  std::atomic<std::size_t> reads{0};

 private:
  static constexpr std::size_t kPieceBytes = 256 * 1024;
};

// Answers every request with what the test wants next, and remembers what it was asked.
class PretendedArchive {
 public:
  explicit PretendedArchive(greffe::PrivateKey given = greffe::PrivateKey::generate()) : key(std::move(given)) {
    http::ListenerSettings settings;
    settings.address = "127.0.0.1:0";
    settings.tls = http::TlsSettings{key.self_signed_certificate(), key.to_pem(), true};
    for (const char* method : {"GET", "POST"}) {
      settings.routes.push_back({method, "/{path*}", http::Handler([this](const http::Request& request) {
                                   return answer(request, request.body);
                                 }),
                                 16 * 1024 * 1024});
    }
    settings.routes.push_back({"PUT", "/{path*}",
                               http::StreamHandler([this](const http::Request& request)
                                                       -> std::variant<http::Response, std::unique_ptr<http::BodySink>> {
                                 if (refuses_early) return answer(request, "");
                                 return std::make_unique<Sink>(*this, request);
                               }),
                               greffe::kMaxObjectBytes});
    address = "https://" + *server.listen(std::move(settings));
    server.start();
  }

  void next(int status, std::string body, std::string epoch = "1") {
    const std::lock_guard lock(mutex_);
    status_ = status;
    body_ = std::move(body);
    epoch_ = std::move(epoch);
  }
  // A header of every answer from here on.
  void also(const std::string& name, const std::string& value) {
    const std::lock_guard lock(mutex_);
    also_[name] = value;
  }
  unsigned asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  Spoken last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  greffe::client::ArchiveEndpoint endpoint(std::uint64_t epoch = 1) const {
    return {address, greffe::client::spki_digest(key.public_key()), epoch};
  }

  const greffe::PrivateKey key;
  std::string address;
  std::atomic<bool> refuses_early{false};
  std::atomic<bool> holds_back{false};                   // it takes requests and says nothing
  std::shared_ptr<greffe::ReadableFile> slow_file;       // set before it is asked: what it answers with

 private:
  class Sink : public http::BodySink {
   public:
    Sink(PretendedArchive& archive, const http::Request& request) : archive_(archive), request_(request) {}
    greffe::Status write(greffe::ByteView piece) override {
      bytes_ += greffe::as_text(piece);
      return greffe::ok();
    }
    http::Response finish() override { return archive_.answer(request_, bytes_); }

   private:
    PretendedArchive& archive_;
    const http::Request request_;
    std::string bytes_;
  };

  http::Response answer(const http::Request& request, const std::string& body) {
    while (holds_back) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::lock_guard lock(mutex_);
    last_ = {request.method, request.path, body, request.header("greffe-epoch"),
             request.peer_key ? greffe::to_hex(*request.peer_key) : std::string(), request.target};
    ++asked_;
    http::Response response = http::json_response(status_, body_);
    if (slow_file) response = http::file_response(request, slow_file, *slow_file->size(), "application/octet-stream", "\"x\"");
    for (const auto& [name, value] : also_) response.set(name, value);
    if (!epoch_.empty()) response.set("Greffe-Epoch", epoch_);
    return response;
  }

  std::mutex mutex_;
  int status_ = 200;
  std::string body_ = "{}";
  std::string epoch_ = "1";
  Spoken last_;
  std::map<std::string, std::string> also_;
  unsigned asked_ = 0;
  http::Server server{1, 4};
};

const greffe::HearingId kHearing = *greffe::parse_hearing_id("0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071");
const LogTarget kLog{kHearing};
const std::string kPath = "/v1/hearings/0190a0b0-c0d0-7e0f-8a1b-2c3d4e5f6071";

}  // namespace

TEST_CASE("the client's bodies are canonical and go to the addresses of the protocol") {
  PretendedArchive archive;
  const greffe::PrivateKey identity = greffe::PrivateKey::generate();
  ArchiveClient client(archive.endpoint(3), identity);
  const Digest a = greffe::sha256(greffe::as_bytes("a"));
  const Digest b = greffe::sha256(greffe::as_bytes("b"));

  archive.next(200, "{\"missing\":[\"" + b.hex() + "\"]}", "3");
  const auto missing = client.have(kLog, {a, b});
  REQUIRE(missing);
  CHECK(*missing == std::vector<Digest>{b});
  CHECK(archive.last().path == kPath + "/have");
  CHECK(archive.last().body == "{\"digests\":[\"" + a.hex() + "\",\"" + b.hex() + "\"]}");
  CHECK(archive.last().epoch == "3");
  CHECK(archive.last().peer == identity.public_key().hex());

  archive.next(201, "{\"bytes\":1}", "3");
  REQUIRE(client.put_object(kLog, a, greffe::as_bytes("a")));
  CHECK(archive.last().method == "PUT");
  CHECK(archive.last().path == kPath + "/objects/" + a.hex());
  CHECK(archive.last().body == "a");

  archive.next(200, R"({"checkpoint":"note\n"})", "3");
  const auto receipt = client.post_entries(kLog, 7, {R"({"kind":"mark"})"}, "mine\n");
  REQUIRE(receipt);
  CHECK(std::get<std::string>(*receipt) == "note\n");
  CHECK(archive.last().path == kPath + "/entries");
  CHECK(archive.last().body == R"({"checkpoint":"mine\n","entries":["{\"kind\":\"mark\"}"],"first":7})");

  archive.next(204, "", "3");
  REQUIRE(client.post_cosignatures(kHearing, "note\n"));
  CHECK(archive.last().path == kPath + "/cosignatures");
  REQUIRE(client.post_cosignatures(std::nullopt, "note\n"));
  CHECK(archive.last().path == "/v1/log/main/cosignatures");

  archive.next(200, R"({"checkpoint":"n","read_back_size":4,"size":9})", "3");
  const LogTarget foreign{std::string("archive.court.example")};
  const auto held = client.checkpoint(foreign);
  REQUIRE(held);
  CHECK(held->size == 9);
  CHECK(held->read_back_size == 4);
  CHECK(archive.last().path ==
        "/v1/log/from/" + greffe::sha256(greffe::as_bytes("archive.court.example")).hex() + "/checkpoint");

  greffe::client::EnrolmentCode code;
  code.name = "s1";
  code.role = "station";
  code.secret = "abc";
  archive.next(200, R"({"archive":"x"})", "3");
  const auto enrolled = client.enrol(code, identity.public_key());
  REQUIRE(enrolled);
  CHECK(*enrolled->string("archive") == "x");
  CHECK(archive.last().body == R"({"name":"s1","role":"station","secret":"abc"})");
  CHECK(client.enrol(code, greffe::PrivateKey::generate().public_key()).error().code == Errc::invalid);
}

TEST_CASE("refusals of entries say what to do") {
  PretendedArchive archive;
  ArchiveClient client(archive.endpoint(), greffe::PrivateKey::generate());
  archive.next(409, R"({"code":"conflict","detail":"Send from 12.","held_size":12,"status":409})");
  auto refused = client.post_entries(kLog, 17, {}, "n");
  REQUIRE(refused);
  CHECK(*std::get<greffe::client::EntriesRefused>(*refused).held_size == 12);
  CHECK(std::get<greffe::client::EntriesRefused>(*refused).detail == "Send from 12.");
  const Digest a = greffe::sha256(greffe::as_bytes("a"));
  archive.next(409, R"({"code":"conflict","detail":"x","missing":[")" + a.hex() + R"("],"status":409})");
  refused = client.post_entries(kLog, 17, {}, "n");
  REQUIRE(refused);
  CHECK(std::get<greffe::client::EntriesRefused>(*refused).missing == std::vector<Digest>{a});
  archive.next(409, R"({"code":"conflict","detail":"neither","status":409})");
  CHECK(client.post_entries(kLog, 17, {}, "n").error().code == Errc::conflict);
  const std::vector<std::string> many(20000, std::string(1000, 'x'));
  CHECK(client.post_entries(kLog, 0, many, "n").error().code == Errc::invalid);
}

TEST_CASE("status codes become what the caller can do, with the archive's words") {
  PretendedArchive archive;
  ArchiveClient client(archive.endpoint(), greffe::PrivateKey::generate());
  const Digest a = greffe::sha256(greffe::as_bytes("a"));
  const std::pair<int, Errc> pairs[] = {{400, Errc::invalid},     {403, Errc::denied},   {404, Errc::not_found},
                                        {413, Errc::invalid},     {422, Errc::corrupt},  {429, Errc::unavailable},
                                        {500, Errc::io_error},    {503, Errc::unavailable}, {507, Errc::no_space}};
  for (const auto& [status, code] : pairs) {
    archive.next(status, R"({"detail":"The reason\nis this."})");
    const auto put = client.put_object(kLog, a, greffe::as_bytes("a"));
    CHECK(put.error().code == code);
    CHECK(put.error().message.find("The reason is this.") != std::string::npos);
    CHECK(put.error().message.find(archive.address) != std::string::npos);
  }
  archive.next(500, "<html>not ours</html>");
  CHECK(client.have(kLog, {a}).error().message.find("status 500") != std::string::npos);
  archive.next(404, R"({"detail":"nothing"})");
  CHECK(client.checkpoint(kLog)->size == 0);
}

TEST_CASE("an early refusal is heard while a large object is sent") {
  PretendedArchive archive;
  ArchiveClient client(archive.endpoint(), greffe::PrivateKey::generate());
  archive.refuses_early = true;
  archive.next(403, R"({"detail":"Not your hearing."})");
  const std::string large(16 * 1024 * 1024, 'x');
  const auto put = client.put_object(kLog, greffe::sha256(greffe::as_bytes(large)), greffe::as_bytes(large));
  CHECK(put.error().code == Errc::denied);
  CHECK(put.error().message.find("Not your hearing.") != std::string::npos);
}

TEST_CASE("epochs: a lower answer is refused, a higher one is remembered and sent") {
  PretendedArchive archive;
  ArchiveClient client(archive.endpoint(2), greffe::PrivateKey::generate());
  const Digest a = greffe::sha256(greffe::as_bytes("a"));
  archive.next(200, R"({"missing":[]})", "1");
  CHECK(client.have(kLog, {a}).error().code == Errc::denied);
  archive.next(200, R"({"missing":[]})", "");
  CHECK(client.have(kLog, {a}).error().code == Errc::invalid);
  archive.next(200, R"({"missing":[]})", "-1");
  CHECK(client.have(kLog, {a}).error().code == Errc::invalid);
  archive.next(200, R"({"missing":[]})", "5");
  REQUIRE(client.have(kLog, {a}));
  CHECK(client.server_epoch() == 5);
  REQUIRE(client.have(kLog, {a}));
  CHECK(archive.last().epoch == "5");
  archive.next(403, R"({"detail":"old"})", "4");
  CHECK(client.have(kLog, {a}).error().message.find("epoch 4") != std::string::npos);
}

TEST_CASE("answers that lie or are malformed are refused") {
  PretendedArchive archive;
  ArchiveClient client(archive.endpoint(), greffe::PrivateKey::generate());
  const Digest a = greffe::sha256(greffe::as_bytes("a"));
  const Digest b = greffe::sha256(greffe::as_bytes("b"));
  for (const std::string& body : {std::string("{}"), std::string("[]"), std::string(R"({"missing":["xyz"]})"),
                                  std::string(R"({"missing":1.5})"), "{\"missing\":[\"" + b.hex() + "\"]}"}) {
    archive.next(200, body);
    CHECK(client.have(kLog, {a}).error().code == Errc::invalid);
  }
  archive.next(200, R"({"checkpoint":"n","read_back_size":10,"size":9})");
  CHECK_FALSE(client.checkpoint(kLog));
  archive.next(200, std::string(2 * 1024 * 1024, ' '));
  CHECK(client.checkpoint(kLog).error().code == Errc::invalid);
  archive.next(200, "other bytes");
  CHECK(client.get_object(kLog, a).error().code == Errc::corrupt);
  archive.next(200, "a");
  const auto bytes = client.get_object(kLog, a);
  REQUIRE(bytes);
  CHECK(greffe::as_text(*bytes) == "a");
  CHECK(client.have(kLog, std::vector<Digest>(4097, a)).error().code == Errc::invalid);
}

namespace {

// Two machines of one archive: the first waits and sends everybody on to the second.
struct TwoMachines {
  TwoMachines() {
    waiting.next(307, "");
    waiting.also("Location", writer.address + kPath + "/have");
    const std::string nodes = waiting.address + ", " + writer.address;
    waiting.also("Greffe-Nodes", nodes);
    writer.also("Greffe-Nodes", nodes);
  }
  PretendedArchive waiting;
  PretendedArchive writer{*greffe::PrivateKey::from_pem(waiting.key.to_pem())};
};

const Digest kA = greffe::sha256(greffe::as_bytes("a"));

}  // namespace

TEST_CASE("a machine that waits sends on to the one that writes, which is asked from then on") {
  TwoMachines two;
  ArchiveClient client(two.waiting.endpoint(), greffe::PrivateKey::generate());
  const std::string large(3 * 1024 * 1024, 'x');
  const Digest digest = greffe::sha256(greffe::as_bytes(large));
  two.writer.next(201, R"({"bytes":1})");
  SECTION("refused before the body is sent") { two.waiting.refuses_early = true; }
  SECTION("refused after it") {}
  REQUIRE(client.put_object(kLog, digest, greffe::as_bytes(large)));
  CHECK(two.writer.last().path == kPath + "/objects/" + digest.hex());  // what was asked for, whatever the answer's address said
  CHECK(two.writer.last().body == large);
  CHECK(client.nodes() == std::vector<std::string>{two.waiting.address, two.writer.address});
  const unsigned before = two.waiting.asked();
  two.writer.next(200, R"({"missing":[]})");
  REQUIRE(client.have(kLog, {kA}));
  CHECK(two.waiting.asked() == before);
}

TEST_CASE("nobody is sent on to another key, to nowhere, or round and round") {
  TwoMachines two;
  ArchiveClient client(two.waiting.endpoint(), greffe::PrivateKey::generate());
  SECTION("another key") {
    PretendedArchive stranger;
    stranger.next(200, R"({"missing":[]})");
    two.waiting.also("Location", stranger.address + "/v1/enrol");
    const auto answer = client.have(kLog, {kA});
    CHECK(answer.error().code == Errc::denied);
    CHECK(stranger.asked() == 0);
  }
  SECTION("nowhere") {
    for (const char* bad : {"", "/v1/here", "http://127.0.0.1:1/x", "https://", "https://u@127.0.0.1:1/", "https://a b/"}) {
      INFO(bad);
      two.waiting.also("Location", bad);
      CHECK(client.have(kLog, {kA}).error().code == Errc::invalid);
    }
  }
  SECTION("round and round") {
    two.writer.next(307, "");
    two.writer.also("Location", two.waiting.address + "/");
    CHECK(client.have(kLog, {kA}).error().code == Errc::unavailable);
    CHECK(two.writer.asked() <= 2);
    CHECK(two.waiting.asked() <= 2);
  }
}

TEST_CASE("a machine that cannot be reached is passed over") {
  TwoMachines two;
  two.writer.next(200, R"({"missing":[]})");
  auto endpoint = two.waiting.endpoint();
  endpoint.address = "https://127.0.0.1:1";
  SECTION("by what was kept") {
    endpoint.nodes = {endpoint.address, two.waiting.address};
    ArchiveClient client(endpoint, greffe::PrivateKey::generate());
    REQUIRE(client.have(kLog, {kA}));
    CHECK(client.nodes().back() == two.writer.address);
  }
  SECTION("by what was told, when the writer is gone") {
    auto gone = std::make_unique<PretendedArchive>(*greffe::PrivateKey::from_pem(two.waiting.key.to_pem()));
    gone->next(200, R"({"missing":[]})");
    gone->also("Greffe-Nodes", gone->address + ", " + two.waiting.address);
    ArchiveClient client(gone->endpoint(), greffe::PrivateKey::generate());
    REQUIRE(client.have(kLog, {kA}));
    gone.reset();
    REQUIRE(client.have(kLog, {kA}));
    CHECK(two.writer.asked() == 1);
  }
  SECTION("also for an object") {
    endpoint.nodes = {endpoint.address, two.waiting.address};
    two.writer.next(200, "a");
    ArchiveClient client(endpoint, greffe::PrivateKey::generate());
    const auto bytes = client.get_object(kLog, kA);
    REQUIRE(bytes);
    CHECK(greffe::as_text(*bytes) == "a");
  }
  SECTION("and when none answers, that is said once") {
    endpoint.nodes = {endpoint.address, "https://127.0.0.1:2"};
    ArchiveClient client(endpoint, greffe::PrivateKey::generate());
    CHECK(client.have(kLog, {kA}).error().code == Errc::unavailable);
  }
  SECTION("what it says of machines counts only when it is exactly that") {
    two.writer.also("Greffe-Nodes", "https://a:1,https://b:1");
    ArchiveClient client(two.writer.endpoint(), greffe::PrivateKey::generate());
    REQUIRE(client.have(kLog, {kA}));
    CHECK(client.nodes().empty());
  }
}

TEST_CASE("an object that is fetched through a waiting machine comes once") {
  TwoMachines two;
  ArchiveClient client(two.waiting.endpoint(), greffe::PrivateKey::generate());
  two.writer.next(200, "a");
  const auto bytes = client.get_object(kLog, kA);
  REQUIRE(bytes);
  CHECK(greffe::as_text(*bytes) == "a");
}

TEST_CASE("an object whose bytes trickle, or do not come at all, is given up") {
  PretendedArchive archive;
  auto endpoint = archive.endpoint();
  endpoint.stall_timeout_s = 1;
  ArchiveClient client(endpoint, greffe::PrivateKey::generate());
  SECTION("they trickle") {
    const auto file = std::make_shared<SlowFile>();
    archive.slow_file = file;
    const auto bytes = client.get_object(kLog, kA, std::nullopt, std::chrono::milliseconds(200));
    CHECK(bytes.error().code == Errc::unavailable);
    CHECK(bytes.error().message.find("too slowly") != std::string::npos);
    CHECK(file->reads < SlowFile::kPieces);
  }
  SECTION("nothing comes") {
    archive.holds_back = true;
    const auto bytes = client.get_object(kLog, kA, std::nullopt, std::chrono::milliseconds(200));
    archive.holds_back = false;
    CHECK(bytes.error().code == Errc::unavailable);
  }
}

TEST_CASE("entries and hearings that another site holds are taken as they were asked for, and not otherwise") {
  PretendedArchive archive;
  ArchiveClient client(archive.endpoint(), greffe::PrivateKey::generate());
  const LogTarget main{std::string("archive.court.example")};
  archive.next(200, R"({"checkpoint":"note","entries":["a","b"],"first":17,"kept":["older"]})");
  const auto piece = client.read_entries(main, 17, 19);
  REQUIRE(piece);
  CHECK(archive.last().target == main.path() + "/entries?first=17&last=19");
  CHECK(piece->entries == std::vector<std::string>{"a", "b"});
  CHECK(piece->kept == std::vector<std::string>{"older"});
  REQUIRE(client.read_entries(kLog, 17));
  CHECK(archive.last().target == kLog.path() + "/entries?first=17");
  CHECK(client.read_entries(main, 16).error().code == Errc::invalid);      // another beginning
  CHECK(client.read_entries(main, 17, 18).error().code == Errc::invalid);  // more than was asked for
  archive.next(200, R"({"checkpoint":"note","entries":[""],"first":17})");
  CHECK(client.read_entries(main, 17).error().code == Errc::invalid);
  archive.next(200, R"({"checkpoint":"note","entries":")" + std::string(70'000, 'x') + R"(","first":17})");
  CHECK(client.read_entries(main, 17).error().code == Errc::invalid);
  archive.next(200, R"({"checkpoint":"note","entries":[")" + std::string(70'000, 'x') + R"("],"first":17})");
  CHECK(client.read_entries(main, 17).error().code == Errc::invalid);
  archive.next(403, R"({"code":"denied","detail":"not yours","status":403,"title":"","type":""})");
  CHECK(client.read_entries(main, 17).error().code == Errc::denied);

  const std::string one = "019d0a3c-7c00-7abc-8def-0123456789ab";
  const std::string two = "019d0a3c-7c00-7abc-8def-0123456789ac";
  archive.next(200, R"({"hearings":[")" + one + R"(",")" + two + R"("]})");
  const auto ids = client.hearings_of_day("archive.court.example", "2026-03-20");
  REQUIRE(ids);
  CHECK(archive.last().target == main.path() + "/hearings?day=2026-03-20");
  CHECK(ids->size() == 2);
  archive.next(200, R"({"hearings":[")" + two + R"(",")" + one + R"("]})");
  CHECK(client.hearings_of_day("archive.court.example", "2026-03-20").error().code == Errc::invalid);
}

TEST_CASE("what a replica knows ahead is asked and told at its own address, and nothing of it is a receipt") {
  PretendedArchive archive;
  ArchiveClient client(archive.endpoint(), greffe::PrivateKey::generate());
  const LogTarget log{greffe::make_hearing_id(greffe::UtcTime{1'790'000'000'000})};
  const std::string root(64, 'a');
  archive.next(200, R"({"held_size":3,"known_root":")" + root + R"(","known_size":7})");
  const auto known = client.known_ahead(log);
  REQUIRE(known);
  CHECK((known->held_size == 3 && known->known_size == 7 && known->known_root.hex() == root));
  CHECK((archive.last().method == "GET" && archive.last().path == log.path() + "/ahead"));
  const auto posted = client.post_ahead(log, 3, {"{}"}, "note");
  REQUIRE(posted);
  CHECK(std::get<greffe::client::KnownThere>(*posted).known_size == 7);
  CHECK((archive.last().method == "POST" && archive.last().body == R"({"checkpoint":"note","entries":["{}"],"first":3})"));

  archive.next(409, R"({"code":"conflict","detail":"from there","known_size":5,"status":409})");
  const auto elsewhere = client.post_ahead(log, 3, {"{}"}, "note");
  REQUIRE(elsewhere);
  const auto& refused = std::get<greffe::client::AheadRefused>(*elsewhere);
  CHECK((refused.known_size == 5 && !refused.diverged && refused.detail == "from there"));
  archive.next(400, R"({"code":"diverged","detail":"another log","status":400})");
  const auto other = client.post_ahead(log, 3, {"{}"}, "note");
  REQUIRE(other);
  CHECK(std::get<greffe::client::AheadRefused>(*other).diverged);
  archive.next(507, R"({"code":"no_space","detail":"full","status":507})");
  CHECK(client.post_ahead(log, 3, {"{}"}, "note").error().code == Errc::no_space);
  archive.next(404, R"({"code":"not_found","detail":"no such address","status":404})");
  CHECK(client.known_ahead(log).error().code == Errc::not_found);
  for (const char* nonsense : {R"({"held_size":8,"known_root":"%","known_size":7})", R"({"held_size":3,"known_root":"ab","known_size":7})", "{}", "[]", R"({"checkpoint":"note"})"}) {
    std::string body = nonsense;
    if (const std::size_t at = body.find('%'); at != std::string::npos) body.replace(at, 1, root);
    archive.next(200, body);
    CHECK_FALSE(client.known_ahead(log));
    CHECK_FALSE(client.post_ahead(log, 3, {"{}"}, "note"));
  }
}
