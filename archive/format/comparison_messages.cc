#include "archive/format/comparison_messages.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/canonical_json.h"

namespace greffe {
namespace {

constexpr std::size_t kNameBytes = 16;
constexpr std::size_t kNumberBytes = 4;
constexpr std::size_t kDigestBytes = 32;

// What is short enough to be looked at; base64url takes four characters for three bytes.
constexpr std::size_t packed_length(std::size_t bytes) { return (bytes * 4 + 2) / 3; }

Result<Bytes> unpack(const Json& json, std::string_view key, std::size_t bytes_max) {
  const std::string text = GREFFE_TRY(json.string(key));
  if (text.size() > packed_length(bytes_max)) return fail(Errc::invalid, fmt::format("\"{}\" holds more than {} bytes", key, bytes_max));
  auto bytes = from_base64url(text);
  if (!bytes) return bytes.error().within(key);
  return bytes;
}

std::string pack_numbers(const std::vector<std::uint32_t>& numbers) {
  Bytes out;
  out.reserve(numbers.size() * kNumberBytes);
  for (const std::uint32_t number : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  return to_base64url(out);
}

// 1 to `count_max` numbers below `limit`, rising.
Result<std::vector<std::uint32_t>> unpack_numbers(const Json& json, std::string_view key, std::size_t count_max, std::uint32_t limit) {
  const Bytes bytes = GREFFE_TRY(unpack(json, key, count_max * kNumberBytes));
  if (bytes.empty() || bytes.size() % kNumberBytes != 0) return fail(Errc::invalid, fmt::format("\"{}\" is not one to {} numbers of four bytes", key, count_max));
  std::vector<std::uint32_t> out;
  out.reserve(bytes.size() / kNumberBytes);
  for (std::size_t at = 0; at < bytes.size(); at += kNumberBytes) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < kNumberBytes; ++i) number = number << 8 | bytes[at + i];
    if (number >= limit) return fail(Errc::invalid, fmt::format("\"{}\" names {}; they end at {}", key, number, limit));
    if (!out.empty() && number <= out.back()) return fail(Errc::invalid, fmt::format("\"{}\" does not rise", key));
    out.push_back(number);
  }
  return out;
}

std::string pack_digests(const std::vector<Digest>& digests) {
  Bytes out;
  out.reserve(digests.size() * kDigestBytes);
  for (const Digest& digest : digests) out.insert(out.end(), digest.bytes.begin(), digest.bytes.end());
  return to_base64url(out);
}

Result<std::vector<Digest>> unpack_digests(const Json& json, std::string_view key, std::size_t count_max) {
  const Bytes bytes = GREFFE_TRY(unpack(json, key, count_max * kDigestBytes));
  if (bytes.size() % kDigestBytes != 0) return fail(Errc::invalid, fmt::format("\"{}\" is cut within a digest", key));
  std::vector<Digest> out;
  out.reserve(bytes.size() / kDigestBytes);
  for (std::size_t at = 0; at < bytes.size(); at += kDigestBytes) {
    out.push_back(GREFFE_TRY(digest_from_bytes(ByteView(bytes).subspan(at, kDigestBytes))));
  }
  return out;
}

Result<std::string> name_in(const Json& json) {
  const std::string name = GREFFE_TRY(json.string("comparison"));
  const auto bytes = from_hex(name);
  if (!bytes || bytes->size() != kNameBytes) return fail(Errc::invalid, "\"comparison\" is not 32 hexadecimal digits");
  return name;
}

Json::Array hex_of(const std::vector<Digest>& digests) {
  Json::Array out;
  for (const Digest& digest : digests) out.emplace_back(digest);
  return out;
}

Result<std::vector<Digest>> digests_in(const Json& json, std::string_view key, std::size_t count_max) {
  const std::vector<std::string> texts = GREFFE_TRY(json.strings(key));
  if (texts.empty() || texts.size() > count_max) return fail(Errc::invalid, fmt::format("\"{}\" names {} objects; 1 to {} are allowed", key, texts.size(), count_max));
  std::vector<Digest> out;
  for (const std::string& text : texts) out.push_back(GREFFE_TRY(digest_from_hex(text)));
  return out;
}

}  // namespace

std::string make_comparison_name() {
  std::uint8_t draw[kNameBytes];
  fill_random(draw);
  return to_hex(draw);
}

std::string write_comparison_begin(const ComparisonBegin& begin) {
  return write_json(Json().set("comparison", begin.name).set("root", begin.root).set("size", begin.size));
}

Result<ComparisonBegin> parse_comparison_begin(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  ComparisonBegin out;
  out.name = GREFFE_TRY(name_in(json));
  out.size = GREFFE_TRY(json.size("size"));
  out.root = GREFFE_TRY(json.digest("root"));
  if (out.size == 0) return fail(Errc::invalid, "\"size\" is 0: there is nothing to compare");
  return out;
}

std::string write_comparison_state(const ComparisonState& state) {
  Json out;
  out.set("ready", state.ready);
  if (!state.ready) return write_json(out.set("done", state.done).set("total", state.total));
  return write_json(out.set("absent", state.absent).set("items", state.items).set("root", state.root));
}

Result<ComparisonState> parse_comparison_state(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  ComparisonState out;
  out.ready = GREFFE_TRY(json.boolean("ready"));
  if (!out.ready) {
    out.done = GREFFE_TRY(json.size("done"));
    out.total = GREFFE_TRY(json.size("total"));
    return out;
  }
  out.absent = GREFFE_TRY(json.size("absent"));
  out.items = GREFFE_TRY(json.size("items"));
  out.root = GREFFE_TRY(json.digest("root"));
  return out;
}

