#include "archive/format/promotion.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/base/bytes.h"
#include "archive/format/members.h"

namespace greffe {
namespace {

constexpr std::string_view kKind = "promotion";
constexpr std::string_view kEpoch = "/epoch/";

Result<Checkpoint> read_previous(const Json& json) {
  const Json previous = GREFFE_TRY(json.object("previous"));
  Checkpoint out;
  out.origin = GREFFE_TRY(previous.string("origin"));
  out.size = GREFFE_TRY(previous.size("size"));
  out.root = GREFFE_TRY(previous.digest("root"));
  if (out.size == 0) return fail(Errc::invalid, "\"previous\" must be a log with entries");
  return out;
}

Result<VerifierKey> read_holder(const Json& json) {
  const std::string text = GREFFE_TRY(json.string("holder"));
  VerifierKey out = GREFFE_TRY(parse_verifier_key(text));
  if (out.type != KeyType::cosignature_v1) return fail(Errc::invalid, "\"holder\" must be a cosigner's key (type 04)");
  return out;
}

}  // namespace

std::string epoch_origin(const EpochName& name) {
  return name.epoch == 1 ? name.archive : fmt::format("{}{}{}", name.archive, kEpoch, name.epoch);
}

Result<EpochName> parse_epoch_origin(std::string_view origin) {
  EpochName out;
  const std::size_t at = origin.find(kEpoch);
  out.archive = origin.substr(0, at);
  if (at != std::string_view::npos) {
    const auto number = parse_decimal(origin.substr(at + kEpoch.size()));
    if (!number || *number < 2 || *number > kEpochMax) return fail(Errc::invalid, "\"" + std::string(origin) + "\" names no epoch: the first has the archive's name");
    out.epoch = *number;
  }
  if (!is_valid_archive_name(out.archive)) return fail(Errc::invalid, "\"" + std::string(origin) + "\" is not the main log of an archive");
  return out;
}

// The first line is no origin of a log, as in lost_statement.
std::string promotion_statement(const PromotionEntry& entry) {
  return fmt::format("greffe promotes v1\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", entry.name.archive, entry.name.epoch, entry.previous.origin,
                     entry.previous.size, entry.previous.root.hex(), entry.log_verifier().text(), entry.holder.text(), entry.machine_url,
                     entry.machine_key.hex());
}

Json to_json(const PromotionEntry& entry) {
  Json previous;
  previous.set("origin", entry.previous.origin).set("root", entry.previous.root).set("size", entry.previous.size);
  Json out;
  out.set("archive", entry.name.archive).set("epoch", entry.name.epoch).set("holder", entry.holder.text()).set("kind", kKind);
  out.set("log_key", entry.log_key.hex()).set("machine_key", entry.machine_key.hex()).set("machine_url", entry.machine_url);
  out.set("officers", list_of(entry.officers)).set("previous", std::move(previous)).set("signatures", signature_list(entry.signatures));
  out.set("utc", entry.utc).set("v", kEntryVersion);
  return out;
}

std::string write_promotion(const PromotionEntry& entry) { return write_json(to_json(entry)); }

Result<PromotionEntry> parse_promotion(std::string_view bytes) {
  const RawEntry raw = GREFFE_TRY(read_raw_entry(bytes));
  if (raw.kind != kKind || raw.version != kEntryVersion) return fail(Errc::invalid, "this is not a promotion of version 1");
  return read_promotion(raw.json);
}

Result<PromotionEntry> read_promotion(const Json& json) {
  PromotionEntry out;
  out.name.archive = GREFFE_TRY(archive_name_member(json, "archive"));
  out.name.epoch = GREFFE_TRY(json.size("epoch"));
  if (out.name.epoch < 2 || out.name.epoch > kEpochMax) return fail(Errc::invalid, "\"epoch\" must be 2 or more");
  out.previous = GREFFE_TRY(read_previous(json));
  if (out.previous.origin != epoch_origin({out.name.archive, out.name.epoch - 1})) {
    return fail(Errc::invalid, "\"previous\" must be the epoch before this one");
  }
  out.log_key = GREFFE_TRY(key_member(json, "log_key"));
  out.holder = GREFFE_TRY(read_holder(json));
  out.machine_url = GREFFE_TRY(json.string("machine_url"));
  if (!is_https_origin(out.machine_url)) return fail(Errc::invalid, "\"machine_url\" must be https:// with host and port");
  out.machine_key = GREFFE_TRY(key_member(json, "machine_key"));
  out.officers = GREFFE_TRY(name_list_member(json, "officers"));
  out.signatures = GREFFE_TRY(signatures_member(json, "signatures"));
  if (out.signatures.size() != out.officers.size()) {
    return fail(Errc::invalid, "\"signatures\" must be one of each of the \"officers\", in their order");
  }
  out.utc = GREFFE_TRY(json.utc("utc"));
  return out;
}

}  // namespace greffe
