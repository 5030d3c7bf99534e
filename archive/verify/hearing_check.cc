#include "archive/verify/hearing_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace greffe::verify {

HearingCheck::HearingCheck(HearingId id, std::vector<std::string> folders, const MainContext& main, ObjectChecker& objects,
                           Report& report)
    : id_(id), main_(main), facts_(main.facts.hearing(id)), objects_(objects), report_(report),
      log_(LogName{"hearing", id.text()}, std::move(folders), *main.files, report), timeline_([this](Finding f) {
        // With an altered log, what the time line lacks is a consequence and would only hide the place.
        if (log_.whole()) found(std::move(f));
      }) {
  summary_.hearing = id.text();
  log_.set_describe([](Finding& finding, std::string_view altered) {
    const auto entry = parse_hearing_entry(altered);
    const auto* segment = entry ? std::get_if<SegmentEntry>(&*entry) : nullptr;
    if (segment == nullptr) return;
    finding.stream = segment->stream;
    finding.from = segment->utc;
    finding.to = UtcTime{segment->utc.ms + segment->duration_90k / 90};
  });
}

void HearingCheck::found(Finding finding) {
  finding.hearing = id_.text();
  if (finding.log.empty()) finding.log = "hearing";
  report_.add(std::move(finding));
}

void HearingCheck::found(Verdict verdict, const char* code, std::string what, std::optional<std::uint64_t> entry,
                         std::optional<std::uint64_t> entry_end, const std::string& file) {
  Finding f;
  f.verdict = verdict;
  f.code = code;
  f.what = std::move(what);
  f.entry = entry;
  f.entry_end = entry_end;
  f.file = file;
  found(std::move(f));
}

void HearingCheck::run() {
  if (choose_checkpoint()) {
    const bool root_holds = log_.load(checkpoint_.checkpoint);
    log_.visit([this](std::uint64_t index, std::string_view bytes) { read_entry(index, bytes); });
    if (root_holds) check_other_checkpoints();
    check_station();
    check_commits(root_holds);
    if (root_holds) check_came_back();
    check_receipt();
    timeline_.finish();
    check_close();
    check_not_before();
    check_objects();
  }
  report_.add(std::move(summary_));
}

bool HearingCheck::choose_checkpoint() {
  notes_ = log_.checkpoints("hearing-checkpoint");
  const std::string origin = hearing_origin(main_.facts.origin(), id_);
  for (const NoteCopy& copy : notes_) {
    if (copy.signed_checkpoint.checkpoint.origin == origin) {
      checkpoint_ = copy.signed_checkpoint;
      checkpoint_file_ = copy.file;
      return true;
    }
    found(Verdict::tampered, "hearing-origin", "another hearing's log stands in the place of this one: " +
                                                   copy.signed_checkpoint.checkpoint.origin, {}, {}, copy.file);
  }
  if (notes_.empty()) {
    found(Verdict::tampered, "hearing-missing", "the main log has this hearing, but its log is not there");
  }
  return false;
}

// Copies on other volumes may be behind, never beside.
void HearingCheck::check_other_checkpoints() {
  for (const NoteCopy& copy : notes_) {
    const Checkpoint& other = copy.signed_checkpoint.checkpoint;
    if (copy.file == checkpoint_file_ || other.origin != checkpoint_.checkpoint.origin) continue;
    if (other.size <= log_.tree().size() && log_.tree().root_at(other.size) == other.root) continue;
    found(Verdict::tampered, "hearing-checkpoint", "this copy of the hearing's checkpoint is of another log", {}, {}, copy.file);
  }
}

