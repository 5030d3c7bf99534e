// The main log of an export through its epochs: which of them are believed, and whose receipts count. With hearings and whole programs:
// tests/system/test_promotion.py.
#include <catch2/catch.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "archive/format/merkle.h"
#include "archive/verify/export_files.h"
#include "archive/verify/exported_epochs.h"
#include "archive/verify/epochs.h"
#include "archive/verify/main_facts.h"

using namespace greffe;
using namespace greffe::verify;

namespace {

const std::string kArchive = "archive.court.example";

PrivateKey key_of(const std::string& label) { return *PrivateKey::from_seed(sha256(as_bytes(label)).bytes); }
std::string origin_of(std::uint64_t epoch) { return epoch_origin({kArchive, epoch}); }
PrivateKey log_key(std::uint64_t epoch) { return key_of(fmt::format("log {}", epoch)); }
VerifierKey holder_of(std::uint64_t epoch) {
  return {origin_of(epoch) + "/holder", KeyType::cosignature_v1, key_of(fmt::format("holder {}", epoch)).public_key()};
}

std::string officer(const std::string& name, const std::string& action = "added") {
  KeyEntry out;
  out.action = action;
  out.role = "officer";
  out.name = name;
  out.key = key_of(name).public_key();
  if (action == "revoked") out.why = "stolen";
  return write_main_entry(out);
}

std::string genesis() {
  GenesisEntry out;
  out.archive = kArchive;
  out.log_key = log_key(1).public_key();
  out.role = "primary";
  out.holder = holder_of(1);
  return write_main_entry(out);
}

struct MadeLog {
  std::uint64_t epoch = 1;
  std::vector<std::string> entries;

  Digest leaf(std::uint64_t i) const { return leaf_hash(as_bytes(entries[i])); }
  Digest subtree(unsigned level, std::uint64_t index) const {
    return level == 0 ? leaf(index) : node_hash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1));
  }
  Checkpoint head() const {
    TreeEdge edge;
    for (std::uint64_t i = 0; i < entries.size(); ++i) edge.append(leaf(i));
    return {origin_of(epoch), entries.size(), edge.root()};
  }
  std::string note(const PrivateKey& key) const { return SignedNote{head().text(), {sign_checkpoint(head(), key)}}.write(); }
  std::string note() const { return note(log_key(epoch)); }
  TlogProof proof(std::uint64_t index) const {
    const auto hashes = inclusion_proof(index, entries.size(), [this](unsigned level, std::uint64_t i) -> Result<Digest> { return subtree(level, i); });
    REQUIRE(hashes);
    return {index, *hashes, note()};
  }
};

PromotionEntry promotion(const MadeLog& before, const std::vector<std::string>& officers = {"officer-1", "officer-2"}) {
  PromotionEntry out;
  out.name = {kArchive, before.epoch + 1};
  out.previous = before.head();
  out.log_key = log_key(before.epoch + 1).public_key();
  out.holder = holder_of(before.epoch + 1);
  out.machine_url = "https://second.court.example:8444";
  out.machine_key = key_of("server").public_key();
  out.officers = officers;
  const std::string text = promotion_statement(out);
  for (const std::string& name : officers) out.signatures.push_back(key_of(name).sign(as_bytes(text)));
  return out;
}

MadeLog first_log() { return {1, {genesis(), officer("officer-1"), officer("officer-2"), officer("officer-3")}}; }
MadeLog later_log(const MadeLog& before) { return {before.epoch + 1, {write_promotion(promotion(before)), officer("officer-4")}}; }

class Export {
 public:
  Export() {
    std::string name = (std::filesystem::temp_directory_path() / "greffe.XXXXXX").string();
    path = ::mkdtemp(name.data());
    policy.logs = {{kArchive, KeyType::ed25519, log_key(1).public_key()}};
    policy.quorum = "none";
  }
  ~Export() { std::filesystem::remove_all(path); }

