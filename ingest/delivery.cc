#include "ingest/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "archive/base/log.h"
#include "archive/format/merkle.h"
#include "ingest/hearing_key.h"
#include "ingest/import_begin.h"
#include "ingest/lost_objects.h"
#include "ingest/main_log_seen.h"
#include "ingest/succession.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kHaveAtOnce = 4096;         // what the protocol takes
constexpr std::uint64_t kEntriesAtOnce = 2048;
constexpr std::size_t kObjectsAtOnce = 64;        // then comes a receipt: what is confirmed need not be asked about again
constexpr std::int64_t kLaneKbit = 500;           // a narrow line is not shared by more connections than it can feed
constexpr int kMostRefusals = 8;                  // 409 in a row: what is asked for is sent; more is not progress

}  // namespace

// A key that the station had before, with the connections that prove it.
struct Delivery::Earlier {
  Earlier(PrivateKey given, const Enrolment& enrolment, std::stop_token stop)
      : key(std::move(given)), archive(enrolment.endpoint(), key, std::move(stop)) {}
  const PrivateKey key;
  client::ArchiveClient archive;
};

struct Delivery::Work {
  Work(FileSystem& files, const IngestSettings& settings, const HearingId& hearing)
      : id(hearing), target{hearing}, log(files, spool_of(settings.directory, hearing)) {}
  const SpoolPaths& paths() const { return log.paths(); }

  const HearingId id;
  const client::LogTarget target;
  FollowedLog log;
  const PrivateKey* key = nullptr;           // under which it was opened
  client::ArchiveClient* archive = nullptr;  // that proves it
  ReceiptState receipt;
  bool asked = false;               // held is what the archive said or took
  std::uint64_t held = 0;           // entries that the archive has
  std::uint64_t read_back = 0;
  int refusals = 0;                 // in a row
  bool diverged = false;            // the archive says that its log is another one
  std::optional<HearingId> continued;
  bool answered = false;            // in this step
};

// The next entries, [held, end), and the objects that they name, each once.
struct Delivery::Round {
  std::uint64_t end = 0;
  std::vector<Digest> objects;
  std::set<Digest> media;  // those of them that are recordings
};

Delivery::Delivery(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
                   std::stop_token stop)
    : files_(files), clock_(clock), settings_(settings), enrolment_(enrolment), key_(key), bandwidth_(clock, settings.upload.timetable, stop),
      stop_(stop), archive_(enrolment.endpoint(), key, stop), kept_epoch_(enrolment.epoch), kept_nodes_(enrolment.nodes) {}

Delivery::~Delivery() = default;

// ---- a hearing, step by step ----

Delivery::Work& Delivery::work_on(const HearingId& id) {
  std::unique_ptr<Work>& work = works_[id];
  if (!work) work = std::make_unique<Work>(files_, settings_, id);
  return *work;
}

Delivered Delivery::state_of(const Work& work) const {
  const auto waiting = work.log.media_from(work.receipt.archive_size);
  return {work.log.size(), work.log.closed(), work.receipt, std::min(work.read_back, work.log.size()), waiting.objects, waiting.bytes, work.continued,
          work.answered, work.log.media_from(0).bytes};
}

// After an error nothing of what was known is relied on.
Result<Delivered> Delivery::ended(const HearingId& id, const Status& done) {
  const auto work = works_.find(id);
  if (!done) {
    works_.erase(work);
    return done.error();
  }
  const Delivered out = state_of(*work->second);
  if (out.continued || (out.closed && out.receipt.archive_size == out.entries)) works_.erase(work);
  return out;
}

Result<ReceiptState> Delivery::deliver(const HearingId& id) {
  GREFFE_TRY(read_here(work_on(id)));
  Progress progress(clock_, "upload", state_of(work_on(id)).waiting_bytes, ProgressUnit::bytes);
  progress_ = &progress;
  HearingId now = id;
  for (;;) {
    const auto at = advance(now, [] { return false; });
    if (at && at->continued) {
      now = *at->continued;
      continue;
    }
    if (at && at->receipt.archive_size < at->entries) continue;
    progress_ = nullptr;
    if (!at) return at.error();
    return at->receipt;
  }
}

