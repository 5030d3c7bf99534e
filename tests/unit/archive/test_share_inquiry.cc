// Shares between two archives of which neither site holds the other's copy, but a third one both: what that site tells, and what the archive
// whose court may see the hearing files of it.
#include <catch2/catch.hpp>

#include <chrono>
#include <thread>

#include "archive/share_inquiry.h"
#include "archive/shares_told.h"
#include "tests/unit/archive/copied_archive.h"
#include "tests/unit/support/pretended_site.h"

using greffe::Digest;
using greffe::Errc;
using greffe::HearingId;
using greffe::LookedAt;
using greffe::Result;
using greffe::ShareEntry;
using greffe::SharesTold;
using greffe::UtcTime;
using greffe::archive::HeldArchives;
using greffe::archive::ShareInquiry;
using greffe::archive::SharesForOthers;
using greffe::testing::Copied;
using greffe::testing::own_shares;
using greffe::testing::SampleArchive;

namespace {

constexpr const char* kLyon = "archive.lyon.example";
constexpr const char* kWuhan = "archive.wuhan.example";

struct Holding {
  SampleArchive archive;
  HeldArchives held{archive.clock, archive.files, archive.log, archive.stores(), *archive.main_log, archive.keys->log.public_key(), archive.folder.path + "/state"};
  SharesForOthers shares{archive.stores(), held};

