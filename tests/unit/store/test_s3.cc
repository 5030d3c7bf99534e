// S3, against a real service: tests/ceph starts a gateway and sets GREFFE_S3_ENDPOINT, GREFFE_S3_BUCKET,
// GREFFE_S3_CREDENTIALS (a file) and, for services of that kind, GREFFE_S3_PLAIN_ETAGS. Where there is none each says so, and
// ctest lists the suite as skipped.
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "archive/base/http_client.h"
#include "archive/store/s3_bytes.h"
#include "archive/store/s3_store.h"
#include "archive/store/volume_label.h"
#include "tests/unit/store/conformance.h"

using greffe::Errc;
using greffe::store::Holding;
using greffe::store::PoolMode;
using greffe::store::S3Settings;
using greffe::store::S3Store;

namespace {

std::optional<S3Settings> service() {
  const char* endpoint = std::getenv("GREFFE_S3_ENDPOINT");
  const char* bucket = std::getenv("GREFFE_S3_BUCKET");
  const char* credentials = std::getenv("GREFFE_S3_CREDENTIALS");
  if (endpoint == nullptr || bucket == nullptr || credentials == nullptr) {
    std::puts("skipped: GREFFE_S3_ENDPOINT, GREFFE_S3_BUCKET and GREFFE_S3_CREDENTIALS name no service");
    return {};
  }
  greffe::PosixFileSystem files;
  const auto text = files.read_file(credentials, 4096);
  REQUIRE(text);
  const auto keys = greffe::store::parse_s3_credentials(greffe::as_text(*text));
  REQUIRE(keys);
  S3Settings out;
  out.endpoint = endpoint;
  out.bucket = bucket;
  out.access_key = keys->access_key;
  out.secret_key = keys->secret_key;
  out.quoted_etags = std::getenv("GREFFE_S3_PLAIN_ETAGS") == nullptr;
  out.lease_s = 3;
  const auto made = S3Store::init(out, greffe::store::make_pool_id());
  if (!made) {
    INFO(made.error().message);
    REQUIRE(made.error().code == Errc::already_exists);
  }
  return out;
}

struct OnS3 {
  explicit OnS3(const S3Settings& settings, PoolMode mode = PoolMode::writer, const std::string& place = "") {
    greffe::store::PoolListeners listeners;
    listeners.writer_place = place;
    auto opened = S3Store::open(settings, clock, mode, listeners);
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    store = *std::move(opened);
  }
  greffe::SystemClock clock;
  std::unique_ptr<S3Store> store;
};

}  // namespace

TEST_CASE("s3: objects are named by what they contain", "[s3]") {
  const auto settings = service();
  if (!settings) return;
  OnS3 on(*settings);
  greffe::testing::objects_are_named_by_what_they_contain(*on.store);
}

TEST_CASE("s3: log files are written once", "[s3]") {
  const auto settings = service();
  if (!settings) return;
  OnS3 on(*settings);
  greffe::testing::log_files_are_written_once(*on.store, 1);
}

TEST_CASE("s3: heads move by compare-and-swap", "[s3]") {
  const auto settings = service();
  if (!settings) return;
  OnS3 on(*settings);
  greffe::testing::heads_move_by_compare_and_swap(*on.store);
}

TEST_CASE("s3: more keys than one answer holds are listed in order", "[s3]") {
  const auto settings = service();
  if (!settings) return;
  OnS3 on(*settings);
  const std::string log = greffe::testing::new_log();
  std::vector<std::string> keys;
  for (int i = 0; i < 1005; ++i) keys.push_back(log + "/tile/0/" + std::to_string(10'000 + i));
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < keys.size(); i += 8) static_cast<void>(on.store->put(keys[i], greffe::as_bytes("x")).has_value());
    });
  }
  threads.clear();
  std::vector<std::string> seen;
  REQUIRE(on.store->list(log + "/", [&](const greffe::store::ObjectInfo& info) {
    seen.push_back(info.key);
    return true;
  }));
  REQUIRE(seen == keys);
}