  void write(const std::string& name, const std::string& text) {
    REQUIRE(is_export_path(name));
    const std::string file = path + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file, std::ios::binary) << text;
    listed[name] = sha256(as_bytes(text));
  }
  void add(const MadeLog& log, const std::string& folder) {
    write(folder + "/checkpoint", log.note());
    for (std::uint64_t i = 0; i < log.entries.size(); ++i) {
      write(fmt::format("{}/entries/{}.json", folder, i), log.entries[i]);
      write(fmt::format("{}/proofs/{}.tlog-proof", folder, i), write_tlog_proof(log.proof(i)));
    }
  }
  void add(const MadeLog& log) { add(log, epoch_folder(log.epoch)); }
  void remove(const std::string& name) {
    std::filesystem::remove(path + "/" + name);
    listed.erase(name);
  }
  std::vector<ExportedEpoch> read() {
    Policy copy = policy;
    auto out = read_exported_epochs(path, listed, copy, report);
    CHECK(copy.logs.size() == std::max<std::size_t>(out.size(), 1));
    return out;
  }
  // Only epoch 1 is believed, for this reason.
  void refuses_second(const std::string& why) {
    CHECK(read().size() == 1);
    REQUIRE_FALSE(report.findings().empty());
    const Finding finding = report.findings().back();
    CHECK(finding.code == "promotion");
    CHECK(finding.verdict == Verdict::tampered);
    CHECK_THAT(finding.what, Catch::Contains(why));
  }

  std::string path;
  Policy policy;
  std::map<std::string, Digest> listed;
  Report report;
};

}  // namespace

TEST_CASE("an export's epochs are followed from the key of the first one") {
  const MadeLog one = first_log();
  const MadeLog two = later_log(one);
  const MadeLog three = later_log(two);
  Export made;
  for (const MadeLog* log : {&one, &two, &three}) made.add(*log);
  const auto epochs = made.read();
  for (const Finding& finding : made.report.findings()) FAIL_CHECK(finding.what);
  REQUIRE(epochs.size() == 3);
  CHECK(epochs[0].first == 0);
  CHECK(epochs[1].first == 4);
  CHECK(epochs[2].first == 6);
  CHECK(epochs[2].name == EpochName{kArchive, 3});
  CHECK(epochs[2].entries.at(1) == officer("officer-4"));
  CHECK(made.report.entries == 8);
}

TEST_CASE("an epoch that two officers did not sign is not believed") {
  const MadeLog one = first_log();
  const auto with = [](const PromotionEntry& entry) { return MadeLog{2, {write_promotion(entry)}}; };
  Export made;
  made.add(one);
  SECTION("one officer") {
    made.add(with(promotion(one, {"officer-1"})));
    made.refuses_second("two officers");
  }
  SECTION("one officer, twice") {
    made.add(with(promotion(one, {"officer-1", "officer-1"})));
    made.refuses_second("names nothing twice");
  }
  SECTION("a stranger") {
    made.add(with(promotion(one, {"officer-1", "stranger"})));
    made.refuses_second("stranger is not an officer");
  }
  SECTION("an officer that only the new epoch names") {
    MadeLog two = with(promotion(one, {"officer-1", "officer-4"}));
    two.entries.push_back(officer("officer-4"));
    made.add(two);
    made.refuses_second("officer-4 is not an officer");
  }
  SECTION("something else than they signed") {
    PromotionEntry entry = promotion(one);
    entry.machine_url = "https://thief.example:8444";
    made.add(with(entry));
    made.refuses_second("is not over this promotion");
  }
}

TEST_CASE("an officer who was revoked before the state that is gone on from promotes nothing") {
  MadeLog one = first_log();
  one.entries.push_back(officer("officer-2", "revoked"));
  const MadeLog two = later_log(one);
  Export made;
  made.add(one);
  made.add(two);
  made.refuses_second("officer-2 is not an officer");
}

TEST_CASE("an epoch goes on from exactly the state that is shown of the one before") {
  const MadeLog one = first_log();
  MadeLog longer = one;
  longer.entries.push_back(officer("officer-5"));
  Export made;
  SECTION("it was pinned earlier") {
    made.add(longer);
    made.add(later_log(one));
  }
  SECTION("it was pinned later") {
    made.add(one);
    made.add(later_log(longer));
  }
  SECTION("another tree of the same size") {
    MadeLog other = one;
    std::swap(other.entries[1], other.entries[2]);
    made.add(one);
    made.add(later_log(other));
  }
  made.refuses_second("never had");
}

