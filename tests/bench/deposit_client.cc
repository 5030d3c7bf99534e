// The other side of deposit_over_tls.py: files objects of 2.5 MB with several clients at once, in rounds.
//
//   bench_deposit_client archive OBJECTS CODE_FILE…              enrols a station for each code, then files hearings
//   bench_deposit_client peer OBJECTS CLIENTS ADDRESS SPKI_HEX   the same PUTs to a server that only stores files
//   bench_deposit_client floor OBJECTS THREADS DIR…              no server: deposit_floor into DIRs, without its syncs
//
// OBJECTS are for each client and round. Before a round the objects are made, which is no part of the cost, and "ready" is
// printed; a line on standard input begins it; then comes a line of JSON. The archive's rounds are whole: have, PUT,
// entries, and the receipt is checked.
#include <openssl/evp.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <thread>

#include "archive/client/archive_client.h"
#include "archive/format/documents.h"
#include "archive/format/entries.h"
#include "archive/format/merkle.h"
#include "tests/bench/deposit_floor.h"

namespace {

using greffe::Bytes;
using greffe::Digest;
using greffe::Result;
using greffe::Status;
using greffe::client::ArchiveClient;

constexpr std::size_t kObjectBytes = 2'500'000;
constexpr std::uint8_t kDirectories = 32;
constexpr std::int64_t kObjectTicks = 900'000;  // each says that it lasts ten seconds

struct Object {
  Bytes bytes;
  Digest digest;
};

// What a client does in a round; `prepare` is not part of what is measured.
class Client {
 public:
  virtual ~Client() = default;
  virtual void prepare(const std::vector<Object>& objects) = 0;
  virtual Status run(const std::vector<Object>& objects) = 0;
};

class Station : public Client {
 public:
  static Result<std::unique_ptr<Client>> enrol(const std::string& code_file) {
    std::ifstream file(code_file);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    while (text.ends_with('\n')) text.pop_back();
    auto code = GREFFE_TRY(greffe::client::parse_enrolment_code(text));
    auto station = std::make_unique<Station>(std::move(code));
    GREFFE_TRY(station->client_.enrol(station->code_, station->key_.public_key()));
    return std::unique_ptr<Client>(std::move(station));
  }
  explicit Station(greffe::client::EnrolmentCode code)
      : code_(std::move(code)), client_({code_.address, code_.server_spki, 1}, key_) {}

  void prepare(const std::vector<Object>& objects) override {
    const greffe::UtcTime start = clock_.utc_now();
    hearing_ = greffe::make_hearing_id(start);
    greffe::Details details;
    details.cases = {"RG 26/00001"};
    details_ = greffe::write_details(details);
    entries_.clear();
    entries_.push_back(greffe::write_hearing_entry(open_entry(start)));
    for (std::size_t i = 0; i < objects.size(); ++i) {
      entries_.push_back(greffe::write_hearing_entry(segment_entry(start, static_cast<std::int64_t>(i), objects[i])));
    }
    greffe::TreeEdge edge;
    for (const std::string& entry : entries_) edge.append(greffe::leaf_hash(greffe::as_bytes(entry)));
    checkpoint_ = {greffe::hearing_origin(code_.log.name, hearing_), entries_.size(), edge.root()};
  }