Result<Delivered> Delivery::advance(const HearingId& id, const std::function<bool()>& give_way) {
  return ended(id, step(work_on(id), give_way));
}

Result<Delivered> Delivery::here(const HearingId& id) {
  Work work(files_, settings_, id);
  GREFFE_TRY(read_here(work));
  if (const auto continued = GREFFE_TRY(read_continuation(files_, work.paths()))) work.continued = continued->hearing;
  return state_of(work);
}

Result<Delivered> Delivery::look(const HearingId& id) {
  const auto asked = [this](Work& work) -> Status {
    GREFFE_TRY(read_here(work));
    return work.log.log().checkpoint ? ask_what_is_held(work) : ok();
  };
  return ended(id, asked(work_on(id)));
}

// A hearing belongs to the key that opened it, also when the station has another one now.
Status Delivery::choose_key(Work& work) {
  const auto named = key_named_in(work.log.log());
  work.key = &key_;
  work.archive = &archive_;
  if (!named || *named == key_.public_key()) return ok();
  std::unique_ptr<Earlier>& earlier = earlier_[*named];
  if (!earlier) {
    PrivateKey key = GREFFE_TRY(load_earlier_key(files_, settings_.directory, *named));
    earlier = std::make_unique<Earlier>(std::move(key), enrolment_, stop_);
  }
  work.key = &earlier->key;
  work.archive = &earlier->archive;
  return ok();
}

Status Delivery::read_here(Work& work) {
  work.answered = false;
  GREFFE_TRY(work.log.refresh());
  GREFFE_TRY(choose_key(work));
  work.receipt = GREFFE_TRY(read_receipt(files_, work.log, work.key->public_key(), enrolment_, settings_));
  return ok();
}

Status Delivery::step(Work& work, const std::function<bool()>& give_way) {
  const auto continued = GREFFE_TRY(read_continuation(files_, work.paths()));
  GREFFE_TRY(read_here(work));
  if (continued) return go_on_elsewhere(work);
  if (!work.log.log().checkpoint) return ok();
  if (work.receipt.archive_size < work.log.size()) {
    if (!work.asked) GREFFE_TRY(ask_what_is_held(work));
    const Status sent = work.diverged ? ok() : send_round(work, give_way);
    if (work.diverged) return go_on_elsewhere(work);
    if (!sent) return sent;
  }
  const bool all = work.receipt.archive_size == work.log.size();
  if (all && settings_.second_site && work.receipt.second_site_size < work.log.size()) return ask_what_is_held(work);
  return ok();
}

// What the archive holds may be more or less than our receipt says, or another log.
Status Delivery::ask_what_is_held(Work& work) {
  const std::uint64_t size = work.log.size();
  const client::HeldCheckpoint held = GREFFE_TRY(work.archive->checkpoint(work.target));
  work.asked = true;
  work.answered = true;
  work.held = 0;
  work.read_back = held.read_back_size;
  if (!held.note.empty()) {
    const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(held.note));
    if (note.checkpoint.size > size) {
      if (work.receipt.archive_size == size) return ok();  // an older copy of this spool; nothing of it is missing there
      work.diverged = !GREFFE_TRY(is_common(work, size));
      return work.diverged ? ok() : Status(older_copy(work, note.checkpoint.size));
    }
    work.held = note.checkpoint.size;
    work.diverged = work.log.root_at(work.held) != note.checkpoint.root;
    if (!work.diverged) GREFFE_TRY(take_second_site(work, note, held.note));
  }
  return !work.diverged && work.held < work.receipt.archive_size ? withdraw_receipt(work) : ok();
}

// The archive was restored from an older state. What it once confirmed is not confirmed any more: nothing may be freed for it.
Status Delivery::withdraw_receipt(Work& work) {
  const Bytes receipt = GREFFE_TRY(files_.read_file(work.paths().receipt(), kMaxNoteBytes));
  const std::string aside = fmt::format("receipt-{}-{}", work.receipt.archive_size, sha256(receipt).hex().substr(0, 16));
  GREFFE_TRY(files_.rename(work.paths().receipt(), join(work.paths().quarantine(), aside)));
  GREFFE_TRY(files_.sync_directory(work.paths().quarantine()));
  GREFFE_TRY(files_.sync_directory(work.paths().directory));
  work.receipt = {};
  ++offered_again_;
  return ok();
}

