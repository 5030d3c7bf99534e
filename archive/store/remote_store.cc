#include "archive/store/remote_store.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/format/names.h"
#include "archive/store/log_files.h"

namespace greffe::store {
namespace {

FileStat seen(std::uint64_t size) {
  FileStat out;
  out.size = size;
  return out;
}

// Where bytes are kept that had to make room for good ones.
std::string aside_key(std::string_view key) {
  std::uint8_t draw[8];
  fill_random(draw);
  return fmt::format("quarantine/{}-{}", key, to_hex(draw));
}

bool same(ByteView a, ByteView b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace

// Collects the bytes: the service takes an object in one operation or not at all.
class RemoteStore::Writer : public ObjectWriter {
 public:
  // `size` is added to store.under_way_bytes_ already, and taken from it at the end.
  Writer(RemoteStore& store, std::uint64_t size) : store_(store), announced_(size), upload_(store.bytes_.begin(size)) {}
  ~Writer() override { store_.under_way_bytes_ -= announced_; }

  Status write(ByteView bytes) override {
    if (bytes.size() > announced_ - taken_) {
      return fail(Errc::invalid, fmt::format("more bytes than the {} that were announced", announced_));
    }
    hash_.update(bytes);
    std::copy(bytes.begin(), bytes.end(), upload_->room().begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ += bytes.size();
    return ok();
  }

  Status commit(const Digest& expected) override {
    const Digest found = hash_.finish();
    if (found != expected) {
      return fail(Errc::conflict, fmt::format("the bytes have the digest {}, not {}: nothing was stored", found.hex(),
                                              expected.hex()));
    }
    return store_.store_object(expected, *upload_, taken_);
  }

 private:
  RemoteStore& store_;
  const std::uint64_t announced_;
  const std::unique_ptr<Upload> upload_;
  std::uint64_t taken_ = 0;
  Sha256 hash_;
};

// An object that was hashed lately, read in ranges.
class RemoteStore::File : public ReadableFile {
 public:
  File(RemoteBytes& bytes, std::string key, std::uint64_t size) : bytes_(bytes), key_(std::move(key)), size_(size) {}
  Result<std::uint64_t> size() override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) override {
    if (offset >= size_ || out.empty()) return std::size_t{0};
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
    const std::size_t got = GREFFE_TRY(bytes_.read_at(key_, offset, out.first(length)));
    if (got != length) return fail(Errc::corrupt, key_ + " became shorter after it was hashed");
    return got;
  }
  int descriptor() const override { return -1; }

 private:
  RemoteBytes& bytes_;
  const std::string key_;
  const std::uint64_t size_;
};

RemoteStore::RemoteStore(RemoteBytes& bytes, RemoteHeads& heads, Clock& clock, PoolMode mode, StoreTraits traits,
                         RemotePlace place, DamageListener on_damage)
    : bytes_(bytes), heads_(heads), clock_(clock), mode_(mode), traits_(traits), place_(std::move(place)),
      on_damage_(std::move(on_damage)) {}

Status RemoteStore::may_write(std::string_view what) const {
  return mode_ == PoolMode::writer ? ok() : read_only_pool(what);
}

void RemoteStore::note_durable(const Digest& digest, std::uint64_t size) {
  verified_.note_durable(nullptr, digest, seen(size), clock_.monotonic_ms());
}

// ---- objects ----

Result<std::unique_ptr<ObjectWriter>> RemoteStore::begin_object(std::uint64_t size) {
  GREFFE_TRY(may_write("cannot store an object"));
  if (size > kMaxObjectBytes) {
    return fail(Errc::invalid, fmt::format("an object of {} bytes; at most {} are allowed", size, kMaxObjectBytes));
  }
  if (under_way_bytes_.fetch_add(size) + size > kUploadBytesMax) {
    under_way_bytes_ -= size;
    return fail(Errc::unavailable, "too much is being uploaded at the same time; try again in a moment");
  }
  return std::unique_ptr<ObjectWriter>(std::make_unique<Writer>(*this, size));
}

// A crash anywhere in here leaves the whole object or none.
Status RemoteStore::store_object(const Digest& digest, Upload& upload, std::size_t size) {
  const std::string key = object_key(digest);
  const ByteView bytes = upload.room().first(size);
  const auto created = upload.create(key, size);
  if (created && *created == Created::now) {
    note_durable(digest, bytes.size());
    return ok();
  }
  if (!created && created.error().code != Errc::unavailable) return created.error();
  // There was one, or nobody knows whether it was written: what is there decides.
  const auto held = bytes_.read(key, kMaxObjectBytes);
  if (held && same(*held, bytes)) {
    GREFFE_TRY(bytes_.confirm(key));
    note_durable(digest, bytes.size());
    return ok();
  }
  if (held) {
    GREFFE_TRY(replace_damaged(key, *held, bytes));
    note_durable(digest, bytes.size());
    return ok();
  }
  if (!created) return created.error();
  return held.error().code == Errc::not_found ? fail(Errc::unavailable, key + " was there and went away; try again") : held.error();
}

// The damaged bytes are kept first: a crash in between leaves them in both places.
Status RemoteStore::replace_damaged(const std::string& key, ByteView damaged, ByteView good) {
  Status done = ok();
  const auto kept = bytes_.create(aside_key(key), damaged);
  if (!kept) done = kept.error();
  if (done) done = bytes_.overwrite(key, good);
  if (on_damage_) on_damage_({key, place_.pool_id, key + " holds other bytes", false, done.has_value()});
  return done;
}

// not_found; corrupt, reported: the bytes have another digest.
Result<Bytes> RemoteStore::read_and_hash(const Digest& digest) {
  const std::string key = object_key(digest);
  auto bytes = bytes_.read(key, kMaxObjectBytes);
  const bool too_large = !bytes && bytes.error().code == Errc::invalid;
  if (!bytes && !too_large) return bytes;
  if (!too_large && sha256(*bytes) == digest) {
    verified_.note_hashed(nullptr, digest, seen(bytes->size()), clock_.monotonic_ms());
    return bytes;
  }
  verified_.forget(nullptr, digest);
  if (on_damage_) on_damage_({key, place_.pool_id, key + " has another digest than its name", false, false});
  return fail(Errc::corrupt, fmt::format("what {} holds as {} has another digest; restore it from the other site", place_.name, key));
}

Result<bool> RemoteStore::prove_object(const Digest& digest) {
  const std::string key = object_key(digest);
  const auto size = bytes_.size(key);
  if (!size && size.error().code == Errc::not_found) return false;
  if (!size) return size.error();
  if (verified_.durable_lately(nullptr, digest, seen(*size), clock_.monotonic_ms())) return true;
  const auto bytes = read_and_hash(digest);
  if (!bytes && (bytes.error().code == Errc::corrupt || bytes.error().code == Errc::not_found)) return false;
  if (!bytes) return bytes.error();
  GREFFE_TRY(bytes_.confirm(key));
  note_durable(digest, bytes->size());
  return true;
}

// Its size; hashed by this call unless this process did within the last 24 hours.
Result<std::uint64_t> RemoteStore::hash_lately(const Digest& digest) {
  const std::uint64_t size = GREFFE_TRY(bytes_.size(object_key(digest)));
  if (verified_.hashed_lately(nullptr, digest, seen(size), clock_.monotonic_ms())) return size;
  const Bytes bytes = GREFFE_TRY(read_and_hash(digest));
  return std::uint64_t{bytes.size()};
}

Result<std::shared_ptr<ReadableFile>> RemoteStore::open_object(const Digest& digest) {
  const std::uint64_t size = GREFFE_TRY(hash_lately(digest));
  return std::shared_ptr<ReadableFile>(std::make_shared<File>(bytes_, object_key(digest), size));
}

Result<Bytes> RemoteStore::read_object(const Digest& digest) { return read_and_hash(digest); }

// ---- log files ----

Status RemoteStore::put(std::string_view key, ByteView bytes) {
  GREFFE_TRY(check_log_key(key));
  GREFFE_TRY(may_write("cannot write " + std::string(key)));
  if (bytes.size() > kLogFileBytesMax) {
    return fail(Errc::invalid, fmt::format("{} would have {} bytes; at most {} are allowed", key, bytes.size(), kLogFileBytesMax));
  }
  const auto created = bytes_.create(key, bytes);
  if (created && *created == Created::now) return ok();
  if (!created && created.error().code != Errc::unavailable) return created.error();
  const auto held = bytes_.read(key, kLogFileBytesMax);
  if (held && same(*held, bytes)) return bytes_.confirm(key);
  if (held) return fail(Errc::conflict, std::string(key) + " is there already with other bytes");
  if (!created) return created.error();
  return held.error();
}

Result<Bytes> RemoteStore::get(std::string_view key) {
  GREFFE_TRY(check_log_key(key));
  return bytes_.read(key, kLogFileBytesMax);
}

Result<std::vector<Bytes>> RemoteStore::get_all(std::string_view key) {
  Bytes bytes = GREFFE_TRY(get(key));
  std::vector<Bytes> out;
  out.push_back(std::move(bytes));
  return out;
}

Status RemoteStore::list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) {
  if (!prefix.ends_with('/')) return fail(Errc::invalid, "a prefix ends in '/'");
  if (prefix != "log/") GREFFE_TRY(check_log_key(prefix.substr(0, prefix.size() - 1)));
  return bytes_.list(prefix, visit);
}

Status RemoteStore::remove_stage(std::string_view key) {
  GREFFE_TRY(check_log_key(key));
  if (key.find("/stage/") == std::string_view::npos && !key.starts_with("log/open/")) {
    return fail(Errc::invalid, std::string(key) + " is neither a stage nor the marker of an open hearing: it stays");
  }
  GREFFE_TRY(may_write("cannot remove " + std::string(key)));
  GREFFE_TRY(heads_.may_still_write());  // it may be the stage of whoever writes now
  return bytes_.remove(key);
}

Result<ReplicaReport> RemoteStore::compare(std::string_view key, ByteView good) {
  GREFFE_TRY(check_log_key(key));
  ReplicaReport report;
  const auto held = bytes_.read(key, kLogFileBytesMax);
  if (held && same(*held, good)) {
    report.good = traits_.replicas;
  } else if (held || held.error().code == Errc::invalid) {
    report.different.push_back(place_.pool_id);
  } else if (held.error().code == Errc::not_found) {
    report.missing.push_back(place_.pool_id);
  } else {
    return held.error();
  }
  return report;
}

Result<ReplicaReport> RemoteStore::restore(std::string_view key_text, ByteView good) {
  GREFFE_TRY(may_write("cannot repair " + std::string(key_text)));
  const std::string key(key_text);
  ReplicaReport report = GREFFE_TRY(compare(key, good));
  if (report.clean()) return report;
  if (report.different.empty()) {
    const Created created = GREFFE_TRY(bytes_.create(key, good));
    if (on_damage_) on_damage_({key, place_.pool_id, key + " is missing", true, created == Created::now});
    if (created == Created::before) return fail(Errc::conflict, key + " was written by somebody else meanwhile");
  } else {
    const Bytes damaged = GREFFE_TRY(bytes_.read(key, kLogFileBytesMax));
    GREFFE_TRY(replace_damaged(key, damaged, good));
  }
  report.repaired = traits_.replicas;
  report.good = traits_.replicas;
  return report;
}

// ---- upkeep ----

Result<ObjectHealth> RemoteStore::repair_object(const Digest& digest, ReadFrom) {
  const Bytes bytes = GREFFE_TRY(read_and_hash(digest));
  ObjectHealth out;
  out.good = traits_.replicas;
  out.wanted = traits_.replicas;
  out.bytes = bytes.size();
  return out;
}

Status RemoteStore::set_aside(const Digest& digest) {
  GREFFE_TRY(may_write("cannot move an object aside"));
  GREFFE_TRY(heads_.may_still_write());
  const std::string key = object_key(digest);
  const auto held = bytes_.read(key, kMaxObjectBytes);
  if (!held && held.error().code == Errc::not_found) return ok();
  if (!held) return held.error();
  if (sha256(*held) == digest) return fail(Errc::conflict, "what is held as " + key + " is good");
  GREFFE_TRY(bytes_.create(aside_key(key), *held));  // a crash in between leaves them in both places
  verified_.forget(nullptr, digest);
  return bytes_.remove(key);
}

// What the service reads from its media is its own affair; it has checksums of its own there.
ReadBackCount RemoteStore::read_back(const Digest& digest) {
  ReadBackCount out;
  out.wanted = 1;
  const auto bytes = read_and_hash(digest);
  out.damaged = !bytes && bytes.error().code == Errc::corrupt;
  out.asked = bytes || out.damaged || bytes.error().code == Errc::not_found ? 1 : 0;
  if (bytes) out.bytes = bytes->size();
  out.good = bytes ? 1 : 0;
  return out;
}

Result<Digest> RemoteStore::hash_behind(ByteView prefix, const Digest& digest) {
  const Bytes bytes = GREFFE_TRY(read_and_hash(digest));
  Sha256 behind;
  behind.update(prefix);
  behind.update(bytes);
  return behind.finish();
}

Result<ScrubTotals> RemoteStore::scrub(const ScrubSettings& settings, const std::function<bool(const ScrubbedObject&)>& visit,
                                       std::stop_token stop) {
  if (!settings.after.empty()) return fail(Errc::invalid, "a scrub of " + place_.name + " cannot go on behind a key: it has an order of its own");
  ScrubSource source;
  source.walk = [this](const std::function<bool(const std::string&)>& step) { return bytes_.walk_objects(step); };
  source.check = [this](const Digest& digest) { return repair_object(digest); };
  return scrub_objects(clock_, source, settings, visit, std::move(stop));
}

Status RemoteStore::walk_objects(const std::function<bool(const Digest&)>& visit) {
  return bytes_.walk_objects([&](const std::string& key) {
    const auto digest = parse_object_key(key);
    return !digest || visit(*digest);
  });
}

Result<bool> RemoteStore::holds_object(const Digest& digest) {
  const auto size = bytes_.size(object_key(digest));
  if (!size && size.error().code != Errc::not_found) return size.error();
  return size.has_value();
}

bool RemoteStore::has_all_replicas(const Digest& digest) {
  const auto held = holds_object(digest);
  return held && *held;
}

std::vector<VolumeReport> RemoteStore::volumes() {
  VolumeReport out;
  out.id = place_.pool_id;
  out.path = place_.name;
  out.domain = place_.kind;
  const auto space = bytes_.space();
  const Status writes = mode_ == PoolMode::writer ? may_still_write() : ok();
  if (!space || !writes) {
    out.state = VolumeState::missing;
    out.reason = space ? writes.error().message : space.error().message;
    out.since = clock_.utc_now();
    return {out};
  }
  out.total_bytes = space->total_bytes;
  out.free_bytes = space->free_bytes;
  return {out};
}

}  // namespace greffe::store
