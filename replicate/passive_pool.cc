#include "replicate/passive_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "archive/format/ahead_piece.h"
#include "archive/format/names.h"
#include "archive/format/signed_note.h"
#include "archive/store/pool_roster.h"
#include "archive/store/volume_label.h"

namespace greffe::replicate {
namespace {

// What a disk refused once, this pool does not write to again.
Status refuse_unwritable(store::WholePool& pool) {
  const std::vector<store::VolumeReport> volumes = pool.volumes();
  const auto is_suspect = [](const store::VolumeReport& one) { return one.state == store::VolumeState::suspect; };
  const auto suspect = std::find_if(volumes.begin(), volumes.end(), is_suspect);
  const auto sound = std::count_if(volumes.begin(), volumes.end(), [](const store::VolumeReport& one) {
    return one.state == store::VolumeState::active || one.state == store::VolumeState::full;
  });
  if (suspect == volumes.end() || static_cast<unsigned>(sound) >= pool.traits().write_quorum) return ok();
  return fail(Errc::unavailable, fmt::format("{} cannot be written to: {}", suspect->path, suspect->reason));
}

bool lacks_a_volume(store::WholePool& pool) {
  const std::vector<store::VolumeReport> volumes = pool.volumes();
  return std::any_of(volumes.begin(), volumes.end(), [](const store::VolumeReport& one) { return one.state == store::VolumeState::missing; });
}

// An archive's own main log has no place in a copy, whatever else lies there.
Status refuse_archive(store::WholePool& pool) {
  const auto head = pool.read_head(checkpoint_path(main_log_path()));
  if (head) return fail(Errc::denied, "it holds an archive; nothing is written there. Choose another place for the copy");
  return head.error().code == Errc::not_found ? ok() : Status(head.error());
}

struct SeenLabel {
  std::optional<CopyLabel> label;
  std::string lack = {};  // none: why
};

// One replica of it that can be read is enough.
Result<SeenLabel> label_of(store::ObjectStore& pool) {
  const auto texts = pool.get_all(kCopyLabelKey);
  if (!texts && texts.error().code == Errc::not_found) return SeenLabel{std::nullopt, "nothing says that it is a copy of this archive"};
  if (!texts) return texts.error();
  SeenLabel out{std::nullopt, "what says whose copy it is cannot be read"};
  for (const Bytes& text : *texts) {
    auto label = parse_copy_label(as_text(text));
    if (label) return SeenLabel{std::move(*label)};
    out.lack = "what says whose copy it is cannot be read: " + label.error().message;
  }
  return out;
}

// A log of our archive lies there, by its signature: so is the copy, whatever became of its label.
Result<bool> has_our_log(store::HeadStore& pool, const CopyOwner& owner) {
  std::vector<VerifierKey> keys = owner.later;
  keys.push_back(owner.log);
  for (const VerifierKey& key : keys) {
    const auto text = pool.read_head(checkpoint_path(foreign_log_path(key.name)));
    if (!text && text.error().code == Errc::not_found) continue;
    if (!text) return text.error();
    const auto head = parse_signed_checkpoint(*text);
    if (head && head->checkpoint.origin == key.name && verify_note(head->note, key)) return true;
  }
  return false;
}

Status check_owner(store::HeadStore& pool, const CopyLabel& label, const CopyOwner& owner) {
  if (label.archive != owner.archive) return fail(Errc::denied, fmt::format("it is a copy of {}, not of {}; nothing is written there", label.archive, owner.archive));
  if (label.log == owner.log) return ok();
  // The label has the key of the first epoch, which is not known where all was lost after a promotion.
  if (owner.log.name != owner.archive && GREFFE_TRY(has_our_log(pool, owner))) return ok();
  return fail(Errc::denied, fmt::format("it is a copy of an archive {} with another log key than ours; nothing is written there", label.archive));
}

Status refuse_other_things(store::WholePool& pool) {
  bool any = false;
  GREFFE_TRY(pool.list("log/", [&](const store::ObjectInfo&) {
    any = true;
    return false;
  }));
  if (!any) {
    GREFFE_TRY(pool.walk_objects([&](const Digest&) {
      any = true;
      return false;
    }));
  }
  return any ? Status(fail(Errc::denied, "there is something in it, and nothing says that it is a copy; nothing is written there. Choose another place, or empty it")) : ok();
}

// Of logs a copy has those of the hearings and one more for each epoch. With others it is an archive's pool of which a head is lost, a second site's for one.
Status refuse_other_logs(store::ObjectStore& pool, const CopyOwner& owner) {
  std::vector<std::string> ours = {foreign_log_path(owner.archive) + "/"};
  for (const VerifierKey& key : owner.later) ours.push_back(foreign_log_path(key.name) + "/");
  const auto is_ours = [&ours](std::string_view key) { return std::any_of(ours.begin(), ours.end(), [key](const std::string& path) { return key.starts_with(path); }); };
  std::string other;
  for (const std::string& below : {main_log_path() + "/", std::string("log/from/"), std::string("log/open/"), std::string(kAheadLogs)}) {
    GREFFE_TRY(pool.list(below, [&](const store::ObjectInfo& info) {
      if (!is_ours(info.key)) other = info.key;
      return other.empty();
    }));
    if (!other.empty()) return fail(Errc::denied, fmt::format("it has {}, as a copy has not; nothing is written there. Choose another place for the copy", other));
  }
  return ok();
}

store::PoolListeners listeners_for_heads() {
  store::PoolListeners out;
  out.head_is_good = [](std::string_view key, std::string_view text) { return !key.ends_with("/checkpoint") || parse_signed_checkpoint(text).has_value(); };
  return out;
}

// Before a byte of it is changed: opening a pool as its writer writes its list of volumes anew.
Status look_first(FileSystem& files, Clock& clock, const store::PoolPlace& place, const CopyOwner& owner) {
  const auto pool = GREFFE_TRY(store::open_pool(files, clock, place, store::PoolMode::reader, listeners_for_heads()));
  GREFFE_TRY(refuse_archive(*pool));
  const SeenLabel seen = GREFFE_TRY(label_of(*pool));
  if (seen.label) return check_owner(*pool, *seen.label, owner);
  if (lacks_a_volume(*pool)) return fail(Errc::unavailable, "a volume of it is missing: is the disk mounted?");
  return GREFFE_TRY(has_our_log(*pool, owner)) ? refuse_other_logs(*pool, owner) : refuse_other_things(*pool);
}

std::string whole_path(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

// A failure domain for each: what the copy's disks have in common is not asked.
std::string domain_of(std::size_t number) { return fmt::format("volume-{}", number + 1); }

struct LocalVolumes {
  std::string pool;                 // id; empty: none is labelled
  std::optional<store::PoolRoster> roster;
  std::vector<std::size_t> fresh;   // places of the configuration without a label
};

Result<LocalVolumes> look_at_volumes(FileSystem& files, const std::vector<std::string>& paths) {
  LocalVolumes out;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const auto label = store::read_volume_label(files, paths[i]);
    if (!label && label.error().code == Errc::not_found) {
      out.fresh.push_back(i);
      continue;
    }
    if (!label) return label.error();
    if (!out.pool.empty() && out.pool != label->pool) return fail(Errc::invalid, paths[i] + " is a volume of another pool than those before it");
    out.pool = label->pool;
    auto roster = store::read_pool_roster(files, paths[i]);
    if (roster && (!out.roster || out.roster->generation < roster->generation)) out.roster = *std::move(roster);
  }
  if (!out.roster) return out;
  // The mount point of a disk that is away must not become another volume.
  for (const std::size_t i : out.fresh) {
    const auto known = [&](const store::RosterVolume& one) { return one.path == paths[i] && one.duty != store::VolumeDuty::retired; };
    if (std::any_of(out.roster->volumes.begin(), out.roster->volumes.end(), known)) {
      return fail(Errc::unavailable, paths[i] + " is a volume of this copy and is not there: is the disk mounted?");
    }
  }
  return out;
}

// Volumes that are new come in before the copy is called one; a crash leaves volumes without anything on them.
Result<std::unique_ptr<store::WholePool>> open_local(FileSystem& files, Clock& clock, store::PoolPlace place, const CopyOwner& owner) {
  for (std::string& path : place.volumes) path = whole_path(path);
  const std::vector<std::string> paths = place.volumes;
  LocalVolumes there = GREFFE_TRY(look_at_volumes(files, paths));
  if (!there.roster) {
    if (there.pool.empty()) there.pool = store::make_pool_id();
    for (const std::size_t i : there.fresh) {
      const auto made = store::init_volume(files, paths[i], there.pool, domain_of(i));
      if (!made) return made.error().within(paths[i] + " (a volume needs a file system that gives a name to an open file and has hard links, as ext4, XFS and btrfs do)");
    }
    there.fresh.clear();
  }
  // The pool as it was: it has none of the new ones, and may have had fewer than its configuration asks for from now on.
  if (!there.fresh.empty()) {
    place.write_quorum = 1;
    for (const std::size_t i : there.fresh) std::erase(place.volumes, paths[i]);
  }
  GREFFE_TRY(look_first(files, clock, place, owner));
  auto pool = GREFFE_TRY(store::open_pool(files, clock, place, store::PoolMode::writer, listeners_for_heads()));
  for (const std::size_t i : there.fresh) {
    const auto added = pool->members()->add_volume(paths[i], domain_of(i));
    if (!added && added.error().code != Errc::already_exists) return added.error();
  }
  return pool;
}

}  // namespace

PassivePool::PassivePool(Open open, std::string name, CopyOwner owner, store::PoolMode mode, Clock& clock, Log& log, std::stop_token stop, LostLabel lost_label)
    : open_(std::move(open)), name_(std::move(name)), owner_(std::move(owner)), mode_(mode), lost_label_(lost_label), clock_(clock), log_(log), stop_(std::move(stop)) {}

Result<CopyLabel> PassivePool::owned(store::WholePool& pool) const {
  const SeenLabel seen = GREFFE_TRY(label_of(pool));
  if (seen.label) {
    GREFFE_TRY(check_owner(pool, *seen.label, owner_));
    return *seen.label;
  }
  if (lost_label_ == LostLabel::bear && GREFFE_TRY(has_our_log(pool, owner_))) return CopyLabel{owner_.archive, owner_.log, clock_.utc_now()};
  if (lacks_a_volume(pool)) return fail(Errc::unavailable, "a volume of it is missing");
  return fail(Errc::denied, seen.lack + "; make it one with: greffe-replicate init-target --target " + name_);
}

Result<std::shared_ptr<OpenedCopy>> PassivePool::open() {
  std::unique_ptr<store::WholePool> seen;
  if (mode_ == store::PoolMode::writer) {
    // As a reader first: what is not ours stays untouched.
    seen = GREFFE_TRY(open_(store::PoolMode::reader, listeners_for_heads()));
    GREFFE_TRY(refuse_archive(*seen));
    GREFFE_TRY(owned(*seen));
  }
  auto out = std::make_shared<OpenedCopy>();
  store::PoolListeners listeners = listeners_for_heads();
  listeners.on_damage = [this](const store::Damage& one) {
    log_.warn(fmt::format("target {}: {}{}", name_, one.what, one.repaired ? "; a good copy took its place" : ""));
  };
  // Not the copy itself, which owns the pool that calls: it would never end.
  listeners.on_lost = [lost = &out->lost] { *lost = true; };
  listeners.stop = stop_;
  out->pool = GREFFE_TRY(open_(mode_, std::move(listeners)));
  // Nobody else writes there from here on, and who did a moment ago may have made something else of it. A writer that reads a head makes it
  // its own where a service keeps the pool (remote_heads.h): an archive's stays as it is.
  GREFFE_TRY(refuse_archive(seen ? *seen : *out->pool));
  out->label = GREFFE_TRY(owned(*out->pool));
  if (mode_ == store::PoolMode::writer) GREFFE_TRY(refuse_unwritable(*out->pool));
  return out;
}

// Whether another one must be opened in its place.
bool PassivePool::is_spent() {
  if (opened_->lost) return true;
  if (!doubted_.exchange(false)) return false;
  const auto label = opened_->pool->get(kCopyLabelKey);
  const bool other = label ? as_text(*label) != write_copy_label(opened_->label) : label.error().code == Errc::not_found;
  if (other) return true;  // its disk is another one than a moment ago, or none
  // What failed once on a disk is not written to again by the pool that saw it. This also brings back one that was away.
  const std::vector<store::VolumeReport> volumes = opened_->pool->volumes();
  return std::any_of(volumes.begin(), volumes.end(), [](const store::VolumeReport& one) { return one.state == store::VolumeState::suspect; });
}

Result<std::shared_ptr<OpenedCopy>> PassivePool::get() {
  const std::lock_guard lock(mutex_);
  if (opened_ && is_spent()) opened_.reset();  // who has it in use keeps it until then, and with it the lease
  if (opened_) return opened_;
  if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped on request");
  const std::int64_t now_ms = clock_.monotonic_ms();
  if (refused_ && now_ms - refused_ms_ < kAgainMs) return *refused_;
  auto opened = open();
  if (opened) {
    refused_.reset();
    opened_ = *opened;
    return opened_;
  }
  Error error = std::move(opened).error().within("the copy " + name_);
  // Nobody who asks for something in it must take this for an answer.
  if (error.code == Errc::not_found || error.code == Errc::io_error || error.code == Errc::corrupt) error.code = Errc::unavailable;
  refused_ = error;
  refused_ms_ = clock_.monotonic_ms();
  return error;
}

Result<std::string> make_passive_pool(FileSystem& files, Clock& clock, const store::PoolPlace& place, const CopyOwner& owner) {
  std::string words;
  std::unique_ptr<store::WholePool> pool;
  if (owner.log.name != owner.archive) return fail(Errc::invalid, "the label of a copy has the log key of the archive's first epoch");
  if (place.volumes.empty()) {
    const auto made = store::init_remote_pool(files, place, store::make_pool_id());
    if (!made && made.error().code != Errc::already_exists) return made.error();
    if (made) words = *made;
    GREFFE_TRY(look_first(files, clock, place, owner));
    pool = GREFFE_TRY(store::open_pool(files, clock, place, store::PoolMode::writer, listeners_for_heads()));
  } else {
    pool = GREFFE_TRY(open_local(files, clock, place, owner));
  }
  // A copy that has its label keeps it, on every volume; one whose label is lost counts as begun now, so that all of it is read back.
  const SeenLabel seen = GREFFE_TRY(label_of(*pool));
  const std::string text = write_copy_label(seen.label.value_or(CopyLabel{owner.archive, owner.log, clock.utc_now()}));
  const Status put = pool->put(kCopyLabelKey, as_bytes(text));
  if (put) return words;
  if (put.error().code != Errc::conflict) return put.error();
  // Damaged ones are moved aside.
  const store::ReplicaReport written = GREFFE_TRY(pool->restore(kCopyLabelKey, as_bytes(text)));
  if (written.good < pool->traits().write_quorum) return fail(Errc::unavailable, "what says whose copy it is could not be written to enough volumes; look at the disks");
  return words;
}

Result<bool> is_passive_copy(store::WholePool& pool, std::string_view archive) {
  const auto label = pool.get(kCopyLabelKey);
  if (label) return true;
  if (label.error().code != Errc::not_found) return label.error();
  // A second site has a main log of its own, also when it was promoted; of a pool that is rebuilt it is the archive's.
  const auto own = pool.read_head(checkpoint_path(main_log_path()));
  if (own || own.error().code == Errc::corrupt) return false;
  if (own.error().code != Errc::not_found) return own.error();
  bool any = false;
  GREFFE_TRY(pool.list(foreign_log_path(archive) + "/", [&](const store::ObjectInfo&) {
    any = true;
    return false;
  }));
  return any;
}

}  // namespace greffe::replicate