Error Delivery::older_copy(const Work& work, std::uint64_t held) const {
  return fail(Errc::conflict, fmt::format("the archive holds {} entries of hearing {}, but only {} are in this spool: the spool was replaced "
                                          "by an older copy. The archive lacks nothing; what is recorded into this hearing from now on "
                                          "will be filed as a new one that continues it", held, work.id.text(), work.log.size()));
}

// ---- objects and entries ----

Delivery::Round Delivery::next_round(const Work& work) const {
  Round out;
  std::set<Digest> seen;
  const std::uint64_t size = work.log.size();
  const auto take = [&](std::uint64_t index) {
    const FollowedLog::Wanted wanted = work.log.wanted(index);
    for (const Digest& digest : wanted.objects) {
      if (wanted.media) out.media.insert(digest);
      if (seen.insert(digest).second) out.objects.push_back(digest);
    }
  };
  out.end = work.held;
  while (out.end < size && out.end - work.held < kEntriesAtOnce && out.objects.size() < kObjectsAtOnce) take(out.end++);
  for (std::uint64_t whole = out.end; out.end < whole || (whole = work.log.whole_at(work.held, out.end)) > out.end;) take(out.end++);
  return out;
}

Status Delivery::send_round(Work& work, const std::function<bool()>& give_way) {
  Round round = next_round(work);
  std::vector<Digest> missing = GREFFE_TRY(missing_of(work, round));
  if (bandwidth_.limit() == RateLimit(0)) GREFFE_TRY(keep_to_documents(work, round, missing));
  const auto all = put_all(work, round, missing, give_way);
  if (!all && all.error().code == Errc::no_space) return post_what_arrived(work, std::move(round), all.error());
  if (!all) return all.error();
  return *all ? post(work, round) : ok();
}

// The archive's volumes are full, or it holds as much of this station's as it takes without entries. What got there is
// named now, which is what makes room again; what did not waits.
Status Delivery::post_what_arrived(Work& work, Round round, const Error& why) {
  const std::vector<Digest> missing = GREFFE_TRY(missing_of(work, round));
  const std::set<Digest> absent(missing.begin(), missing.end());
  end_before(work, round, [&](const FollowedLog::Wanted& wanted) {
    return std::any_of(wanted.objects.begin(), wanted.objects.end(), [&](const Digest& d) { return absent.contains(d); });
  });
  return round.end > work.held ? post(work, round) : Status(why);
}

// The round becomes the entries before the first one that `stops`; entries that only make sense together stay together.
void Delivery::end_before(const Work& work, Round& round, const std::function<bool(const FollowedLog::Wanted&)>& stops) const {
  std::uint64_t end = work.held;
  while (end < round.end && !stops(work.log.wanted(end))) ++end;
  round.end = work.log.whole_at(work.held, end) > end ? work.held : end;
}

Result<std::vector<Digest>> Delivery::missing_of(Work& work, const Round& round) {
  std::vector<Digest> out;
  for (std::size_t first = 0; first < round.objects.size(); first += kHaveAtOnce) {
    const auto begin = round.objects.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = round.objects.begin() + static_cast<std::ptrdiff_t>(std::min(round.objects.size(), first + kHaveAtOnce));
    const std::vector<Digest> missing = GREFFE_TRY(work.archive->have(work.target, {begin, end}));
    out.insert(out.end(), missing.begin(), missing.end());
    work.answered = true;
  }
  return out;
}

// Only the log may go now: up to the first entry whose recording would have to go with it.
Status Delivery::keep_to_documents(const Work& work, Round& round, std::vector<Digest>& missing) {
  const std::set<Digest> absent(missing.begin(), missing.end());
  const bool empty = round.end == work.held;
  end_before(work, round, [&](const FollowedLog::Wanted& wanted) {
    return wanted.media && std::any_of(wanted.objects.begin(), wanted.objects.end(), [&](const Digest& d) { return absent.contains(d); });
  });
  if (round.end == work.held && !empty) return bandwidth_.check();
  std::erase_if(missing, [&](const Digest& digest) { return round.media.contains(digest); });
  return ok();
}

