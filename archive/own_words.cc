#include "archive/own_words.h"

#include <functional>
#include <map>
#include <string_view>

#include "archive/format/merkle.h"

namespace greffe::archive {
namespace {

constexpr std::size_t kIndicesAtOnce = 256;

// What only the newest word about counts; empty: every word counts for itself, or it is about a key.
std::string subject_of(const MainEntry& entry) {
  if (const auto* details = std::get_if<DetailsEntry>(&entry)) return "details " + details->hearing.text();
  if (const auto* place = std::get_if<PlaceEntry>(&entry)) return "place " + place->court + "/" + place->room;
  if (const auto* share = std::get_if<ShareEntry>(&entry)) return "share " + share->hearing.text() + " " + share->court;
  return {};
}

bool ends_share(const MainEntry& entry) {
  const auto* share = std::get_if<ShareEntry>(&entry);
  return share != nullptr && share->action == "revoked";
}

struct Word {
  std::string text;
  MainEntry entry;
};

class OwnWords {
 public:
  OwnWords(const MainLog& main_log, std::uint64_t since, const std::set<Digest>& brought_back) : main_log_(main_log), since_(since), brought_back_(brought_back) {}
  Result<std::vector<std::string>> behind(const std::vector<std::string>& block, UtcTime now);

 private:
  using Visit = std::function<void(Word word)>;
  Status newest_first(std::string_view kind, const Visit& visit) const;
  Status say_newest(std::string_view kind, const std::map<std::string, MainEntry>& block);
  Status settle_keys(const std::map<std::string, KeyEntry>& block, UtcTime now);

  const MainLog& main_log_;
  const std::uint64_t since_;
  const std::set<Digest>& brought_back_;
  std::vector<std::string> out_;
};

Status OwnWords::newest_first(std::string_view kind, const Visit& visit) const {
  catalogue::EntryQuery query;
  query.kind = kind;
  query.limit = kIndicesAtOnce;
  for (;;) {
    const std::vector<std::uint64_t> numbers = GREFFE_TRY(main_log_.catalogue().entries(query));
    for (const std::uint64_t number : numbers) {
      if (number < since_) return ok();
      std::vector<std::string> texts = GREFFE_TRY(main_log_.chain().entries(number, number + 1));
      if (brought_back_.contains(leaf_hash(as_bytes(texts.front())))) continue;
      MainEntry entry = GREFFE_TRY(parse_main_entry(texts.front()));
      visit({std::move(texts.front()), std::move(entry)});
    }
    if (numbers.size() < query.limit) return ok();
    query.before = numbers.back();
  }
}

Status OwnWords::say_newest(std::string_view kind, const std::map<std::string, MainEntry>& block) {
  std::set<std::string> seen;
  return newest_first(kind, [&](Word word) {
    const std::string subject = subject_of(word.entry);
    const auto said = block.find(subject);
    if (said == block.end() || !seen.insert(subject).second) return;
    if (ends_share(word.entry) && ends_share(said->second)) return;  // it has ended
    out_.push_back(std::move(word.text));
  });
}

// `block`: the newest entry about each key that comes back.
Status OwnWords::settle_keys(const std::map<std::string, KeyEntry>& block, UtcTime now) {
  std::map<std::string, Word> own;  // newest about each key, of stations
  GREFFE_TRY(newest_first("key", [&own](Word word) {
    const auto& key = std::get<KeyEntry>(word.entry);
    if (key.role == "station") own.try_emplace(key.key.hex(), word);
  }));
  for (const auto& [hex, came] : block) {
    if (came.action == "revoked") continue;
    if (const auto same = own.find(hex); same != own.end()) {
      if (std::get<KeyEntry>(same->second.entry).action == "revoked") out_.push_back(same->second.text);
      continue;
    }
    for (const auto& [other_hex, word] : own) {
      const auto& other = std::get<KeyEntry>(word.entry);
      if (other.name != came.name || other.action == "revoked") continue;
      // What was begun under it may still come; the station has another one now, which is said last, as its newest.
      KeyEntry end = came;
      end.action = "revoked";
      end.why = "retired";
      end.since = end.utc = now;
      out_.push_back(write_main_entry(end));
      out_.push_back(word.text);
      break;
    }
  }
  return ok();
}

Result<std::vector<std::string>> OwnWords::behind(const std::vector<std::string>& block, UtcTime now) {
  std::map<std::string, MainEntry> subjects;
  std::map<std::string, KeyEntry> keys;
  std::set<std::string_view> kinds;
  for (const std::string& text : block) {
    MainEntry entry = GREFFE_TRY(parse_main_entry(text));
    if (const auto* key = std::get_if<KeyEntry>(&entry)) keys.insert_or_assign(key->key.hex(), *key);
    std::string subject = subject_of(entry);
    if (subject.empty()) continue;
    kinds.insert(std::holds_alternative<DetailsEntry>(entry) ? "details" : std::holds_alternative<PlaceEntry>(entry) ? "place" : "share");
    subjects.insert_or_assign(std::move(subject), std::move(entry));
  }
  for (const std::string_view kind : kinds) GREFFE_TRY(say_newest(kind, subjects));
  if (!keys.empty()) GREFFE_TRY(settle_keys(keys, now));
  return std::move(out_);
}

}  // namespace

Result<std::vector<std::string>> own_words(const MainLog& main_log, std::uint64_t since, const std::set<Digest>& brought_back,
                                           const std::vector<std::string>& block, UtcTime now) {
  return OwnWords(main_log, since, brought_back).behind(block, now);
}

}  // namespace greffe::archive
