// An archive in memory behind a real TLS listener, honest until a test tells it otherwise; and a station enrolled with it.
#ifndef GREFFE_TESTS_UNIT_INGEST_MEMORY_ARCHIVE_H
#define GREFFE_TESTS_UNIT_INGEST_MEMORY_ARCHIVE_H

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "archive/base/log.h"
#include "archive/format/promotion.h"
#include "ingest/delivery.h"
#include "tests/unit/ingest/spool_fixture.h"
#include "web/http/server.h"

namespace greffe::testing {

class MemoryArchive {
 public:
  struct Held {
    std::map<Digest, std::string> objects;
    std::vector<std::string> entries;
    std::string note;
    std::uint64_t read_back = 0;
  };
  // Gives the answer itself instead of the archive, or nothing.
  using Meddler = std::function<std::optional<http::Response>(const http::Request&)>;

  explicit MemoryArchive(std::uint64_t epoch = 1) : shown_epoch(epoch), origin_(epoch_origin({kArchive, epoch})) {
    http::ListenerSettings settings;
    settings.address = "127.0.0.1:0";
    settings.tls = http::TlsSettings{server_key.self_signed_certificate(), server_key.to_pem(), true};
    const auto route = [&](const char* method, const char* path, http::Response (MemoryArchive::*handler)(const http::Request&)) {
      settings.routes.push_back({method, path, http::Handler([this, handler](const http::Request& request) {
                                   auto meddled = meddle(request);
                                   return with_epoch(meddled ? std::move(*meddled) : (this->*handler)(request));
                                 }),
                                 32 * 1024 * 1024});
    };
    route("POST", "/v1/hearings/{id}/have", &MemoryArchive::have);
    route("PUT", "/v1/hearings/{id}/objects/{sha256}", &MemoryArchive::put);
    route("POST", "/v1/hearings/{id}/entries", &MemoryArchive::entries);
    route("GET", "/v1/hearings/{id}/checkpoint", &MemoryArchive::checkpoint);
    route("GET", "/v1/log/main/checkpoint", &MemoryArchive::main_checkpoint);
    route("GET", "/v1/epochs/{archive}", &MemoryArchive::certificate);
    route("GET", "/v1/successors", &MemoryArchive::successors);
    address_ = "https://" + *server_.listen(std::move(settings));
    server_.start();
  }
  ~MemoryArchive() { server_.stop(0); }

  ingest::Enrolment enrolment() const {
    ingest::Enrolment out;
    out.archive = kArchive;
    out.address = address_;
    out.server_key = client::spki_digest(server_key.public_key());
    out.log_vkey = VerifierKey{origin_, KeyType::ed25519, log_key.public_key()}.text();
    out.cosigners = {holder()};
    out.name = "station-1";
    out.court = "court-1";
    out.room = "room-3";
    return out;
  }
  void set_meddler(Meddler meddler) {
    const std::lock_guard lock(mutex_);
    meddler_ = std::move(meddler);
  }
  Held held(const HearingId& id) {
    const std::lock_guard lock(mutex_);
    return held_[id];
  }
  void change(const HearingId& id, const std::function<void(Held&)>& how) {
    const std::lock_guard lock(mutex_);
    how(held_[id]);
  }
  VerifierKey holder() const { return {origin_ + "/holder", KeyType::cosignature_v1, holder_key.public_key()}; }
  const std::string& address() const { return address_; }
  // What it says of promotions; empty: it knows of none, and is too old to say.
  void tell(std::string certificate, std::string successors) {
    const std::lock_guard lock(mutex_);
    certificate_ = std::move(certificate);
    successors_ = std::move(successors);
  }
  std::vector<std::string> asked() {  // "PUT <hearing>", in order
    const std::lock_guard lock(mutex_);
    return asked_;
  }

  const PrivateKey server_key = PrivateKey::generate();
  const PrivateKey log_key = PrivateKey::generate();
  const PrivateKey holder_key = PrivateKey::generate();
  std::atomic<bool> reads_back{true};
  std::atomic<std::uint64_t> shown_epoch;

