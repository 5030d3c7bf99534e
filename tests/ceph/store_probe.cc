// A writer that tells what was acknowledged, and a reader that looks whether it is still there. The faults of
// tests/ceph/test_store_faults.py happen around it.
//
//   store_probe rados|s3 init
//   store_probe rados|s3 write BYTES THREADS TIMEOUT_S    writes objects and moves one head until its input ends
//   store_probe rados|s3 verify                           reads digests from its input
//   store_probe rados|s3 fill SECONDS BYTES THREADS       as fast as it can: "objects <n> <bytes a second>"
//   store_probe rados|s3 swap SECONDS                     moves one head as fast as it can: "heads <n> <a second>"
//
// One line for each step: "object <digest> <ms>", "head <n> <ms>", "failed object|head <code> <ms>", "bad <digest> <why>".
#include <openssl/evp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "archive/store/rados_store.h"
#include "archive/store/s3_store.h"
#include "archive/store/volume_label.h"

namespace {

using greffe::Errc;
using greffe::Result;
using greffe::Status;
using greffe::store::PoolMode;

const char* kHead = "log/probe/checkpoint";
constexpr unsigned kLease_s = 3;
// Between two steps of a thread: what is tried is time and order, not the disk.
constexpr std::chrono::milliseconds kPause(20);

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) {
    std::fprintf(stderr, "%s is not set\n", name);
    std::exit(2);
  }
  return value;
}

struct Open {
  std::unique_ptr<greffe::store::RemoteStore> owner;
  greffe::store::RemoteStore* objects = nullptr;
  greffe::store::HeadStore* heads = nullptr;
};

template <class Store>
Result<Open> opened(Result<std::unique_ptr<Store>> store) {
  if (!store) return store.error();
  Open out;
  out.objects = store->get();
  out.heads = store->get();
  out.owner = *std::move(store);
  return out;
}

greffe::store::RadosSettings rados_settings(unsigned timeout_s) {
  greffe::store::RadosSettings out;
  out.conf_path = variable("GREFFE_CEPH_CONF");
  out.pool = variable("GREFFE_CEPH_POOL");
  out.operation_timeout_s = timeout_s;
  out.lease_s = kLease_s;
  return out;
}

Result<greffe::store::S3Settings> s3_settings(unsigned timeout_s) {
  greffe::PosixFileSystem files;
  const greffe::Bytes text = GREFFE_TRY(files.read_file(variable("GREFFE_S3_CREDENTIALS"), 4096));
  const auto keys = GREFFE_TRY(greffe::store::parse_s3_credentials(greffe::as_text(text)));
  greffe::store::S3Settings out;
  out.endpoint = variable("GREFFE_S3_ENDPOINT");
  out.bucket = variable("GREFFE_S3_BUCKET");
  out.access_key = keys.access_key;
  out.secret_key = keys.secret_key;
  out.quoted_etags = std::getenv("GREFFE_S3_PLAIN_ETAGS") == nullptr;
  out.stall_timeout_s = timeout_s;
  out.lease_s = kLease_s;
  return out;
}

Result<Open> open_store(const std::string& kind, greffe::Clock& clock, PoolMode mode, unsigned timeout_s) {
  if (kind == "rados") return opened(greffe::store::RadosStore::open(rados_settings(timeout_s), clock, mode));
  const auto settings = GREFFE_TRY(s3_settings(timeout_s));
  return opened(greffe::store::S3Store::open(settings, clock, mode));
}

Status init(const std::string& kind) {
  if (kind == "rados") return greffe::store::RadosStore::init(rados_settings(20), greffe::store::make_pool_id());
  const auto settings = GREFFE_TRY(s3_settings(20));
  GREFFE_TRY(greffe::store::S3Store::init(settings, greffe::store::make_pool_id()));
  return greffe::ok();
}

