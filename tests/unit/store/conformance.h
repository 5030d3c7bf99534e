// What every store promises, written once: called with each store by test_conformance.cc, test_rados.cc and test_s3.cc.
// Some of the stores are not empty: each call uses names and bytes that nobody used before.
#ifndef GREFFE_TESTS_UNIT_STORE_CONFORMANCE_H
#define GREFFE_TESTS_UNIT_STORE_CONFORMANCE_H

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "archive/format/names.h"
#include "archive/store/object_store.h"

namespace greffe::testing {

// Random bytes that nobody has seen.
inline Bytes new_bytes(std::size_t size) {
  Bytes out(size);
  fill_random(out);
  return out;
}

// A log of its own: "log/t-<16 hex>".
inline std::string new_log() {
  std::uint8_t draw[8];
  fill_random(draw);
  return "log/t-" + to_hex(draw);
}

inline Status put_object(store::ObjectStore& store, const Bytes& bytes, std::size_t piece) {
  auto writer = GREFFE_TRY(store.begin_object(bytes.size()));
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    GREFFE_TRY(writer->write(ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at))));
  }
  return writer->commit(sha256(bytes));
}

inline void objects_are_named_by_what_they_contain(store::ObjectStore& store) {
  SECTION("what was put is read back whole, in ranges, and proved") {
    for (const std::size_t size : {0u, 1u, 4096u, 1024u * 1024u, 3u * 1024u * 1024u + 7u}) {
      const Bytes bytes = new_bytes(size);
      const Digest digest = sha256(bytes);
      if (size > 1) REQUIRE_FALSE(*store.prove_object(digest));
      REQUIRE(put_object(store, bytes, 300'000));
      REQUIRE(*store.prove_object(digest));
      REQUIRE(*store.read_object(digest) == bytes);
      const auto file = store.open_object(digest);
      REQUIRE(file);
      REQUIRE(*(*file)->size() == size);
      Bytes part(10);
      const std::size_t from = size / 2;
      const auto n = (*file)->read_at(from, part);
      REQUIRE(*n == std::min<std::size_t>(10, size - from));
      REQUIRE(std::equal(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(*n),
                         bytes.begin() + static_cast<std::ptrdiff_t>(from)));
      REQUIRE(*(*file)->read_at(size, part) == 0);
    }
  }

  SECTION("the same bytes again are ok") {
    const Bytes bytes = new_bytes(100'000);
    REQUIRE(put_object(store, bytes, 100'000));
    REQUIRE(put_object(store, bytes, 1000));
    REQUIRE(*store.read_object(sha256(bytes)) == bytes);
  }

  SECTION("bytes with another digest are a conflict and leave nothing") {
    const Bytes bytes = new_bytes(5000);
    auto writer = store.begin_object(bytes.size());
    REQUIRE((*writer)->write(bytes));
    const Digest other = sha256(new_bytes(20));
    REQUIRE((*writer)->commit(other).error().code == Errc::conflict);
    REQUIRE(store.read_object(other).error().code == Errc::not_found);
    REQUIRE(store.open_object(sha256(bytes)).error().code == Errc::not_found);
  }

  SECTION("a body that stops half way leaves nothing") {
    const Bytes bytes = new_bytes(5000);
    {
      auto writer = store.begin_object(bytes.size() * 2);
      REQUIRE((*writer)->write(bytes));
    }
    REQUIRE_FALSE(*store.prove_object(sha256(bytes)));
  }

  SECTION("the largest object goes in, a larger one is refused before and while writing") {
    const Bytes largest = new_bytes(kMaxObjectBytes);
    REQUIRE(put_object(store, largest, 1024 * 1024));
    REQUIRE(*store.read_object(sha256(largest)) == largest);
    REQUIRE(store.begin_object(kMaxObjectBytes + 1).error().code == Errc::invalid);
    auto writer = store.begin_object(10);
    REQUIRE((*writer)->write(new_bytes(11)).error().code == Errc::invalid);
  }
}

// `Store` is an ObjectStore, a StageRemover and a ReplicaRepair. `writable`: how many replicas it can write just now.
template <class Store>
void log_files_are_written_once(Store& store, unsigned writable) {
  const std::string log = new_log();

  SECTION("the same bytes again are ok, others are a conflict") {
    const std::string key = log + "/tile/0/000";
    REQUIRE(store.put(key, as_bytes("one")));
    REQUIRE(store.put(key, as_bytes("one")));
    REQUIRE(store.put(key, as_bytes("two")).error().code == Errc::conflict);
    REQUIRE(as_text(*store.get(key)) == "one");
    REQUIRE(store.get_all(key)->size() == 1);
    REQUIRE(store.get(log + "/tile/0/001").error().code == Errc::not_found);
    REQUIRE(store.get_all(log + "/tile/0/001").error().code == Errc::not_found);
  }

  SECTION("keys are listed in order, once, below a prefix") {
    std::vector<std::string> keys;
    for (const char* name : {"/a-b/x", "/a/tile/0/000", "/a/tile/0/x001/000", "/a/tile/1/000", "/a/x", "/hearing/2026/11/22/u/checkpoint"}) {
      keys.push_back(log + name);
    }
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) REQUIRE(store.put(*key, as_bytes(*key)));
    std::vector<std::string> seen;
    REQUIRE(store.list(log + "/", [&](const store::ObjectInfo& info) {
      REQUIRE(info.bytes == info.key.size());
      seen.push_back(info.key);
      return true;
    }));
    std::vector<std::string> sorted = keys;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(seen == sorted);
    seen.clear();
    REQUIRE(store.list(log + "/a/", [&](const store::ObjectInfo& info) {
      seen.push_back(info.key);
      return seen.size() < 2;
    }));
    REQUIRE(seen == std::vector<std::string>{log + "/a/tile/0/000", log + "/a/tile/0/x001/000"});
    REQUIRE(store.list(log + "/none/", [&](const auto&) { return true; }));
    REQUIRE(store.list(log + "/a", [&](const auto&) { return true; }).error().code == Errc::invalid);
  }

  SECTION("only stages and markers can be removed") {
    const std::string marker = "log/open/" + log.substr(4);
    REQUIRE(store.put(log + "/stage/0-1-ab", as_bytes("x")));
    REQUIRE(store.put(marker, as_bytes("y")));
    REQUIRE(store.put(log + "/tile/entries/000", as_bytes("z")));
    REQUIRE(store.remove_stage(log + "/stage/0-1-ab"));
    REQUIRE(store.remove_stage(marker));
    REQUIRE(store.remove_stage(log + "/tile/entries/000").error().code == Errc::invalid);
    REQUIRE(store.get(log + "/stage/0-1-ab").error().code == Errc::not_found);
    REQUIRE(store.get(marker).error().code == Errc::not_found);
    REQUIRE(store.get(log + "/tile/entries/000"));
    REQUIRE(store.remove_stage(log + "/stage/0-1-ab"));  // it is gone already
    std::vector<std::string> left;
    REQUIRE(store.list(log + "/", [&](const store::ObjectInfo& info) {
      left.push_back(info.key);
      return true;
    }));
    REQUIRE(left == std::vector<std::string>{log + "/tile/entries/000"});
    REQUIRE(store.put(log + "/stage/0-1-ab", as_bytes("again")));
    REQUIRE(as_text(*store.get(log + "/stage/0-1-ab")) == "again");
  }

  SECTION("keys that leave the log are refused") {
    for (const char* key : {"", "log", "log/", "sha256/aa", "log/../x", "log//x", "/log/x"}) {
      INFO(key);
      REQUIRE(store.put(key, as_bytes("x")).error().code == Errc::invalid);
    }
  }

  SECTION("repair by bytes that the caller knows") {
    const std::string key = log + "/tile/0/000";
    REQUIRE(store.put(key, as_bytes("good")));
    REQUIRE(store.compare(key, as_bytes("good"))->clean());
    REQUIRE_FALSE(store.compare(key, as_bytes("better"))->clean());
    REQUIRE(store.restore(key, as_bytes("better"))->repaired == writable);
    REQUIRE(as_text(*store.get(key)) == "better");
    REQUIRE(store.restore(log + "/tile/0/001", as_bytes("new"))->good == writable);
    REQUIRE(store.compare(log + "/tile/0/001", as_bytes("new"))->clean());
    std::vector<std::string> listed;
    REQUIRE(store.list(log + "/", [&](const store::ObjectInfo& info) {
      listed.push_back(info.key);
      return true;
    }));
    REQUIRE(listed == std::vector<std::string>{key, log + "/tile/0/001"});
  }
}

inline void heads_move_by_compare_and_swap(store::HeadStore& heads) {
  const std::string key = new_log() + "/checkpoint";
  REQUIRE(heads.read_head(key).error().code == Errc::not_found);
  REQUIRE(heads.swap_head(key, "x\n1\n", "x\n2\n").error().code == Errc::conflict);
  REQUIRE(heads.read_head(key).error().code == Errc::not_found);
  REQUIRE(heads.swap_head(key, "", "x\n1\n"));
  REQUIRE(heads.swap_head(key, "", "x\n2\n").error().code == Errc::conflict);
  REQUIRE(heads.swap_head(key, "x\n1\n", "x\n2\n"));
  REQUIRE(heads.swap_head(key, "x\n1\n", "x\n3\n").error().code == Errc::conflict);
  REQUIRE(*heads.read_head(key) == "x\n2\n");
  REQUIRE(heads.swap_head(key, "x\n2\n", "").error().code == Errc::invalid);
  REQUIRE(heads.swap_head(key, "x\n2\n", std::string(70'000, 'x')).error().code == Errc::invalid);
  REQUIRE(heads.swap_head("elsewhere", "", "x\n1\n").error().code == Errc::invalid);
  REQUIRE(*heads.read_head(key) == "x\n2\n");
}

}  // namespace greffe::testing

#endif