void HearingCheck::read_entry(std::uint64_t index, std::string_view bytes) {
  const auto entry = parse_hearing_entry(bytes);
  if (!entry) {
    found(Verdict::tampered, "entry-format", "a log entry is not well formed: " + entry.error().message, index);
    return;
  }
  if (const auto* unknown = std::get_if<UnknownEntry>(&*entry)) {
    found(Verdict::unknown_format, "unknown-kind",
          fmt::format("an entry of kind \"{}\", version {}, which this verifier does not know", unknown->kind, unknown->version),
          index);
  }
  ++summary_.entries;
  timeline_.add(index, *entry);
  accounting_.add(*entry);
  if (std::holds_alternative<GapEntry>(*entry) || std::holds_alternative<ExplanationEntry>(*entry)) interruptions_.emplace_back(index, *entry);
  if (const auto* correction = std::get_if<CorrectionEntry>(&*entry)) note_correction(index, *correction);
  add_jobs(index, *entry, bytes);
}

// Lawful and logged, so no verdict changes; but who reads the report must know that another case was chosen first.
void HearingCheck::note_correction(std::uint64_t index, const CorrectionEntry& correction) {
  corrections_.push_back(correction);
  report_.note(fmt::format("hearing {}: what it is about was corrected while it was recorded, at {}{} (entry {}); the details are object {}",
                           id_.text(), to_text(correction.utc), correction.person.empty() ? "" : " by " + correction.person, index,
                           correction.details.hex()));
}

void HearingCheck::add_jobs(std::uint64_t index, const HearingEntry& entry, std::string_view bytes) {
  if (const auto* lost = std::get_if<LostEntry>(&entry)) {
    lost_.insert(lost->objects.begin(), lost->objects.end());
    return;
  }
  ObjectJob job;
  job.log = "hearing";
  job.hearing = id_.text();
  job.entry = index;
  if (const auto* segment = std::get_if<SegmentEntry>(&entry)) {
    job.segment = *segment;
    segments_.push_back(*segment);
    summary_.bytes += segment->bytes;
  }
  const auto json = parse_canonical_json(bytes);
  if (!json) return;
  for (const Digest& digest : named_objects(*json)) {
    job.digest = digest;
    jobs_.push_back(job);
    named_.push_back(digest);
  }
}

void HearingCheck::check_station() {
  if (!timeline_.open()) return;
  const OpenEntry& open = *timeline_.open();
  summary_.court = open.court;
  summary_.room = open.room;
  summary_.station = open.station;
  summary_.start = open.start;
  if (open.hearing != id_ || open.archive != main_.facts.origin()) {
    found(Verdict::tampered, "hearing-origin", "the \"open\" entry is of another hearing or archive", 0);
  }
  const VerifierKey key{checkpoint_.checkpoint.origin, KeyType::ed25519, open.station_key};
  if (const Status good = verify_note(checkpoint_.note, key); !good) {
    found(Verdict::tampered, "hearing-signature",
          "the hearing's checkpoint is not signed by the station that opened it: " + good.error().message, {}, {}, checkpoint_file_);
  }
  const std::vector<KeyEvent> events = main_.facts.station_events(open.station_key);
  if (events.empty()) {
    found(Verdict::tampered, "station-key", "the main log never enrolled the key of station " + open.station, 0);
    return;
  }
  const std::uint64_t first_commit = facts_ != nullptr && !facts_->commits.empty() ? facts_->commits.front().index : main_.size;
  const std::uint64_t last_commit = facts_ != nullptr && !facts_->commits.empty() ? facts_->commits.back().index : main_.size;
  bool enrolled = false;
  for (const KeyEvent& event : events) {
    const KeyEntry& e = event.entry;
    if (e.action != "revoked") {
      enrolled |= event.index < first_commit;
      if (e.name != open.station || e.court != open.court || e.room != open.room) {
        found(Verdict::tampered, "station-key",
              fmt::format("the key was enrolled for station {} in {}/{}; the hearing says {} in {}/{}", e.name, e.court, e.room,
                          open.station, open.court, open.room),
              0);
      }
      continue;
    }
    // A retired key may bring what was begun under it; a stolen one nothing.
    const bool before = event.index < first_commit;
    if (before && e.why == "retired" && open.start < e.since) {
      report_.note(fmt::format("hearing {}: it was begun before the key of station {} was retired (main log entry {}), and filed after; its "
                               "date is the station's word alone", id_.text(), e.name, event.index));
    } else if (before || (e.why == "stolen" && event.index < last_commit)) {
      found(Verdict::tampered, "key-revoked",
            fmt::format("the key of station {} was revoked ({}) by main log entry {}, before this hearing was filed", e.name, e.why,
                        event.index),
            0);
    } else {
      report_.note(fmt::format("hearing {}: the key of station {} was revoked later ({}, main log entry {})", id_.text(), e.name,
                               e.why, event.index));
    }
  }
  if (!enrolled) found(Verdict::tampered, "station-key", "the station's key was enrolled only after the hearing was filed", 0);
}

