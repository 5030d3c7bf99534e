#include "archive/ahead_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "archive/base/progress.h"
#include "archive/format/ahead_piece.h"
#include "archive/tlog/log_reader.h"

namespace greffe::archive {
namespace {

struct Visited {
  std::string origin;       // of the log
  std::uint64_t known = 0;  // where the entries end
};

class Reading {
 public:
  Reading(store::WholePool& pool, const std::optional<HearingId>& only, const std::function<void()>& looked)
      : pool_(pool), only_(only), looked_(looked) {}
  Result<AheadReport> run();

 private:
  using Folders = std::map<std::string, std::vector<StageName>>;
  Result<Folders> folders();
  std::uint64_t held_size(const std::string& log_path);
  std::optional<CheckedPiece> read(const std::string& folder, const StageName& name);
  Visited visit(const std::string& folder, std::vector<StageName> names, std::uint64_t held,
                const std::function<void(std::uint64_t index, const std::string& entry)>& take);
  Status add_log(const std::string& folder, const std::vector<StageName>& names);
  Status find_lacking(LackingLog& log, std::vector<LackingObject> named, const std::set<Digest>& lost);
  void add_committed();

  store::WholePool& pool_;
  const std::optional<HearingId> only_;
  const std::function<void()> looked_;
  AheadReport out_;
  std::map<HearingId, std::pair<std::string, std::uint64_t>> committed_;  // archive and size, by main-log entries known ahead
};

Result<Reading::Folders> Reading::folders() {
  Folders out;
  GREFFE_TRY(pool_.list(kAheadLogs, [&](const store::ObjectInfo& info) {
    if (const auto key = parse_ahead_key(info.key)) out[key->folder].push_back(key->name);
    return true;
  }));
  return out;
}

std::uint64_t Reading::held_size(const std::string& log_path) {
  const auto head = tlog::LogReader(pool_, pool_, log_path).checkpoint();
  return head ? head->checkpoint.size : 0;
}

std::optional<CheckedPiece> Reading::read(const std::string& folder, const StageName& name) {
  const auto replicas = pool_.get_all(stage_path(folder, name));
  for (const Bytes& replica : replicas ? *replicas : std::vector<Bytes>()) {
    auto checked = parse_ahead_piece(as_text(replica));
    if (checked && checked->name() == name) return *std::move(checked);
  }
  return std::nullopt;
}

// Pieces may overlap: each entry is taken once. What lies behind a hole is still worth knowing.
Visited Reading::visit(const std::string& folder, std::vector<StageName> names, std::uint64_t held,
                       const std::function<void(std::uint64_t index, const std::string& entry)>& take) {
  std::sort(names.begin(), names.end());
  Visited out{{}, held};
  for (const StageName& name : names) {
    if (name.size <= out.known) continue;
    const auto checked = read(folder, name);
    if (!checked) {
      out_.problems.push_back(fmt::format("{}: the entries {} to {} are damaged on every volume, or were applied this moment", folder, name.first, name.size));
      continue;
    }
    if (name.first > out.known) out_.problems.push_back(fmt::format("{}: the entries {} to {} are not known", folder, out.known, name.first));
    out.origin = checked->head.checkpoint.origin;
    for (std::size_t i = 0; i < checked->piece.entries.size(); ++i) {
      if (name.first + i >= out.known) take(name.first + i, checked->piece.entries[i]);
    }
    out.known = name.size;
  }
  return out;
}

Status Reading::find_lacking(LackingLog& log, std::vector<LackingObject> named, const std::set<Digest>& lost) {
  std::set<Digest> seen = lost;
  for (LackingObject& one : named) {
    if (!seen.insert(one.object).second) continue;
    if (looked_) looked_();
    if (GREFFE_TRY(pool_.holds_object(one.object))) continue;
    ++log.objects;
    log.bytes += one.bytes.value_or(0);
    if (only_) log.lacks.push_back(std::move(one));
  }
  return ok();
}

Status Reading::add_log(const std::string& folder, const std::vector<StageName>& names) {
  const std::string log_path = GREFFE_TRY(log_path_ahead_of(folder));
  LackingLog log;
  log.held = held_size(log_path);
  std::vector<LackingObject> named;
  std::set<Digest> lost;
  std::map<HearingId, std::uint64_t> committed;
  const Visited visited = visit(folder, names, log.held, [&](std::uint64_t index, const std::string& entry) {
    const auto json = parse_json(entry);
    const auto kind = json ? json->string("kind") : Result<std::string>(json.error());
    if (!kind) return;
    const std::vector<Digest> objects = named_objects(*json);
    if (*kind == "lost") lost.insert(objects.begin(), objects.end());
    const auto main = *kind == "hearing-checkpoint" ? parse_main_entry(entry) : Result<MainEntry>(UnknownEntry{});
    const auto* commit = main ? std::get_if<HearingCheckpointEntry>(&*main) : nullptr;
    const auto note = commit != nullptr ? parse_signed_checkpoint(commit->note) : Result<SignedCheckpoint>(fail(Errc::not_found, ""));
    if (note) committed[commit->hearing] = std::max(committed[commit->hearing], note->checkpoint.size);
    if (*kind == "lost") return;
    LackingObject one{{}, index, *kind, {}, std::nullopt, std::nullopt};
    if (const auto utc = json->has("utc") ? json->utc("utc") : Result<UtcTime>(fail(Errc::not_found, ""))) one.utc = *utc;
    if (*kind == "segment") {
      if (const auto stream = json->string("stream")) one.stream = *stream;
      if (const auto bytes = json->size("bytes")) one.bytes = *bytes;
    }
    for (const Digest& object : objects) {
      one.object = object;
      named.push_back(one);
    }
  });
  if (visited.known <= log.held) return ok();
  log.known = visited.known;
  const auto hearing = parse_hearing_origin(visited.origin);
  log.archive = hearing ? hearing->archive_name : visited.origin;
  if (hearing) log.hearing = hearing->id;
  for (const auto& [id, size] : committed) committed_[id] = {log.archive, size};
  if (only_ && only_ != log.hearing) return ok();
  GREFFE_TRY(find_lacking(log, std::move(named), lost));
  out_.logs.push_back(std::move(log));
  return ok();
}

// Hearings that a main log names further than they are known, or that are not known at all.
void Reading::add_committed() {
  for (const auto& [id, commitment] : committed_) {
    if (only_ && *only_ != id) continue;
    const HearingId wanted = id;
    const auto found = std::find_if(out_.logs.begin(), out_.logs.end(), [&](const LackingLog& log) { return log.hearing == wanted; });
    if (found != out_.logs.end()) {
      found->named = commitment.second;
      continue;
    }
    LackingLog log;
    log.archive = commitment.first;
    log.hearing = wanted;
    log.held = log.known = held_size(hearing_log_path(wanted));
    log.named = commitment.second;
    if (log.named > log.known) out_.logs.push_back(std::move(log));
  }
}

Result<AheadReport> Reading::run() {
  const Folders all = GREFFE_TRY(folders());
  for (const auto& [folder, names] : all) GREFFE_TRY(add_log(folder, names));
  add_committed();
  std::sort(out_.logs.begin(), out_.logs.end(), [](const LackingLog& a, const LackingLog& b) {
    return std::tie(a.hearing, a.archive) < std::tie(b.hearing, b.archive);  // none is less than any
  });
  return std::move(out_);
}

}  // namespace

Result<AheadReport> report_ahead(store::WholePool& pool, const std::optional<HearingId>& only, const std::function<void()>& looked) {
  return Reading(pool, only, looked).run();
}

Json AheadReport::json() const {
  Json::Array list;
  for (const LackingLog& log : logs) {
    Json one;
    one.set("archive", log.archive).set("bytes", log.bytes).set("held", log.held).set("known", log.known).set("objects", log.objects);
    if (log.hearing) one.set("hearing", log.hearing->text()).set("named", log.named);
    Json::Array lacks;
    for (const LackingObject& object : log.lacks) {
      Json of;
      of.set("entry", object.entry).set("kind", object.kind).set("object", object.object);
      if (!object.stream.empty()) of.set("stream", object.stream);
      if (object.utc) of.set("utc", *object.utc);
      if (object.bytes) of.set("bytes", *object.bytes);
      lacks.push_back(std::move(of));
    }
    if (!lacks.empty()) one.set("lacks", std::move(lacks));
    list.push_back(std::move(one));
  }
  Json out;
  out.set("logs", std::move(list)).set("problems", Json::Array(problems.begin(), problems.end()));
  return out;
}

std::string AheadReport::words() const {
  std::string out;
  for (const LackingLog& log : logs) {
    const std::string name = log.hearing ? "hearing " + log.hearing->text() + " of " + log.archive : "main log of " + log.archive;
    out += fmt::format("{}: {} entries are held, {} are known; {} objects lack", name, log.held, log.known, log.objects);
    if (log.bytes > 0) out += fmt::format(", of sound and picture {}", human_bytes(log.bytes));
    if (log.named > log.known) out += fmt::format("; the main log names {} entries of it", log.named);
    out += "\n";
    for (const LackingObject& object : log.lacks) {
      out += fmt::format("  {} entry {} ({}{}{})\n", object.object.hex(), object.entry, object.kind, object.stream.empty() ? "" : " of " + object.stream,
                         object.utc ? ", " + to_text(*object.utc) : std::string());
    }
  }
  if (logs.empty()) out += "Nothing is known here that is not held.\n";
  for (const std::string& problem : problems) out += "PROBLEM: " + problem + "\n";
  return out;
}

}  // namespace greffe::archive
