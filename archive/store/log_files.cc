#include "archive/store/log_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "archive/store/key_walk.h"
#include "archive/store/placement.h"
#include "archive/store/volume_label.h"

namespace greffe::store {
namespace {

constexpr std::size_t kKeyCharactersMax = 400;

bool is_plain_name(std::string_view name) {
  if (name.empty() || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

Status check_log_key(std::string_view key) {
  const Error wrong = fail(Errc::invalid, fmt::format("\"{}\" is not a key below log/", key));
  if (key.size() > kKeyCharactersMax || !key.starts_with("log/")) return wrong;
  for (std::size_t at = 0; at <= key.size();) {
    const std::size_t slash = std::min(key.find('/', at), key.size());
    if (!is_plain_name(key.substr(at, slash - at))) return wrong;
    at = slash + 1;
  }
  return ok();
}

bool is_leftover(std::string_view name) { return name.find(".new-") != std::string_view::npos; }

LogFiles::Held LogFiles::examine(Volume& volume, std::string_view key, ByteView good) {
  const auto held = pool_.files.read_file(volume.file(key), kLogFileBytesMax);
  if (!held && held.error().code == Errc::not_found) return Held::absent;
  if (!held && held.error().code == Errc::unavailable) return Held::unknown;
  if (!held) return Held::different;
  return std::equal(held->begin(), held->end(), good.begin(), good.end()) ? Held::same : Held::different;
}

Status LogFiles::write_replica(Volume& volume, const std::string& key, ByteView bytes) {
  GREFFE_TRY(volume.ensure_directory(parent_of(key)));
  const std::string path = volume.file(key);
  const Status written = pool_.files.write_new(path, bytes);
  if (written || written.error().code != Errc::not_found) return written;
  // The directory was there, and somebody removed it: what is lost of a log is written again. Not below an empty mount point.
  const auto label = read_volume_label(pool_.files, volume.path());
  if (!label || label->id != volume.label().id) return written;
  GREFFE_TRY(pool_.files.make_directories(parent_of(path)));
  return pool_.files.write_new(path, bytes);
}

// It was there already: perhaps from a process that was killed before it synced.
Status LogFiles::sync_replica(Volume& volume, const std::string& key) {
  GREFFE_TRY(pool_.files.sync_file(volume.file(key)));
  GREFFE_TRY(volume.ensure_directory(parent_of(key)));
  return pool_.files.sync_directory(parent_of(volume.file(key)));
}

Status LogFiles::put(std::string_view key_text, ByteView bytes) {
  GREFFE_TRY(check_log_key(key_text));
  if (!pool_.may_write()) return read_only_pool("cannot write " + std::string(key_text));
  if (bytes.size() > kLogFileBytesMax) {
    return fail(Errc::invalid, fmt::format("{} would have {} bytes; at most {} are allowed", key_text, bytes.size(),
                                           kLogFileBytesMax));
  }
  const std::string key(key_text);
  unsigned good = 0;
  std::vector<Volume*> others;
  std::string trouble;
  for (Volume* volume : pool_.ranked(placement_key(key))) {
    if (good + others.size() == pool_.settings.replicas) break;
    if (!volume->trusted()) continue;
    Status stored = write_replica(*volume, key, bytes);
    if (!stored && stored.error().code == Errc::already_exists) {
      const Held held = examine(*volume, key, bytes);
      if (held == Held::different) {
        others.push_back(volume);
        continue;
      }
      stored = held == Held::unknown ? Status(fail(Errc::unavailable, volume->file(key) + " cannot be read now")) : sync_replica(*volume, key);
    }
    if (stored) {
      ++good;
    } else {
      trouble += volume->note_failure(stored.error()).message + "; ";
    }
  }
  if (good < pool_.settings.write_quorum) {
    if (!others.empty()) return fail(Errc::conflict, key + " is there already with other bytes");
    return fail(Errc::unavailable, fmt::format("{} is on {} volumes and needs {}: {}", key, good,
                                               pool_.settings.write_quorum, trouble));
  }
  if (others.empty()) return ok();
  const auto healed = restore(key, bytes);
  return healed ? ok() : Status(healed.error());
}

Result<Bytes> LogFiles::get(std::string_view key) {
  GREFFE_TRY(check_log_key(key));
  std::string trouble;
  Errc worst = Errc::unavailable;  // only if no disk is to blame
  for (Volume* volume : pool_.ranked(placement_key(key))) {
    if (!volume->readable()) continue;
    auto bytes = pool_.files.read_file(volume->file(key), kLogFileBytesMax);
    if (bytes) return bytes;
    if (bytes.error().code == Errc::not_found) continue;
    trouble += bytes.error().message + "; ";
    if (bytes.error().code != Errc::unavailable) worst = Errc::io_error;
  }
  if (trouble.empty()) return fail(Errc::not_found, "no volume has " + std::string(key));
  return fail(worst, trouble);
}

Result<std::vector<Bytes>> LogFiles::get_all(std::string_view key) {
  GREFFE_TRY(check_log_key(key));
  std::vector<Bytes> out;
  std::string trouble;
  Errc worst = Errc::unavailable;
  for (Volume* volume : pool_.ranked(placement_key(key))) {
    if (!volume->readable()) continue;
    auto bytes = pool_.files.read_file(volume->file(key), kLogFileBytesMax);
    if (!bytes) {
      if (bytes.error().code == Errc::not_found) continue;
      trouble += bytes.error().message + "; ";
      if (bytes.error().code != Errc::unavailable) worst = Errc::io_error;
      continue;
    }
    if (std::find(out.begin(), out.end(), *bytes) == out.end()) out.push_back(*std::move(bytes));
  }
  if (!out.empty()) return out;
  if (trouble.empty()) return fail(Errc::not_found, "no volume has " + std::string(key));
  return fail(worst, trouble);
}

Status LogFiles::list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit) {
  if (prefix != "log/" && prefix != "sha256/") {
    if (!prefix.ends_with('/')) return fail(Errc::invalid, "a prefix ends in '/'");
    if (!prefix.starts_with("sha256/")) GREFFE_TRY(check_log_key(prefix.substr(0, prefix.size() - 1)));
  }
  const auto step = [&](const WalkedKey& key) { return is_leftover(key.key) || visit({key.key, key.bytes}); };
  return walk_keys(pool_, std::string(prefix), step);
}

Status LogFiles::remove_stage(std::string_view key) {
  GREFFE_TRY(check_log_key(key));
  if (key.find("/stage/") == std::string_view::npos && !key.starts_with("log/open/")) {
    return fail(Errc::invalid, std::string(key) + " is neither a stage nor the marker of an open hearing: it stays");
  }
  if (!pool_.may_write()) return read_only_pool("cannot remove " + std::string(key));
  std::string trouble;
  for (const auto& volume : pool_.volumes) {
    if (!volume->readable()) continue;
    const Status removed = pool_.files.remove(volume->file(key));
    if (removed || removed.error().code == Errc::not_found) continue;
    // A volume that has just turned out to be broken keeps nobody from work.
    const Error said = volume->note_failure(removed.error());
    if (volume->trusted()) trouble += said.message + "; ";
  }
  // The directory is not synced: a stage that comes back after a power cut, or stays on a broken volume, is as superfluous as before.
  return trouble.empty() ? ok() : Status(fail(Errc::io_error, trouble));
}

Result<ReplicaReport> LogFiles::survey(std::string_view key_text, ByteView good, bool write) {
  GREFFE_TRY(check_log_key(key_text));
  const std::string key(key_text);
  ReplicaReport report;
  std::vector<Volume*> to_write;
  const std::vector<Volume*> volumes = pool_.ranked(placement_key(key));
  std::vector<Volume*> absent;
  std::size_t unknown = 0;
  for (Volume* volume : volumes) {
    if (!volume->readable()) continue;
    const Held held = examine(*volume, key, good);
    if (held == Held::unknown) ++unknown;
    if (held == Held::same && volume->keeps()) ++report.good;
    if (held == Held::absent && volume->trusted()) absent.push_back(volume);
    if (held == Held::different && volume->keeps()) {
      report.different.push_back(volume->label().id);
      to_write.push_back(volume);
    }
  }
  for (Volume* volume : absent) {
    if (report.good + unknown + to_write.size() >= pool_.settings.replicas) break;
    report.missing.push_back(volume->label().id);
    to_write.push_back(volume);
  }
  for (Volume* volume : to_write) {
    const std::string id = volume->label().id;
    const bool missing = std::find(report.missing.begin(), report.missing.end(), id) != report.missing.end();
    Status done = fail(Errc::denied, "not asked to repair");
    if (write) {
      done = missing ? ok() : volume->quarantine(key);
      if (done) done = write_replica(*volume, key, good);
      if (!done) static_cast<void>(volume->note_failure(done.error()));  // its state says it, the report counts it
    }
    if (done) ++report.repaired;
    pool_.report({key, id, missing ? key + " is missing" : key + " holds other bytes", missing, done.has_value()});
  }
  report.good += report.repaired;
  return report;
}

Result<ReplicaReport> LogFiles::compare(std::string_view key, ByteView good) { return survey(key, good, false); }

Result<ReplicaReport> LogFiles::restore(std::string_view key, ByteView good) {
  if (!pool_.may_write()) return read_only_pool("cannot repair " + std::string(key)).error();
  return survey(key, good, true);
}

}  // namespace greffe::store