  Status run(const std::vector<Object>& objects) override {
    const greffe::client::LogTarget log{hearing_};
    const Digest details = greffe::sha256(greffe::as_bytes(details_));
    std::vector<Digest> digests{details};
    for (const Object& object : objects) digests.push_back(object.digest);
    const std::vector<Digest> missing = GREFFE_TRY(client_.have(log, digests));
    if (missing.size() != digests.size()) return greffe::fail(greffe::Errc::conflict, "the archive held an object before it was sent");
    GREFFE_TRY(client_.put_object(log, details, greffe::as_bytes(details_)));
    for (const Object& object : objects) GREFFE_TRY(client_.put_object(log, object.digest, object.bytes));
    const greffe::SignedNote note{checkpoint_.text(), {greffe::sign_checkpoint(checkpoint_, key_)}};
    const auto answer = GREFFE_TRY(client_.post_entries(log, 0, entries_, note.write()));
    const auto* receipt = std::get_if<std::string>(&answer);
    if (receipt == nullptr) return greffe::fail(greffe::Errc::conflict, "the archive misses something");
    const auto signed_note = GREFFE_TRY(greffe::parse_signed_checkpoint(*receipt));
    if (signed_note.checkpoint != checkpoint_) return greffe::fail(greffe::Errc::corrupt, "the receipt is of another tree");
    GREFFE_TRY(greffe::verify_cosignature(signed_note.note, code_.cosigners.front()));
    return greffe::ok();
  }

 private:
  greffe::OpenEntry open_entry(greffe::UtcTime start) const {
    greffe::OpenEntry open;
    open.archive = code_.log.name;
    open.hearing = hearing_;
    open.station = code_.name;
    open.station_key = key_.public_key();
    open.court = code_.court;
    open.room = code_.room;
    open.streams = {{"cam-bench", "video", "room"}};
    open.details = greffe::sha256(greffe::as_bytes(details_));
    open.main_root = greffe::empty_root();
    open.start = start;
    open.boot = "bench";
    return open;
  }
  static greffe::SegmentEntry segment_entry(greffe::UtcTime start, std::int64_t number, const Object& object) {
    greffe::SegmentEntry segment;
    segment.stream = "cam-bench";
    segment.seq = static_cast<std::uint64_t>(number);
    segment.sha256 = object.digest;
    segment.bytes = object.bytes.size();
    segment.init_bytes = 1260;
    segment.start_90k = 90'000 + number * kObjectTicks;
    segment.duration_90k = kObjectTicks;
    segment.codecs = "avc1.64001f";
    segment.utc = {start.ms + number * kObjectTicks / 90};
    segment.boot = "bench";
    segment.mono_ms = number * kObjectTicks / 90;
    segment.clock = {"locked", 2};
    return segment;
  }

  greffe::PrivateKey key_ = greffe::PrivateKey::generate();
  greffe::client::EnrolmentCode code_;
  ArchiveClient client_;
  greffe::SystemClock clock_;
  greffe::HearingId hearing_;
  std::string details_;
  std::vector<std::string> entries_;
  greffe::Checkpoint checkpoint_;
};

class PeerClient : public Client {
 public:
  PeerClient(const std::string& address, const Digest& spki) : client_({address, spki, 1}, key_) {}
  void prepare(const std::vector<Object>&) override { hearing_ = greffe::make_hearing_id(clock_.utc_now()); }
  Status run(const std::vector<Object>& objects) override {
    const greffe::client::LogTarget log{hearing_};
    for (const Object& object : objects) GREFFE_TRY(client_.put_object(log, object.digest, object.bytes));
    return greffe::ok();
  }

 private:
  greffe::PrivateKey key_ = greffe::PrivateKey::generate();
  ArchiveClient client_;
  greffe::SystemClock clock_;
  greffe::HearingId hearing_;
};

class FloorClient : public Client {
 public:
  explicit FloorClient(std::vector<std::string> directories) : directories_(std::move(directories)) {}
  void prepare(const std::vector<Object>&) override {}
  Status run(const std::vector<Object>& objects) override {
    for (const Object& object : objects) greffe::bench::deposit_floor(directories_, object.bytes, greffe::bench::Syncs::none);
    return greffe::ok();
  }

