#include "ingest/delivery.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "archive/base/log.h"
#include "archive/base/progress.h"
#include "archive/format/merkle.h"
#include "ingest/import_begin.h"
#include "ingest/lost_objects.h"
#include "ingest/main_log_seen.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kHaveAtOnce = 4096;      // what the protocol takes
constexpr std::uint64_t kEntriesAtOnce = 2048;
constexpr unsigned kSenders = 4;
constexpr int kMostRefusals = 8;               // 409 in a row: what is asked for is sent; more is not progress

}  // namespace

struct Delivery::Work {
  HearingId id;
  client::LogTarget target;
  SpoolPaths paths;
  SignedLog log;
  ReceiptState receipt;
  std::uint64_t held = 0;  // entries that the archive has
  bool diverged = false;   // the archive says that its log is another one
};

Delivery::Delivery(FileSystem& files, Clock& clock, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key)
    : files_(files), clock_(clock), settings_(settings), enrolment_(enrolment), key_(key), archive_(enrolment.endpoint(), key) {}

Result<ReceiptState> Delivery::deliver(const HearingId& id) {
  Work work{id, {id}, spool_of(settings_.directory, id), {}, {}, 0, false};
  const auto continued = GREFFE_TRY(read_continuation(files_, work.paths));
  if (continued) return go_on_elsewhere(work);
  work.log = GREFFE_TRY(read_signed_log(files_, work.paths));
  if (!work.log.checkpoint) return work.receipt;
  const auto read = [&]() { return read_receipt(files_, work.paths, work.log, key_.public_key(), enrolment_, settings_); };
  work.receipt = GREFFE_TRY(read());
  if (work.receipt.archive_size < work.log.entries.size()) {
    GREFFE_TRY(ask_what_is_held(work));
    if (work.diverged) return go_on_elsewhere(work);
    const std::vector<Digest> digests = GREFFE_TRY(objects_of(work.log.entries, work.held));
    GREFFE_TRY(send_objects(work, digests));
    const Status sent = send_entries(work);
    if (work.diverged) return go_on_elsewhere(work);
    if (!sent) return sent.error();
    work.receipt = GREFFE_TRY(read());
    if (work.receipt.archive_size != work.log.entries.size()) {
      return fail(Errc::corrupt, fmt::format("the receipt for hearing {} does not verify after it was stored; nothing is freed", id.text()));
    }
  }
  if (settings_.second_site && work.receipt.second_site_size < work.log.entries.size()) {
    GREFFE_TRY(fetch_second_site(work));
    work.receipt = GREFFE_TRY(read());
  }
  return work.receipt;
}

// Before anything is sent: what the archive holds may be more or less than our receipt says, or another log.
Status Delivery::ask_what_is_held(Work& work) {
  const std::uint64_t size = work.log.entries.size();
  const client::HeldCheckpoint held = GREFFE_TRY(archive_.checkpoint(work.target));
  if (held.note.empty()) return ok();
  const SignedCheckpoint note = GREFFE_TRY(parse_signed_checkpoint(held.note));
  if (note.checkpoint.size <= size) {
    work.held = note.checkpoint.size;
    work.diverged = root_at(work.log, work.held) != note.checkpoint.root;
    return ok();
  }
  work.diverged = !GREFFE_TRY(is_common(work, size));
  return work.diverged ? ok() : Status(older_copy(work, note.checkpoint.size));
}

Error Delivery::older_copy(const Work& work, std::uint64_t held) const {
  return fail(Errc::conflict, fmt::format("the archive holds {} entries of hearing {}, but only {} are in this spool: the spool was replaced "
                                          "by an older copy. The archive lacks nothing; what is recorded into this hearing from now on "
                                          "will be filed as a new one that continues it", held, work.id.text(), work.log.entries.size()));
}

Status Delivery::send_objects(Work& work, const std::vector<Digest>& digests) {
  for (std::size_t first = 0; first < digests.size(); first += kHaveAtOnce) {
    const auto begin = digests.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = digests.begin() + static_cast<std::ptrdiff_t>(std::min(digests.size(), first + kHaveAtOnce));
    const std::vector<Digest> missing = GREFFE_TRY(archive_.have(work.target, {begin, end}));
    GREFFE_TRY(put_all(work, missing));
  }
  return ok();
}