TEST_CASE("the folder of an epoch holds that epoch's log, with the key that officers gave it") {
  const MadeLog one = first_log();
  const MadeLog two = later_log(one);
  Export made;
  made.add(one);
  SECTION("another key") {
    made.add(two);
    made.write("main/epoch/2/checkpoint", two.note(key_of("thief")));
    made.refuses_second("");
  }
  SECTION("no first entry") {
    made.add(two);
    made.remove("main/epoch/2/entries/0.json");
    made.remove("main/epoch/2/proofs/0.tlog-proof");
    made.refuses_second("first entry");
  }
  SECTION("a first entry without its proof") {
    made.add(two);
    made.remove("main/epoch/2/proofs/0.tlog-proof");
    made.refuses_second("first entry");
    CHECK(made.report.findings().front().code == "main-proof");
  }
  SECTION("no checkpoint") {
    made.add(two);
    made.remove("main/epoch/2/checkpoint");
    made.refuses_second("no checkpoint");
  }
  SECTION("a later epoch in its place") {
    made.add(later_log(two), "main/epoch/2");
    made.refuses_second("another epoch");
  }
  SECTION("entries swapped") {
    made.add(two);
    made.write("main/epoch/2/entries/0.json", two.entries[1]);
    made.write("main/epoch/2/entries/1.json", two.entries[0]);
    made.refuses_second("first entry");
  }
  SECTION("the first epoch's log") {
    made.add(one, "main/epoch/2");
    made.refuses_second("not a promotion");
  }
  SECTION("a number left out") {
    made.add(later_log(two));
    made.refuses_second("no checkpoint");
  }
}

TEST_CASE("an export without the first epoch that the policy names is not followed") {
  const MadeLog one = first_log();
  Export made;
  made.add(later_log(one));
  SECTION("nothing in its place") { CHECK(made.read().empty()); }
  SECTION("the second epoch in its place") {
    made.add(later_log(one), "main");
    made.policy.logs.push_back({origin_of(2), KeyType::ed25519, log_key(2).public_key()});
    Policy policy = made.policy;
    CHECK(read_exported_epochs(made.path, made.listed, policy, made.report).empty());
  }
  CHECK(made.report.verdict() == Verdict::tampered);
}

TEST_CASE("no export has a thousand epochs and more") {
  Export made;
  MadeLog log = first_log();
  for (std::uint64_t epoch = 1; epoch <= kExportedEpochsMax + 1; ++epoch) {
    made.add(log);
    log = MadeLog{epoch + 1, {write_promotion(promotion(log))}};
  }
  CHECK(made.read().size() == kExportedEpochsMax);
  REQUIRE(made.report.findings().size() == 1);
  CHECK(made.report.findings().front().code == "promotion");
}

TEST_CASE("a later epoch's folder has one spelling") {
  for (const char* good : {"main/epoch/2/checkpoint", "main/epoch/10/entries/0.json", "main/epoch/2/proofs/17.tlog-proof"}) CHECK(is_export_path(good));
  for (const char* bad : {"main/epoch/1/checkpoint", "main/epoch/02/checkpoint", "main/epoch//checkpoint", "main/epoch/2", "main/epoch/2/", "main/epoch/0/checkpoint",
                          "main/epoch/1000001/checkpoint", "main/epoch/2/entries/00.json", "main/epoch/2/epoch/3/checkpoint", "main/epoch/-2/checkpoint",
                          "main/epoch/2/../checkpoint", "main/epoch/checkpoint"}) {
    CHECK_FALSE(is_export_path(bad));
  }
}

TEST_CASE("a receipt is of the holder of the epoch in which it was given, or of a later one") {
  Report report;
  Policy policy;
  policy.logs = {{kArchive, KeyType::ed25519, log_key(1).public_key()}};
  MainFacts facts(kArchive, report);
  const MadeLog one = first_log();
  const MadeLog two = later_log(one);
  for (std::uint64_t i = 0; i < one.entries.size(); ++i) facts.add(i, one.entries[i], policy);
  facts.add_promotion(4, promotion(one));
  facts.add_promotion(6, promotion(two));
  CHECK(report.findings().empty());
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) CHECK(facts.is_holder(holder_of(epoch)));
  CHECK_FALSE(facts.is_holder(holder_of(4)));
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> filed = {{3, 1}, {4, 2}, {5, 2}, {6, 3}, {99, 3}};  // entry, epoch
  for (const auto& [index, in] : filed) {
    for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) CHECK(facts.is_holder(holder_of(epoch), index) == (epoch >= in));
  }
}

TEST_CASE("a checkpoint that the auditor holds is judged by the key of its epoch") {
  const MadeLog one = first_log();
  const MadeLog two = later_log(one);
  Policy policy;
  policy.logs = {{kArchive, KeyType::ed25519, log_key(1).public_key()}, {origin_of(2), KeyType::ed25519, log_key(2).public_key()}};
  const auto judged = [&](const std::string& note, std::uint64_t newest) {
    Report report;
    check_known_epoch(*parse_signed_checkpoint(note), {kArchive, newest}, policy, report);
    return report.findings().empty() ? std::string() : report.findings().front().code;
  };
  CHECK(judged(one.note(), 2).empty());
  CHECK(judged(two.note(), 2).empty());
  CHECK(judged(two.note(key_of("thief")), 2) == "main-signature");
  CHECK(judged(two.note(), 1) == "stale");
}
