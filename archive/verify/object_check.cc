#include "archive/verify/object_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "archive/base/log.h"
#include "archive/format/segment.h"

namespace greffe::verify {
namespace {

constexpr std::int64_t kTicks = 90'000;             // a second
constexpr std::int64_t kRoundingTicks = 90;         // 1 ms: time scales that do not divide 90,000
constexpr std::int64_t kFragmentJoinTicks = 9'000;  // 0.1 s: the last sample's duration is an estimate of the recorder

std::int64_t to_90k(std::int64_t value, std::uint32_t time_scale) {
  return value / time_scale * kTicks + value % time_scale * kTicks / time_scale;
}

UtcTime at(const SegmentEntry& segment, std::int64_t ticks) { return UtcTime{segment.utc.ms + ticks / 90}; }

}  // namespace

ObjectChecker::ObjectChecker(ObjectPaths paths, unsigned threads, Files& files, Report& report, Progress& progress)
    : paths_(std::move(paths)), threads_(std::max(1u, threads)), files_(files), report_(report), progress_(progress) {}

void ObjectChecker::found(const ObjectJob& job, const std::string& path, Finding finding) {
  finding.hearing = job.hearing;
  finding.log = job.log;
  if (!job.log.empty()) finding.entry = job.entry;
  finding.object = job.digest.hex();
  finding.file = path;
  if (job.segment) {
    finding.stream = job.segment->stream;
    if (!finding.from) {
      finding.from = job.segment->utc;
      finding.to = at(*job.segment, job.segment->duration_90k);
    }
  }
  report_.add(std::move(finding));
}

std::uint64_t ObjectChecker::check(const std::vector<ObjectJob>& jobs) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> absent{0};
  const auto work = [&](unsigned number) {
    if (number > 0) name_thread(fmt::format("gr-hash.{}", number).c_str());
    Bytes buffer;
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      bool there = false;
      const std::vector<std::string> paths = paths_(jobs[i]);
      for (const std::string& path : paths) there |= check_copy(jobs[i], path, buffer) != Copy::absent;
      ++report_.objects;
      if (there) continue;
      if (jobs[i].may_be_absent) {
        ++absent;
        continue;
      }
      Finding f;
      f.code = "object-missing";
      f.what = paths.size() == 1 ? "an object that the log names is not there"
                                 : fmt::format("an object that the log names is on none of the {} volumes given (if the pool "
                                               "has other volumes, give them too)",
                                               paths.size());
      found(jobs[i], {}, std::move(f));
    }
  };
  std::vector<std::jthread> others;
  const std::size_t useful = std::min<std::size_t>(threads_, jobs.size());
  for (unsigned number = 1; number < useful; ++number) others.emplace_back(work, number);
  work(0);
  others.clear();  // joins
  return absent;
}

ObjectChecker::Copy ObjectChecker::check_copy(const ObjectJob& job, const std::string& path, Bytes& buffer) {
  const auto bytes = files_.read_into(path, kMaxObjectBytes, buffer);
  if (!bytes && bytes.error().code == Errc::not_found) return Copy::absent;
  if (!bytes) {
    Finding f;
    f.verdict = bytes.error().code == Errc::io_error ? Verdict::unreadable : Verdict::tampered;
    f.code = f.verdict == Verdict::unreadable ? "unreadable" : "object-altered";
    f.what = "an object cannot be read: " + bytes.error().message;
    found(job, path, std::move(f));
    return Copy::bad;
  }
  ++report_.copies;
  report_.bytes += bytes->size();
  progress_.add(bytes->size());
  if (job.segment) {
    check_layout(job, path, *bytes);
    return Copy::good;
  }
  if (sha256(*bytes) == job.digest) return Copy::good;
  Finding f;
  f.code = "object-altered";
  f.what = "an object was altered: its bytes do not have the digest that is its name";
  found(job, path, std::move(f));
  return Copy::bad;
}

