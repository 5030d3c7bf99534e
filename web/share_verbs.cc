#include "web/share_verbs.h"

#include <fmt/format.h>

#include "archive/base/clock.h"

namespace greffe::web {
namespace {

// A moment, or a day: then to its end.
Result<UtcTime> parse_until(const std::string& text) {
  const auto moment = parse_utc(text);
  if (moment) return moment;
  const auto day = parse_utc(text + "T23:59:59.999Z");
  if (day) return day;
  return fail(Errc::invalid, "--until must be a day like 2026-12-31 or a time like 2026-12-31T17:00:00.000Z, in UTC");
}

std::string counterpart_words(const Json& share) {
  const std::string court = *share.string("court");
  const std::string counterpart = *share.string("counterpart");
  if (counterpart == "missing") return "\n  The log of the archive of " + court + " does not have this yet.";
  if (counterpart == "unknown") return "\n  Not seen from here: whether the log of the archive of " + court + " has this as well. It is filed there by itself where one site holds the copies of both.";
  return {};
}

std::string share_words(const Json& share) {
  const auto until = share.string("until");
  std::string out = fmt::format("{} {} {} {} since {}{}", *share.string("hearing"), *share.string("state"), *share.string("court"), *share.string("account_name"),
                                *share.string("utc"), until ? " until " + *until : std::string());
  if (share.has("revoked")) out += ", ended " + *share.find("revoked")->string("utc");
  return out + counterpart_words(share);
}

Result<int> show_shares(const ShareVerb& verb) {
  Json arguments;
  if (!verb.hearing.empty()) arguments.set("hearing", verb.hearing);
  const Json answer = GREFFE_TRY(verb.ask("share-list", arguments));
  if (verb.json) {
    fmt::print("{}\n", write_json(answer));
    return kExitDone;
  }
  const Json::Array shares = GREFFE_TRY(answer.array("shares"));
  for (const Json& one : shares) fmt::print("{}\n", share_words(one));
  return kExitDone;
}

Result<int> share(const ShareVerb& verb) {
  if (verb.list) return show_shares(verb);
  if (verb.hearing.empty() || verb.court.empty() || verb.reason.empty()) {
    return fail(Errc::invalid, "say which hearing, with which court, and --reason; or --list");
  }
  Json arguments;
  arguments.set("court", verb.court).set("hearing", verb.hearing).set("reason", verb.reason);
  if (!verb.until.empty()) arguments.set("until", GREFFE_TRY(parse_until(verb.until)));
  const Json answer = GREFFE_TRY(verb.ask(verb.revoke ? "share-revoke" : "share", arguments));
  if (verb.json) {
    fmt::print("{}\n", write_json(answer));
    return kExitDone;
  }
  fmt::print("{}\n", verb.revoke ? "The people of " + verb.court + " do not see the hearing any more." : "The people of " + verb.court + " may see the hearing from now on.");
  const Json::Array shares = GREFFE_TRY(answer.array("shares"));
  for (const Json& one : shares) fmt::print("{}\n", share_words(one));
  return kExitDone;
}

}  // namespace

void ShareVerb::define(CommandLine& line) {
  line.verb("share", "let another court see a hearing, without a copy; end that; or list it")
      .option("HEARING", hearing, "its id; with --list: only this one", "HEARING")
      .option("COURT", court, "a court of this archive, or of another: ARCHIVE/COURT", "COURT")
      .option("--reason", reason, "why; kept as a document", "TEXT")
      .option("--until", until, "it ends by itself: a day, to its end, or a time, in UTC", "TIME")
      .flag("--revoke", revoke, "end it at once").flag("--list", list, "show what is shared with whom, the newest first").json(json)
      .body([this] { return share(*this); });
}

}  // namespace greffe::web
