// Which epoch of an archive this site has heard of: whose certificates count, and that nothing makes it forget one.
#include "archive/epochs.h"

#include <catch2/catch.hpp>

#include "tests/unit/support/forgetful_file_system.h"

using greffe::Errc;
using greffe::KeyEntry;
using greffe::Officers;
using greffe::PrivateKey;
using greffe::PromotionEntry;
using greffe::archive::Epochs;
using greffe::testing::Fault;
using greffe::testing::ForgetfulFileSystem;

namespace {

constexpr const char* kArchive = "archive.court.example";

PrivateKey key_of(std::string_view label) { return *PrivateKey::from_seed(greffe::sha256(greffe::as_bytes(label)).bytes); }

Officers officers() {
  Officers out;
  for (const char* name : {"officer-1", "officer-2", "officer-3"}) {
    KeyEntry entry;
    entry.action = "added";
    entry.role = "officer";
    entry.name = name;
    entry.key = key_of(name).public_key();
    out.take(entry);
  }
  return out;
}

std::string certificate(std::uint64_t epoch, const std::string& url = "https://second.court.example:8444",
                        const std::vector<std::string>& signers = {"officer-1", "officer-2"}) {
  PromotionEntry out;
  out.name = {kArchive, epoch};
  out.previous = {greffe::epoch_origin({kArchive, epoch - 1}), 100 * epoch, greffe::sha256(greffe::as_bytes("root"))};
  out.log_key = key_of("log").public_key();
  out.holder = {"second.court.example/holder", greffe::KeyType::cosignature_v1, key_of("holder").public_key()};
  out.machine_url = url;
  out.machine_key = key_of("server").public_key();
  out.officers = signers;
  for (const std::string& name : signers) out.signatures.push_back(key_of(name).sign(greffe::as_bytes(promotion_statement(out))));
  out.utc = greffe::UtcTime{1'795'683'600'000};
  return greffe::write_promotion(out);
}

std::unique_ptr<Epochs> opened(ForgetfulFileSystem& files) {
  REQUIRE(files.make_directories("/state"));
  auto out = Epochs::open(files, "/state");
  REQUIRE(out);
  return *std::move(out);
}

}  // namespace

TEST_CASE("the highest epoch counts, and is known after a power cut") {
  ForgetfulFileSystem files;
  {
    const auto epochs = opened(files);
    CHECK(epochs->highest(kArchive) == 1);
    CHECK_FALSE(epochs->certificate(kArchive));
    CHECK(*epochs->take(certificate(2), officers()));
    CHECK_FALSE(*epochs->take(certificate(2), officers()));
    CHECK(*epochs->take(certificate(4), officers()));        // 3 was never heard of
    CHECK_FALSE(*epochs->take(certificate(3), officers()));  // late news
    CHECK(epochs->highest(kArchive) == 4);
  }
  files.crash();
  const auto epochs = opened(files);
  CHECK(epochs->highest(kArchive) == 4);
  CHECK(epochs->certificate(kArchive)->text == certificate(4));
  CHECK(epochs->highest("other.court.example") == 1);
}

TEST_CASE("only officers begin an epoch") {
  ForgetfulFileSystem files;
  const auto epochs = opened(files);
  CHECK(epochs->take("{}", officers()).error().code == Errc::invalid);
  CHECK(epochs->take(certificate(2), Officers()).error().code == Errc::denied);
  CHECK(epochs->take(certificate(2, "https://second.court.example:8444", {"officer-1"}), officers()).error().code == Errc::denied);
  CHECK(epochs->take(certificate(2, "https://second.court.example:8444", {"officer-1", "officer-4"}), officers()).error().code == Errc::denied);
  std::string forged = certificate(2);
  forged.replace(forged.find("second"), 6, "thiefs");  // the holder's name
  CHECK_FALSE(epochs->take(forged, officers()));
  CHECK(epochs->highest(kArchive) == 1);
  CHECK(files.list("/state/epochs")->empty());
}

TEST_CASE("of two sites that were promoted to one epoch the first that was heard of stays") {
  ForgetfulFileSystem files;
  const auto epochs = opened(files);
  REQUIRE(*epochs->take(certificate(2), officers()));
  const auto other = epochs->take(certificate(2, "https://third.court.example:8444"), officers());
  REQUIRE(other.error().code == Errc::conflict);
  CHECK_THAT(other.error().message, Catch::Contains("second.court.example") && Catch::Contains("third.court.example"));
  CHECK(epochs->certificate(kArchive)->promotion.machine_url == "https://second.court.example:8444");
  // The same order, signed by others: no news.
  CHECK_FALSE(*epochs->take(certificate(2, "https://second.court.example:8444", {"officer-3", "officer-1"}), officers()));
}

TEST_CASE("an epoch that was not stored was not heard of, whatever step of the disk fails") {
  for (const Fault fault : {Fault::fails_before, Fault::fails_after, Fault::fails_half, Fault::power_off}) {
    for (std::uint64_t step = 1;; ++step) {
      ForgetfulFileSystem files;
      const auto epochs = opened(files);
      files.faults().arm(fault, step);
      const auto taken = epochs->take(certificate(2), officers());
      const bool happened = files.faults().happened();
      files.faults().disarm();
      if (!happened) {
        REQUIRE(*taken);
        REQUIRE(step > 3);
        break;
      }
      CHECK(taken.has_value() == (epochs->highest(kArchive) == 2));
      files.crash();
      const auto again = opened(files);
      if (taken) CHECK(again->highest(kArchive) == 2);
      CHECK(again->take(certificate(2), officers()));
      CHECK(again->highest(kArchive) == 2);
    }
  }
}

TEST_CASE("a certificate that cannot be read stops a start") {
  ForgetfulFileSystem files;
  { REQUIRE(*opened(files)->take(certificate(2), officers())); }
  const std::vector<std::string> names = *files.list("/state/epochs");
  REQUIRE(names.size() == 1);
  REQUIRE(files.damage("/state/epochs/" + names[0], [](greffe::Bytes& bytes) { bytes[bytes.size() / 2] ^= 1; bytes.pop_back(); }));
  CHECK(Epochs::open(files, "/state").error().code == Errc::corrupt);
}
