#include "web/hearing_proof.h"

#include <algorithm>

#include "archive/epoch_end.h"
#include "archive/format/entries.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kEntriesAtOnce = 200;

// Every entry of the main log that a query names, oldest first.
Result<std::vector<std::uint64_t>> all_entries(const catalogue::Catalogue& catalogue, catalogue::EntryQuery query) {
  std::vector<std::uint64_t> out;
  query.limit = kEntriesAtOnce;
  for (;;) {
    const std::vector<std::uint64_t> page = GREFFE_TRY(catalogue.entries(query));
    out.insert(out.end(), page.begin(), page.end());
    if (page.size() < kEntriesAtOnce) break;
    query.before = page.back();
  }
  std::reverse(out.begin(), out.end());
  return out;
}

// `size`: entries through all epochs. What stands in an earlier epoch is proved by the state that the next one goes on from.
Result<Json> proven(const tlog::LogChain& main, std::uint64_t number, std::uint64_t size) {
  const auto [link, index] = main.place_of(number);
  Json out;
  const bool is_newest = link == &main.newest();
  const std::uint64_t end = (is_newest ? size : (link + 1)->first) - link->first;
  if (!is_newest) out.set("epoch", link->name.epoch);
  const std::vector<std::string> entry = GREFFE_TRY(link->reader.entries(index, index + 1));
  const std::vector<Digest> proof = GREFFE_TRY(link->reader.inclusion(index, end));
  Json::Array hashes;
  for (const Digest& hash : proof) hashes.push_back(hash);
  out.set("entry", entry[0]).set("inclusion", std::move(hashes)).set("index", index);
  return out;
}

// The number at the end of "room-17" or "archive-12".
Result<std::uint64_t> index_of(const catalogue::Mark& mark) {
  return parse_decimal(std::string_view(mark.id).substr(mark.id.find_last_of('-') + 1));
}

Result<std::optional<std::uint64_t>> revocation_of(const archive::HeldArchive& archive, const PublicKey& station_key) {
  std::optional<std::uint64_t> found;
  const auto known = GREFFE_TRY(archive.catalogue->key("station", station_key));
  if (!known || !known->revoked_since) return found;
  catalogue::EntryQuery query;
  query.kind = "key";
  const std::vector<std::uint64_t> keys = GREFFE_TRY(all_entries(*archive.catalogue, query));
  for (const std::uint64_t index : keys) {
    if (index < known->entry_index) continue;
    const std::vector<std::string> bytes = GREFFE_TRY(archive.chain.entries(index, index + 1));
    const MainEntry entry = GREFFE_TRY(parse_main_entry(bytes[0]));
    const auto* key = std::get_if<KeyEntry>(&entry);
    if (key != nullptr && key->action == "revoked" && key->key == station_key) found = index;
  }
  return found;
}

// What the entries with the numbers [first, last) say of officers.
Result<Json::Array> officer_entries(const archive::HeldArchive& archive, std::uint64_t first, std::uint64_t last, std::uint64_t size) {
  const std::vector<std::uint64_t> officers = GREFFE_TRY(archive.officers->below(last, *archive.catalogue, archive.chain));
  Json::Array out;
  for (const std::uint64_t number : officers) {
    if (number >= first) out.push_back(GREFFE_TRY(proven(archive.chain, number, size)));
  }
  return out;
}

// What officers declared lost of it, and who was an officer when: `lost_entries` and, beside them only, `officer_entries`.
Status add_lost(Json& out, const archive::HeldArchive& archive, const HearingId& hearing, std::uint64_t size) {
  catalogue::EntryQuery query;
  query.kind = "lost";
  query.hearing = hearing;
  const std::vector<std::uint64_t> orders = GREFFE_TRY(all_entries(*archive.catalogue, query));
  Json::Array lost;
  for (const std::uint64_t index : orders) {
    if (index < size) lost.push_back(GREFFE_TRY(proven(archive.chain, index, size)));
  }
  if (lost.empty()) return ok();
  out.set("lost_entries", std::move(lost)).set("officer_entries", GREFFE_TRY(officer_entries(archive, 0, size, size)));
  return ok();
}

}  // namespace

// What other sites and witnesses have signed of the main log. Of a copy, what this site has signed stands in its checkpoint.
Result<std::vector<std::string>> HearingProof::cosigned(const archive::HeldArchive& archive) const {
  std::vector<std::string> out;
  if (!archive.own) return out;
  const std::vector<VerifierKey> cosigners = GREFFE_TRY(peers_.main_log_cosigners());
  for (const VerifierKey& cosigner : cosigners) {
    const auto newest = archive::newest_cosigned(stores_.heads, archive.log_path, cosigner);
    if (newest) out.push_back(newest->note.write());
  }
  return out;
}

