#include "archive/tlog/named_items.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/record_sort.h"
#include "archive/format/entries.h"

namespace greffe::tlog {
namespace {

// A commitment of the main log as a record: what it is sorted by, whose it is, and what it says. Sorted, the largest size of each
// hearing comes last.
constexpr std::size_t kSpreadBytes = 8;  // of the SHA-256 of the hearing: UUIDs begin with their time
constexpr std::size_t kIdAt = kSpreadBytes;
constexpr std::size_t kSizeAt = kIdAt + 16;
constexpr std::size_t kRootAt = kSizeAt + 8;
constexpr std::size_t kCommitmentBytes = kRootAt + 32;
using CommitmentSort = RecordSort<kCommitmentBytes>;

bool same_hearing(const CommitmentSort::Record& a, const CommitmentSort::Record& b) { return std::equal(a.begin(), a.begin() + kSizeAt, b.begin()); }

// Errors that say something about one log, not about the way to all of them.
bool is_about_the_log(Errc code) { return code != Errc::unavailable && code != Errc::cancelled; }

std::optional<HearingId> hearing_in(const Json& entry) {
  const auto text = entry.has("hearing") ? entry.string("hearing") : Result<std::string>(fail(Errc::not_found, ""));
  const auto id = text ? parse_hearing_id(*text) : Result<HearingId>(text.error());
  return id ? std::optional(*id) : std::nullopt;
}

bool is_lost_entry(const Json& entry) {
  const auto kind = entry.string("kind");
  return kind && *kind == "lost";
}

// Far quicker than reading an entry as JSON.
bool may_name_objects(std::string_view entry) { return entry.find("sha256\"") != std::string_view::npos; }

}  // namespace

class NamedItems::Commitments {
 public:
  Commitments(FileSystem& files, const std::string& directory) : sort_(files, join(directory, "hearings")) {}

  Status add(const HearingId& id, const Checkpoint& stated) {
    CommitmentSort::Record record{};
    const Digest spread = sha256(id.bytes);
    std::copy_n(spread.bytes.begin(), kSpreadBytes, record.begin());
    std::copy(id.bytes.begin(), id.bytes.end(), record.begin() + kIdAt);
    for (std::size_t i = 0; i < 8; ++i) record[kSizeAt + i] = static_cast<std::uint8_t>(stated.size >> (56 - 8 * i));
    std::copy(stated.root.bytes.begin(), stated.root.bytes.end(), record.begin() + kRootAt);
    return sort_.add(record);
  }

  // Each hearing with the largest of its sizes.
  Result<std::vector<Hearing>> part(unsigned number) {
    const std::vector<CommitmentSort::Record> records = GREFFE_TRY(sort_.take(number));
    std::vector<Hearing> out;
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (i + 1 < records.size() && same_hearing(records[i], records[i + 1])) continue;
      Hearing& one = out.emplace_back();
      std::copy_n(records[i].begin() + kIdAt, one.id.bytes.size(), one.id.bytes.begin());
      for (std::size_t byte = 0; byte < 8; ++byte) one.size = one.size << 8 | records[i][kSizeAt + byte];
      std::copy_n(records[i].begin() + kRootAt, one.root.bytes.size(), one.root.bytes.begin());
    }
    return out;
  }

 private:
  CommitmentSort sort_;
};

NamedItems::NamedItems(FileSystem& files, store::ObjectStore& objects, store::HeadStore& heads, Bound bound, std::string directory)
    : files_(files), objects_(objects), heads_(heads), bound_(std::move(bound)), directory_(std::move(directory)), declared_(bound_.archive) {}

// What is declared lost anywhere in it excuses what stands before, so it is read twice.
Status NamedItems::read_main(Commitments& commitments) {
  const SignedCheckpoint head = GREFFE_TRY(bound_.main.checkpoint());
  if (head.checkpoint.size < bound_.size) {
    return fail(Errc::unavailable, fmt::format("the main log of {} has {} entries here, not {}", bound_.archive, head.checkpoint.size, bound_.size));
  }
  TreeEdge edge;  // of the newest epoch's log; with its first entry that pins those before, which the chain has held to their roots
  Status taken = ok();
  const auto take = [&](std::uint64_t number, std::string_view text) -> Status {
    if (number >= bound_.main.newest().first) edge.append(leaf_hash(as_bytes(text)));
    const bool commits = text.find("\"hearing-checkpoint\"") != std::string_view::npos;
    if (!commits && !LostDeclarations::concerns(text)) return ok();
    const auto entry = parse_main_entry(text);
    if (!entry) return ok();  // greffe-verify says what is wrong with it
    if (const auto* commitment = std::get_if<HearingCheckpointEntry>(&*entry)) {
      const SignedCheckpoint stated = GREFFE_TRY(parse_signed_checkpoint(commitment->note));
      return commitments.add(commitment->hearing, stated.checkpoint);
    }
    static_cast<void>(declared_.take(*entry).has_value());  // one that is not signed declares nothing
    return ok();
  };
  GREFFE_TRY(bound_.main.entries(0, bound_.number(), [&](std::uint64_t number, std::string_view text) {
    taken = take(number, text);
    return taken.has_value();
  }));
  GREFFE_TRY(std::move(taken));
  if (edge.root() == bound_.root) return ok();
  return fail(Errc::conflict, fmt::format("the main log of {} had another root at {} entries here: the two sites disagree", bound_.archive, bound_.size));
}