 private:
  http::Response with_epoch(http::Response response) {
    response.set("Greffe-Epoch", std::to_string(shown_epoch));
    return response;
  }
  std::optional<http::Response> meddle(const http::Request& request) {
    Meddler meddler;
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(request.method + " " + request.parameter("id"));
      meddler = meddler_;
    }
    return meddler ? meddler(request) : std::nullopt;
  }
  static HearingId id_of(const http::Request& request) { return *parse_hearing_id(request.parameter("id")); }

  http::Response have(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    const Held& held = held_[id_of(request)];
    const std::vector<std::string> digests = *parse_json(request.body)->strings("digests");
    Json::Array missing;
    for (const std::string& hex : digests) {
      if (!held.objects.contains(*digest_from_hex(hex))) missing.emplace_back(hex);
    }
    Json out;
    out.set("missing", std::move(missing));
    return http::json_response(200, write_json(out));
  }
  http::Response put(const http::Request& request) {
    const Digest digest = *digest_from_hex(request.parameter("sha256"));
    if (sha256(as_bytes(request.body)) != digest) return http::problem(422, "corrupt", "The bytes do not have this digest.");
    const std::lock_guard lock(mutex_);
    held_[id_of(request)].objects[digest] = request.body;
    return http::json_response(201, "{\"bytes\":" + std::to_string(request.body.size()) + "}");
  }
  http::Response entries(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    Held& held = held_[id_of(request)];
    const Json body = *parse_json(request.body);
    const std::uint64_t first = *body.size("first");
    if (first > held.entries.size()) return http::problem(409, "conflict", "Send from there.", "\"held_size\":" + std::to_string(held.entries.size()));
    const std::vector<std::string> fresh = *body.strings("entries");
    for (const std::string& entry : fresh) {
      for (const Digest& digest : named_objects(*parse_json(entry))) {
        if (!held.objects.contains(digest)) return http::problem(409, "conflict", "Deposit it first.", "\"missing\":[\"" + digest.hex() + "\"]");
      }
    }
    held.entries.resize(first);
    held.entries.insert(held.entries.end(), fresh.begin(), fresh.end());
    SignedCheckpoint checkpoint = *parse_signed_checkpoint(*body.string("checkpoint"));
    TreeEdge tree;
    for (const std::string& entry : held.entries) tree.append(leaf_hash(as_bytes(entry)));
    if (checkpoint.checkpoint.root != tree.root()) return http::problem(400, "diverged", "Another tree.");
    put_signature(checkpoint.note, cosign_checkpoint(checkpoint.checkpoint, holder().name, holder_key, SystemClock().utc_now()));
    held.note = checkpoint.note.write();
    held.read_back = reads_back ? held.entries.size() : 0;
    Json out;
    out.set("checkpoint", held.note);
    return http::json_response(200, write_json(out));
  }
  http::Response checkpoint(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    const Held& held = held_[id_of(request)];
    if (held.note.empty()) return http::problem(404, "not_found", "Nothing is held.");
    Json out;
    out.set("checkpoint", held.note).set("read_back_size", held.read_back).set("size", held.entries.size());
    return http::json_response(200, write_json(out));
  }
  http::Response main_checkpoint(const http::Request&) {
    const Checkpoint checkpoint{origin_, 1, sha256({})};
    SignedNote note;
    note.text = checkpoint.text();
    put_signature(note, sign_checkpoint(checkpoint, log_key));
    return http::text_response(200, note.write());
  }

  http::Response certificate(const http::Request&) {
    const std::lock_guard lock(mutex_);
    return certificate_.empty() ? http::problem(404, "not_found", "None is known.") : http::json_response(200, certificate_);
  }
  http::Response successors(const http::Request&) {
    const std::lock_guard lock(mutex_);
    return successors_.empty() ? http::problem(404, "not_found", "Nothing is here.") : http::json_response(200, successors_);
  }

  const std::string origin_;  // of its main log
  std::string address_;
  std::mutex mutex_;  // guards what follows
  std::map<HearingId, Held> held_;
  std::vector<std::string> asked_;
  Meddler meddler_;
  std::string certificate_;
  std::string successors_;
  http::Server server_{1, 8};
};

