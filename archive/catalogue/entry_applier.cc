#include "archive/catalogue/entry_applier.h"

#include "archive/catalogue/details_versions.h"
#include "archive/catalogue/finished_ahead.h"
#include "archive/catalogue/hearing_state.h"
#include "archive/catalogue/schema.h"
#include "archive/catalogue/text_rows.h"
#include "archive/format/documents.h"

namespace greffe::catalogue {

namespace {

// The content is bad and will be so tomorrow: note it and go on. Everything else is worth another try.
bool is_bad_content(const Error& error) { return error.code == Errc::invalid || error.code == Errc::corrupt; }

}  // namespace

Status EntryApplier::apply(std::uint64_t index, std::string_view bytes) {
  index_ = index;
  problems_ = 0;
  const auto entry = parse_main_entry(bytes);
  if (!entry) return problem(entry.error().message);
  return std::visit([this](const auto& one) { return apply_entry(one); }, *entry);
}

Status EntryApplier::refresh_texts() {
  for (const std::int64_t row : changed_texts_) GREFFE_TRY(refresh_text(db_, row));
  changed_texts_.clear();
  return ok();
}

Status EntryApplier::note_entry(std::string_view kind, const std::optional<HearingId>& hearing) {
  std::optional<std::string> id;
  if (hearing) id = hearing->text();
  return db_.run("INSERT INTO main_entry(entry_index, kind, hearing) VALUES(?, ?, ?)", index_, kind, id);
}

Status EntryApplier::problem(std::string_view message) {
  return db_.run("INSERT INTO problem(entry_index, number, message) VALUES(?, ?, ?)", index_, problems_++, message);
}

Result<std::optional<std::string>> EntryApplier::read_document(const Digest& digest) {
  auto document = sources_.document(digest);
  if (document) return std::optional<std::string>(*std::move(document));
  const Errc code = document.error().code;
  if (code != Errc::not_found && code != Errc::corrupt) return std::move(document).error();
  GREFFE_TRY(problem("document " + digest.hex() + " is lost: " + std::string(name_of(code))));
  return std::optional<std::string>();
}

Result<std::string> EntryApplier::read_note(const Digest& digest) {
  const std::optional<std::string> document = GREFFE_TRY(read_document(digest));
  if (!document) return std::string();
  auto text = parse_note(*document);
  if (text) return text;
  GREFFE_TRY(problem("document " + digest.hex() + ": " + text.error().message));
  return std::string();
}

Result<std::optional<std::int64_t>> EntryApplier::row_of(const HearingId& hearing) {
  Rows rows = GREFFE_TRY(db_.query("SELECT row FROM hearing WHERE id = ?", hearing.text()));
  const bool found = GREFFE_TRY(rows.next());
  if (found) return std::optional<std::int64_t>(rows.integer(0));
  GREFFE_TRY(problem("hearing " + hearing.text() + " has no checkpoint in the main log before this entry"));
  return std::optional<std::int64_t>();
}

// ---- hearings ----------------------------------------------------------------------------------------------------

Status EntryApplier::apply_entry(const HearingCheckpointEntry& entry) {
  const auto signed_checkpoint = parse_signed_checkpoint(entry.note);
  if (!signed_checkpoint) return problem(signed_checkpoint.error().message);
  const Checkpoint& checkpoint = signed_checkpoint->checkpoint;
  const auto origin = parse_hearing_origin(checkpoint.origin);
  if (!origin || origin->id != entry.hearing) {
    return problem("the checkpoint of hearing " + entry.hearing.text() + " is of " + checkpoint.origin);
  }
  HearingState state = GREFFE_TRY(HearingState::load(db_, entry.hearing));
  if (checkpoint.size < state.log_size) return problem("the checkpoint of hearing " + entry.hearing.text() + " goes back");

  // Bad entries are noted; an error that is worth another try ends the visit and the batch.
  Status status = ok();
  const HearingState::ReadDocument read = [this](const Digest& digest) { return read_document(digest); };
  std::uint64_t next = state.log_size;
  const auto apply_one = [&](std::uint64_t index, std::string_view bytes) {
    status = state.apply(index, bytes, read);
    if (!status && is_bad_content(status.error())) {
      status = problem("hearing " + entry.hearing.text() + ", entry " + std::to_string(index) + ": " +
                       status.error().message);
    }
    if (status) next = index + 1;
    return status.has_value();
  };
  const bool summed = ahead_ != nullptr && ahead_->knows(entry.hearing, checkpoint.size);
  if (summed) state.sum_up_by_close();
  const Status visit = summed ? ahead_->entries(entry.hearing, state.log_size, checkpoint.size, apply_one)
                              : sources_.hearing(entry.hearing, state.log_size, checkpoint.size, apply_one);
  GREFFE_TRY(std::move(status));
  if (!visit && visit.error().code != Errc::not_found && visit.error().code != Errc::corrupt) return visit.error();
  if (!visit || (!summed && next != checkpoint.size)) {
    return problem("the log of hearing " + entry.hearing.text() + " is lost from entry " + std::to_string(next) +
                   (visit ? "" : ": " + visit.error().message));
  }
  for (const std::string& one : state.problems) GREFFE_TRY(problem("hearing " + entry.hearing.text() + ": " + one));
  if (!state.is_opened()) return ok();  // noted above: without `open` there is nothing to show

  state.origin = checkpoint.origin;
  state.log_size = checkpoint.size;
  state.log_root = checkpoint.root;
  state.checkpoint_index = index_;
  state.checkpoint_utc = entry.utc;
  GREFFE_TRY(state.save(db_));
  if (state.text_changed()) changed_texts_.insert(state.row);
  return ok();
}

Status EntryApplier::apply_entry(const DetailsEntry& entry) {
  GREFFE_TRY(note_entry("details", entry.hearing));
  const std::optional<std::int64_t> row = GREFFE_TRY(row_of(entry.hearing));
  if (!row) return ok();
  const std::string reason = GREFFE_TRY(read_note(entry.reason));
  const std::optional<std::string> document = GREFFE_TRY(read_document(entry.details));
  std::string after;
  if (document) {
    const auto details = parse_details(*document);
    auto text = without_salt(*document);
    if (!details) GREFFE_TRY(problem("document " + entry.details.hex() + ": " + details.error().message));
    if (details && text) after = *std::move(text);
  }
  GREFFE_TRY(add_details_versions(db_, *row, {{true, index_, entry.utc, entry.utc, entry.account, reason, after, entry.details.hex()}}));
  changed_texts_.insert(*row);
  return ok();
}

Status EntryApplier::apply_entry(const MarkAddedEntry& entry) {
  GREFFE_TRY(note_entry("mark", entry.hearing));
  const std::optional<std::int64_t> row = GREFFE_TRY(row_of(entry.hearing));
  if (!row) return ok();
  Mark mark{"archive-" + std::to_string(index_), entry.at, entry.stream, {}, entry.account, true};
  mark.text = GREFFE_TRY(read_note(entry.note));
  GREFFE_TRY(insert_mark(db_, *row, mark));
  changed_texts_.insert(*row);
  return ok();
}

Status EntryApplier::apply_entry(const MainLostEntry& entry) {
  GREFFE_TRY(note_entry("lost", entry.hearing));
  if (!entry.hearing) return ok();  // documents of the main log itself
  const std::optional<std::int64_t> row = GREFFE_TRY(row_of(*entry.hearing));
  if (!row) return ok();
  for (const Digest& one : entry.objects) {
    GREFFE_TRY(db_.run("INSERT OR IGNORE INTO lost(hearing, sha256) VALUES(?, ?)", *row, one.hex()));
  }
  return ok();
}

// Of a hearing of another archive it is the counterpart of that archive's own entry, and opens nothing here.
Status EntryApplier::apply_entry(const ShareEntry& entry) {
  GREFFE_TRY(note_entry("share", entry.hearing));
  const std::string own = GREFFE_TRY(meta(db_, "archive"));
  if (!own.empty() && own != entry.archive) return ok();
  const std::optional<std::int64_t> row = GREFFE_TRY(row_of(entry.hearing));
  if (!row) return ok();
  const std::string reason = GREFFE_TRY(read_note(entry.reason));
  const std::string prefix = entry.archive + "/";
  const std::string court = entry.court.starts_with(prefix) ? entry.court.substr(prefix.size()) : entry.court;
  changed_texts_.insert(*row);
  if (entry.action == "granted") {
    return db_.run("REPLACE INTO share(hearing, court, entry_index, utc_ms, until_ms, account, reason, revoked_account, revoked_reason)"
                   " VALUES(?, ?, ?, ?, ?, ?, ?, '', '')",
                   *row, court, index_, entry.utc, entry.until, entry.account, reason);
  }
  GREFFE_TRY(db_.run("UPDATE share SET revoked_index = ?, revoked_ms = ?, revoked_account = ?, revoked_reason = ?"
                     " WHERE hearing = ? AND court = ? AND revoked_ms IS NULL",
                     index_, entry.utc, entry.account, reason, *row, court));
  if (db_.changes() > 0) return ok();
  return problem("ends a share that there is not: hearing " + entry.hearing.text() + ", court " + court);
}

Status EntryApplier::apply_entry(const AccessEntry& entry) { return note_entry("access", entry.hearing); }
Status EntryApplier::apply_entry(const ExportEntry& entry) { return note_entry("export", entry.hearing); }

// ---- the archive itself ------------------------------------------------------------------------------------------

Status EntryApplier::apply_entry(const GenesisEntry& entry) {
  GREFFE_TRY(note_entry("genesis"));
  GREFFE_TRY(set_meta(db_, "archive", entry.archive));
  GREFFE_TRY(set_meta(db_, "role", entry.role));
  GREFFE_TRY(set_meta(db_, "log_key", entry.log_key.hex()));
  GREFFE_TRY(set_meta(db_, "holder_vkey", entry.holder.text()));
  return set_meta(db_, "genesis_utc", to_text(entry.utc));
}

Status EntryApplier::apply_entry(const KeyEntry& entry) {
  GREFFE_TRY(note_entry("key"));
  if (entry.action != "revoked") {
    return db_.run("INSERT INTO known_key(entry_index, role, name, key, cosigner, court, room, since_ms, revoked_why)"
                   " VALUES(?, ?, ?, ?, ?, ?, ?, ?, '')",
                   index_, entry.role, entry.name, entry.key.hex(), entry.cosigner, entry.court, entry.room,
                   entry.since);
  }
  GREFFE_TRY(db_.run("UPDATE known_key SET revoked_ms = ?, revoked_why = ?"
                     " WHERE role = ? AND name = ? AND key = ? AND revoked_ms IS NULL",
                     entry.since, entry.why, entry.role, entry.name, entry.key.hex()));
  if (db_.changes() > 0) return ok();
  return problem("revokes a key that was never added: " + entry.role + " " + entry.name);
}

Status EntryApplier::apply_entry(const PlaceEntry& entry) {
  GREFFE_TRY(note_entry("place"));
  const std::optional<std::string> document = GREFFE_TRY(read_document(entry.names));
  Json names;
  if (document) {
    const auto parsed = parse_place_names(*document);
    if (!parsed) return problem("document " + entry.names.hex() + ": " + parsed.error().message);
    for (const auto& [language, name] : *parsed) names.set(language, name);
  }
  GREFFE_TRY(db_.run("REPLACE INTO place(court, room, names, zone, entry_index) VALUES(?, ?, ?, ?, ?)", entry.court,
                     entry.room, write_json(names), entry.zone, index_));
  Rows rows = GREFFE_TRY(db_.query("SELECT row FROM hearing WHERE court = ? AND (? = '' OR room = ?)", entry.court,
                                   entry.room, entry.room));
  for (;;) {
    const bool more = GREFFE_TRY(rows.next());
    if (!more) return ok();
    changed_texts_.insert(rows.integer(0));
  }
}

Status EntryApplier::apply_entry(const ScrubEntry& entry) {
  GREFFE_TRY(note_entry("scrub"));
  if (entry.finding == "pass") {
    return db_.run("REPLACE INTO scrub(volume, utc_ms, objects, bytes, failures) VALUES(?, ?, ?, ?, ?)", entry.volume,
                   entry.utc, entry.objects, entry.bytes, entry.failures);
  }
  if (entry.action == "repaired") {
    return db_.run("DELETE FROM open_finding WHERE volume = ? AND key = ?", entry.volume, entry.key);
  }
  return db_.run("INSERT OR IGNORE INTO open_finding(volume, key, utc_ms) VALUES(?, ?, ?)", entry.volume, entry.key,
                 entry.utc);
}

Status EntryApplier::apply_entry(const AccountEntry&) { return note_entry("account"); }
Status EntryApplier::apply_entry(const PromotionEntry&) { return note_entry("promotion"); }
Status EntryApplier::apply_entry(const DrillEntry&) { return note_entry("drill"); }
Status EntryApplier::apply_entry(const GraftEntry&) { return note_entry("graft"); }
Status EntryApplier::apply_entry(const UnknownEntry& entry) { return note_entry(entry.kind); }

}  // namespace greffe::catalogue