 private:
  const std::vector<std::string> directories_;
};

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// An object that differs from all others of this run, by numbers in its last bytes. An archive in use has made all of its
// 65,536 directories long ago; so that the same few serve for all rounds, only digests that fall into them are taken.
Object make_object(const Bytes& pattern, std::atomic<std::uint64_t>& next) {
  Object out{pattern, {}};
  const Context whole(EVP_MD_CTX_new());
  const Context trial(EVP_MD_CTX_new());
  const std::size_t fixed = pattern.size() - sizeof(std::uint64_t);
  EVP_DigestInit_ex(whole.get(), EVP_sha256(), nullptr);
  EVP_DigestUpdate(whole.get(), pattern.data(), fixed);
  do {
    const std::uint64_t number = next++;
    std::memcpy(out.bytes.data() + fixed, &number, sizeof number);
    EVP_MD_CTX_copy_ex(trial.get(), whole.get());
    EVP_DigestUpdate(trial.get(), &number, sizeof number);
    EVP_DigestFinal_ex(trial.get(), out.digest.bytes.data(), nullptr);
  } while (out.digest.bytes[0] != 0 || out.digest.bytes[1] >= kDirectories);
  return out;
}

std::int64_t own_cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000LL + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

// False: a client failed.
bool run_round(std::vector<std::unique_ptr<Client>>& clients, const std::vector<std::vector<Object>>& objects) {
  std::atomic<bool> good = true;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] {
      const Status done = clients[i]->run(objects[i]);
      if (done) return;
      std::fprintf(stderr, "bench_deposit_client: client %zu: %s\n", i, done.error().message.c_str());
      good = false;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return good;
}

int run(std::vector<std::unique_ptr<Client>> clients, std::size_t objects_each) {
  Bytes pattern(kObjectBytes);
  std::mt19937_64 random(std::random_device{}());
  for (auto& byte : pattern) byte = static_cast<std::uint8_t>(random());
  std::atomic<std::uint64_t> next = 0;
  for (std::string line;;) {
    std::vector<std::vector<Object>> objects;
    for (const auto& client : clients) {
      objects.emplace_back();
      for (std::size_t i = 0; i < objects_each; ++i) objects.back().push_back(make_object(pattern, next));
      client->prepare(objects.back());
    }
    std::printf("ready\n");
    std::fflush(stdout);
    if (!std::getline(std::cin, line)) return 0;
    const std::int64_t cpu = own_cpu_us();
    if (!run_round(clients, objects)) return 1;
    std::printf("{\"objects\":%zu,\"bytes\":%zu,\"cpu_us\":%lld}\n", clients.size() * objects_each,
                clients.size() * objects_each * kObjectBytes, static_cast<long long>(own_cpu_us() - cpu));
    std::fflush(stdout);
  }
}

Result<std::vector<std::unique_ptr<Client>>> make_clients(const std::vector<std::string>& words) {
  std::vector<std::unique_ptr<Client>> out;
  if (words[0] == "archive") {
    for (std::size_t i = 2; i < words.size(); ++i) out.push_back(GREFFE_TRY(Station::enrol(words[i])));
  } else if (words[0] == "peer" && words.size() == 5) {
    const Digest spki = GREFFE_TRY(greffe::digest_from_hex(words[4]));
    for (int i = 0; i < std::atoi(words[2].c_str()); ++i) out.push_back(std::make_unique<PeerClient>(words[3], spki));
  } else if (words[0] == "floor") {
    const std::vector<std::string> directories(words.begin() + 3, words.end());
    for (int i = 0; i < std::atoi(words[2].c_str()); ++i) out.push_back(std::make_unique<FloorClient>(directories));
  }
  if (out.empty()) return greffe::fail(greffe::Errc::invalid, "see the first lines of deposit_client.cc for its words");
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  auto clients = words.size() < 3 ? greffe::fail(greffe::Errc::invalid, "too few words") : make_clients(words);
  if (!clients) {
    std::fprintf(stderr, "bench_deposit_client: %s\n", clients.error().message.c_str());
    return 2;
  }
  return run(std::move(*clients), static_cast<std::size_t>(std::atoi(words[1].c_str())));
}