  // Until the catalogues of so many copies stand for all that was said of them.
  void follow(const std::vector<std::string>& copies) {
    held.start();
    for (int i = 0; i < 200; ++i) {
      std::size_t seen = 0;
      for (const std::string& name : copies) {
        const auto one = held.named(name);
        if (one && one->catalogue->applied()->size == *one->chain.size()) ++seen;
      }
      if (seen == copies.size()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL("the copies were not followed");
  }
  SharesTold told(const std::string& asking, const LookedAt& looked_at = {}) const { return shares.tell(asking, looked_at).value(); }
};

std::vector<std::string> texts_of(const SharesTold& told) {
  std::vector<std::string> out;
  for (const greffe::ToldShare& one : told.shares) out.push_back(greffe::write_main_entry(one.share));
  return out;
}

// A share with a court of `archive` that `of` has, and its reason.
greffe::ToldShare told_share(const std::string& of, const std::string& court, const std::string& words) {
  greffe::ToldShare out;
  out.reason = greffe::write_note("reason", words);
  out.share.action = "granted";
  out.share.archive = of;
  out.share.hearing = greffe::make_hearing_id(UtcTime{greffe::testing::kStartMs});
  out.share.court = court;
  out.share.reason = greffe::sha256(greffe::as_bytes(out.reason));
  out.share.account = "u-1";
  out.share.utc = UtcTime{greffe::testing::kStartMs};
  return out;
}

struct Asking {
  SampleArchive archive;
  HeldArchives held{archive.clock, archive.files, archive.log, archive.stores(), *archive.main_log, archive.keys->log.public_key(), archive.folder.path + "/state"};
  std::shared_ptr<greffe::testing::PretendedSite> site = std::make_shared<greffe::testing::PretendedSite>();
  std::unique_ptr<ShareInquiry> inquiry = begin();

  std::unique_ptr<ShareInquiry> begin() {
    return std::make_unique<ShareInquiry>(archive.log, archive.stores(), *archive.main_log, held,
                                          [this] { return std::vector<std::shared_ptr<greffe::archive::OtherSite>>{site}; });
  }
  void tell(const std::vector<greffe::ToldShare>& shares) {
    site->tell_shares([shares](const LookedAt& looked_at) {
      SharesTold out;
      out.looked_at[kLyon] = shares.size();
      if (looked_at != out.looked_at) out.shares = shares;
      return Result<SharesTold>(out);
    });
  }
  std::string court() const { return archive.name + "/appeal"; }
};

}  // namespace

TEST_CASE("a site tells an archive what others share with its courts, in the order of each log, and nothing else") {
  Holding site;
  Copied lyon(site.archive, kLyon);
  Copied wuhan(site.archive, kWuhan);
  const HearingId first = lyon.file("L 1", 1);
  const HearingId theirs = wuhan.file("W 1", 2);
  std::vector<std::string> expected;
  expected.push_back(greffe::write_main_entry(lyon.share(first, "archive.wuhan.example/civil")));
  lyon.share(first, "court-9");
  lyon.share(first, "archive.wuhan.example.org/civil");
  lyon.share(first, site.archive.name + "/appeal");
  expected.push_back(greffe::write_main_entry(lyon.share(first, "archive.wuhan.example/civil", "revoked")));
  const std::string back = greffe::write_main_entry(wuhan.share(theirs, "archive.lyon.example/penal"));
  site.follow({kLyon, kWuhan});

  const SharesTold to_wuhan = site.told(kWuhan);
  CHECK(texts_of(to_wuhan) == expected);
  CHECK(to_wuhan.looked_at.contains(kLyon));
  CHECK_FALSE(to_wuhan.looked_at.contains(kWuhan));
  for (const greffe::ToldShare& one : to_wuhan.shares) CHECK(greffe::sha256(greffe::as_bytes(one.reason)) == one.share.reason);
  CHECK(texts_of(site.told(kLyon)) == std::vector<std::string>{back});
  CHECK(site.told("archive.nobody.example").shares.empty());

  const SharesTold again = site.told(kWuhan, to_wuhan.looked_at);
  CHECK(again.shares.empty());
  CHECK(again.looked_at == to_wuhan.looked_at);
}

TEST_CASE("more than an answer takes comes in several, and a reason that cannot be read holds up what follows it") {
  Holding site;
  Copied lyon(site.archive, kLyon);
  const HearingId id = lyon.file("L 1", 1);
  std::vector<std::string> expected;
  Digest reason;
  for (std::size_t i = 0; i < greffe::kToldSharesMax + 5; ++i) {
    const ShareEntry share = lyon.share(id, "archive.wuhan.example/civil", i % 2 == 0 ? "granted" : "revoked");
    expected.push_back(greffe::write_main_entry(share));
    if (i == greffe::kToldSharesMax + 2) reason = share.reason;
  }
  const auto aside = [&](const std::string& from, const std::string& to) {
    for (int volume = 0; volume < 3; ++volume) {
      const std::string path = site.archive.folder.path + "/v" + std::to_string(volume) + "/" + greffe::object_key(reason);
      REQUIRE(std::rename((path + from).c_str(), (path + to).c_str()) == 0);
    }
  };
  aside("", ".aside");
  site.follow({kLyon});

  const SharesTold first = site.told(kWuhan);
  REQUIRE(first.shares.size() == greffe::kToldSharesMax);
  const SharesTold second = site.told(kWuhan, first.looked_at);
  REQUIRE(second.shares.size() == 2);
  CHECK(site.told(kWuhan, second.looked_at).shares.empty());
  aside(".aside", "");
  const SharesTold third = site.told(kWuhan, second.looked_at);
  std::vector<std::string> got = texts_of(first);
  for (const SharesTold* part : {&second, &third}) {
    const std::vector<std::string> more = texts_of(*part);
    got.insert(got.end(), more.begin(), more.end());
  }
  CHECK(got == expected);
}

TEST_CASE("what a site tells is filed once, with its reasons, and opens nothing") {
  Asking asking;
  const std::vector<greffe::ToldShare> shares = {told_share(kLyon, asking.court(), "the appeal"), told_share(kLyon, asking.archive.name + "/penal", "the same")};
  asking.tell(shares);
  REQUIRE(asking.inquiry->ask(*asking.site));
  const std::vector<std::string> expected = {greffe::write_main_entry(shares[0].share), greffe::write_main_entry(shares[1].share)};
  CHECK(own_shares(asking.archive) == expected);
  for (const greffe::ToldShare& one : shares) CHECK(greffe::as_text(*asking.archive.stores().objects.read_object(one.share.reason)) == one.reason);
  REQUIRE(asking.inquiry->ask(*asking.site));
  CHECK(own_shares(asking.archive) == expected);

  asking.inquiry = asking.begin();  // as after a start: asked from the first entry again
  REQUIRE(asking.inquiry->ask(*asking.site));
  CHECK(own_shares(asking.archive) == expected);
  CHECK(asking.archive.main_log->catalogue().shares({})->empty());
}

TEST_CASE("a share that is none with this archive's courts is refused, and what this site holds itself is left to that") {
  Asking asking;
  for (const greffe::ToldShare& lie : {told_share(kLyon, "court-1", "x"), told_share(kLyon, "archive.wuhan.example/civil", "x"),
                                       told_share(asking.archive.name, asking.court(), "x")}) {
    asking.tell({lie});
    CHECK(asking.inquiry->ask(*asking.site).error().code == Errc::invalid);
  }
  CHECK(own_shares(asking.archive).empty());
  asking.site->set_reachable(false);
  CHECK(asking.inquiry->ask(*asking.site).error().code == Errc::unavailable);
  asking.site->set_reachable(true);
  asking.site->tell_shares({});  // an older site
  CHECK(asking.inquiry->ask(*asking.site));

  Copied lyon(asking.archive, kLyon);
  lyon.file("L 1", 1);
  asking.held.start();
  for (int i = 0; i < 200 && !asking.held.named(kLyon); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  asking.tell({told_share(kLyon, asking.court(), "said twice")});
  CHECK(asking.inquiry->ask(*asking.site));
  CHECK(own_shares(asking.archive).empty());
}

TEST_CASE("what could not be filed is asked for again") {
  Asking asking;
  asking.archive.main_log->fence("another site was promoted");
  asking.tell({told_share(kLyon, asking.court(), "the appeal")});
  CHECK_FALSE(asking.inquiry->ask(*asking.site));
  asking.archive.restart();
  HeldArchives held{asking.archive.clock, asking.archive.files, asking.archive.log, asking.archive.stores(), *asking.archive.main_log,
                    asking.archive.keys->log.public_key(), asking.archive.folder.path + "/state"};
  ShareInquiry inquiry(asking.archive.log, asking.archive.stores(), *asking.archive.main_log, held, {});
  REQUIRE(inquiry.ask(*asking.site));
  CHECK(own_shares(asking.archive).size() == 1);
}
