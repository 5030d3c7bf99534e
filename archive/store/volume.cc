#include "archive/store/volume.h"

#include <fmt/format.h>

#include <utility>

namespace greffe::store {
namespace {

// The file system said "no space" although its count said there was some: it gets that long before the next try.
constexpr std::int64_t kFullPauseMs = 10'000;
// 65,536 object directories and those of some months of hearings; forgetting costs an fsync, not safety.
constexpr std::size_t kDurableDirectoriesMax = 200'000;

}  // namespace

std::string_view name_of(VolumeState state) {
  switch (state) {
    case VolumeState::active: return "active";
    case VolumeState::full: return "full";
    case VolumeState::suspect: return "suspect";
    case VolumeState::missing: return "missing";
    case VolumeState::draining: return "draining";
    case VolumeState::retired: return "retired";
  }
  return "missing";
}

Volume::Volume(FileSystem& files, Clock& clock, std::string path, std::uint64_t min_free_bytes)
    : files_(files), clock_(clock), path_(std::move(path)), min_free_bytes_(min_free_bytes), since_(clock.utc_now()) {}

void Volume::set_state(VolumeState state, std::string reason) {
  if (state_ != state) since_ = clock_.utc_now();
  state_ = state;
  reason_ = std::move(reason);
}

void Volume::expect(const VolumeLabel& label) {
  const std::lock_guard lock(mutex_);
  if (label_.id.empty()) label_ = label;
}

void Volume::set_duty(VolumeDuty duty, UtcTime since) {
  const std::lock_guard lock(mutex_);
  duty_ = duty;
  duty_since_ = since;
}

void Volume::refresh(const std::string& pool_id) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != VolumeState::missing || refused_) return;
  }
  const auto label = read_volume_label(files_, path_);
  const auto info = files_.stat(file(kLabelFile));
  const std::lock_guard lock(mutex_);
  if (!label) {
    const bool absent = label.error().code == Errc::not_found;
    set_state(VolumeState::missing, absent ? path_ + " has no greffe-volume.json: is the disk mounted?"
                                           : label.error().message);
    return;
  }
  if (!info) return set_state(VolumeState::missing, info.error().message);
  if (!pool_id.empty() && label->pool != pool_id) {
    return set_state(VolumeState::missing,
                     fmt::format("{} belongs to another pool ({}); nothing was touched", path_, label->pool));
  }
  if (!label_.id.empty() && label_.id != label->id) {
    return set_state(VolumeState::missing, fmt::format("another volume ({}) is at {} where {} was", label->id, path_,
                                                       label_.id));
  }
  label_ = *label;
  device_ = info->device;
  durable_directories_.clear();
  set_state(VolumeState::active, "");
}

void Volume::refuse(std::string reason) {
  const std::lock_guard lock(mutex_);
  refused_ = true;
  set_state(VolumeState::missing, std::move(reason));
}

void Volume::admit() {
  const std::lock_guard lock(mutex_);
  refused_ = false;
}

VolumeLabel Volume::label() const {
  const std::lock_guard lock(mutex_);
  return label_;
}

bool Volume::readable() const {
  const std::lock_guard lock(mutex_);
  return state_ != VolumeState::missing;
}

bool Volume::trusted() const {
  const std::lock_guard lock(mutex_);
  return duty_ == VolumeDuty::active && (state_ == VolumeState::active || state_ == VolumeState::full);
}

bool Volume::keeps() const {
  const std::lock_guard lock(mutex_);
  return duty_ == VolumeDuty::active && state_ != VolumeState::missing;
}

VolumeDuty Volume::duty() const {
  const std::lock_guard lock(mutex_);
  return duty_;
}

VolumeReport Volume::report() const {
  const auto space = files_.space(path_);
  const std::lock_guard lock(mutex_);
  VolumeReport out{label_.id, path_, label_.domain, state_, reason_, since_, 0, 0, reserved_bytes_, duty_ == VolumeDuty::draining};
  const bool sound = state_ == VolumeState::active || state_ == VolumeState::full;
  if (duty_ == VolumeDuty::retired || (out.draining && sound)) {
    out.state = out.draining ? VolumeState::draining : VolumeState::retired;
    out.since = duty_since_;
    out.reason = out.draining ? "it is being emptied" : "everything on it is on other volumes; it may be taken out";
  }
  if (space && state_ != VolumeState::missing) {
    out.total_bytes = space->total_bytes;
    out.free_bytes = space->free_bytes;
  }
  return out;
}