// Every checkpoint that the main log carries must be one that this log really had.
void HearingCheck::check_commits(bool root_holds) {
  const TileTree& tree = log_.tree();
  std::uint64_t good_to = 0;
  bool told = root_holds;
  const std::vector<Commit> none;
  for (const Commit& commit : facts_ != nullptr ? facts_->commits : none) {
    if (commit.size > checkpoint_.checkpoint.size) {
      Finding f;
      f.code = "tail-cut";
      f.what = fmt::format("the end of the hearing's log was cut off: main log entry {} commits to {} entries, there are {}",
                           commit.index, commit.size, checkpoint_.checkpoint.size);
      f.entry = checkpoint_.checkpoint.size;
      f.entry_end = commit.size;
      f.from = timeline_.recorded_until();
      found(std::move(f));
      break;
    }
    if (commit.size <= tree.size() && tree.root_at(commit.size) == commit.root) {
      good_to = std::max(good_to, commit.size);
      continue;
    }
    Finding f;
    f.code = "hearing-root";
    f.what = fmt::format("the entries are not those that were committed to by main log entry {}", commit.index);
    f.entry = good_to;
    f.entry_end = commit.size;
    found(std::move(f));
    told = true;
    break;
  }
  if (!told) {
    found(Verdict::tampered, "hearing-root", "the entries do not give the root that the station signed", good_to,
          checkpoint_.checkpoint.size);
  }
}

// What a graft says of this hearing: it is held at least as far as it came back.
void HearingCheck::check_came_back() {
  const std::vector<Commit> none;
  for (const Commit& one : facts_ != nullptr ? facts_->came_back : none) {
    if (one.size <= log_.tree().size() && log_.tree().root_at(one.size) == one.root) continue;
    Finding f;
    f.code = "graft";
    f.what = fmt::format("main log entry {} says that this hearing came back with {} entries; they are not here, or are others", one.index, one.size);
    f.log = "main";
    f.entry = one.index;
    found(std::move(f));
  }
}

// The main-log entry that brought the state which is judged; the last one of a log that has grown since.
std::uint64_t HearingCheck::filed_by() const {
  if (facts_ == nullptr || facts_->commits.empty()) return 0;
  const auto commit = std::find_if(facts_->commits.begin(), facts_->commits.end(),
                                   [this](const Commit& one) { return one.size >= checkpoint_.checkpoint.size; });
  return commit == facts_->commits.end() ? facts_->commits.back().index : commit->index;
}

void HearingCheck::check_receipt() {
  std::vector<NoteCopy> notes = log_.cosigned("receipt-bad");
  notes.push_back({checkpoint_file_, checkpoint_});
  for (const NoteCopy& copy : notes_) notes.push_back(copy);
  bool by_holder = false;
  for (const VerifierKey& cosigner : main_.facts.cosigners(main_.policy)) {
    bool covers = false;
    for (const NoteCopy& copy : notes) {
      const auto time = verify_cosignature(copy.signed_checkpoint.note, cosigner);
      if (!time && time.error().code == Errc::corrupt) {
        found(Verdict::tampered, "receipt-bad", "a cosignature of " + cosigner.name + " does not hold", {}, {}, copy.file);
        continue;
      }
      covers |= time && copy.signed_checkpoint.checkpoint == checkpoint_.checkpoint;
    }
    if (!covers) continue;
    summary_.cosigned_by.push_back(cosigner.name);
    // At a second site its own statement counts as well: it holds every byte itself.
    by_holder |= main_.facts.is_holder(cosigner, filed_by()) || (main_.is_copy && !main_.facts.is_holder(cosigner));
  }
  if (!by_holder) {
    found(Verdict::incomplete, "receipt", "the archive has not confirmed (cosigned) that it holds the hearing to its end", {}, {},
          checkpoint_file_);
  }
}

