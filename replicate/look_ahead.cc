#include "replicate/look_ahead.h"

#include <algorithm>
#include <map>

#include "archive/format/policy.h"

namespace greffe::replicate {

Result<std::vector<ShownEntry>> LookAhead::find(const std::optional<HearingId>& hearing, std::set<Digest>& objects) {
  std::vector<ShownEntry> out;
  if (hearing) GREFFE_TRY(find_in_hearing(*hearing, objects, out));
  if (!objects.empty()) GREFFE_TRY(find_in_main_log(hearing, objects, out));
  return out;
}

Result<ShownEntry> LookAhead::shown(const tlog::LogReader& reader, const SignedCheckpoint& head, std::uint64_t index, std::string entry) {
  TlogProof proof;
  proof.index = index;
  proof.hashes = GREFFE_TRY(reader.inclusion(index, head.checkpoint.size));
  proof.checkpoint = head.note.write();
  return ShownEntry{std::move(entry), write_tlog_proof(proof)};
}

Status LookAhead::find_in_hearing(const HearingId& hearing, std::set<Digest>& objects, std::vector<ShownEntry>& out) {
  const tlog::LogReader reader(source_.objects, source_.heads, hearing_log_path(hearing));
  const SignedCheckpoint head = GREFFE_TRY(reader.checkpoint());
  std::map<std::uint64_t, std::string> found;
  GREFFE_TRY(reader.entries(0, head.checkpoint.size, [&](std::uint64_t index, std::string_view text) {
    if (!LostDeclarations::concerns(text)) return true;
    const auto entry = parse_hearing_entry(text);
    const auto* lost = entry ? std::get_if<LostEntry>(&*entry) : nullptr;
    for (const Digest& digest : lost != nullptr ? lost->objects : std::vector<Digest>()) {
      if (objects.erase(digest) > 0) found[index] = text;
    }
    return true;
  }));
  for (auto& [index, text] : found) out.push_back(GREFFE_TRY(shown(reader, head, index, std::move(text))));
  return ok();
}

Status LookAhead::find_in_main_log(const std::optional<HearingId>& hearing, std::set<Digest>& objects, std::vector<ShownEntry>& out) {
  const std::uint64_t size = GREFFE_TRY(source_.main.size());
  GREFFE_TRY(source_.main.entries(next_, size, [&](std::uint64_t number, std::string_view text) {
    next_ = number + 1;
    const auto entry = LostDeclarations::concerns(text) ? parse_main_entry(text) : Result<MainEntry>(UnknownEntry{});
    // The second site would not take an order that is not signed.
    if (entry && !std::holds_alternative<UnknownEntry>(*entry) && declared_.take(*entry)) orders_.push_back(number);
    return true;
  }));
  std::set<Digest> excused;
  for (const Digest& digest : objects) {
    if (hearing ? declared_.covers(hearing, digest) : declared_.names(digest)) excused.insert(digest);
  }
  if (excused.empty()) return ok();
  std::uint64_t known = 0;  // where the newest epoch begins of which something was shown
  for (const std::uint64_t number : orders_) {
    const std::vector<std::string> one = GREFFE_TRY(source_.main.entries(number, number + 1));
    const std::string& text = one.front();
    const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    const auto* lost = std::get_if<MainLostEntry>(&entry);
    const bool concerned = lost == nullptr || std::any_of(lost->objects.begin(), lost->objects.end(), [&](const Digest& object) { return excused.contains(object); });
    if (!concerned) continue;
    const tlog::LogChain::Place place = source_.main.place_of(number);
    GREFFE_TRY(show_promotions(known, *place.link, out));
    known = place.link->first;
    const SignedCheckpoint head = GREFFE_TRY(place.link->reader.checkpoint());
    out.push_back(GREFFE_TRY(shown(place.link->reader, head, place.index, text)));
  }
  for (const Digest& digest : excused) objects.erase(digest);
  return ok();
}

// How the target gets to know the keys of epochs of which it holds nothing yet.
Status LookAhead::show_promotions(std::uint64_t known, const tlog::LogChain::Link& up_to, std::vector<ShownEntry>& out) {
  for (const tlog::LogChain::Link& link : source_.main.links()) {
    if (link.first <= known || link.first > up_to.first) continue;
    const SignedCheckpoint head = GREFFE_TRY(link.reader.checkpoint());
    std::vector<std::string> first = GREFFE_TRY(link.reader.entries(0, 1));
    out.push_back(GREFFE_TRY(shown(link.reader, head, 0, std::move(first.front()))));
  }
  return ok();
}

}  // namespace greffe::replicate
