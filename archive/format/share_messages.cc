#include "archive/format/share_messages.h"

#include <fmt/format.h>

#include "archive/format/canonical_json.h"
#include "archive/format/documents.h"
#include "archive/format/names.h"

namespace greffe {
namespace {

Json json_of(const LookedAt& looked_at) {
  Json::Object out;
  for (const auto& [archive, number] : looked_at) out.emplace(archive, number);
  return Json(std::move(out));
}

Result<LookedAt> looked_at_in(const Json& json) {
  const Json object = GREFFE_TRY(json.object("looked_at"));
  if (object.as_object()->size() > kLookedAtArchivesMax) return fail(Errc::invalid, fmt::format("\"looked_at\" names more than {} archives", kLookedAtArchivesMax));
  LookedAt out;
  for (const auto& [archive, number] : *object.as_object()) {
    if (!is_valid_archive_name(archive)) return fail(Errc::invalid, "\"looked_at\" has a name that is none of an archive");
    out[archive] = GREFFE_TRY(object.size(archive));
  }
  return out;
}

Result<ToldShare> told_share(const Json& json) {
  const std::string text = GREFFE_TRY(json.string("entry"));
  const MainEntry entry = GREFFE_TRY(parse_main_entry(text));
  const auto* share = std::get_if<ShareEntry>(&entry);
  if (share == nullptr || write_main_entry(entry) != text) return fail(Errc::invalid, "\"entry\" is no entry about a share");
  ToldShare out{*share, GREFFE_TRY(json.string("reason"))};
  if (out.reason.size() > kToldReasonBytesMax || sha256(as_bytes(out.reason)) != share->reason) return fail(Errc::invalid, "\"reason\" is not the one that the entry names");
  GREFFE_TRY(parse_note(out.reason));
  return out;
}

}  // namespace

std::string write_shares_question(const LookedAt& looked_at) { return write_json(Json().set("looked_at", json_of(looked_at))); }

Result<LookedAt> parse_shares_question(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  return looked_at_in(json);
}

std::string write_shares_told(const SharesTold& told) {
  Json::Array shares;
  for (const ToldShare& one : told.shares) {
    Json json;
    json.set("entry", write_main_entry(one.share)).set("reason", one.reason);
    shares.push_back(std::move(json));
  }
  return write_json(Json().set("looked_at", json_of(told.looked_at)).set("shares", std::move(shares)));
}

Result<SharesTold> parse_shares_told(std::string_view text) {
  const Json json = GREFFE_TRY(parse_json(text));
  SharesTold out;
  out.looked_at = GREFFE_TRY(looked_at_in(json));
  const Json::Array shares = GREFFE_TRY(json.array("shares"));
  if (shares.size() > kToldSharesMax) return fail(Errc::invalid, fmt::format("\"shares\" has more than {}", kToldSharesMax));
  for (const Json& one : shares) out.shares.push_back(GREFFE_TRY(told_share(one)));
  return out;
}

}  // namespace greffe