Status NamedItems::name_documents(const Take& take) {
  const LogChain::Link& newest = bound_.main.newest();
  const std::string origin = newest.name.epoch == 1 ? bound_.archive : epoch_origin(newest.name);
  GREFFE_TRY(take({log_item_id(origin, bound_.size, bound_.root), ComparedKind::main_log, std::nullopt}, true));
  Status taken = ok();
  GREFFE_TRY(bound_.main.entries(0, bound_.number(), [&](std::uint64_t, std::string_view text) {
    const auto json = may_name_objects(text) ? parse_json(text) : Result<Json>(Json());
    if (!json || is_lost_entry(*json)) return true;
    const std::optional<HearingId> about = hearing_in(*json);
    for (const Digest& digest : named_objects(*json)) {
      if (taken && !declared_.covers(about, digest)) taken = take({digest, ComparedKind::object, about}, false);
    }
    return taken.has_value();
  }));
  return taken;
}

// corrupt: what is stored does not give the root that the main log states.
Result<std::vector<Digest>> NamedItems::objects_of(const Hearing& hearing) {
  const LogReader reader(objects_, heads_, hearing_log_path(hearing.id));
  TreeEdge edge;
  std::set<Digest> named;
  std::set<Digest> excused;
  GREFFE_TRY(reader.entries(0, hearing.size, [&](std::uint64_t, std::string_view text) {
    edge.append(leaf_hash(as_bytes(text)));
    const auto json = may_name_objects(text) ? parse_json(text) : Result<Json>(Json());
    const std::vector<Digest> objects = json ? named_objects(*json) : std::vector<Digest>();
    (json && is_lost_entry(*json) ? excused : named).insert(objects.begin(), objects.end());
    return true;
  }));
  if (edge.root() != hearing.root) return fail(Errc::corrupt, "its entries do not give the root that the main log states");
  std::vector<Digest> out;
  for (const Digest& digest : named) {
    if (!excused.contains(digest) && !declared_.covers(hearing.id, digest)) out.push_back(digest);
  }
  return out;
}

Status NamedItems::name_hearing(const Hearing& hearing, const Take& take) {
  const ComparedItem log{log_item_id(hearing_origin(bound_.archive, hearing.id), hearing.size, hearing.root), ComparedKind::hearing_log, hearing.id};
  const auto objects = objects_of(hearing);
  if (!objects && !is_about_the_log(objects.error().code)) return objects.error().within("hearing " + hearing.id.text());
  GREFFE_TRY(take(log, objects.has_value()));
  for (const Digest& digest : objects ? *objects : std::vector<Digest>()) GREFFE_TRY(take({digest, ComparedKind::object, hearing.id}, false));
  return ok();
}

Status NamedItems::walk(const Take& take, std::atomic<std::uint64_t>& hearings_done, const std::stop_token& stop) {
  Commitments commitments(files_, directory_);
  GREFFE_TRY(read_main(commitments));
  GREFFE_TRY(name_documents(take));
  for (unsigned part = 0; part < CommitmentSort::kParts; ++part) {
    const std::vector<Hearing> hearings = GREFFE_TRY(commitments.part(part));
    for (const Hearing& hearing : hearings) {
      if (stop.stop_requested()) return fail(Errc::cancelled, "the comparison was stopped");
      GREFFE_TRY(name_hearing(hearing, take));
    }
    hearings_done = part + 1;
  }
  return ok();
}

Result<bool> NamedItems::is_excused_by_now(const ComparedItem& item) {
  if (item.kind != ComparedKind::object) return false;
  if (!by_now_) {
    LostDeclarations declared(bound_.archive);
    const std::uint64_t size = GREFFE_TRY(bound_.main.size());
    GREFFE_TRY(bound_.main.entries(0, size, [&](std::uint64_t, std::string_view text) {
      const auto entry = LostDeclarations::concerns(text) ? parse_main_entry(text) : Result<MainEntry>(UnknownEntry{});
      if (entry) static_cast<void>(declared.take(*entry).has_value());
      return true;
    }));
    by_now_ = std::move(declared);
  }
  if (by_now_->covers(item.hearing, item.id)) return true;
  if (!item.hearing) return false;
  const auto known = excused_by_now_.try_emplace(*item.hearing);
  std::set<Digest>& excused = known.first->second;
  if (!known.second) return excused.contains(item.id);
  const LogReader reader(objects_, heads_, hearing_log_path(*item.hearing));
  const auto head = reader.checkpoint();
  if (!head) return false;  // its log is missed as well
  GREFFE_TRY(reader.entries(0, head->checkpoint.size, [&](std::uint64_t, std::string_view text) {
    const auto json = LostDeclarations::concerns(text) ? parse_json(text) : Result<Json>(Json());
    const std::vector<Digest> lost = json && is_lost_entry(*json) ? named_objects(*json) : std::vector<Digest>();
    excused.insert(lost.begin(), lost.end());
    return true;
  }));
  return excused.contains(item.id);
}

}  // namespace greffe::tlog