std::size_t Delivery::lanes() {
  const auto most = static_cast<std::int64_t>(settings_.upload.connections);
  const RateLimit limit = bandwidth_.limit();
  return static_cast<std::size_t>(limit ? std::clamp<std::int64_t>(*limit / kLaneKbit, 1, most) : most);
}

// Several at once: each waits for the archive's disks. False: it gave way before all were sent.
Result<bool> Delivery::put_all(const Work& work, const Round& round, const std::vector<Digest>& missing, const std::function<bool()>& give_way) {
  const Bandwidth::Sending sending(bandwidth_);
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> sent_all{0};
  std::mutex mutex;
  Status first_failure = ok();
  const auto send = [&]() {
    while (!give_way()) {
      const std::size_t i = next++;
      if (i >= missing.size()) return;
      const Status sent = put_one(work, missing[i], round.media.contains(missing[i]));
      if (sent) {
        ++sent_all;
        continue;
      }
      const std::lock_guard<std::mutex> guard(mutex);
      if (first_failure) first_failure = sent;
      next = missing.size();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(lanes(), missing.size()); ++i) {
    threads.emplace_back([&send, i] {
      name_thread(("gr-send." + std::to_string(i)).c_str());
      send();
    });
  }
  send();
  for (std::thread& thread : threads) thread.join();
  if (!first_failure) return first_failure.error();
  return sent_all == missing.size();
}

Status Delivery::put_one(const Work& work, const Digest& digest, bool media) {
  auto file = files_.open_read(work.paths().object(digest));
  const bool opened = static_cast<bool>(file);
  const auto size = opened ? (*file)->size() : Result<std::uint64_t>(file.error());
  const auto pace = media ? std::function([this](std::size_t wanted) { return bandwidth_.take(wanted); }) : nullptr;
  const Status sent = opened ? work.archive->put_object(work.target, digest, std::shared_ptr<ReadableFile>(std::move(*file)), pace) : Status(file.error());
  if (sent && size && progress_ != nullptr) progress_->add(*size);
  const bool by_bytes = !sent && (!opened || sent.error().code == Errc::corrupt || sent.error().code == Errc::io_error);
  if (!by_bytes) return sent;
  const bool whole = GREFFE_TRY(is_whole_object(files_, work.paths(), digest));
  if (whole) return fail(Errc::unavailable, fmt::format("object {} was damaged on its way: {}", digest.hex(), sent.error().message));
  return fail(Errc::corrupt, fmt::format("{} can no longer be read, or its bytes do not have the digest that is its name; the station's "
                                         "disk is failing", work.paths().object(digest)));
}

Status Delivery::post(Work& work, const Round& round) {
  const SignedCheckpoint checkpoint = checkpoint_at(work, round.end);
  const auto& all = work.log.log().entries;
  const std::vector<std::string> entries(all.begin() + static_cast<std::ptrdiff_t>(work.held), all.begin() + static_cast<std::ptrdiff_t>(round.end));
  const auto answer = GREFFE_TRY(work.archive->post_entries(work.target, work.held, entries, checkpoint.note.write()));
  if (const auto* refused = std::get_if<client::EntriesRefused>(&answer)) return take_refusal(work, round, *refused);
  GREFFE_TRY(store_receipt(work, checkpoint.checkpoint, std::get<std::string>(answer)));
  work.held = round.end;
  work.answered = true;
  work.refusals = 0;
  return ok();
}

// The archive asks for something else first; the next round gives it.
Status Delivery::take_refusal(Work& work, const Round& round, const client::EntriesRefused& refused) {
  if (refused.diverged) {
    work.diverged = true;
    return fail(Errc::conflict, refused.detail);
  }
  if (++work.refusals > kMostRefusals) return fail(Errc::conflict, fmt::format("the archive keeps asking for the same of hearing {}", work.id.text()));
  if (refused.held_size) {
    if (*refused.held_size > work.log.size()) return older_copy(work, *refused.held_size);
    work.held = *refused.held_size;
    if (work.held < work.receipt.archive_size) return withdraw_receipt(work);
    return ok();
  }
  for (const Digest& digest : refused.missing) {
    if (std::find(round.objects.begin(), round.objects.end(), digest) == round.objects.end()) {
      return fail(Errc::denied, fmt::format("the archive asks for object {}, which these entries of hearing {} do not name", digest.hex(), work.id.text()));
    }
  }
  const auto sent = put_all(work, round, refused.missing, [] { return false; });
  return sent ? ok() : Status(sent.error());
}

// The station signs smaller trees on the way, so that a request stays small.
SignedCheckpoint Delivery::checkpoint_at(const Work& work, std::uint64_t size) const {
  const SignedCheckpoint& whole = *work.log.log().checkpoint;
  if (size == work.log.size()) return whole;
  SignedCheckpoint out{{whole.checkpoint.origin, size, work.log.root_at(size)}, {}};
  out.note.text = out.checkpoint.text();
  put_signature(out.note, sign_checkpoint(out.checkpoint, *work.key));
  return out;
}

// The receipt must be about exactly what was sent, and be signed by the key that the enrolment code named.
Status Delivery::store_receipt(Work& work, const Checkpoint& sent, std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return fail(Errc::denied, fmt::format("the archive's receipt for hearing {} does not count: {}. Nothing is freed; tell the archive's "
                                          "operator", work.id.text(), why));
  };
  const auto note = parse_signed_checkpoint(text);
  if (!note) return refused(note.error().message);
  if (note->checkpoint != sent) return refused("it is about other entries than those that were sent");
  const VerifierKey own{note->checkpoint.origin, KeyType::ed25519, work.key->public_key()};
  if (!verify_note(note->note, own)) return refused("it does not carry this station's own signature");
  const VerifierKey holder = GREFFE_TRY(enrolment_.holder());
  const auto given = verify_cosignature(note->note, holder);
  if (!given) return refused(given.error().message);
  GREFFE_TRY(files_.replace(work.paths().receipt(), as_bytes(text), 0640));
  work.receipt = GREFFE_TRY(read_receipt(files_, work.log, work.key->public_key(), enrolment_, settings_));
  if (work.receipt.archive_size == sent.size) return ok();
  return fail(Errc::corrupt, fmt::format("the receipt for hearing {} does not verify after it was stored; nothing is freed", work.id.text()));
}

