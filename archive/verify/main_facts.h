// What the entries of a main log say, as far as a hearing's proof needs it. Filled in log order, then read only.
#ifndef GREFFE_ARCHIVE_VERIFY_MAIN_FACTS_H
#define GREFFE_ARCHIVE_VERIFY_MAIN_FACTS_H

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/lost_declarations.h"
#include "archive/format/policy.h"
#include "archive/format/promotion.h"
#include "archive/verify/report.h"

namespace greffe::verify {

struct Commit {  // a `hearing-checkpoint` entry whose note the station signed
  std::uint64_t index = 0;  // in the main log
  std::uint64_t size = 0;   // of the hearing log
  Digest root;
  bool closed = false;
};
struct HearingFacts {
  std::vector<Commit> commits;  // in main-log order
  std::vector<Commit> came_back;  // what `graft` entries say of it
  PublicKey station_key;        // that signed them
};
struct Graft {
  std::uint64_t index = 0;
  GraftEntry entry;
};
struct KeyEvent {
  std::uint64_t index = 0;
  KeyEntry entry;
};
struct NamedDocument {  // an object that a main-log entry names
  std::uint64_t index = 0;
  Digest digest;
  std::string hearing;  // empty: of no hearing
};

class MainFacts {
 public:
  MainFacts(std::string origin, Report& report);

  // In rising order of index (its number, through all epochs); gaps are allowed (an export has only what concerns its hearing). Findings: `unknown-kind`,
  // `entry-format`, `genesis`, `commit-signature`, `lost-signature`.
  void add(std::uint64_t index, std::string_view entry, const Policy& policy);

  // The first entry of a later epoch, which was judged before. In rising order, too.
  void add_promotion(std::uint64_t index, const PromotionEntry& entry) { holders_.push_back({index, entry.holder}); }

  const std::string& origin() const { return origin_; }
  const std::optional<GenesisEntry>& genesis() const { return genesis_; }
  const HearingFacts* hearing(const HearingId& id) const;
  const std::map<HearingId, HearingFacts>& hearings() const { return hearings_; }
  // Additions and revocations of a station's key, in order.
  std::vector<KeyEvent> station_events(const PublicKey& key) const;
  // Whether this key gives the archive's receipts, in whichever epoch.
  bool is_holder(const VerifierKey& key) const;
  // Whether its receipt counts for what the entry at `index` filed: it is the holder of that epoch, or of a later one.
  bool is_holder(const VerifierKey& key, std::uint64_t index) const;
  // The archive as holder, the cosigners that the log names, and the witnesses of the policy: whose cosignatures count.
  std::vector<VerifierKey> cosigners(const Policy& policy) const;
  const std::vector<NamedDocument>& documents() const { return documents_; }
  // In order, not judged.
  const std::vector<Graft>& grafts() const { return grafts_; }
  // Objects that `lost` entries name which two officers signed.
  const LostDeclarations& lost() const { return lost_; }

 private:
  void add_genesis(std::uint64_t index, const GenesisEntry& entry, const Policy& policy);
  void add_commit(std::uint64_t index, const HearingCheckpointEntry& entry);
  void add_graft(std::uint64_t index, const GraftEntry& entry);
  void name_documents(std::uint64_t index, std::string_view text, const std::string& hearing);
  void found(Verdict verdict, const char* code, std::string what, std::uint64_t index, const std::string& hearing = {});

  const std::string origin_;
  Report& report_;
  std::optional<GenesisEntry> genesis_;
  std::map<HearingId, HearingFacts> hearings_;
  std::map<PublicKey, std::vector<KeyEvent>> stations_;
  std::vector<VerifierKey> cosigners_;
  struct Holder {
    std::uint64_t since = 0;  // its epoch begins with this entry
    VerifierKey key;
  };
  std::vector<Holder> holders_;  // one an epoch, in order
  std::vector<NamedDocument> documents_;
  std::vector<Graft> grafts_;
  LostDeclarations lost_;
};

}  // namespace greffe::verify

#endif
