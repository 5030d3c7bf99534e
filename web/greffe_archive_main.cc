// greffe-archive: the archive core and its pages.
#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "archive/archive_keys.h"
#include "archive/base/command_line.h"
#include "archive/base/log.h"
#include "archive/base/progress.h"
#include "archive/client/control_client.h"
#include "archive/format/policy.h"
#include "archive/settings.h"
#include "web/ahead_verb.h"
#include "web/hand_over.h"
#include "web/init_archive.h"
#include "web/migrate_verb.h"
#include "web/officer_verbs.h"
#include "web/offline_verbs.h"
#include "web/promotion.h"
#include "web/rejoin.h"
#include "web/serve.h"
#include "web/share_verbs.h"
#include "web/site_verbs.h"
#include "web/volume_verbs.h"
#include "web/witness_verbs.h"

namespace {

using greffe::Errc;
using greffe::fail;
using greffe::Json;
using greffe::kExitDone;
using greffe::Result;
using greffe::Status;
using greffe::archive::Settings;

constexpr std::uint64_t kMaxPasswordFileBytes = 4096;
constexpr std::uint64_t kMaxBackupBytes = 1024 * 1024;

struct Arguments {
  mutable greffe::PosixFileSystem files;  // stateless
  std::string config = "/etc/greffe/archive.toml";
  bool json = false;
  bool renew = false;
  bool accept_head = false;
  bool all_courts = false;
  bool repair = false;
  bool finish = false;
  bool with_witnesses = false;
  greffe::web::InitOptions init;
  greffe::web::SiteVerbs sites;
  greffe::web::PromotionVerb promotion;
  greffe::web::RejoinVerb rejoining;
  greffe::web::HandOverVerb handing_over;
  greffe::web::WitnessVerbs witnesses;
  greffe::web::ShareVerb share;
  greffe::web::VolumeVerbs volumes;
  std::string name, court, room, zone, why, display, language = "en", label, vkey;
  std::string en, fr, zh;
  std::vector<std::string> roles, courts;
  std::string key, key_file, statement_file;
  std::vector<std::string> objects, signatures;
  std::string code_file, password_file, out_file, recovery_code_file, backup_file, hearing, directory;
  std::int64_t days = 365;
};

Result<Settings> settings_of(const Arguments& a) { return greffe::archive::load_settings(a.files, a.config); }

Result<Json> ask(const Arguments& a, const std::string& verb, const Json& arguments) {
  const Settings settings = GREFFE_TRY(settings_of(a));
  return greffe::client::ask_service({settings.control_socket, "the archive", "greffe-archive serve"}, verb, arguments);
}

// A secret goes into a file of mode 0600, never onto the terminal's history of arguments.
Status write_secret(const Arguments& a, const std::string& path, const std::string& secret) {
  return a.files.replace(path, greffe::as_bytes(secret + "\n"), 0600);
}

Result<std::string> read_line(const Arguments& a, const std::string& path) {
  const greffe::Bytes bytes = GREFFE_TRY(a.files.read_file(path, kMaxPasswordFileBytes));
  std::string text(greffe::as_text(bytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

Result<int> done(const Json& answer, bool json, const std::string& words) {
  if (json) {
    fmt::print("{}\n", greffe::write_json(answer));
  } else if (!words.empty()) {
    fmt::print("{}\n", words);
  }
  return kExitDone;
}

Result<int> deliver_code(const Arguments& a, const Json& answer) {
  const std::string code = GREFFE_TRY(answer.string("code"));
  if (a.code_file.empty()) {
    fmt::print("{}\n", code);
    return kExitDone;
  }
  GREFFE_TRY(write_secret(a, a.code_file, code));
  fmt::print("The one-time code is in {}; it is good for 24 hours.\n", a.code_file);
  return kExitDone;
}

// ---- verbs ----

Result<int> init(const Arguments& a) {
  const greffe::web::Initialised made = GREFFE_TRY(greffe::web::init_archive(a.init));
  fmt::print("The archive {} is ready: {}\n", a.init.name, made.config_path);
  if (!made.pool_words.empty()) fmt::print("{}\n", made.pool_words);
  fmt::print("Its keys are backed up, encrypted, in {}: keep a copy in another building.\n", made.backup_path);
  if (a.recovery_code_file.empty()) {
    fmt::print("Recovery code, shown only now; write it down and keep it apart from the backup:\n\n  {}\n\n", made.recovery_code);
  } else {
    GREFFE_TRY(write_secret(a, a.recovery_code_file, made.recovery_code));
    fmt::print("The recovery code is in {}: print it, keep it apart from the backup, delete the file.\n", a.recovery_code_file);
  }
  fmt::print("Start it with: greffe-archive --config {} serve\n", made.config_path);
  return kExitDone;
}

Result<int> join_archive(const Arguments& a) {
  const greffe::Bytes backup = GREFFE_TRY(a.files.read_file(a.backup_file, kMaxBackupBytes));
  const std::string code = GREFFE_TRY(read_line(a, a.recovery_code_file));
  const std::string config = GREFFE_TRY(greffe::web::join_archive(a.init, greffe::as_text(backup), code));
  fmt::print("This machine can take its turn at the archive: {}\n", config);
  fmt::print("Name all its machines in `nodes` of each one's archive.toml, then start it with: greffe-archive --config {} serve\n", config);
  return kExitDone;
}

Result<int> serve(const Arguments& a) {
  const Settings settings = GREFFE_TRY(settings_of(a));
  GREFFE_TRY(greffe::web::serve(settings, a.accept_head));
  return kExitDone;
}

Result<int> station_add(const Arguments& a) {
  Json arguments;
  arguments.set("court", a.court).set("name", a.name).set("room", a.room);
  const Json answer = GREFFE_TRY(ask(a, "station-add", arguments));
  return deliver_code(a, answer);
}

Result<int> station_renew(const Arguments& a) {
  Json arguments;
  arguments.set("name", a.name);
  const Json answer = GREFFE_TRY(ask(a, "station-renew", arguments));
  return deliver_code(a, answer);
}

Result<int> station_list(const Arguments& a) {
  const Json answer = GREFFE_TRY(ask(a, "station-list", Json()));
  if (a.json) return done(answer, true, "");
  fmt::print("{:<20} {:<16} {:<16} {:<10} {}\n", "STATION", "COURT", "ROOM", "STATE", "LAST RECEIPT");
  const Json::Array stations = GREFFE_TRY(answer.array("stations"));
  for (const Json& s : stations) {
    const auto last = s.string("last_receipt");
    fmt::print("{:<20} {:<16} {:<16} {:<10} {}\n", *s.string("name"), *s.string("court"), *s.string("room"), *s.string("state"),
               last ? *last : "-");
  }
  return kExitDone;
}

Result<int> station_revoke(const Arguments& a) {
  Json arguments;
  arguments.set("name", a.name).set("why", a.why);
  const Json answer = GREFFE_TRY(ask(a, "station-revoke", arguments));
  return done(answer, a.json, "The key of station " + a.name + " is revoked. What it recorded before stays valid.");
}

Result<int> user_add(const Arguments& a) {
  Json arguments;
  Json::Array roles(a.roles.begin(), a.roles.end());
  Json::Array courts(a.courts.begin(), a.courts.end());
  const std::string password = GREFFE_TRY(read_line(a, a.password_file));
  arguments.set("all_courts", a.all_courts).set("courts", std::move(courts)).set("display", a.display);
  arguments.set("language", a.language).set("name", a.name).set("password", password).set("roles", std::move(roles));
  const Json answer = GREFFE_TRY(ask(a, "user-add", arguments));
  return done(answer, a.json, "The account " + a.name + " is ready.");
}

Result<int> user_list(const Arguments& a) {
  const Json answer = GREFFE_TRY(ask(a, "user-list", Json()));
  if (a.json) return done(answer, true, "");
  fmt::print("{:<16} {:<28} {:<24} {}\n", "ACCOUNT", "NAME", "ROLES", "COURTS");
  const Json::Array accounts = GREFFE_TRY(answer.array("accounts"));
  for (const Json& account : accounts) {
    const std::vector<std::string> roles = GREFFE_TRY(account.strings("roles"));
    const std::vector<std::string> courts = GREFFE_TRY(account.strings("courts"));
    const bool all = GREFFE_TRY(account.boolean("all_courts"));
    fmt::print("{:<16} {:<28} {:<24} {}\n", *account.string("account"), *account.string("name"), fmt::join(roles, ","),
               all ? std::string("all") : fmt::format("{}", fmt::join(courts, ",")));
  }
  return kExitDone;
}

Result<int> user_token(const Arguments& a) {
  Json arguments;
  arguments.set("days", a.days).set("label", a.label).set("name", a.name);
  const Json answer = GREFFE_TRY(ask(a, "user-token", arguments));
  const std::string secret = GREFFE_TRY(answer.string("secret"));
  GREFFE_TRY(write_secret(a, a.out_file, secret));
  fmt::print("The token is in {}; it is good until {}.\n", a.out_file, *answer.string("expires"));
  return kExitDone;
}

Result<int> user_password(const Arguments& a) {
  Json arguments;
  const std::string password = GREFFE_TRY(read_line(a, a.password_file));
  arguments.set("name", a.name).set("password", password);
  const Json answer = GREFFE_TRY(ask(a, "user-password", arguments));
  return done(answer, a.json, "The password of " + a.name + " is changed; its sessions have ended.");
}

Result<int> place_set(const Arguments& a) {
  Json names;
  if (!a.en.empty()) names.set("en", a.en);
  if (!a.fr.empty()) names.set("fr", a.fr);
  if (!a.zh.empty()) names.set("zh", a.zh);
  Json arguments;
  arguments.set("court", a.court).set("names", std::move(names));
  if (!a.room.empty()) arguments.set("room", a.room);
  if (!a.zone.empty()) arguments.set("zone", a.zone);
  const Json answer = GREFFE_TRY(ask(a, "place-set", arguments));
  return done(answer, a.json, "The display names are set.");
}

Result<int> origin_add(const Arguments& a) {
  Json arguments;
  arguments.set("log_vkey", a.vkey).set("name", a.name).set("renew", a.renew);
  const Json answer = GREFFE_TRY(ask(a, "origin-add", arguments));
  return deliver_code(a, answer);
}

Result<int> cosigner_add(const Arguments& a) {
  Json arguments;
  arguments.set("renew", a.renew).set("vkey", a.vkey);
  const Json answer = GREFFE_TRY(ask(a, "cosigner-add", arguments));
  return deliver_code(a, answer);
}

// "hearing X, stream Y, 10.0 s from T: no good replica is left of …", or what is known.
std::string lost_words(const Json& one) {
  const auto hearing = one.string("hearing");
  const auto stream = one.string("stream");
  std::string where = hearing ? "hearing " + *hearing + ": " : std::string();
  if (hearing && stream) {
    where = fmt::format("hearing {}, stream {}, {:.1f} s from {}: ", *hearing, *stream, static_cast<double>(*one.integer("ms")) / 1000, *one.string("utc"));
  }
  return where + *one.string("problem");
}

// How far the reading of each volume is, and what is lost.
Status print_scrubbing(const Json& answer) {
  const Json scrubbing = GREFFE_TRY(answer.object("scrubbing"));
  const bool by_service = GREFFE_TRY(scrubbing.boolean("by_service"));
  const Json::Array lost = GREFFE_TRY(scrubbing.array("lost_objects"));
  for (const Json& one : lost) fmt::print("LOST: {}\n", lost_words(one));
  if (by_service) {
    fmt::print("The storage service reads its disks itself (for Ceph: deep scrub).\n");
    return greffe::ok();
  }
  const Json::Array volumes = GREFFE_TRY(scrubbing.array("volumes"));
  for (const Json& one : volumes) {
    const auto ends = one.string("ends");
    const auto oldest = one.string("oldest");
    fmt::print("Volume {}: {} % of it read since {}{}{}\n", *one.string("path"), *one.integer("percent"), *one.string("began"),
               ends ? ", the rest by " + *ends : std::string(), oldest ? "; nothing on it was last read before " + *oldest : std::string());
  }
  return greffe::ok();
}

Result<int> status(const Arguments& a) {
  const Json answer = GREFFE_TRY(ask(a, "status", Json()));
  if (a.json) return done(answer, true, "");
  const Json node = GREFFE_TRY(answer.object("node"));
  if (!GREFFE_TRY(node.boolean("writes"))) {
    const auto writer = node.string("writer");
    fmt::print("This machine waits for its turn; {}.\n", writer ? *writer + " writes" : "no machine writes at the moment");
    return kExitDone;
  }
  const Json::Array reasons = GREFFE_TRY(answer.array("reasons"));
  if (reasons.empty()) fmt::print("All is well.\n");
  for (const Json& reason : reasons) fmt::print("{}\n  -> {}\n", *reason.string("what"), *reason.string("todo"));
  const Json log = GREFFE_TRY(answer.object("log"));
  fmt::print("Main log: {} entries, root {}\n", *log.integer("size"), *log.string("root"));
  GREFFE_TRY(greffe::web::print_witnesses(log));
  greffe::web::print_ahead(answer);
  GREFFE_TRY(print_scrubbing(answer));
  return kExitDone;
}

// A bar on the terminal while the archive reads.
class ScrubBar {
 public:
  explicit ScrubBar(const Arguments& a) : bar_(clock_, "reading all volumes", 0, greffe::ProgressUnit::bytes) {
    if (bar_.draws()) asker_ = std::jthread([this, &a](const std::stop_token& stop) { run(a, stop); });
  }

 private:
  void run(const Arguments& a, const std::stop_token& stop) {
    greffe::name_thread("gr-bar");
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, std::chrono::seconds(1), [&stop] { return stop.stop_requested(); })) {
      const auto answer = ask(a, "status", Json());
      const auto scrubbing = answer ? answer->object("scrubbing") : Result<Json>(answer.error());
      const auto bytes = scrubbing ? scrubbing->size("asked_bytes") : Result<std::uint64_t>(scrubbing.error());
      const auto permille = scrubbing ? scrubbing->size("asked_permille") : Result<std::uint64_t>(scrubbing.error());
      if (bytes && permille) bar_.show(*bytes, *permille == 0 ? 0 : *bytes * 1000 / *permille);
    }
  }

  greffe::SystemClock clock_;
  greffe::Progress bar_;
  std::jthread asker_;  // last: it uses the bar
};

Result<int> scrub(const Arguments& a) {
  std::optional<ScrubBar> bar(std::in_place, a);
  const auto asked = ask(a, "scrub", Json());
  bar.reset();
  const Json answer = GREFFE_TRY(asked);
  const std::int64_t failures = GREFFE_TRY(answer.integer("failures"));
  const Json::Array unrepaired = GREFFE_TRY(answer.array("unrepaired"));
  std::string words = fmt::format("{} copies of objects and {} logs were read; {} copies were missing or damaged, {} were rewritten from good ones",
                                  *answer.integer("objects"), *answer.integer("logs"), failures, *answer.integer("repaired"));
  for (const Json& one : unrepaired) words += "\nNOT REPAIRED: " + lost_words(one);
  const std::vector<std::string> not_read = GREFFE_TRY(answer.strings("not_read"));
  for (const std::string& path : not_read) words += "\nNot read, because it is not there: volume " + path;
  GREFFE_TRY(done(answer, a.json, words));
  return unrepaired.empty() ? kExitDone : greffe::kExitFound;
}

Result<int> keys(const Arguments& a) {
  const Settings settings = GREFFE_TRY(settings_of(a));
  const greffe::archive::ArchiveKeys held = GREFFE_TRY(greffe::archive::load_archive_keys(a.files, settings.state_directory));
  Json out;
  out.set("holder_vkey", greffe::archive::holder_verifier(greffe::archive::origin_of(settings), held.holder.public_key()).text());
  out.set("log_vkey", greffe::archive::log_verifier(greffe::archive::origin_of(settings), held.log.public_key()).text()).set("origin", greffe::archive::origin_of(settings));
  return done(out, a.json, fmt::format("log    {}\nholder {}", *out.string("log_vkey"), *out.string("holder_vkey")));
}

Result<int> restore_keys(const Arguments& a) {
  const greffe::Bytes backup = GREFFE_TRY(a.files.read_file(a.backup_file, kMaxBackupBytes));
  const std::string code = GREFFE_TRY(read_line(a, a.recovery_code_file));
  GREFFE_TRY(a.files.make_directories(a.directory));
  GREFFE_TRY(greffe::archive::restore_keys(a.files, a.directory, greffe::as_text(backup), code));
  fmt::print("The keys are in {}/keys.\n", a.directory);
  return kExitDone;
}

Result<int> officer_key(const Arguments& a) {
  fmt::print("{}\n", GREFFE_TRY(greffe::web::make_officer_key(a.files, a.out_file)));
  return kExitDone;
}

Result<int> officer_sign(const Arguments& a) {
  const std::string statement = GREFFE_TRY(greffe::web::sign_statement(a.files, a.name, a.key_file, a.statement_file, a.out_file));
  fmt::print("{}signed by {}: {}\n", statement, a.name, a.out_file);
  return kExitDone;
}

Result<int> officer_add(const Arguments& a) {
  Json arguments;
  arguments.set("key", a.key).set("name", a.name);
  const Json answer = GREFFE_TRY(ask(a, "officer-add", arguments));
  return done(answer, a.json, a.name + " is an officer of this archive from now on.");
}

Result<int> officer_list(const Arguments& a) {
  const Json answer = GREFFE_TRY(ask(a, "officer-list", Json()));
  if (a.json) return done(answer, true, "");
  const Json::Array officers = GREFFE_TRY(answer.array("officers"));
  for (const Json& one : officers) {
    const auto revoked = one.string("revoked");
    fmt::print("{:<20} {} {}\n", *one.string("name"), *one.string("key"), revoked ? "revoked " + *revoked : std::string());
  }
  return kExitDone;
}

Result<int> officer_revoke(const Arguments& a) {
  Json arguments;
  arguments.set("name", a.name).set("why", a.why);
  const Json answer = GREFFE_TRY(ask(a, "officer-revoke", arguments));
  return done(answer, a.json, "The key of the officer " + a.name + " is revoked. What it signed before stays valid.");
}

// Without signatures: the statement that two officers sign.
Result<int> declare_lost(const Arguments& a) {
  Json arguments;
  Json::Array objects(a.objects.begin(), a.objects.end());
  arguments.set("objects", std::move(objects));
  if (!a.hearing.empty()) arguments.set("hearing", a.hearing);
  if (a.signatures.empty()) {
    const Json answer = GREFFE_TRY(ask(a, "lost-statement", arguments));
    fmt::print("{}", GREFFE_TRY(answer.string("statement")));
    return kExitDone;
  }
  Json::Array signatures;
  for (const std::string& path : a.signatures) signatures.push_back(GREFFE_TRY(greffe::web::read_officer_signature(a.files, path)));
  arguments.set("signatures", std::move(signatures));
  const Json answer = GREFFE_TRY(ask(a, "declare-lost", arguments));
  return done(answer, a.json, "It is in the main log that these objects are lost; nothing waits for them any more.");
}

void define_officer_verbs(greffe::CommandLine& line, Arguments& a) {
  auto& officer = line.verb("officer", "people whose signatures declare what is lost: key, add, list, revoke, sign");
  officer.verb("key", "make an officer's private key, on a machine of his own, and print the public one")
      .required("--out", a.out_file, "the file of the private key (mode 0600)", "FILE").body([&a] { return officer_key(a); });
  officer.verb("add", "name an officer in the main log").required("--name", a.name, "the officer's name", "NAME")
      .required("--key", a.key, "the public key, 64 hexadecimal digits", "KEY").json(a.json).body([&a] { return officer_add(a); });
  officer.verb("list", "all officers").json(a.json).body([&a] { return officer_list(a); });
  officer.verb("revoke", "end an officer's key").required("--name", a.name, "the officer", "NAME")
      .required("--why", a.why, "retired or stolen", "WHY").json(a.json).body([&a] { return officer_revoke(a); });
  officer.verb("sign", "sign what is to be declared lost, or a promotion; needs no archive").required("--name", a.name, "the officer's name", "NAME")
      .required("--key-file", a.key_file, "the officer's private key", "FILE")
      .required("--statement", a.statement_file, "what declare-lost printed", "FILE")
      .required("--out", a.out_file, "write the signature here", "FILE").body([&a] { return officer_sign(a); });
  line.verb("declare-lost", "let the log go on without objects that no site has any more, by two officers; without signatures: print what they sign")
      .required("--object", a.objects, "the SHA-256 of an object that is lost; may repeat", "SHA256")
      .option("--hearing", a.hearing, "the hearing that names it; none: only the main log does", "HEARING")
      .option("--signature", a.signatures, "an officer's signature, as `officer sign` wrote it; may repeat", "FILE")
      .json(a.json).body([&a] { return declare_lost(a); });
}

constexpr const char* kRenewHelp = "for a replicator that lost its key: the old one is retired when it enrols again";

void define_running_verbs(greffe::CommandLine& line, Arguments& a) {
  auto& station = line.verb("station", "recording stations: add, renew, list, revoke");
  station.verb("add", "make a one-time code with which a station enrols")
      .required("--name", a.name, "the station's name", "NAME").required("--court", a.court, "its court", "COURT")
      .required("--room", a.room, "its courtroom", "ROOM").option("--code-file", a.code_file, "write the code here (mode 0600)", "FILE")
      .body([&a] { return station_add(a); });
  station.verb("renew", "make a one-time code with which a station gets a new key; the old one is retired then")
      .required("--name", a.name, "the station", "NAME").option("--code-file", a.code_file, "write the code here (mode 0600)", "FILE")
      .body([&a] { return station_renew(a); });
  station.verb("list", "enrolled stations").json(a.json).body([&a] { return station_list(a); });
  station.verb("revoke", "end a station's key").required("--name", a.name, "the station", "NAME")
      .required("--why", a.why, "retired or stolen", "WHY").json(a.json).body([&a] { return station_revoke(a); });
  auto& user = line.verb("user", "people who log in: add, list, token, password");
  user.verb("add", "a new account").required("--name", a.name, "account name", "NAME").required("--display", a.display, "the person's name", "TEXT")
      .required("--role", a.roles, "clerk, judge, auditor or operator; may repeat", "ROLE")
      .option("--court", a.courts, "a court it may see; may repeat", "COURT").flag("--all-courts", a.all_courts, "it may see all courts")
      .option("--language", a.language, "en, fr or zh", "LANG").required("--password-file", a.password_file, "a file whose first line is the password", "FILE")
      .json(a.json).body([&a] { return user_add(a); });
  user.verb("list", "all accounts").json(a.json).body([&a] { return user_list(a); });
  user.verb("token", "a token for a program").required("--name", a.name, "the account", "NAME").required("--label", a.label, "what it is for", "TEXT")
      .required("--out", a.out_file, "write the token here (mode 0600)", "FILE").option("--days", a.days, "how long it is good", "N")
      .body([&a] { return user_token(a); });
  user.verb("password", "set a new password").required("--name", a.name, "the account", "NAME")
      .required("--password-file", a.password_file, "a file whose first line is the password", "FILE").json(a.json)
      .body([&a] { return user_password(a); });
  line.verb("place", "display names of courts and courtrooms").verb("set", "set the names")
      .required("--court", a.court, "the court", "COURT").option("--room", a.room, "a courtroom of it", "ROOM")
      .option("--en", a.en, "English", "TEXT").option("--fr", a.fr, "French", "TEXT").option("--zh", a.zh, "Chinese", "TEXT")
      .option("--zone", a.zone, "time zone of the court, such as Asia/Shanghai", "ZONE").json(a.json).body([&a] { return place_set(a); });
  auto& origin = line.verb("origin", "archives whose copies this replica holds: add, revoke, reader-code, reader-revoke");
  origin.verb("add", "add one; makes a code for its replicator")
      .required("--name", a.name, "its name", "ARCHIVE").required("--log-vkey", a.vkey, "the key that signs its main log", "VKEY").flag("--renew", a.renew, kRenewHelp)
      .option("--code-file", a.code_file, "write the code here (mode 0600)", "FILE").body([&a] { return origin_add(a); });
  auto& cosigner = line.verb("cosigner", "sites that confirm what this archive holds: add, revoke");
  cosigner.verb("add", "add one; makes a code for the replicator")
      .required("--vkey", a.vkey, "its cosigning key", "VKEY").flag("--renew", a.renew, kRenewHelp).option("--code-file", a.code_file, "write the code here (mode 0600)", "FILE")
      .body([&a] { return cosigner_add(a); });
  a.sites.define(line, origin, cosigner);
  line.verb("status", "is everything well, and if not what to do").json(a.json).body([&a] { return status(a); });
  line.verb("scrub", "read everything now and without pauses, repair what is missing or damaged").json(a.json).body([&a] { return scrub(a); });
  a.volumes.define(line);
}

greffe::Verb& with_new_pool(greffe::Verb& verb, greffe::web::NewPool& pool) {
  return verb.option("--volume", pool.volumes, "a volume and its failure domain; may repeat", "PATH=DOMAIN")
      .option("--pool", pool.service, "instead of volumes: rados:POOL of a Ceph cluster, or s3:BUCKET", "POOL")
      .option("--ceph-conf", pool.ceph_conf, "the cluster's ceph.conf", "FILE")
      .option("--ceph-user", pool.ceph_user, "the cluster's user for the archive", "USER")
      .option("--s3-endpoint", pool.s3_endpoint, "address of the S3 service", "URL")
      .option("--s3-region", pool.s3_region, "its region", "REGION")
      .option("--s3-credentials", pool.s3_credentials, "a file with the access key and the secret key on two lines", "FILE")
      .option("--s3-retention-days", pool.s3_retention_days, "where the bucket has Object Lock: how long it keeps what is written; 0: not used", "N")
      .option("--s3-retention-mode", pool.s3_retention_mode, "governance, or compliance: not even who owns the bucket can shorten it", "MODE")
      .flag("--s3-plain-etags", pool.s3_plain_etags, "the service wants ETags without quotation marks (radosgw of Ceph 16)");
}

greffe::Verb& with_listeners(greffe::Verb& verb, greffe::web::InitOptions& init) {
  return verb.option("--machine", init.machine_address, "listener for stations and sites", "ADDR:PORT")
      .option("--browser", init.browser_address, "listener for browsers", "ADDR:PORT")
      .option("--metrics", init.metrics_address, "loopback listener for metrics", "ADDR:PORT")
      .option("--ui", init.ui_directory, "the built pages", "DIR");
}

void define_verbs(greffe::CommandLine& line, Arguments& a) {
  line.root().option("--config", a.config, "the configuration", "FILE");
  with_listeners(with_new_pool(line.verb("init", "make a new archive"), a.init.pool).required("--dir", a.init.directory, "where it lives", "DIR")
      .required("--name", a.init.name, "its name, the origin of its log", "NAME").option("--role", a.init.role, "primary or replica", "ROLE"), a.init)
      .option("--recovery-code-file", a.recovery_code_file, "write the recovery code here instead of the terminal", "FILE")
      .body([&a] { return init(a); });
  with_listeners(with_new_pool(line.verb("join", "set up another machine for an archive whose pool is in Ceph or S3"), a.init.pool)
      .required("--dir", a.init.directory, "where it lives on this machine", "DIR"), a.init)
      .required("--backup", a.backup_file, "key-backup.json of the archive", "FILE")
      .required("--recovery-code-file", a.recovery_code_file, "a file with the recovery code", "FILE").body([&a] { return join_archive(a); });
  a.promotion.define(line, a.config);
  a.rejoining.define(line, a.config);
  a.handing_over.define(line);
  line.verb("serve", "run the archive").flag("--accept-head", a.accept_head, "go on with a pool that is older than what was published; logged")
      .body([&a] { return serve(a); });
  line.verb("keys", "the public keys of this archive").json(a.json).body([&a] { return keys(a); });
  line.verb("restore-keys", "put the keys of a backup into a state directory").required("--backup", a.backup_file, "key-backup.json", "FILE")
      .required("--recovery-code-file", a.recovery_code_file, "a file with the recovery code", "FILE")
      .required("--state", a.directory, "the state directory", "DIR").body([&a] { return restore_keys(a); });
  define_running_verbs(line, a);
  a.witnesses.define(line);
  a.share.define(line);
  define_officer_verbs(line, a);
  const auto with_settings = [&a](Result<int> (*body)(const Settings&, const greffe::web::OfflineOptions&)) {
    return [&a, body]() -> Result<int> {
      const Settings settings = GREFFE_TRY(settings_of(a));
      return body(settings, {a.json, a.repair, a.hearing, a.directory, a.with_witnesses});
    };
  };
  line.verb("policy", "print the policy file with which greffe-verify judges this archive")
      .flag("--with-witnesses", a.with_witnesses, "one of its witnesses must have cosigned, too").body(with_settings(greffe::web::print_policy));
  line.verb("check", "re-derive every tree and every digest, beside the running archive")
      .flag("--repair", a.repair, "mend what can be mended; the archive must not run").json(a.json).body(with_settings(greffe::web::check));
  line.verb("ahead", "what this replica knows of recordings and does not hold yet, beside the running archive")
      .option("--hearing", a.hearing, "name the objects of this hearing that lack", "HEARING").json(a.json).body(with_settings(greffe::web::show_ahead));
  line.verb("rebuild-catalogue", "make the catalogue anew from the logs; the archive must not run").body(with_settings(greffe::web::rebuild_catalogue));
  with_new_pool(line.verb("migrate", "copy the pool to another place, of whatever kind; the archive may run meanwhile"), a.init.pool)
      .flag("--finish", a.finish, "the archive is stopped: copy the rest, after which both pools are the same").json(a.json)
      .body([&a] { return greffe::web::migrate({a.config, a.init.pool, a.finish, a.json}); });
  line.verb("export", "write a hearing as a folder that greffe-verify accepts").required("HEARING", a.hearing, "its id", "HEARING")
      .required("DIR", a.directory, "a folder that does not exist yet", "DIR").json(a.json).body(with_settings(greffe::web::export_to_folder));
}

}  // namespace

int main(int count, char** arguments) {
  Arguments a;
  greffe::CommandLine line("greffe-archive", "The archive of court hearing recordings: stores, finds, plays, proves.");
  a.witnesses.ask = a.sites.ask = a.share.ask = a.volumes.ask = a.handing_over.ask = [&a](const std::string& verb, const Json& said) { return ask(a, verb, said); };
  a.sites.deliver_code = [&a](const std::string& code_file, const Json& answer) {
    a.code_file = code_file;
    return deliver_code(a, answer);
  };
  define_verbs(line, a);
  return line.run(count, arguments);
}
