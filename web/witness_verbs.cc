#include "web/witness_verbs.h"

#include <fmt/format.h>

#include "archive/base/progress.h"
#include "archive/format/witness_messages.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kMaxAuthoritiesBytes = 100 * 1024;

Result<int> said(const WitnessVerbs& verbs, const Json& answer, const std::string& words) {
  fmt::print("{}\n", verbs.json ? write_json(answer) : words);
  return kExitDone;
}

Result<std::string> read_text(WitnessVerbs& verbs, const std::string& path, std::uint64_t limit) {
  const Bytes bytes = GREFFE_TRY(verbs.files.read_file(path, limit));
  return std::string(as_text(bytes));
}

// ---- who witnesses this archive ----

Result<int> add_witness(WitnessVerbs& verbs) {
  Json arguments;
  arguments.set("vkey", verbs.vkey);
  if (!verbs.url.empty()) arguments.set("url", verbs.url);
  if (!verbs.monitoring.empty()) arguments.set("monitoring", verbs.monitoring);
  if (!verbs.authorities_file.empty()) arguments.set("authorities", GREFFE_TRY(read_text(verbs, verbs.authorities_file, kMaxAuthoritiesBytes)));
  if (!verbs.server_key.empty()) arguments.set("server_key", verbs.server_key);
  const Json answer = GREFFE_TRY(verbs.ask("witness-add", arguments));
  const std::string name = GREFFE_TRY(answer.string("name"));
  return said(verbs, answer, verbs.url.empty() ? name + " is a witness of this archive, reached by hand: witness request, and then witness take."
                                               : name + " is asked to cosign the main log from now on.");
}

Result<int> remove_witness(const WitnessVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("witness-remove", Json().set("name", verbs.name)));
  return said(verbs, answer, verbs.name + " is not asked any more; what it has cosigned stays good.");
}

std::string line_of(const Json& witness) {
  const auto size = witness.size("size");
  const auto silent = witness.integer("silent_ms");
  const auto utc = witness.string("utc");
  const auto problem = witness.string("problem");
  const std::string cosigned = utc ? fmt::format("has cosigned {} entries, at {}", size ? *size : 0, *utc) : std::string("has cosigned nothing yet");
  return fmt::format("{}{}{}", cosigned, witness.has("url") ? "" : ", by hand", problem && silent ? fmt::format("; for {}: {}", human_duration(*silent / 1000), *problem) : "");
}

Result<int> list_witnesses(const WitnessVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("witness-list", Json()));
  if (verbs.json) return said(verbs, answer, "");
  const Json::Array witnesses = GREFFE_TRY(answer.array("witnesses"));
  for (const Json& one : witnesses) fmt::print("{} {}\n", GREFFE_TRY(one.string("name")), line_of(one));
  return kExitDone;
}

Result<int> make_request(WitnessVerbs& verbs) {
  Json arguments;
  arguments.set("name", verbs.name);
  if (verbs.old_size >= 0) arguments.set("old", verbs.old_size);
  const Json answer = GREFFE_TRY(verbs.ask("witness-request", arguments));
  const std::string text = GREFFE_TRY(answer.string("request"));
  GREFFE_TRY(verbs.files.replace(verbs.out_file, as_bytes(text), 0644));
  return said(verbs, answer, "The request is in " + verbs.out_file + ": carry it to " + verbs.name + ", have it signed (witness sign), and bring back what that writes.");
}

Result<int> take_cosigned(WitnessVerbs& verbs) {
  const std::string text = GREFFE_TRY(read_text(verbs, verbs.in_file, kMaxNoteBytes));
  const Json answer = GREFFE_TRY(verbs.ask("witness-take", Json().set("checkpoint", text)));
  return said(verbs, answer, fmt::format("{} entries of the main log are cosigned.", GREFFE_TRY(answer.size("size"))));
}

// ---- whom this archive witnesses ----

Result<int> show_key(const WitnessVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("witness-key", Json()));
  return said(verbs, answer, GREFFE_TRY(answer.string("vkey")));
}

Result<int> add_log(const WitnessVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("witness-add-log", Json().set("vkey", verbs.vkey)));
  return said(verbs, answer, "This archive cosigns " + GREFFE_TRY(answer.string("origin")) + " from now on, when it is asked and nothing of it was taken back.");
}

Result<int> remove_log(const WitnessVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("witness-remove-log", Json().set("origin", verbs.origin)));
  return said(verbs, answer, verbs.origin + " is not cosigned any more. What was cosigned is remembered, for when it is added again.");
}

