#include "web/hand_over.h"

#include <fmt/format.h>

#include "web/control_route.h"

namespace greffe::web {
namespace {

constexpr const char* kWhy = "it hands over to another site (`greffe-archive hand-over`); `hand-over --undo` ends that";

}  // namespace

HandOver::HandOver(FileSystem& files, Clock& clock, archive::MainLog& main_log, const std::string& state_directory)
    : files_(files), clock_(clock), main_log_(main_log), path_(join(state_directory, "handed-over.json")) {}

Status HandOver::load() {
  const auto there = files_.stat(path_);
  if (!there && there.error().code == Errc::not_found) return ok();
  if (!there) return there.error();
  main_log_.fence(kWhy);
  return ok();
}

std::vector<http::Route> HandOver::control_routes(archive::Deposit& deposit) {
  return {control_route("hand-over", [this, &deposit](const Json& arguments) -> Result<Json> {
    const bool takes_back = arguments.has("undo") && GREFFE_TRY(arguments.boolean("undo"));
    return takes_back ? undo() : begin(deposit);
  })};
}

// A crash after the file is there: the start finds it. What a station sends in between is committed to by nobody here; the hearing's own log
// has it, and goes to the other site with that.
Result<Json> HandOver::begin(archive::Deposit& deposit) {
  if (!files_.stat(path_)) {
    if (const auto why = main_log_.refusal()) return fail(Errc::conflict, "this archive takes nothing already: " + *why);
    GREFFE_TRY(deposit.catch_up());
    GREFFE_TRY(files_.replace(path_, as_bytes(write_json(Json().set("since", clock_.utc_now())) + "\n"), 0640));
    main_log_.fence(kWhy);
  }
  const SignedCheckpoint end = GREFFE_TRY(main_log_.reader().checkpoint());
  return Json().set("end", end.note.write()).set("origin", end.checkpoint.origin).set("root", end.checkpoint.root).set("size", end.checkpoint.size);
}

Result<Json> HandOver::undo() {
  const Status removed = files_.remove(path_);
  if (!removed && removed.error().code == Errc::not_found) return fail(Errc::not_found, "this archive was not told to hand over");
  if (!removed) return removed.error();
  GREFFE_TRY(files_.sync_directory(parent_of(path_)));
  return Json().set("undone", true);
}

namespace {

Result<int> hand_over(const HandOverVerb& verb) {
  if (verb.undo && !verb.end.empty()) return fail(Errc::invalid, "say --end or --undo, not both");
  Json arguments;
  if (verb.undo) arguments.set("undo", true);
  const Json answer = GREFFE_TRY(verb.ask("hand-over", arguments));
  if (!verb.end.empty()) {
    PosixFileSystem files;
    const std::string end = GREFFE_TRY(answer.string("end"));
    GREFFE_TRY(files.replace(verb.end, as_bytes(end), 0644));
  }
  if (verb.json) {
    fmt::print("{}\n", write_json(answer));
  } else if (verb.undo) {
    fmt::print("This archive takes everything again once its service was started again. Do that only where no other site was promoted.\n");
  } else {
    fmt::print("This archive takes nothing from now on, also after a restart. {} ends with {} entries.\nLet its replicator bring the rest (`greffe-replicate once`, "
               "until it ends with 0), then promote the other site with --end.\n", GREFFE_TRY(answer.string("origin")), GREFFE_TRY(answer.size("size")));
  }
  return kExitDone;
}

}  // namespace

void HandOverVerb::define(CommandLine& line) {
  line.verb("hand-over", "before another site is promoted although this one is well: take nothing more, also after a restart, and say where the main log ends")
      .option("--end", end, "write the signed end of the main log here, for `promote --end` at the other site", "FILE")
      .flag("--undo", undo, "it is not to be: take everything again, after the next start").json(json).body([this] { return hand_over(*this); });
}

}  // namespace greffe::web