// The walk over the hash boxes hashes every byte already; only when it does not reach the end is there a second hash.
void ObjectChecker::check_layout(const ObjectJob& job, const std::string& path, ByteView bytes) {
  const SegmentEntry& entry = *job.segment;
  const auto layout = read_segment(bytes);
  const bool whole = layout && layout->good_bytes == bytes.size() && !layout->fragments.empty();
  const Digest digest = whole ? layout->good_digest : sha256(bytes);
  if (digest != job.digest) return locate_damage(job, path, bytes);
  Finding f;
  if (!whole) {
    f.code = "segment-boxes";
    f.what = "the segment has the digest that was signed, but its inner hash boxes do not hold" +
             (layout ? std::string() : ": " + layout.error().message);
    if (layout) f.offset = layout->good_bytes;
    return found(job, path, std::move(f));
  }
  if (bytes.size() != entry.bytes || layout->init_bytes != entry.init_bytes) {
    f.code = "object-size";
    f.what = fmt::format("the segment has {} bytes ({} before its first fragment); its log entry says {} ({})", bytes.size(),
                         layout->init_bytes, entry.bytes, entry.init_bytes);
    return found(job, path, std::move(f));
  }
  std::int64_t expected = entry.start_90k;
  std::int64_t sum = 0;
  for (const Fragment& fragment : layout->fragments) {
    const bool first = &fragment == &layout->fragments.front();
    const std::int64_t start = to_90k(fragment.decode_time, layout->time_scale);
    if (std::abs(start - expected) > (first ? kRoundingTicks : kFragmentJoinTicks)) {
      f.code = "segment-time";
      f.what = fmt::format("a fragment says that it starts at {} (1/90000 s), where the record leads to {}", start, expected);
      f.offset = fragment.offset;
      return found(job, path, std::move(f));
    }
    expected = start + to_90k(fragment.duration, layout->time_scale);
    sum = expected - entry.start_90k;
  }
  if (std::abs(sum - entry.duration_90k) > kFragmentJoinTicks) {
    f.code = "segment-time";
    f.what = fmt::format("the segment lasts {} (1/90000 s); its log entry says {}", sum, entry.duration_90k);
    found(job, path, std::move(f));
  }
}

// The hash boxes tell from which fragment on the bytes are wrong, and so which seconds.
void ObjectChecker::locate_damage(const ObjectJob& job, const std::string& path, ByteView bytes) {
  const SegmentEntry& entry = *job.segment;
  const auto layout = read_segment(bytes);
  Finding f;
  if (layout && layout->good_bytes == bytes.size() && !layout->fragments.empty() && bytes.size() != entry.bytes) {
    const bool is_prefix = bytes.size() < entry.bytes && layout->init_bytes == entry.init_bytes &&
                           to_90k(layout->fragments.front().decode_time, layout->time_scale) == entry.start_90k;
    f.code = is_prefix ? "object-altered" : "object-replaced";
    f.what = is_prefix ? "a segment was cut short" : "another segment stands in the place of the one that was signed";
    f.offset = is_prefix ? layout->good_bytes : 0;
    if (is_prefix) {
      const Fragment& last = layout->fragments.back();
      f.from = at(entry, to_90k(last.decode_time + last.duration, layout->time_scale) - entry.start_90k);
      f.to = at(entry, entry.duration_90k);
    }
    return found(job, path, std::move(f));
  }
  if (layout && layout->good_bytes == bytes.size() && !layout->fragments.empty()) {
    f.code = "object-replaced";
    f.what = "another segment stands in the place of the one that was signed";
    f.offset = 0;
    return found(job, path, std::move(f));
  }
  f.code = "object-altered";
  f.what = bytes.size() < entry.bytes ? "a segment was altered or cut short" : "a segment was altered";
  f.offset = layout ? layout->good_bytes : 0;
  if (layout && !layout->fragments.empty()) {
    const Fragment& last = layout->fragments.back();
    const std::int64_t good = to_90k(last.decode_time + last.duration, layout->time_scale) - entry.start_90k;
    if (good >= 0 && good < entry.duration_90k) {
      f.from = at(entry, good);
      // One fragment is one second; nothing is known of what follows the first wrong one.
      f.to = at(entry, std::min(good + std::max(to_90k(last.duration, layout->time_scale), kTicks), entry.duration_90k));
    }
  } else if (layout) {
    f.from = entry.utc;
    f.to = at(entry, std::min(kTicks, entry.duration_90k));
  }
  found(job, path, std::move(f));
}

}  // namespace greffe::verify