TEST_CASE("s3: one writer at a time, readers beside it", "[s3]") {
  const auto settings = service();
  if (!settings) return;
  const std::string key = greffe::testing::new_log() + "/checkpoint";
  std::uint64_t term = 0;
  {
    OnS3 writer(*settings, PoolMode::writer, "here");
    term = writer.store->term();
    greffe::SystemClock clock;
    REQUIRE(S3Store::open(*settings, clock, PoolMode::writer).error().code == Errc::unavailable);
    std::this_thread::sleep_for(std::chrono::seconds(settings->lease_s + 2));  // renewed meanwhile
    REQUIRE(writer.store->may_still_write());
    REQUIRE(writer.store->swap_head(key, "", "x\n1\n"));
    OnS3 reader(*settings, PoolMode::reader);
    REQUIRE(*reader.store->read_head(key) == "x\n1\n");
    REQUIRE(reader.store->swap_head(key, "x\n1\n", "x\n2\n").error().code == Errc::denied);
    REQUIRE(reader.store->pool_id() == writer.store->pool_id());
    const auto seen = reader.store->find_writer();
    REQUIRE(seen);
    REQUIRE(seen->holding == Holding::unknown);
    REQUIRE(seen->place == "here");
  }
  const OnS3 beside(*settings, PoolMode::reader);
  REQUIRE(beside.store->find_writer()->holding == Holding::free);
  OnS3 next(*settings);  // at once: the lease was given up
  REQUIRE(next.store->term() > term);
  REQUIRE(next.store->find_writer()->place.empty());  // it says nothing of itself
  REQUIRE(*next.store->read_head(key) == "x\n1\n");
  REQUIRE(next.store->swap_head(key, "x\n1\n", "x\n2\n"));
}

TEST_CASE("s3: a wrong secret is denied with where to look", "[s3]") {
  auto settings = service();
  if (!settings) return;
  settings->secret_key = "another";
  greffe::SystemClock clock;
  const auto opened = S3Store::open(*settings, clock, PoolMode::reader);
  REQUIRE(opened.error().code == Errc::denied);
  REQUIRE(opened.error().message.find("another") == std::string::npos);  // secrets stay out of messages
}

TEST_CASE("s3: where the bucket has Object Lock, what is written once cannot be removed, and the rest can", "[s3]") {
  auto settings = service();
  if (!settings) return;
  settings->bucket += "-locked";
  settings->retention_days = 1;
  greffe::store::S3Client client(*settings);
  greffe::SystemClock clock;
  REQUIRE(client.make_bucket(greffe::store::S3Client::Lock::with_object_lock));
  const auto has_lock = client.has_object_lock();
  INFO((has_lock ? std::string() : has_lock.error().message));
  REQUIRE(has_lock);
  CHECK(*has_lock);
  greffe::store::S3Client plain(*service());
  CHECK_FALSE(*plain.has_object_lock());

  greffe::store::S3Bytes bytes(client);
  bytes.keep(clock, settings->retention_mode, settings->retention_days);
  const std::string object = "sha256/ab/cd/" + std::string(64, 'a');
  const std::string stage = "log/main/stage/0-1-" + std::string(64, 'b');
  for (const std::string& key : {object, stage}) REQUIRE(bytes.create(key, greffe::as_bytes("some bytes")));
  CHECK(greffe::as_text(*bytes.read(object, 100)) == "some bytes");

  // As somebody who has the keys of the bucket and is no program of ours.
  greffe::HttpClientSettings connection;
  connection.base_url = settings->endpoint;
  connection.signing = greffe::RequestSigning{settings->region, settings->access_key, settings->secret_key};
  greffe::HttpClient intruder(connection);
  const auto ask = [&](const std::string& method, const std::string& path) {
    greffe::HttpRequest request;
    request.method = method;
    request.path = "/" + settings->bucket + "/" + path;
    request.headers.emplace_back("x-amz-content-sha256", greffe::sha256({}).hex());
    auto answer = intruder.send(request);
    REQUIRE(answer);
    return *std::move(answer);
  };
  const auto version_of = [&](const std::string& key) { return ask("HEAD", key).header("x-amz-version-id"); };
  REQUIRE_FALSE(version_of(object).empty());
  CHECK(ask("DELETE", object + "?versionId=" + version_of(object)).status == 403);
  CHECK(ask("DELETE", stage + "?versionId=" + version_of(stage)).status == 204);
  CHECK(greffe::as_text(*bytes.read(object, 100)) == "some bytes");
  CHECK(bytes.read(stage, 65536).error().code == Errc::not_found);
  // Whether conditions hold there is the service's affair: those of Ceph 16 do not, and that is said.
  const auto made = S3Store::init(*settings, greffe::store::make_pool_id());
  const std::string words = made ? *made : made.error().message;
  INFO(words);
  CHECK(words.find("has Object Lock") != std::string::npos);
}