Status Volume::reserve(std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (duty_ != VolumeDuty::active) return fail(Errc::unavailable, fmt::format("volume {} is {}", path_, name_of(duty_)));
    if (state_ == VolumeState::missing || state_ == VolumeState::suspect) {
      return fail(Errc::unavailable, fmt::format("volume {} is {}: {}", path_, name_of(state_), reason_));
    }
    if (state_ == VolumeState::full && clock_.monotonic_ms() < full_until_ms_) return fail(Errc::no_space, reason_);
  }
  const auto space = files_.space(path_);
  if (!space) return note_failure(space.error());
  const std::lock_guard lock(mutex_);
  const std::uint64_t wanted = min_free_bytes_ + reserved_bytes_ + bytes;
  if (space->free_bytes < wanted) {
    set_state(VolumeState::full,
              fmt::format("volume {} has {} bytes free, {} more are needed (of which {} are kept back for logs); "
                          "add a volume or make room",
                          path_, space->free_bytes, wanted - space->free_bytes, min_free_bytes_));
    return fail(Errc::no_space, reason_);
  }
  if (state_ == VolumeState::full) set_state(VolumeState::active, "");
  reserved_bytes_ += bytes;
  return ok();
}

void Volume::release(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  GREFFE_CHECK(reserved_bytes_ >= bytes);
  reserved_bytes_ -= bytes;
}

Error Volume::note_failure(const Error& error) {
  const Error said = error.within(fmt::format("volume {}", path_));
  // Too many open files or no memory is the machine's trouble; invalid and conflict are the caller's.
  const bool of_medium = error.code == Errc::io_error || error.code == Errc::denied || error.code == Errc::not_found ||
                         error.code == Errc::no_space;
  if (!of_medium) return said;
  bool gone = false;
  if (error.code != Errc::no_space) {
    const auto label_now = read_volume_label(files_, path_);
    const std::lock_guard lock(mutex_);
    gone = !label_now || label_now->id != label_.id;
  }
  const std::lock_guard lock(mutex_);
  if (state_ == VolumeState::missing) return said;
  if (gone) {
    set_state(VolumeState::missing, path_ + " cannot be read any more: is the disk still mounted? " + error.message);
  } else if (error.code == Errc::no_space) {
    full_until_ms_ = clock_.monotonic_ms() + kFullPauseMs;
    if (state_ != VolumeState::suspect) set_state(VolumeState::full, error.message);
  } else if (state_ != VolumeState::suspect) {
    set_state(VolumeState::suspect, error.message + "; check the disk, then start again or replace it");
  }
  return said;
}

// An unmounted disk leaves its empty mount point: making directories there would fill the wrong file system.
Status Volume::check_mounted() {
  const FileStat info = GREFFE_TRY(files_.stat(file(kLabelFile)));
  const std::lock_guard lock(mutex_);
  if (info.device != device_) return fail(Errc::not_found, path_ + " is another file system than before");
  return ok();
}

bool Volume::is_durable_directory(const std::string& relative) const {
  const std::lock_guard lock(mutex_);
  return durable_directories_.contains(relative);
}

Status Volume::ensure_directory(const std::string& relative) {
  if (is_durable_directory(relative)) return ok();
  const std::lock_guard lock(directories_mutex_);
  return ensure_directory_alone(relative);
}

Status Volume::ensure_directory_alone(const std::string& relative) {
  if (is_durable_directory(relative)) return ok();
  const std::size_t slash = relative.find_last_of('/');
  if (slash == std::string::npos) {
    GREFFE_TRY(check_mounted());
  } else {
    GREFFE_TRY(ensure_directory_alone(relative.substr(0, slash)));
  }
  const std::string whole = file(relative);
  if (files_.stat(whole)) {
    // Made by a process that may have been killed before it synced the name.
    GREFFE_TRY(files_.sync_directory(parent_of(whole)));
  } else {
    GREFFE_TRY(files_.make_directories(whole));
  }
  const std::lock_guard lock(mutex_);
  if (durable_directories_.size() >= kDurableDirectoriesMax) durable_directories_.clear();
  durable_directories_.insert(relative);
  return ok();
}

Status Volume::quarantine(std::string_view key) {
  std::string name(key);
  for (char& c : name) {
    if (c == '/') c = '_';
  }
  std::uint8_t salt[6];
  fill_random(salt);
  const std::string folder = file(kQuarantineFolder);
  GREFFE_TRY(ensure_directory(std::string(kQuarantineFolder)));
  const std::string from = file(key);
  GREFFE_TRY(files_.rename(from, join(folder, name + "." + to_hex(salt))));
  GREFFE_TRY(files_.sync_directory(folder));
  return files_.sync_directory(parent_of(from));
}

}  // namespace greffe::store