// Counts what is read of hearing logs.
class CountingFileSystem : public ForgetfulFileSystem {
 public:
  Result<Bytes> read_file(const std::string& path, std::uint64_t limit) override {
    auto bytes = ForgetfulFileSystem::read_file(path, limit);
    if (bytes && path.ends_with("/entries")) log_bytes += bytes->size();
    return bytes;
  }
  Result<std::unique_ptr<ReadableFile>> open_read(const std::string& path) override {
    auto file = ForgetfulFileSystem::open_read(path);
    if (!file || !path.ends_with("/entries")) return file;
    return std::unique_ptr<ReadableFile>(std::make_unique<Counted>(std::move(*file), log_bytes));
  }
  std::atomic<std::uint64_t> log_bytes{0};

 private:
  class Counted : public ReadableFile {
   public:
    Counted(std::unique_ptr<ReadableFile> file, std::atomic<std::uint64_t>& bytes) : file_(std::move(file)), bytes_(bytes) {}
    Result<std::uint64_t> size() override { return file_->size(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
      auto got = file_->read_at(offset, out);
      if (got) bytes_ += *got;
      return got;
    }
    int descriptor() const override { return -1; }

   private:
    const std::unique_ptr<ReadableFile> file_;
    std::atomic<std::uint64_t>& bytes_;
  };
};

// A station with hearings in its spool, on a disk in memory.
struct Uploading {
  CountingFileSystem files;
  SystemClock clock;
  MemoryArchive archive;
  Log service_log{"test"};
  const PrivateKey key = PrivateKey::generate();
  ingest::Enrolment enrolment = archive.enrolment();
  ingest::IngestSettings settings;
  std::map<HearingId, std::unique_ptr<HearingSpool>> spools;
  std::map<HearingId, std::uint64_t> segments;

  Uploading() { settings.directory = "/station"; }
  SpoolPaths paths(const HearingId& id) const { return {"/station/spool/" + id.text()}; }
  // A hearing that began so many minutes after the first one.
  HearingId begin(int minute) {
    const HearingId id = make_hearing_id(UtcTime{kStart.ms + minute * 60'000});
    REQUIRE(HearingSpool::create(files, paths(id)));
    REQUIRE(files.write_new(paths(id).object(sha256({})), {}));
    auto spool = HearingSpool::open(files, paths(id), id, kArchive, key);
    REQUIRE(spool);
    (*spool)->append(open_entry(id, key));
    spools[id] = std::move(*spool);
    return id;
  }
  // One committed segment of so many bytes.
  Digest record(const HearingId& id, std::size_t bytes = 1000) {
    HearingSpool& spool = *spools.at(id);
    const std::uint64_t seq = segments[id]++;
    std::string data(bytes, static_cast<char>('a' + seq % 26));
    data += id.text() + " " + std::to_string(seq);
    SegmentEntry e;
    e.stream = "mic-judge";
    e.seq = seq;
    e.sha256 = *spool.put_document(as_bytes(data));
    e.bytes = data.size();
    e.init_bytes = 1;
    e.start_90k = 90'000 + static_cast<std::int64_t>(seq) * 900'000;
    e.duration_90k = 900'000;
    e.codecs = "opus";
    e.utc = UtcTime{kStart.ms + static_cast<std::int64_t>(seq) * 10'000};
    e.boot = "import";
    e.clock = {"import", 1000};
    spool.append(e);
    REQUIRE(spool.commit());
    return e.sha256;
  }
  void close(const HearingId& id) {
    HearingSpool& spool = *spools.at(id);
    spool.append(spool.state().close_entry());
    REQUIRE(spool.commit());
    spools.erase(id);
  }
  // Everything that is signed here is there, byte for byte.
  bool delivered(const HearingId& id) {
    const auto log = read_signed_log(files, paths(id));
    return log && archive.held(id).entries == log->entries;
  }
};

// Waits, at most 20 s, until it holds.
inline bool comes_true(const std::function<bool()>& what) {
  for (int i = 0; i < 2000; ++i) {
    if (what()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return what();
}

}  // namespace greffe::testing

#endif