class Report {
 public:
  void line(const std::string& text) {
    const std::lock_guard lock(mutex_);
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
  }
  void failed(const std::string& what, const greffe::Error& error, const std::string& ms) {
    line("failed " + what + " " + std::string(greffe::name_of(error.code)) + " " + ms);
    std::fprintf(stderr, "%s\n", error.message.c_str());
  }

 private:
  std::mutex mutex_;
};

class Stopwatch {
 public:
  std::string ms() const {
    const auto passed = std::chrono::steady_clock::now() - start_;
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
  }

 private:
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

void write_objects(greffe::store::ObjectStore& store, std::size_t bytes, const std::atomic<bool>& stop, Report& report) {
  while (!stop) {
    greffe::Bytes content(bytes);
    greffe::fill_random(content);
    const greffe::Digest digest = greffe::sha256(content);
    const Stopwatch watch;
    auto writer = store.begin_object(bytes);
    Status done = writer ? (*writer)->write(content) : Status(writer.error());
    if (done) done = (*writer)->commit(digest);
    if (done) {
      report.line("object " + digest.hex() + " " + watch.ms());
    } else {
      report.failed("object", done.error(), watch.ms());
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::string head_text(std::uint64_t n) { return "probe\n" + std::to_string(n) + "\n"; }

Result<std::uint64_t> head_number(greffe::store::HeadStore& heads) {
  const auto text = heads.read_head(kHead);
  if (!text && text.error().code == Errc::not_found) return std::uint64_t{0};
  if (!text) return text.error();
  return greffe::parse_decimal(text->substr(6, text->size() - 7));
}

// Every number once, in order. What a swap did that was not answered is what reading says.
void move_head(greffe::store::HeadStore& heads, const std::atomic<bool>& stop, Report& report) {
  auto known = head_number(heads);
  while (!stop) {
    const Stopwatch watch;
    if (!known) {
      report.failed("head", known.error(), watch.ms());
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      known = head_number(heads);
      continue;
    }
    const std::uint64_t next = *known + 1;
    const Status done = heads.swap_head(kHead, *known == 0 ? "" : head_text(*known), head_text(next));
    if (done) {
      report.line("head " + std::to_string(next) + " " + watch.ms());
      known = next;
    } else {
      report.failed("head", done.error(), watch.ms());
      known = head_number(heads);
    }
    std::this_thread::sleep_for(kPause);
  }
}

int run_write(const std::string& kind, std::size_t bytes, int threads, unsigned timeout_s) {
  greffe::SystemClock clock;
  auto open = open_store(kind, clock, PoolMode::writer, timeout_s);
  if (!open) {
    std::fprintf(stderr, "%s\n", open.error().message.c_str());
    return 2;
  }
  Report report;
  report.line("ready");
  std::atomic<bool> stop = false;
  std::vector<std::jthread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back([&] { write_objects(*open->objects, bytes, stop, report); });
  running.emplace_back([&] { move_head(*open->heads, stop, report); });
  for (std::string line; std::getline(std::cin, line);) continue;
  stop = true;
  running.clear();
  return 0;
}

// Contents that differ in their last bytes, with the digests that their sender knows: making them costs next to nothing, so that what is
// measured is a deposit.
class Contents {
 public:
  explicit Contents(std::size_t bytes) : bytes_(bytes), shared_(EVP_MD_CTX_new()), whole_(EVP_MD_CTX_new()) {
    greffe::fill_random(bytes_);
    GREFFE_CHECK(EVP_DigestInit_ex(shared_.get(), EVP_sha256(), nullptr) == 1);
    GREFFE_CHECK(EVP_DigestUpdate(shared_.get(), bytes_.data(), bytes_.size() - kTail) == 1);
  }
  greffe::Digest next() {
    const auto tail = std::span(bytes_).last(kTail);
    greffe::fill_random(tail);
    greffe::Digest out;
    GREFFE_CHECK(EVP_MD_CTX_copy_ex(whole_.get(), shared_.get()) == 1 && EVP_DigestUpdate(whole_.get(), tail.data(), kTail) == 1);
    GREFFE_CHECK(EVP_DigestFinal_ex(whole_.get(), out.bytes.data(), nullptr) == 1);
    return out;
  }
  greffe::ByteView bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kTail = 16;
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  greffe::Bytes bytes_;
  std::unique_ptr<EVP_MD_CTX, Free> shared_;  // of all but the tail
  std::unique_ptr<EVP_MD_CTX, Free> whole_;
};

// As fast as the service takes them; how many were acknowledged.
std::uint64_t fill(greffe::store::ObjectStore& store, std::size_t bytes, std::chrono::steady_clock::time_point end) {
  Contents contents(bytes);
  std::uint64_t done = 0;
  for (; std::chrono::steady_clock::now() < end; ++done) {
    const greffe::Digest digest = contents.next();
    const auto writer = store.begin_object(bytes);
    if (!writer || !(*writer)->write(contents.bytes()) || !(*writer)->commit(digest)) break;
  }
  return done;
}

std::uint64_t swap(greffe::store::HeadStore& heads, std::chrono::steady_clock::time_point end) {
  auto known = head_number(heads);
  std::uint64_t done = 0;
  for (; known && std::chrono::steady_clock::now() < end; ++done) {
    if (!heads.swap_head(kHead, *known == 0 ? "" : head_text(*known), head_text(*known + 1))) break;
    ++*known;
  }
  return done;
}

int run_fast(const std::string& kind, double seconds, std::size_t bytes, int threads) {
  greffe::SystemClock clock;
  auto open = open_store(kind, clock, PoolMode::writer, 30);
  if (!open) {
    std::fprintf(stderr, "%s\n", open.error().message.c_str());
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  std::atomic<std::uint64_t> done = 0;
  {
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) running.emplace_back([&] { done += bytes == 0 ? swap(*open->heads, end) : fill(*open->objects, bytes, end); });
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double rate = static_cast<double>(done) / took;
  std::printf("%s %llu %.1f\n", bytes == 0 ? "heads" : "objects", static_cast<unsigned long long>(done.load()), bytes == 0 ? rate : rate * static_cast<double>(bytes));
  return done > 0 ? 0 : 1;
}

int run_verify(const std::string& kind) {
  greffe::SystemClock clock;
  const auto open = open_store(kind, clock, PoolMode::reader, 30);
  if (!open) {
    std::fprintf(stderr, "%s\n", open.error().message.c_str());
    return 2;
  }
  Report report;
  int result = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const auto digest = greffe::digest_from_hex(line);
    const auto bytes = digest ? open->objects->read_object(*digest) : Result<greffe::Bytes>(digest.error());
    if (bytes) continue;
    report.line("bad " + line + " " + bytes.error().message);
    result = 1;
  }
  const auto head = head_number(*open->heads);
  report.line(head ? "head " + std::to_string(*head) + " 0" : "bad head " + head.error().message);
  return head ? result : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.size() == 5 && words[1] == "write") {
    return run_write(words[0], std::stoul(words[2]), std::stoi(words[3]), static_cast<unsigned>(std::stoul(words[4])));
  }
  if (words.size() == 2 && words[1] == "verify") return run_verify(words[0]);
  if (words.size() == 5 && words[1] == "fill") return run_fast(words[0], std::stod(words[2]), std::stoul(words[3]), std::stoi(words[4]));
  if (words.size() == 3 && words[1] == "swap") return run_fast(words[0], std::stod(words[2]), 0, 1);
  if (words.size() == 2 && words[1] == "init") {
    const Status done = init(words[0]);
    if (done || done.error().code == Errc::already_exists) return 0;
    std::fprintf(stderr, "%s\n", done.error().message.c_str());
    return 2;
  }
  std::fprintf(stderr, "usage: store_probe rados|s3 init | write BYTES THREADS TIMEOUT_S | verify | fill SECONDS BYTES THREADS | swap SECONDS\n");
  return 2;
}
