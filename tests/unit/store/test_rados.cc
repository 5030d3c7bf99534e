// RADOS, against a real cluster: tests/ceph starts one and sets GREFFE_CEPH_CONF and GREFFE_CEPH_POOL. Where
// there is none each says so, and ctest lists the suite as skipped.
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "archive/store/rados_store.h"
#include "archive/store/volume_label.h"
#include "tests/unit/store/conformance.h"

using greffe::Errc;
using greffe::store::Holding;
using greffe::store::PoolMode;
using greffe::store::RadosPoolFacts;
using greffe::store::RadosSettings;
using greffe::store::RadosStore;

namespace {

std::optional<RadosSettings> cluster() {
  const char* conf = std::getenv("GREFFE_CEPH_CONF");
  const char* pool = std::getenv("GREFFE_CEPH_POOL");
  if (conf == nullptr || pool == nullptr) {
    std::puts("skipped: GREFFE_CEPH_CONF and GREFFE_CEPH_POOL name no cluster");
    return {};
  }
  RadosSettings out;
  out.conf_path = conf;
  out.pool = pool;
  out.operation_timeout_s = 20;
  out.lease_s = 3;
  const auto made = RadosStore::init(out, greffe::store::make_pool_id());
  if (!made) {
    INFO(made.error().message);
    REQUIRE(made.error().code == Errc::already_exists);
  }
  return out;
}

struct OnRados {
  explicit OnRados(const RadosSettings& settings, PoolMode mode = PoolMode::writer, const std::string& place = "") {
    greffe::store::PoolListeners listeners;
    listeners.writer_place = place;
    auto opened = RadosStore::open(settings, clock, mode, listeners);
    INFO((opened ? std::string() : opened.error().message));
    REQUIRE(opened);
    store = *std::move(opened);
  }
  greffe::SystemClock clock;
  std::unique_ptr<RadosStore> store;
};

}  // namespace

TEST_CASE("rados: objects are named by what they contain", "[rados]") {
  const auto settings = cluster();
  if (!settings) return;
  OnRados on(*settings);
  greffe::testing::objects_are_named_by_what_they_contain(*on.store);
}

TEST_CASE("rados: log files are written once", "[rados]") {
  const auto settings = cluster();
  if (!settings) return;
  OnRados on(*settings);
  greffe::testing::log_files_are_written_once(*on.store, on.store->traits().replicas);
}

TEST_CASE("rados: heads move by compare-and-swap", "[rados]") {
  const auto settings = cluster();
  if (!settings) return;
  OnRados on(*settings);
  greffe::testing::heads_move_by_compare_and_swap(*on.store);
  REQUIRE(on.store->traits().replicas == 3);
  REQUIRE(on.store->traits().write_quorum == 2);
}

TEST_CASE("rados: a head is listed with the log's files", "[rados]") {
  const auto settings = cluster();
  if (!settings) return;
  OnRados on(*settings);
  const std::string log = greffe::testing::new_log();
  REQUIRE(on.store->swap_head(log + "/checkpoint", "", "x\n1\n"));
  REQUIRE(on.store->put(log + "/stage/0-1-ab", greffe::as_bytes("e")));
  std::vector<std::string> keys;
  REQUIRE(on.store->list(log + "/", [&](const greffe::store::ObjectInfo& info) {
    keys.push_back(info.key);
    return true;
  }));
  REQUIRE(keys == std::vector<std::string>{log + "/checkpoint", log + "/stage/0-1-ab"});
}

TEST_CASE("rados: one writer at a time, readers beside it", "[rados]") {
  const auto settings = cluster();
  if (!settings) return;
  const std::string key = greffe::testing::new_log() + "/checkpoint";
  std::uint64_t term = 0;
  {
    OnRados writer(*settings, PoolMode::writer, "here");
    term = writer.store->term();
    greffe::SystemClock clock;
    REQUIRE(RadosStore::open(*settings, clock, PoolMode::writer).error().code == Errc::unavailable);
    std::this_thread::sleep_for(std::chrono::seconds(settings->lease_s + 2));  // renewed meanwhile
    REQUIRE(RadosStore::open(*settings, clock, PoolMode::writer).error().code == Errc::unavailable);
    REQUIRE(writer.store->may_still_write());
    REQUIRE(writer.store->swap_head(key, "", "x\n1\n"));
    OnRados reader(*settings, PoolMode::reader);
    REQUIRE(*reader.store->read_head(key) == "x\n1\n");
    REQUIRE(reader.store->swap_head(key, "x\n1\n", "x\n2\n").error().code == Errc::denied);
    REQUIRE(reader.store->may_still_write().error().code == Errc::denied);
    REQUIRE(reader.store->pool_id() == writer.store->pool_id());
    const auto seen = reader.store->find_writer();
    REQUIRE(seen);
    REQUIRE(seen->holding == Holding::held);
    REQUIRE(seen->place == "here");
  }
  const OnRados beside(*settings, PoolMode::reader);
  REQUIRE(beside.store->find_writer()->holding == Holding::free);
  OnRados next(*settings);  // at once: the lease was given up
  REQUIRE(next.store->term() > term);
  REQUIRE(next.store->find_writer()->place.empty());  // it says nothing of itself
  REQUIRE(*next.store->read_head(key) == "x\n1\n");
  REQUIRE(next.store->swap_head(key, "x\n1\n", "x\n2\n"));
}

TEST_CASE("rados: what is wrong with a pool is said with the remedy") {
  REQUIRE(greffe::store::faults_of({3, 2, false, "host"}, "court").empty());
  REQUIRE(greffe::store::faults_of({4, 2, false, "rack"}, "court").empty());
  const auto all = greffe::store::faults_of({2, 1, false, "osd"}, "court");
  REQUIRE(all.size() == 3);
  REQUIRE(all[0].find("ceph osd pool set court size 3") != std::string::npos);
  REQUIRE(all[1].find("ceph osd pool set court min_size 2") != std::string::npos);
  REQUIRE(all[2].find("crush_rule") != std::string::npos);
  REQUIRE(greffe::store::faults_of({3, 2, true, "host"}, "court").size() == 1);
}
