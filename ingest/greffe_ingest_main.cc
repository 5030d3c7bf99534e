// greffe-ingest: what runs at a station. Reads the command line, and says in words or JSON what happened.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "archive/base/clock.h"
#include "archive/base/command_line.h"
#include "archive/base/file_system.h"
#include "archive/base/progress.h"
#include "archive/format/members.h"
#include "ingest/broken_station.h"
#include "ingest/closing_sheet.h"
#include "ingest/deliver_now.h"
#include "ingest/drain.h"
#include "ingest/hearing_key.h"
#include "ingest/import.h"
#include "ingest/live_child.h"
#include "ingest/live_verbs.h"
#include "ingest/main_log_seen.h"
#include "ingest/media_check_verb.h"
#include "ingest/paper_verbs.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxCodeBytes = 64 * 1024;
constexpr std::int64_t kDrainCopyMs = 600'000;
constexpr std::int64_t kCopyMs = 10'000;  // for the second directory, when everything else is done

// What every verb may be given, and what they stand on.
struct Program {
  PosixFileSystem files;
  SystemClock clock;
  Log log{"greffe-ingest"};
  std::string config;
  std::string directory;
  bool json = false;
  Result<IngestSettings> configured() { return load_settings(files, config, directory); }
  Result<IngestSettings> settings() { return settings_that_count(files, GREFFE_TRY(configured())); }  // for who only looks
  Result<std::unique_ptr<StationDirectories>> directories() {                                         // for who writes the spool
    return StationDirectories::open(files, clock, log, GREFFE_TRY(configured()), StationDirectories::Use::verb);
  }
};

void print(const Json& json) { fmt::print("{}\n", write_json(json)); }

Json to_json(const ReceiptState& receipt) {
  Json out;
  out.set("archive_size", receipt.archive_size).set("second_site_size", receipt.second_site_size);
  if (receipt.archive_size > 0) out.set("archive_utc", receipt.archive_utc);
  if (receipt.second_site_size > 0) out.set("second_site_utc", receipt.second_site_utc);
  return out;
}

Json to_json(const SpooledHearing& hearing) {
  Json out;
  out.set("hearing", hearing.id.text()).set("state", hearing.state).set("start", hearing.start).set("entries", hearing.entries);
  out.set("receipt", to_json(hearing.receipt)).set("safe", hearing.safe).set("freed", hearing.freed);
  out.set("bytes", hearing.bytes).set("objects", hearing.objects);
  if (!hearing.problem.empty()) out.set("problem", hearing.problem);
  if (hearing.continued) out.set("continued_as", hearing.continued->text());
  if (!hearing.lost.empty()) out.set("lost", list_of(hearing.lost));
  return out;
}

std::string words_of(const SpooledHearing& hearing) {
  std::string cover = hearing.state == "damaged"       ? hearing.problem
                      : hearing.continued              ? "goes on as " + hearing.continued->text()
                      : hearing.safe                   ? "safe"
                      : hearing.receipt.archive_size == 0 ? "nothing delivered yet"
                                                       : fmt::format("{} of {} entries confirmed by the archive",
                                                                     hearing.receipt.archive_size, hearing.entries);
  for (std::size_t i = 0; i < hearing.lost.size(); ++i) cover += (i == 0 ? "; lost on this disk: " : ", ") + hearing.lost[i];
  return fmt::format("{}  {}  {:9}  {:>9}  {}{}", hearing.id.text(), to_text(hearing.start), hearing.state,
                     human_bytes(hearing.bytes), cover, hearing.freed ? ", media removed from the station" : "");
}

// ---- enrol, prepare ----

Result<std::string> read_standard_input() {
  std::string out;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, stdin)) > 0;) {
    out.append(buffer, got);
    if (out.size() > kMaxCodeBytes) return fail(Errc::invalid, "what came on standard input is not an enrolment code");
  }
  return out;
}