void HearingCheck::check_close() {
  const Commit* closing = nullptr;
  if (facts_ != nullptr) {
    for (const Commit& commit : facts_->commits) {
      if (commit.closed) closing = &commit;
    }
  }
  summary_.gaps = timeline_.gaps();
  summary_.streams = timeline_.streams();
  summary_.segments = timeline_.segments();
  // Entries count by their place in the log: with one missing the account would speak of others.
  if (timeline_.open() && log_.whole() && summary_.entries == checkpoint_.checkpoint.size) summary_.account = accounting_.account();
  if (!timeline_.close()) {
    if (closing != nullptr && closing->size <= checkpoint_.checkpoint.size) {
      found(Verdict::tampered, "tail-cut", "the main log says that the hearing was finished, but its log has no \"close\" entry",
            closing->size - 1);
    }
    found(Verdict::incomplete, "not-closed", "the hearing is not finished: its log has no \"close\" entry");
  } else {
    summary_.end = timeline_.close()->end;
  }
  if (facts_ == nullptr || facts_->commits.empty()) {
    found(Verdict::incomplete, "not-committed", "the main log does not have this hearing yet");
  } else if (timeline_.close() && closing == nullptr) {
    found(Verdict::incomplete, "not-committed", "the main log does not have the end of this hearing yet");
  } else if (closing != nullptr && closing->index >= main_.covered && main_.policy.quorum != "none") {
    found(Verdict::incomplete, "quorum", fmt::format("the cosigners that the policy asks for have not signed main log entry {} yet, "
                                                     "which has the end of this hearing", closing->index));
  }
}

// The station had seen the main log at this size when it began: the hearing cannot be older. It may have seen entries of an epoch that were
// lost with a promotion: then nothing can be said.
void HearingCheck::check_not_before() {
  if (!timeline_.open() || timeline_.open()->main_size == 0) return;
  const OpenEntry& open = *timeline_.open();
  const bool after = facts_ != nullptr && !facts_->commits.empty() && open.main_size > facts_->commits.front().index;
  const bool seen_here = std::any_of(main_.trees.begin(), main_.trees.end(), [&open](const TileTree* tree) {
    return open.main_size <= tree->size() && tree->root_at(open.main_size) == open.main_root;
  });
  const bool beside = !main_.trees.empty() && !seen_here;
  if (main_.epochs > 1) {
    if (main_.trees.empty() ? after : beside) report_.note("what hearing " + id_.text() + " saw of the main log when it began was lost with a promotion: that it is not older is not provable");
    return;
  }
  if (after || beside) {
    found(Verdict::tampered, "not-before", "the main log that the station saw when it began is not this one", 0);
  }
}

void HearingCheck::check_objects() {
  const std::set<Digest>& declared = main_.facts.lost().of(id_);
  lost_.insert(declared.begin(), declared.end());
  for (ObjectJob& job : jobs_) job.may_be_absent = lost_.contains(job.digest);
  for (const NamedDocument& document : main_.facts.documents()) {
    if (document.hearing != id_.text()) continue;
    ObjectJob job;
    job.digest = document.digest;
    job.log = "main";
    job.hearing = id_.text();
    job.entry = document.index;
    job.may_be_absent = lost_.contains(job.digest);
    jobs_.push_back(std::move(job));
    named_.push_back(document.digest);
  }
  summary_.lost = objects_.check(jobs_);
  std::sort(named_.begin(), named_.end());
  named_.erase(std::unique(named_.begin(), named_.end()), named_.end());
}

}  // namespace greffe::verify