// The archive passes on what other sites signed. A second site that lags is not an error.
Status Delivery::take_second_site(Work& work, const SignedCheckpoint& held, std::string_view text) {
  if (!settings_.second_site || held.checkpoint.size < work.receipt.archive_size) return ok();
  if (held.checkpoint.size <= work.receipt.second_site_size) return ok();
  if (!verify_cosignature(held.note, *settings_.second_site)) return ok();
  return store_receipt(work, held.checkpoint, text);
}

Result<LostSettled> Delivery::settle(const HearingId& id) {
  Work work(files_, settings_, id);
  GREFFE_TRY(read_here(work));
  return settle_lost(files_, settings_, enrolment_, *work.key, *work.archive, id);
}

// ---- an archive that holds another log ----

// Does the archive's log begin with our first `size` entries? Not more than it holds.
Result<bool> Delivery::is_common(const Work& work, std::uint64_t size) {
  if (size == 0) return true;
  const auto answer = GREFFE_TRY(work.archive->post_entries(work.target, size, {}, checkpoint_at(work, size).note.write()));
  const auto* refused = std::get_if<client::EntriesRefused>(&answer);
  return refused == nullptr || !refused->diverged;
}

// How far the archive's log and ours are the same, with the archive's own proof of it.
Result<Continuation> Delivery::find_divergence(const Work& work) {
  Continuation out;
  const client::HeldCheckpoint held = GREFFE_TRY(work.archive->checkpoint(work.target));
  if (held.note.empty()) {
    // Then it is the main log that `open` names; what names none, or was already filed anew for this, cannot be refused so.
    const HearingEntry first = GREFFE_TRY(parse_hearing_entry(work.log.log().entries.front()));
    const auto* open = std::get_if<OpenEntry>(&first);
    const bool names_one = open != nullptr && open->main_size > 0;
    const auto refiled = names_one && open->continues ? GREFFE_TRY(read_continuation(files_, spool_of(settings_.directory, *open->continues)))
                                                      : std::nullopt;
    if (names_one && !(refiled && refiled->hearing == work.id)) return out;
    return fail(Errc::denied, fmt::format("the archive refuses hearing {} for a reason that cannot be: tell its operator", work.id.text()));
  }
  std::uint64_t same = 0;
  std::uint64_t other = std::min<std::uint64_t>(held.size, work.log.size()) + 1;
  while (other - same > 1) {
    const std::uint64_t middle = same + (other - same) / 2;
    (GREFFE_TRY(is_common(work, middle)) ? same : other) = middle;
  }
  out.first = same;
  if (same == 0) return out;
  client::HeldCheckpoint proved = GREFFE_TRY(work.archive->checkpoint(work.target, same));
  out.held = std::move(proved.note);
  out.proof = std::move(proved.consistency);
  const Status checked = check_continuation(out, work.log.log(), work.key->public_key(), enrolment_);
  if (checked) return out;
  return fail(Errc::denied, fmt::format("the archive says that it holds another log of hearing {}, but does not prove it: {}. Nothing was "
                                        "changed; tell the archive's operator", work.id.text(), checked.error().message));
}

