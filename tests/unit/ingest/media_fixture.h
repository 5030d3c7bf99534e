// Media that are made when a test runs, and what the reading process makes of them. ffmpeg and ffprobe are the judges.
#ifndef GREFFE_TESTS_UNIT_INGEST_MEDIA_FIXTURE_H
#define GREFFE_TESTS_UNIT_INGEST_MEDIA_FIXTURE_H

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "archive/format/segment.h"
#include "ingest/media_worker.h"
#include "ingest/segment_check.h"

namespace greffe::testing {

class MediaFolder {
 public:
  MediaFolder() {
    char name[] = "/tmp/greffe.XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~MediaFolder() { std::filesystem::remove_all(path_); }
  MediaFolder(const MediaFolder&) = delete;
  MediaFolder& operator=(const MediaFolder&) = delete;

  std::string path(const std::string& name) const { return path_ + "/" + name; }
  // `words`: of a shell; relative names are in this folder.
  void shell(const std::string& words) const {
    const std::string command = fmt::format("cd {} && {{ {}; }}", path_, words);
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
  }
  void ffmpeg(const std::string& words) const { shell("ffmpeg -nostdin -v fatal -y " + words); }
  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, ByteView bytes) const {
    std::ofstream file(path(name), std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  // One digest for each picture, or each packet with "-c copy".
  std::vector<std::string> hashes(const std::string& name, const std::string& how = "-fps_mode passthrough") const {
    ffmpeg(fmt::format("-i {} -map 0:0 {} -f framemd5 hashes.txt", name, how));
    std::istringstream lines(read("hashes.txt"));
    std::vector<std::string> out;
    for (std::string line; std::getline(lines, line);) {
      // stream, dts, pts, duration, size, digest; side data may follow
      std::size_t at = 0;
      for (int i = 0; i < 5 && at != std::string::npos; ++i) at = line.find(',', at + 1);
      if (!line.empty() && line[0] != '#' && at != std::string::npos) out.push_back(line.substr(at + 2, 32));
    }
    return out;
  }
  // Decoded sound as 32-bit samples.
  std::string samples(const std::string& name, const std::string& input_options = "") const {
    ffmpeg(fmt::format("{} -i {} -map 0:a:0 -f s32le samples.raw", input_options, name));
    return read("samples.raw");
  }
  // Presentation times in seconds, from the first on.
  std::vector<double> times(const std::string& name) const {
    shell(fmt::format("ffprobe -v error -select_streams 0 -show_entries packet=pts_time -of csv=p=0 {} | tr -d , | sort -n > times.txt", name));
    std::istringstream lines(read("times.txt"));
    std::vector<double> out;
    for (double time = 0; lines >> time;) out.push_back(time);
    const double first = out.empty() ? 0 : out.front();
    for (double& time : out) time -= first;
    return out;
  }

 private:
  std::string path_;
};

struct RecordedSegment {
  ingest::FinishedSegment said;
  Bytes bytes;                // none: it was computed only
  SegmentLayout layout;
};
struct Recorded {
  ingest::TrackFacts facts;
  std::vector<RecordedSegment> segments;
  std::vector<ingest::FinishedPeaks> peaks;
  bool damaged = false;
  std::string failure;        // the reader's words; empty: it came to the end
};

// What an import does at the end of each fragment, in the plainest way: all is read and hashed again.
inline Digest seal(const std::string& path, WritableFile& file, std::uint64_t bytes) {
  PosixFileSystem files;
  Bytes all = *files.read_file(path, 20'000'000);
  REQUIRE(all.size() == bytes);
  const auto box = hash_box(sha256(all));
  REQUIRE(file.write(box));
  all.insert(all.end(), box.begin(), box.end());
  return sha256(all);
}

// Reads a file in a sandboxed child, as an import does; the first `skip` segments are computed only.
inline Recorded record(const MediaFolder& folder, const std::string& name, const ingest::CutRules& rules = {}, std::size_t skip = 0) {
  Recorded out;
  auto worker = ingest::MediaWorker::start(folder.path(name), {});
  REQUIRE(worker);
  const auto facts = (*worker)->facts();
  if (!facts) {
    out.failure = facts.error().message;
    return out;
  }
  out.facts = *facts;
  REQUIRE((*worker)->start_cutting(rules));
  PosixFileSystem files;
  const std::string path = folder.path("segment.mp4");
  bool writing = false;
  std::unique_ptr<WritableFile> file;
  for (;;) {
    auto news = (*worker)->next();
    if (!news) {
      out.failure = news.error().message;
      return out;
    }
    if (std::holds_alternative<ingest::SegmentFileNeeded>(*news)) {
      writing = out.segments.size() >= skip;
      std::filesystem::remove(path);
      auto created = files.create(path, 0600);
      REQUIRE(created);
      file = std::move(*created);
      REQUIRE((*worker)->give_file(writing ? file->descriptor() : -1));
    } else if (const auto* fragment = std::get_if<ingest::FragmentWritten>(&*news)) {
      REQUIRE(writing);
      REQUIRE((*worker)->give_seal(seal(path, *file, fragment->bytes)));
    } else if (auto* cut = std::get_if<ingest::SegmentCut>(&*news)) {
      RecordedSegment segment{cut->segment, {}, {}};
      if (writing) {
        segment.bytes = *files.read_file(path, 20'000'000);
        const auto layout = read_segment(segment.bytes);
        REQUIRE(layout);
        segment.layout = *layout;
      }
      out.segments.push_back(std::move(segment));
    } else if (auto* measured = std::get_if<ingest::PeaksMeasured>(&*news)) {
      out.peaks.push_back(std::move(measured->peaks));
    } else if (const auto* end = std::get_if<ingest::TrackEnded>(&*news)) {
      out.damaged = end->damaged;
      return out;
    }
  }
}

// Every rule of docs/formats/segment.md that a segment's bytes can show, computed here from the boxes up.
inline void check_segments(const Recorded& recorded) {
  INFO(recorded.failure);
  REQUIRE(recorded.failure.empty());
  REQUIRE_FALSE(recorded.segments.empty());
  ingest::SegmentCheck check(recorded.facts.medium == "video", recorded.facts.transcoded);
  const RecordedSegment* before = nullptr;
  for (const RecordedSegment& one : recorded.segments) {
    const bool new_run = before == nullptr || before->said.start.run != one.said.start.run;
    const auto follows = check.follows(one.said);
    INFO((follows ? std::string() : follows.error().message));
    REQUIRE(follows);
    SegmentScan scan;
    for (const Fragment& fragment : one.layout.fragments) {
      const std::size_t begin = fragment.offset == one.layout.init_bytes ? 0 : fragment.offset;
      REQUIRE(scan.take(ByteView(one.bytes).subspan(begin, fragment.offset + fragment.bytes - kHashBoxBytes - begin)));
    }
    const auto matches = check.matches(scan, sha256(one.bytes), one.said);
    INFO((matches ? std::string() : matches.error().message));
    REQUIRE(matches);
    CHECK(one.bytes.size() <= 16 * 1024 * 1024);
    CHECK(sha256(one.bytes) == one.said.sha256);
    // The boxes again, without the reader that is tested: size, type, and after each mdat the digest of all before it.
    std::string order;
    for (std::size_t at = 0; at < one.bytes.size();) {
      const std::size_t size = std::size_t{one.bytes[at]} << 24 | one.bytes[at + 1] << 16 | one.bytes[at + 2] << 8 | one.bytes[at + 3];
      const std::string type(one.bytes.begin() + static_cast<std::ptrdiff_t>(at) + 4, one.bytes.begin() + static_cast<std::ptrdiff_t>(at) + 8);
      REQUIRE(size >= 8);
      REQUIRE(at + size <= one.bytes.size());
      order += type + " ";
      if (type == "uuid") {
        REQUIRE(size == 56);
        const Bytes stated(one.bytes.begin() + static_cast<std::ptrdiff_t>(at) + 24, one.bytes.begin() + static_cast<std::ptrdiff_t>(at) + 56);
        CHECK(to_hex(stated) == sha256(ByteView(one.bytes).first(at)).hex());
      }
      at += size;
    }
    std::string wanted = "ftyp moov ";
    for (std::size_t i = 0; i < one.layout.fragments.size(); ++i) wanted += "moof mdat uuid ";
    CHECK(order == wanted);
    // Fragments of about a second; only the last may be short.
    for (std::size_t i = 0; i < one.layout.fragments.size(); ++i) {
      const double seconds = static_cast<double>(one.layout.fragments[i].duration) / one.layout.time_scale;
      CHECK(seconds <= 2.1);
      if (i + 1 < one.layout.fragments.size()) CHECK(seconds >= 0.95);
    }
    const std::int64_t first = one.layout.fragments.front().decode_time;
    const std::int64_t end = before == nullptr ? 0 : before->layout.fragments.back().decode_time + before->layout.fragments.back().duration;
    CHECK(first == end + (new_run ? one.layout.time_scale : 0));
    if (!new_run) {
      CHECK(std::equal(one.bytes.begin(), one.bytes.begin() + static_cast<std::ptrdiff_t>(one.layout.init_bytes), before->bytes.begin()));
    }
    before = &one;
  }
}

// The segments of one run, one behind the other, as a file.
inline void join_run(const MediaFolder& folder, const Recorded& recorded, std::uint64_t run, const std::string& name) {
  Bytes all;
  for (const RecordedSegment& one : recorded.segments) {
    if (one.said.start.run == run) all.insert(all.end(), one.bytes.begin(), one.bytes.end());
  }
  folder.write(name, all);
}

inline void check_same_times(const std::vector<double>& ours, const std::vector<double>& theirs, double tolerance) {
  REQUIRE(ours.size() == theirs.size());
  double worst = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) worst = std::max(worst, std::abs(ours[i] - theirs[i]));
  CHECK(worst <= tolerance);
}

}  // namespace greffe::testing

#endif