// Never from an argument: every process of the machine can read those.
Result<std::string> read_code(Program& program, const std::string& code_file) {
  std::string text;
  if (code_file == "-") {
    text = GREFFE_TRY(read_standard_input());
  } else {
    const Bytes bytes = GREFFE_TRY(program.files.read_file(code_file, kMaxCodeBytes));
    text = as_text(bytes);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

void report_enrolment(const Program& program, const Enrolment& enrolment, const std::string& directory) {
  if (!program.json) {
    fmt::print("station {} in room {} of {} records for {}; its key and spool are in {}\n", enrolment.name, enrolment.room,
               enrolment.court, enrolment.archive, directory);
    return;
  }
  Json out;
  out.set("archive", enrolment.archive).set("station", enrolment.name).set("court", enrolment.court).set("room", enrolment.room);
  out.set("address", enrolment.address);
  print(out);
}

Result<int> run_enrol(Program& program, const std::string& code_file, bool renew) {
  const IngestSettings settings = GREFFE_TRY(program.settings());
  const std::string text = GREFFE_TRY(read_code(program, code_file));
  // A running service would begin hearings under the old key.
  if (renew && ask_running(settings, "state", Json())) {
    return fail(Errc::conflict, "this station is running; stop it, renew its key, and start it again");
  }
  const Enrolment enrolment = GREFFE_TRY(renew ? renew_station_key(program.files, settings.directory, text)
                                               : enrol_station(program.files, settings.directory, text));
  report_enrolment(program, enrolment, settings.directory);
  return kExitDone;
}

Result<int> run_prepare(Program& program, const Enrolment& wanted) {
  const IngestSettings settings = GREFFE_TRY(program.settings());
  const Enrolment enrolment = GREFFE_TRY(prepare_station(program.files, settings.directory, wanted));
  report_enrolment(program, enrolment, settings.directory);
  return kExitDone;
}

// ---- import, close ----

DeliveredNow deliver(Program& program, FileSystem& files, const IngestSettings& settings, const HearingId& id, bool no_upload) {
  return no_upload ? DeliveredNow() : deliver_now(files, program.clock, settings, id);
}

// Of a hearing that was finished; making it is never a reason for the recording itself to fail.
struct Sheet {
  std::string file;
  std::string page;
  std::string problem;
};
Sheet sheet_of(FileSystem& files, const IngestSettings& settings, const ImportOutcome& outcome) {
  Sheet out;
  if (!outcome.closed) return out;
  const auto filed = file_closing_sheet(files, settings, outcome.hearing);
  if (filed) {
    out.file = filed->file;
    out.page = filed->page;
  } else {
    out.problem = filed.error().message;
  }
  return out;
}

void report_recording(const Program& program, const IngestSettings& settings, const ImportOutcome& outcome, const Sheet& sheet,
                      const DeliveredNow& delivered) {
  const bool covered = delivered.receipt.archive_size == outcome.entries && outcome.entries > 0;
  if (program.json) {
    Json out;
    out.set("hearing", outcome.hearing.text()).set("resumed", outcome.resumed).set("closed", outcome.closed);
    out.set("entries", outcome.entries).set("segments", outcome.segments).set("bytes", outcome.bytes);
    out.set("receipt", to_json(delivered.receipt)).set("delivered", covered).set("warnings", list_of(outcome.warnings));
    out.set("notices", list_of(delivered.notices));
    if (!delivered.problem.empty()) out.set("problem", delivered.problem);
    if (!sheet.file.empty()) out.set("sheet", sheet.file).set("sheet_page", sheet.page);
    if (!sheet.problem.empty()) out.set("sheet_problem", sheet.problem);
    print(out);
  } else {
    fmt::print("hearing {}: {} segments, {}{}\n", outcome.hearing.text(), outcome.segments, human_bytes(outcome.bytes),
               outcome.closed ? ", finished" : "");
    if (!sheet.page.empty()) fmt::print("its closing sheet for printing: {}\n", sheet.page);
    if (covered) fmt::print("the archive has confirmed all {} entries\n", outcome.entries);
  }
  for (const std::string& notice : delivered.notices) fmt::print(stderr, "greffe-ingest: {}\n", notice);
  for (const std::string& warning : outcome.warnings) fmt::print(stderr, "greffe-ingest: {}\n", warning);
  if (!sheet.problem.empty()) {
    fmt::print(stderr, "greffe-ingest: the hearing is finished, but its closing sheet could not be made: {}. Make it with: greffe-ingest "
                       "sheet --hearing {}\n", sheet.problem, outcome.hearing.text());
  }
  if (!delivered.problem.empty()) {
    fmt::print(stderr, "greffe-ingest: recorded, but not delivered yet: {}. It stays in {}; deliver it with: greffe-ingest drain\n",
               delivered.problem, spool_path(settings.directory));
  }
}

Result<int> run_import(Program& program, const ImportArguments& arguments, bool no_upload) {
  const ImportPlan plan = GREFFE_TRY(make_plan(program.files, arguments));
  std::vector<OpenedTrack> tracks = GREFFE_TRY(open_tracks(plan));
  const auto station = GREFFE_TRY(program.directories());
  const IngestSettings& settings = station->settings();
  const ImportOutcome outcome = GREFFE_TRY(import_files(station->files(), program.clock, settings, plan, std::move(tracks)));
  const Sheet sheet = sheet_of(station->files(), settings, outcome);
  const DeliveredNow delivered = deliver(program, station->files(), settings, outcome.hearing, no_upload);
  (void)station->finish(kCopyMs);
  report_recording(program, settings, outcome, sheet, delivered);
  return outcome.warnings.empty() ? kExitDone : kExitFound;
}

Result<int> run_close(Program& program, const std::string& hearing, bool no_upload) {
  const IngestSettings seen = GREFFE_TRY(program.settings());
  const auto given = parse_hearing_id(hearing);
  if (!hearing.empty() && !given) return fail(Errc::invalid, fmt::format("--hearing {}: this is not the id of a hearing", hearing));
  // The one that is being recorded is finished by who records it.
  const auto live = GREFFE_TRY(find_live_hearing(program.files, seen));
  std::optional<HearingId> id = hearing.empty() ? live : std::optional(*given);
  if (!id) return fail(Errc::invalid, "no hearing is being recorded here; name one with --hearing");
  const auto asked = live == id ? ask_running(seen, "close", Json())
                                : Result<Json>(fail(Errc::unavailable, "it is not live"));
  if (!asked && asked.error().code != Errc::unavailable) return asked.error();
  const auto station = GREFFE_TRY(program.directories());
  const IngestSettings& settings = station->settings();
  const ImportOutcome outcome = asked ? GREFFE_TRY(look_at_outcome(program.files, settings, *id))
                                      : GREFFE_TRY(close_hearing(station->files(), settings, *id));
  const Sheet sheet = sheet_of(station->files(), settings, outcome);
  const DeliveredNow delivered = deliver(program, station->files(), settings, *id, no_upload);
  (void)station->finish(kCopyMs);
  report_recording(program, settings, outcome, sheet, delivered);
  return kExitDone;
}

// ---- sheet, docket ----

Result<int> run_sheet(Program& program, const SheetArguments& arguments) {
  const IngestSettings settings = GREFFE_TRY(program.settings());
  return report_sheet(program.files, settings, arguments, program.json);
}

Result<int> run_docket(Program& program, const std::string& path) {
  const IngestSettings settings = GREFFE_TRY(program.settings());
  return report_docket(program.files, settings, path, program.json);
}

// ---- status, drain ----

Result<int> run_status(Program& program) {
  const IngestSettings settings = GREFFE_TRY(program.settings());
  const Enrolment enrolment = GREFFE_TRY(load_enrolment(program.files, settings.directory));
  const PrivateKey key = GREFFE_TRY(load_station_key(program.files, settings.directory, false));
  const std::vector<HearingId> ids = GREFFE_TRY(list_hearings(program.files, settings.directory));
  const SpoolSpace space = GREFFE_TRY(measure_space(program.files, settings));
  const SecondLook second = look_at_second(program.files, settings);
  const std::vector<UnsettledDisk> unsettled = GREFFE_TRY(unsettled_disks(program.files, settings));
  Json::Array hearings;
  std::uint64_t unsafe = 0;
  bool damaged = false;
  std::vector<std::string> lines;
  for (const HearingId& id : ids) {
    const SpooledHearing one = GREFFE_TRY(look_at(program.files, settings, enrolment, key.public_key(), id));
    unsafe += one.safe ? 0 : 1;
    damaged = damaged || one.state == "damaged";
    hearings.push_back(to_json(one));
    lines.push_back(words_of(one));
  }
  if (program.json) {
    Json out;
    out.set("station", enrolment.name).set("court", enrolment.court).set("room", enrolment.room).set("archive", enrolment.archive);
    out.set("address", enrolment.address).set("epoch", enrolment.keys_epoch());
    if (enrolment.since) out.set("since", *enrolment.since);
    out.set("safe_means", settings.safe_needs_second_site ? "dr" : "archive");
    Json::Array disks;
    for (const UnsettledDisk& disk : unsettled) disks.push_back(Json().set("station", disk.station).set("hearings", disk.hearings));
    out.set("unsettled", std::move(disks)).set("not_safe", unsafe).set("space", to_json(space)).set("hearings", std::move(hearings));
    if (!second.directory.empty()) out.set("second", to_json(second, settings, space.rate));
    print(out);
  } else {
    fmt::print("station {} in room {} of {}, for {}\n{}\n{}\n", enrolment.name, enrolment.room, enrolment.court, enrolment.archive,
               delivery_words(enrolment), space.words());
    if (!second.directory.empty()) fmt::print("{}\n", second.words());
    fmt::print("{} hearings in the spool, {} of them not safe yet\n", ids.size(), unsafe);
    for (const std::string& line : lines) fmt::print("{}\n", line);
    for (const UnsettledDisk& disk : unsettled) {
      fmt::print("{} hearings of the disk of station {} are copied and not settled: start greffe-ingest drain --from again\n", disk.hearings,
                 disk.station);
    }
  }
  return damaged ? kExitFound : kExitDone;
}

Json to_json(const RecoveredHearing& hearing) {
  Json out;
  out.set("hearing", hearing.hearing.text()).set("signed_entries", hearing.signed_entries).set("held", hearing.held);
  if (hearing.continued) out.set("continued_as", hearing.continued->text());
  if (!hearing.lost.empty()) out.set("lost", list_of(hearing.lost));
  return out;
}

std::string words_of(const RecoveredHearing& hearing) {
  std::string out = fmt::format("{}: {} of {} signed entries are with the archive under the key of its own station", hearing.hearing.text(),
                                hearing.held, hearing.signed_entries);
  if (hearing.continued) out += fmt::format("; the rest is filed as {}, recovered", hearing.continued->text());
  for (std::size_t i = 0; i < hearing.lost.size(); ++i) out += (i == 0 ? "; that disk no longer gives back " : ", ") + hearing.lost[i];
  return out;
}

void report_recovery(const RecoveryOutcome& recovered) {
  fmt::print("station {}: {} hearings recovered, {} had nothing left to bring\n", recovered.station, recovered.hearings.size(),
             recovered.nothing_to_do);
  for (const RecoveredHearing& one : recovered.hearings) fmt::print("{}\n", words_of(one));
}

Result<int> run_drain(Program& program, std::int64_t retry_for_s, const std::string& from) {
  const auto station = GREFFE_TRY(program.directories());
  const IngestSettings& settings = station->settings();
  std::optional<RecoveryOutcome> recovered;
  if (!from.empty()) recovered = GREFFE_TRY(recover_station(station->files(), program.clock, settings, from));
  const DrainOutcome outcome = GREFFE_TRY(drain(station->files(), program.clock, settings, retry_for_s));
  (void)station->finish(kDrainCopyMs);
  std::uint64_t waiting = 0;
  Json::Array hearings;
  for (const SpooledHearing& one : outcome.hearings) {
    waiting += one.safe ? 0 : 1;
    hearings.push_back(to_json(one));
  }
  if (program.json) {
    Json out;
    out.set("delivered", outcome.delivered).set("freed_bytes", outcome.made.freed_bytes);
    out.set("freed_early", outcome.made.early).set("not_safe", waiting);
    std::vector<std::string> problems = recovered ? recovered->problems : std::vector<std::string>();
    problems.insert(problems.end(), outcome.problems.begin(), outcome.problems.end());
    out.set("problems", list_of(problems)).set("notices", list_of(outcome.notices)).set("hearings", std::move(hearings));
    if (recovered) {
      Json::Array all;
      for (const RecoveredHearing& one : recovered->hearings) all.push_back(to_json(one));
      out.set("recovered_from", recovered->station).set("recovered", std::move(all));
    }
    print(out);
  } else {
    if (recovered) report_recovery(*recovered);
    fmt::print("{} hearings delivered now, {} freed, {} not safe yet\n", outcome.delivered, human_bytes(outcome.made.freed_bytes), waiting);
    if (outcome.made.early > 0) fmt::print("of {} hearings the media went before keep_days, because room is short\n", outcome.made.early);
  }
  for (const std::string& notice : outcome.notices) fmt::print(stderr, "greffe-ingest: {}\n", notice);
  bool right = outcome.problems.empty() && outcome.notices.empty();
  for (const std::string& problem : outcome.problems) fmt::print(stderr, "greffe-ingest: {}\n", problem);
  for (const std::string& problem : recovered ? recovered->problems : std::vector<std::string>()) {
    right = false;
    fmt::print(stderr, "greffe-ingest: {}\n", problem);
  }
  return right ? kExitDone : kExitFound;
}

// ---- live recording ----

Result<Json> ask_station(Program& program, const std::string& verb, const Json& arguments) {
  return ask_running(GREFFE_TRY(program.configured()), verb, arguments);  // no disk is looked at for this
}

Result<int> run_record(Program& program, const RecordArguments& arguments, bool no_upload) {
  IngestSettings configured = GREFFE_TRY(program.configured());
  GREFFE_TRY(take_streams(configured, arguments));
  const std::optional<HearingId> recorded = GREFFE_TRY(record(program.files, program.clock, configured, arguments));
  if (!recorded) return fail(Errc::invalid, "nothing was recorded");
  const IngestSettings settings = GREFFE_TRY(settings_that_count(program.files, configured));
  const ImportOutcome outcome = GREFFE_TRY(look_at_outcome(program.files, settings, *recorded));
  const Sheet sheet = sheet_of(program.files, settings, outcome);
  report_recording(program, settings, outcome, sheet, deliver(program, program.files, settings, *recorded, no_upload));
  return kExitDone;
}

Result<int> run_service(Program& program) {
  const IngestSettings settings = GREFFE_TRY(program.configured());
  GREFFE_TRY(run_station(program.files, program.clock, settings));
  return kExitDone;
}

struct AskArguments {
  std::string details_path;
  std::string continues;
  std::string reason;
  std::string note;
  std::string text;
  std::string stream;
  std::string person;
  std::string gap;
};

Result<int> run_ask(Program& program, const std::string& verb, const AskArguments& a) {
  Json arguments;
  const auto give = [&](const char* key, const std::string& value) {
    if (!value.empty()) arguments.set(key, value);
  };
  if (!a.details_path.empty()) {
    const Bytes details = GREFFE_TRY(program.files.read_file(a.details_path, kMaxDocumentBytes));
    arguments.set("details", std::string(as_text(details)));
  }
  give("continues", a.continues);
  give("reason", a.reason);
  give("note", a.note);
  give("text", a.text);
  give("stream", a.stream);
  give("person", a.person);
  if (!a.gap.empty()) {
    const auto gap = parse_decimal(a.gap);
    if (!gap) return fail(Errc::invalid, fmt::format("--gap {}: this is not a number", a.gap));
    arguments.set("gap", *gap);
  }
  const Json answer = GREFFE_TRY(ask_station(program, verb, arguments));
  if (program.json) {
    print(answer);
  } else if (verb == "state") {
    fmt::print("{}", words_of_state(answer));
  } else {
    fmt::print("done: {}\n", verb);
  }
  return kExitDone;
}

Result<int> run_accept_archive(Program& program) {
  const IngestSettings settings = GREFFE_TRY(program.settings());
  const Enrolment enrolment = GREFFE_TRY(load_enrolment(program.files, settings.directory));
  const PrivateKey key = GREFFE_TRY(load_station_key(program.files, settings.directory, false));
  client::ArchiveClient archive(enrolment.endpoint(), key);
  const AcceptedMainLog accepted = GREFFE_TRY(accept_main_log(program.files, settings.directory, enrolment, archive));
  if (program.json) {
    Json out;
    out.set("before", accepted.before).set("now", accepted.now).set("continues", accepted.continues);
    print(out);
  } else if (accepted.continues) {
    fmt::print("the main log of {} continues the one that this station knows; there was nothing to accept\n", enrolment.archive);
  } else {
    fmt::print("the main log of {} is believed as it is now, with {} entries; it had {} before. What this station still holds is offered to "
               "it again: greffe-ingest drain\n", enrolment.archive, accepted.now, accepted.before);
  }
  return kExitDone;
}

// The values that the verbs' options are read into.
struct Options {
  std::string code_file;
  bool renew = false;
  Enrolment prepared;
  ImportArguments import;
  RecordArguments record;
  AskArguments ask;
  bool no_upload = false;
  std::string hearing;
  std::int64_t retry_for_s = 0;
  std::string from;
  SheetArguments sheet;
  std::string docket;
};

Verb& station_verb(CommandLine& line, Program& program, const char* name, const char* help) {
  return line.verb(name, help)
      .option("--station-dir", program.directory, "the station's key and spool, instead of the configured directory", "DIR")
      .json(program.json);
}

void add_enrolment(CommandLine& line, Program& program, Options& o) {
  station_verb(line, program, "enrol", "Make this machine a station of an archive, with a code from `greffe-archive station add`.")
      .required("--code-file", o.code_file, "a file that holds the one-time code; - reads standard input", "FILE")
      .flag("--renew", o.renew, "a new key for this station, with a code from `greffe-archive station renew`; the old one is kept beside it")
      .body([&] { return run_enrol(program, o.code_file, o.renew); });
  station_verb(line, program, "prepare", "Make a station that records for an archive that it cannot reach yet.")
      .required("--archive", o.prepared.archive, "the archive's name", "NAME")
      .required("--name", o.prepared.name, "the station's name", "NAME")
      .required("--court", o.prepared.court, "its court", "COURT")
      .required("--room", o.prepared.room, "its courtroom", "ROOM")
      .body([&] { return run_prepare(program, o.prepared); });
}

void add_recording(CommandLine& line, Program& program, Options& o) {
  station_verb(line, program, "import", "File recordings as a hearing. After a crash, the same command goes on where it was.")
      .required("--stream", o.import.streams, "a stream and its recording; #v:0 or #a:1 behind FILE choose a track", "NAME=FILE")
      .required("--start", o.import.start, "the wall clock, in UTC, at which the files begin", "UTC")
      .option("--details", o.import.details_path, "cases, parties, judges: a JSON document (docs/formats/details.md)", "FILE")
      .option("--gap", o.import.gaps, "time that was not recorded; the files hold nothing for it", "FROM,TO,REASON[,NOTE]")
      .option("--mark", o.import.marks, "a note at a time", "UTC,TEXT")
      .option("--hearing", o.import.hearing, "add to this open hearing instead of beginning one", "ID")
      .option("--continues", o.import.continues, "the earlier hearing, of whatever room or court, that this new one goes on from", "ID")
      .flag("--close", o.import.close, "finish the hearing: nothing can be added afterwards")
      .flag("--no-upload", o.no_upload, "only record; deliver later with `drain`")
      .body([&] { return run_import(program, o.import, o.no_upload); });
  station_verb(line, program, "close", "Finish a hearing. What a crash left unfinished is recovered first.")
      .option("--hearing", o.hearing, "the hearing's id; the one that is being recorded unless given", "ID")
      .flag("--no-upload", o.no_upload, "deliver later with `drain`")
      .body([&] { return run_close(program, o.hearing, o.no_upload); });
}

void add_live(CommandLine& line, Program& program, Options& o) {
  station_verb(line, program, "record", "Record live until stopped. Started again, it goes on with the hearing that was not finished.")
      .option("--video", o.record.video, "a stream and its source: rtsp://…, v4l2:/dev/video0, file:PATH, test:bars", "NAME=SOURCE")
      .option("--audio", o.record.audio, "the same for sound: rtsp://…, alsa:default, file:PATH, test:tone", "NAME=SOURCE")
      .option("--details", o.record.details_path, "cases, parties, judges: a JSON document (docs/formats/details.md)", "FILE")
      .option("--continues", o.record.continues, "the hearing that this one goes on from", "ID")
      .option("--for", o.record.for_s, "stop after so long", "SECONDS")
      .flag("--close", o.record.close, "finish the hearing at the end")
      .flag("--no-upload", o.no_upload, "only record; deliver later with `drain`")
      .body([&] { return run_record(program, o.record, o.no_upload); });
  station_verb(line, program, "run", "The service of a courtroom: keeps its streams connected and records what it is asked to.").body([&] {
    return run_service(program);
  });
  station_verb(line, program, "open", "Begin a hearing at the running station.")
      .required("--details", o.ask.details_path, "cases, parties, judges: a JSON document (docs/formats/details.md)", "FILE")
      .option("--continues", o.ask.continues, "the hearing that this one goes on from", "ID")
      .body([&] { return run_ask(program, "open", o.ask); });
  station_verb(line, program, "pause", "Stop recording for a reason that is logged; nothing is kept until `resume`.")
      .required("--reason", o.ask.reason, "recess, closed-evidence, mediation, operator, …", "REASON")
      .option("--note", o.ask.note, "more in words, kept beside the log", "TEXT")
      .option("--person", o.ask.person, "who: a short code, never a name", "CODE")
      .body([&] { return run_ask(program, "pause", o.ask); });
  station_verb(line, program, "resume", "Record on after a pause.").body([&] { return run_ask(program, "resume", o.ask); });
  station_verb(line, program, "mute", "Stop recording one stream: a gap that everybody sees, never silence.")
      .required("--stream", o.ask.stream, "its name", "NAME")
      .option("--note", o.ask.note, "why, in words", "TEXT")
      .option("--person", o.ask.person, "who: a short code, never a name", "CODE")
      .body([&] { return run_ask(program, "mute", o.ask); });
  station_verb(line, program, "unmute", "Record a muted stream again.").required("--stream", o.ask.stream, "its name", "NAME").body([&] {
    return run_ask(program, "unmute", o.ask);
  });
  station_verb(line, program, "mark", "Note something at this moment of the hearing.")
      .required("TEXT", o.ask.text, "what", "TEXT")
      .option("--stream", o.ask.stream, "of this stream only", "NAME")
      .option("--person", o.ask.person, "who: a short code, never a name", "CODE")
      .body([&] { return run_ask(program, "mark", o.ask); });
  station_verb(line, program, "explain", "File why a recording was interrupted.")
      .required("TEXT", o.ask.text, "why, in words", "TEXT")
      .required("--gap", o.ask.gap, "the gap's number in the log, as `state --json` names it", "NUMBER")
      .option("--person", o.ask.person, "who: a short code, never a name", "CODE")
      .body([&] { return run_ask(program, "explain", o.ask); });
  station_verb(line, program, "correct", "The wrong case was opened: say what the hearing that is being recorded is about.")
      .required("--details", o.ask.details_path, "cases, parties, judges: a JSON document (docs/formats/details.md)", "FILE")
      .option("--person", o.ask.person, "who: a short code, never a name", "CODE")
      .body([&] { return run_ask(program, "correct", o.ask); });
  station_verb(line, program, "state", "What the running station is doing.").body([&] { return run_ask(program, "state", o.ask); });
}

void add_paper(CommandLine& line, Program& program, Options& o) {
  station_verb(line, program, "sheet", "The closing sheet of a finished hearing, for printing: what was recorded, and its integrity value.")
      .required("--hearing", o.sheet.hearing, "the hearing's id", "ID")
      .option("--language", o.sheet.language, "zh, fr or en, instead of the hearing's language", "LANGUAGE")
      .option("--out", o.sheet.out_path, "write the page here too", "FILE")
      .body([&] { return run_sheet(program, o.sheet); });
  station_verb(line, program, "docket", "Read the day's list of hearings and say what of it is for this station's room.")
      .required("--file", o.docket, "the list: CSV (docs/formats/docket.md)", "FILE")
      .body([&] { return run_docket(program, o.docket); });
}

void add_spool(CommandLine& line, Program& program, Options& o) {
  station_verb(line, program, "status", "What is in the spool, and what of it is safe.").body([&] { return run_status(program); });
  station_verb(line, program, "drain", "Deliver what is not safe yet, check the receipts, and free what policy allows.")
      .option("--retry-for", o.retry_for_s, "go on trying for so many seconds", "SECONDS")
      .option("--from", o.from, "first take in the disk of a broken station, mounted here: its station directory", "DIR")
      .body([&] { return run_drain(program, o.retry_for_s, o.from); });
  station_verb(line, program, "accept-archive", "Believe the archive again after it was restored from an older state; only when its operator says so.")
      .body([&] { return run_accept_archive(program); });
}

}  // namespace

int run_program(int count, char** arguments) {
  Program program;
  Options options;
  MediaCheckVerb check_media;
  CommandLine line("greffe-ingest", "Records hearings at a station and brings them to the archive.");
  line.root().option("--config", program.config, "the station's configuration (station.toml)", "FILE");
  add_enrolment(line, program, options);
  add_recording(line, program, options);
  add_live(line, program, options);
  add_paper(line, program, options);
  add_spool(line, program, options);
  check_media.define(line);
  return line.run(count, arguments);
}

}  // namespace greffe::ingest

int main(int count, char** arguments) {  // the first is no verb for people: see ingest/live_child.h
  if (count == 2 && std::string_view(arguments[1]) == "read-live") return greffe::ingest::run_live_child();
  return greffe::ingest::run_program(count, arguments);
}