std::string write_nodes_question(const NodesQuestion& question) {
  Json out;
  out.set("comparison", question.name).set("level", std::uint64_t{question.level}).set("nodes", pack_numbers(question.nodes));
  return write_json(out);
}

Result<NodesQuestion> parse_nodes_question(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  NodesQuestion out;
  out.name = GREFFE_TRY(name_in(json));
  const std::uint64_t level = GREFFE_TRY(json.size("level"));
  if (level >= kComparisonLevels) return fail(Errc::invalid, fmt::format("\"level\" is {}; nodes with children are of level 0 to {}", level, kComparisonLevels - 1));
  out.level = static_cast<unsigned>(level);
  out.nodes = GREFFE_TRY(unpack_numbers(json, "nodes", kComparisonNodesMax, comparison_width(out.level)));
  return out;
}

std::string write_nodes_answer(const std::vector<Digest>& hashes) { return write_json(Json().set("hashes", pack_digests(hashes))); }

Result<std::vector<Digest>> parse_nodes_answer(std::string_view text, const NodesQuestion& question) {
  const Json json = GREFFE_TRY(parse_json(text));
  const std::size_t wanted = question.nodes.size() * kComparisonFan;
  std::vector<Digest> out = GREFFE_TRY(unpack_digests(json, "hashes", wanted));
  if (out.size() != wanted) return fail(Errc::invalid, fmt::format("\"hashes\" has {} of {} hashes", out.size(), wanted));
  return out;
}

std::string write_ids_question(const IdsQuestion& question) {
  Json out;
  out.set("comparison", question.name).set("leaves", pack_numbers(question.leaves));
  if (question.after) out.set("after", *question.after);
  return write_json(out);
}

Result<IdsQuestion> parse_ids_question(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  IdsQuestion out;
  out.name = GREFFE_TRY(name_in(json));
  out.leaves = GREFFE_TRY(unpack_numbers(json, "leaves", kComparisonLeavesMax, kComparisonLeaves));
  if (json.has("after")) out.after = GREFFE_TRY(json.digest("after"));
  return out;
}

std::string write_ids_answer(const IdsAnswer& answer) {
  return write_json(Json().set("ids", pack_digests(answer.ids)).set("more", answer.more));
}

Result<IdsAnswer> parse_ids_answer(std::string_view text, const IdsQuestion& question) {
  const Json json = GREFFE_TRY(parse_json(text));
  IdsAnswer out;
  out.more = GREFFE_TRY(json.boolean("more"));
  out.ids = GREFFE_TRY(unpack_digests(json, "ids", kComparisonIdsMax));
  if (out.more && out.ids.empty()) return fail(Errc::invalid, "\"more\" ids are said to follow, and none came");
  const Digest* before = question.after ? &*question.after : nullptr;
  for (const Digest& id : out.ids) {
    if (before != nullptr && !(*before < id)) return fail(Errc::invalid, "\"ids\" do not rise");
    if (!std::binary_search(question.leaves.begin(), question.leaves.end(), comparison_leaf(id))) return fail(Errc::invalid, "\"ids\" has one of a leaf that was not asked about");
    before = &id;
  }
  return out;
}

std::string write_challenge_question(const ChallengeQuestion& question) {
  return write_json(Json().set("comparison", question.name).set("nonce", question.nonce).set("objects", hex_of(question.objects)));
}

Result<ChallengeQuestion> parse_challenge_question(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  ChallengeQuestion out;
  out.name = GREFFE_TRY(name_in(json));
  out.nonce = GREFFE_TRY(json.digest("nonce"));
  out.objects = GREFFE_TRY(digests_in(json, "objects", kChallengedMax));
  return out;
}

std::string write_challenge_answer(const ChallengeAnswer& answer) {
  Json::Array list;
  for (const std::optional<Digest>& one : answer) list.emplace_back(one ? one->hex() : std::string());
  return write_json(Json().set("answers", std::move(list)));
}

Result<ChallengeAnswer> parse_challenge_answer(std::string_view text, const ChallengeQuestion& question) {
  const Json json = GREFFE_TRY(parse_json(text));
  const std::vector<std::string> texts = GREFFE_TRY(json.strings("answers"));
  if (texts.size() != question.objects.size()) return fail(Errc::invalid, fmt::format("\"answers\" has {} of {} answers", texts.size(), question.objects.size()));
  ChallengeAnswer out;
  for (const std::string& one : texts) {
    if (one.empty()) {
      out.emplace_back(std::nullopt);
    } else {
      out.emplace_back(GREFFE_TRY(digest_from_hex(one)));
    }
  }
  return out;
}

std::string write_absent_objects(const AbsentObjects& absent) {
  Json out;
  out.set("objects", hex_of(absent.objects));
  if (absent.hearing) out.set("hearing", absent.hearing->text());
  return write_json(out);
}

Result<AbsentObjects> parse_absent_objects(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  AbsentObjects out;
  if (json.has("hearing")) {
    const std::string hearing = GREFFE_TRY(json.string("hearing"));
    out.hearing = GREFFE_TRY(parse_hearing_id(hearing));
  }
  out.objects = GREFFE_TRY(digests_in(json, "objects", kAbsentMax));
  return out;
}

}  // namespace greffe