// Several at once: each waits for the archive's disks.
Status Delivery::put_all(Work& work, const std::vector<Digest>& missing) {
  std::uint64_t bytes = 0;
  for (const Digest& digest : missing) {
    const auto facts = files_.stat(work.paths.object(digest));
    if (facts) bytes += facts->size;
  }
  Progress progress(clock_, "upload", bytes, ProgressUnit::bytes);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  Status first_failure = ok();
  const auto send = [&](unsigned number) {
    name_thread(("gr-send." + std::to_string(number)).c_str());
    for (;;) {
      const std::size_t i = next++;
      if (i >= missing.size()) return;
      const Status sent = put_one(work, missing[i]);
      if (sent) {
        const auto facts = files_.stat(work.paths.object(missing[i]));
        progress.add(facts ? facts->size : 0);
        continue;
      }
      const std::lock_guard<std::mutex> guard(mutex);
      if (first_failure) first_failure = sent;
      next = missing.size();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::min<std::size_t>(kSenders, missing.size()); ++i) threads.emplace_back(send, i);
  for (std::thread& thread : threads) thread.join();
  return first_failure;
}

Status Delivery::put_one(const Work& work, const Digest& digest) {
  auto file = files_.open_read(work.paths.object(digest));
  const bool opened = static_cast<bool>(file);
  const Status sent = opened ? archive_.put_object(work.target, digest, std::shared_ptr<ReadableFile>(std::move(*file))) : Status(file.error());
  const bool by_bytes = !sent && (!opened || sent.error().code == Errc::corrupt || sent.error().code == Errc::io_error);
  if (!by_bytes) return sent;
  const bool whole = GREFFE_TRY(is_whole_object(files_, work.paths, digest));
  if (whole) return fail(Errc::unavailable, fmt::format("object {} was damaged on its way: {}", digest.hex(), sent.error().message));
  return fail(Errc::corrupt, fmt::format("{} can no longer be read, or its bytes do not have the digest that is its name; the station's "
                                         "disk is failing", work.paths.object(digest)));
}

// The station signs smaller trees on the way, so that a request stays small.
Status Delivery::send_entries(Work& work) {
  const std::uint64_t size = work.log.entries.size();
  while (work.held < size) GREFFE_TRY(post_up_to(work, whole_at(work, std::min(size, work.held + kEntriesAtOnce))));
  return ok();
}

// The archive excuses what a `lost` entry names only in the same request: at least `size` entries, and all such of theirs.
std::uint64_t Delivery::whole_at(const Work& work, std::uint64_t size) const {
  std::map<Digest, std::uint64_t> said_at;
  for (std::uint64_t i = work.held; i < work.log.entries.size(); ++i) {
    const auto entry = parse_hearing_entry(work.log.entries[i]);
    const auto* lost = entry ? std::get_if<LostEntry>(&*entry) : nullptr;
    for (const Digest& digest : lost != nullptr ? lost->objects : std::vector<Digest>()) said_at.emplace(digest, i);
  }
  for (std::uint64_t i = work.held; !said_at.empty() && i < size; ++i) {
    const auto json = parse_canonical_json(work.log.entries[i]);
    for (const Digest& digest : json ? named_objects(*json) : std::vector<Digest>()) {
      const auto at = said_at.find(digest);
      if (at != said_at.end()) size = std::max(size, at->second + 1);
    }
  }
  return size;
}

Status Delivery::post_up_to(Work& work, std::uint64_t size) {
  const std::string checkpoint = GREFFE_TRY(checkpoint_at(work, size));
  for (int refusals = 0; refusals < kMostRefusals; ++refusals) {
    const auto first = work.log.entries.begin() + static_cast<std::ptrdiff_t>(std::min(work.held, size));
    const std::vector<std::string> entries(first, work.log.entries.begin() + static_cast<std::ptrdiff_t>(size));
    const auto answer = GREFFE_TRY(archive_.post_entries(work.target, std::min(work.held, size), entries, checkpoint));
    if (const auto* note = std::get_if<std::string>(&answer)) {
      work.held = size;
      return size == work.log.entries.size() ? store_receipt(work, *note) : ok();
    }
    const auto& refused = std::get<client::EntriesRefused>(answer);
    if (refused.diverged) {
      work.diverged = true;
      return fail(Errc::conflict, refused.detail);
    }
    if (refused.held_size) {
      if (*refused.held_size > work.log.entries.size()) return older_copy(work, *refused.held_size);
      work.held = *refused.held_size;
      if (work.held >= size && size < work.log.entries.size()) return ok();
    }
    if (!refused.missing.empty()) GREFFE_TRY(put_all(work, refused.missing));
  }
  return fail(Errc::unavailable, fmt::format("the archive keeps asking for the same of hearing {}", work.id.text()));
}

// Does the archive's log begin with our first `size` entries? Not more than it holds.
Result<bool> Delivery::is_common(const Work& work, std::uint64_t size) {
  if (size == 0) return true;
  const std::string checkpoint = GREFFE_TRY(checkpoint_at(work, size));
  const auto answer = GREFFE_TRY(archive_.post_entries(work.target, size, {}, checkpoint));
  const auto* refused = std::get_if<client::EntriesRefused>(&answer);
  return refused == nullptr || !refused->diverged;
}

// How far the archive's log and ours are the same, with the archive's own proof of it.
Result<Continuation> Delivery::find_divergence(const Work& work) {
  Continuation out;
  const client::HeldCheckpoint held = GREFFE_TRY(archive_.checkpoint(work.target));
  if (held.note.empty()) {
    // Then it is the main log that `open` names; what names none, or was already filed anew for this, cannot be refused so.
    const HearingEntry first = GREFFE_TRY(parse_hearing_entry(work.log.entries.front()));
    const auto* open = std::get_if<OpenEntry>(&first);
    if (open != nullptr && open->main_size > 0 && !open->continues) return out;
    return fail(Errc::denied, fmt::format("the archive refuses hearing {} for a reason that cannot be: tell its operator", work.id.text()));
  }
  std::uint64_t same = 0;
  std::uint64_t other = std::min<std::uint64_t>(held.size, work.log.entries.size()) + 1;
  while (other - same > 1) {
    const std::uint64_t middle = same + (other - same) / 2;
    (GREFFE_TRY(is_common(work, middle)) ? same : other) = middle;
  }
  out.first = same;
  if (same == 0) return out;
  client::HeldCheckpoint proved = GREFFE_TRY(archive_.checkpoint(work.target, same));
  out.held = std::move(proved.note);
  out.proof = std::move(proved.consistency);
  const Status checked = check_continuation(out, work.log, key_.public_key(), enrolment_);
  if (checked) return out;
  return fail(Errc::denied, fmt::format("the archive says that it holds another log of hearing {}, but does not prove it: {}. Nothing was "
                                        "changed; tell the archive's operator", work.id.text(), checked.error().message));
}

Result<ReceiptState> Delivery::go_on_elsewhere(Work& work) {
  Continuation wanted;
  const auto begun = GREFFE_TRY(read_continuation(files_, work.paths));
  if (!begun) wanted = GREFFE_TRY(find_divergence(work));
  // Where the archive's main log is not the one that we know, the new hearing cannot name it.
  const auto seen = see_main_log() ? newest_seen(files_, settings_.directory, enrolment_) : std::nullopt;
  const HearingId id = GREFFE_TRY(continue_elsewhere(files_, settings_, enrolment_, key_, work.id, std::move(wanted), seen));
  if (!begun) {
    notices_.push_back(fmt::format("the archive holds another log of hearing {} than this spool, as when a spool was replaced by an older "
                                   "copy. Nothing is lost: what the archive does not have is filed as hearing {}, which continues it. "
                                   "Record on with --hearing {}, and tell the court's IT", work.id.text(), id.text(), id.text()));
  }
  return deliver(id);
}

Status Delivery::see_main_log() { return look_at_main_log(files_, settings_.directory, enrolment_, archive_); }

Result<std::string> Delivery::checkpoint_at(const Work& work, std::uint64_t size) const {
  if (size == work.log.entries.size()) return work.log.checkpoint->note.write();
  const Checkpoint checkpoint{work.log.checkpoint->checkpoint.origin, size, root_at(work.log, size)};
  SignedNote note;
  note.text = checkpoint.text();
  put_signature(note, sign_checkpoint(checkpoint, key_));
  return note.write();
}

// The receipt must be about exactly our checkpoint, and be signed by the key that the enrolment code named.
Status Delivery::store_receipt(const Work& work, std::string_view text) {
  const auto refused = [&](std::string_view why) {
    return fail(Errc::denied, fmt::format("the archive's receipt for hearing {} does not count: {}. Nothing is freed; tell the archive's "
                                          "operator", work.id.text(), why));
  };
  const auto note = parse_signed_checkpoint(text);
  if (!note) return refused(note.error().message);
  if (note->checkpoint != work.log.checkpoint->checkpoint) return refused("it is about other entries than those that were sent");
  const VerifierKey own{note->checkpoint.origin, KeyType::ed25519, key_.public_key()};
  if (!verify_note(note->note, own)) return refused("it does not carry this station's own signature");
  const VerifierKey holder = GREFFE_TRY(enrolment_.holder());
  const auto given = verify_cosignature(note->note, holder);
  if (!given) return refused(given.error().message);
  return files_.replace(work.paths.receipt(), as_bytes(text), 0640);
}

// The archive passes on what other sites signed. A second site that lags is not an error.
Status Delivery::fetch_second_site(Work& work) {
  const client::HeldCheckpoint held = GREFFE_TRY(archive_.checkpoint(work.target));
  const auto note = parse_signed_checkpoint(held.note);
  if (!note || note->checkpoint != work.log.checkpoint->checkpoint) return ok();
  if (!verify_cosignature(note->note, *settings_.second_site)) return ok();
  return store_receipt(work, held.note);
}

}  // namespace greffe::ingest