Status Delivery::go_on_elsewhere(Work& work) {
  Continuation wanted;
  const auto begun = GREFFE_TRY(read_continuation(files_, work.paths()));
  if (!begun) wanted = GREFFE_TRY(find_divergence(work));
  // Where the archive's main log is not the one that we know, the new hearing cannot name it.
  const auto seen = see_main_log() ? newest_seen(files_, settings_.directory, enrolment_) : std::nullopt;
  const auto id = continue_elsewhere(files_, settings_, enrolment_, *work.key, work.id, std::move(wanted), seen);
  if (!id) {
    if (id.error().code != Errc::unavailable) return id.error();
    // It is the station that is busy with it, not the archive that does not answer.
    return fail(Errc::conflict, fmt::format("the archive holds another log of it than this spool, which is in use here ({}): find out whether a copy "
                                            "of this station's disk records somewhere else. Nothing is lost: once the hearing is finished, what "
                                            "the archive does not have is filed as a new one that continues it", id.error().message));
  }
  if (!begun) {
    notices_.push_back(fmt::format("the archive holds another log of hearing {} than this spool, as when a spool was replaced by an older "
                                   "copy. Nothing is lost: what the archive does not have is filed as hearing {}, which continues it. "
                                   "Record on with --hearing {}, and tell the court's IT", work.id.text(), id->text(), id->text()));
  }
  work.continued = *id;
  return ok();
}

// ---- the archive itself ----

Status Delivery::see_main_log() { return look_at_main_log(files_, settings_.directory, enrolment_, archive_); }

Status Delivery::learn_successors() { return ingest::learn_successors(files_, settings_.directory, enrolment_, archive_); }

bool Delivery::has_heard_of_later_epoch() const {
  std::uint64_t highest = archive_.server_epoch();
  for (const auto& [key, earlier] : earlier_) highest = std::max(highest, earlier->archive.server_epoch());
  return highest > enrolment_.keys_epoch();
}

Status Delivery::remember_archive() {
  Enrolment newer = enrolment_;
  newer.epoch = std::max(archive_.server_epoch(), kept_epoch_);
  newer.nodes = archive_.nodes();
  if (newer.epoch == kept_epoch_ && newer.nodes == kept_nodes_) return ok();
  // Another process of this station may have followed the archive to another site meanwhile.
  const auto kept = load_enrolment(files_, settings_.directory);
  if (kept && kept->log_vkey != enrolment_.log_vkey) return ok();
  GREFFE_TRY(save_enrolment(files_, settings_.directory, newer));
  kept_epoch_ = newer.epoch;
  kept_nodes_ = newer.nodes;
  return ok();
}

std::vector<std::string> Delivery::notices() const {
  std::vector<std::string> out = notices_;
  if (offered_again_ > 0) {
    out.push_back(fmt::format("the archive holds less of {} hearing{} than it had confirmed: it was restored from an older state. What the "
                              "station still holds is delivered again; tell the court's IT", offered_again_, offered_again_ == 1 ? "" : "s"));
  }
  return out;
}

}  // namespace greffe::ingest