Result<int> list_logs(const WitnessVerbs& verbs) {
  const Json answer = GREFFE_TRY(verbs.ask("witness-logs", Json()));
  if (verbs.json) return said(verbs, answer, "");
  fmt::print("{:<44} {:>14}  {}\n", "LOG", "COSIGNED", "AT");
  const Json::Array logs = GREFFE_TRY(answer.array("logs"));
  for (const Json& one : logs) {
    const auto utc = one.string("utc");
    fmt::print("{:<44} {:>14}  {}\n", GREFFE_TRY(one.string("origin")), GREFFE_TRY(one.string("size")), utc ? *utc : "-");
  }
  return kExitDone;
}

Result<int> sign_request(WitnessVerbs& verbs) {
  const std::string text = GREFFE_TRY(read_text(verbs, verbs.in_file, kMaxAddCheckpointBytes));
  const Json answer = GREFFE_TRY(verbs.ask("witness-sign", Json().set("request", text)));
  const std::string outcome = GREFFE_TRY(answer.string("outcome"));
  const std::string detail = GREFFE_TRY(answer.string("detail"));
  const auto checkpoint = answer.string("checkpoint");
  if (checkpoint) GREFFE_TRY(verbs.files.replace(verbs.out_file, as_bytes(*checkpoint), 0644));
  if (outcome == "cosigned") return said(verbs, answer, "Cosigned: carry " + verbs.out_file + " back; there, witness take reads it.");
  const std::string held = checkpoint ? " What this witness has cosigned is in " + verbs.out_file + ": carry that back, there witness take reads it." : std::string();
  GREFFE_TRY(said(verbs, answer, "NOT COSIGNED: " + detail + "." + held));
  return kExitFound;
}

}  // namespace

Status print_witnesses(const Json& log) {
  if (!log.has("witnesses")) return ok();
  const Json::Array witnesses = GREFFE_TRY(log.array("witnesses"));
  for (const Json& one : witnesses) fmt::print("Witness {}: {}\n", GREFFE_TRY(one.string("name")), line_of(one));
  return ok();
}

void WitnessVerbs::define(CommandLine& line) {
  Verb& witness = line.verb("witness", "those who cosign this archive's main log: add, list, remove, request, take; and logs that this archive cosigns: "
                                       "key, add-log, logs, remove-log, sign");
  witness.verb("add", "have the main log cosigned by a witness (C2SP tlog-witness)").required("--vkey", vkey, "its key, type 04", "VKEY")
      .option("--url", url, "where it is asked, its submission prefix; none: it is reached by hand", "URL")
      .option("--monitoring", monitoring, "where what it has cosigned is read, if that is another prefix", "URL")
      .option("--ca-file", authorities_file, "authorities that vouch for its server, instead of the system's (PEM)", "FILE")
      .option("--server-key", server_key, "instead: SHA-256 of its server's public key (SubjectPublicKeyInfo), 64 hexadecimal digits", "SHA256")
      .json(json).body([this] { return add_witness(*this); });
  witness.verb("list", "the witnesses, what they have cosigned, and since when they do not").json(json).body([this] { return list_witnesses(*this); });
  witness.verb("remove", "ask a witness no more").required("--name", name, "the witness", "NAME").json(json).body([this] { return remove_witness(*this); });
  witness.verb("request", "write a file for a witness that is reached by hand").required("--name", name, "the witness", "NAME")
      .required("--out", out_file, "write the request here", "FILE").option("--old", old_size, "what it cosigned last, if this archive does not know", "N")
      .json(json).body([this] { return make_request(*this); });
  witness.verb("take", "take the file that a witness has signed").required("FILE", in_file, "what its witness sign wrote", "FILE").json(json)
      .body([this] { return take_cosigned(*this); });
  witness.verb("key", "the key with which this archive cosigns other logs; made when it is first asked for").json(json).body([this] { return show_key(*this); });
  witness.verb("add-log", "cosign another log from now on").required("--vkey", vkey, "the key that signs it, type 01; its name is the log's origin", "VKEY")
      .json(json).body([this] { return add_log(*this); });
  witness.verb("logs", "the logs that this archive cosigns").json(json).body([this] { return list_logs(*this); });
  witness.verb("remove-log", "cosign a log no more").required("--origin", origin, "the log", "ORIGIN").json(json).body([this] { return remove_log(*this); });
  witness.verb("sign", "cosign what was brought in a file").required("FILE", in_file, "what witness request wrote at the other archive", "FILE")
      .required("--out", out_file, "write the cosigned checkpoint here, to be carried back", "FILE").json(json).body([this] { return sign_request(*this); });
}

}  // namespace greffe::web