Result<Json::Array> proven_epochs(archive::Stores stores, const archive::HeldArchive& archive, std::uint64_t size) {
  Json::Array out;
  const std::vector<tlog::LogChain::Link>& links = archive.chain.links();
  if (links.size() == 1) return out;
  for (const tlog::LogChain::Link& link : links) {
    Json one;
    one.set("epoch", link.name.epoch);
    if (&link != &links.front()) one.set("promotion", GREFFE_TRY(proven(archive.chain, link.first, size)));
    if (&link != &links.back()) {
      const SignedCheckpoint end = GREFFE_TRY(archive::end_of_epoch(stores, *archive.catalogue, archive.chain, link));
      one.set("checkpoint", end.note.write());
      one.set("officer_entries", GREFFE_TRY(officer_entries(archive, link.first, (&link + 1)->first, size)));
    }
    out.push_back(std::move(one));
  }
  return out;
}

Result<Json> HearingProof::of(const archive::FoundHearing& found) const {
  const auto& [archive, record] = found;
  const SignedCheckpoint main_head = GREFFE_TRY(archive.chain.checkpoint());
  const SignedCheckpoint hearing_head = GREFFE_TRY(hearings_.reader(record.row.id).checkpoint());
  const std::uint64_t size = archive.chain.newest().first + main_head.checkpoint.size;
  Json out;
  out.set("checkpoint_entry", GREFFE_TRY(proven(archive.chain, record.checkpoint_index, size)));
  if (record.key_index) out.set("key_entry", GREFFE_TRY(proven(archive.chain, *record.key_index, size)));
  const std::optional<std::uint64_t> revoked = GREFFE_TRY(revocation_of(archive, record.station_key));
  if (revoked && *revoked < size) out.set("revocation_entry", GREFFE_TRY(proven(archive.chain, *revoked, size)));
  for (const std::string kind : {"mark", "details"}) {
    catalogue::EntryQuery query;
    query.kind = kind;
    query.hearing = record.row.id;
    Json::Array list;
    const std::vector<std::uint64_t> indices = GREFFE_TRY(all_entries(*archive.catalogue, query));
    for (const std::uint64_t index : indices) {
      if (index < size) list.push_back(GREFFE_TRY(proven(archive.chain, index, size)));
    }
    out.set(kind + "_entries", std::move(list));
  }
  GREFFE_TRY(add_lost(out, archive, record.row.id, size));
  out.set("hearing_checkpoint", hearing_head.note.write()).set("main_checkpoint", main_head.note.write());
  out.set("main_size", main_head.checkpoint.size);
  Json::Array chain = GREFFE_TRY(proven_epochs(stores_, archive, size));
  if (!chain.empty()) out.set("epochs", std::move(chain));
  const std::vector<std::string> notes = GREFFE_TRY(cosigned(archive));
  out.set("main_cosigned", Json::Array(notes.begin(), notes.end()));
  return out;
}

Status HearingProof::add_evidence(Json& json, const archive::HeldArchive& archive, const HearingId& id, const catalogue::Mark& mark,
                                  const archive::Timeline& timeline) const {
  const std::uint64_t index = GREFFE_TRY(index_of(mark));
  json.set("index", index);
  std::optional<Digest> note;
  if (mark.from_archive) {
    const std::vector<std::string> bytes = GREFFE_TRY(archive.chain.entries(index, index + 1));
    const MainEntry entry = GREFFE_TRY(parse_main_entry(bytes[0]));
    if (const auto* added = std::get_if<MarkAddedEntry>(&entry)) note = added->note;
  } else {
    for (const archive::TimelineMark& one : timeline.marks) {
      if (one.index == index) note = one.entry.note;
    }
  }
  if (note) add_document(json, "document", id, *note);
  return ok();
}

void HearingProof::add_document(Json& json, std::string_view name, const HearingId& id, const Digest& digest) const {
  const auto document = retrieval_.document(id, digest);
  if (document) json.set(std::string(name), std::string(as_text(*document)));
}

Status HearingProof::add_reason(Json& json, const archive::HeldArchive& archive, const HearingId& id, std::uint64_t index) const {
  const std::vector<std::string> bytes = GREFFE_TRY(archive.chain.entries(index, index + 1));
  const MainEntry entry = GREFFE_TRY(parse_main_entry(bytes[0]));
  if (const auto* details = std::get_if<DetailsEntry>(&entry)) add_document(json, "reason_document", id, details->reason);
  return ok();
}

}  // namespace greffe::web
