// A reading process that foreign media have taken over says what it likes. Whatever it says, nothing but what the
// importing process has found in the file itself is ever logged.
#include <unistd.h>

#include <functional>

#include "ingest/lane.h"
#include "tests/unit/ingest/media_fixture.h"

using namespace greffe;
using namespace greffe::ingest;
using greffe::testing::MediaFolder;
using greffe::testing::Recorded;

namespace {

constexpr UtcTime kStart{1'795'338'000'000};

// Two segments of twelve seconds' video, as an honest reader makes them.
struct Honest {
  MediaFolder folder;
  Recorded recorded;
  Honest() {
    folder.ffmpeg("-f lavfi -i testsrc2=s=160x90:r=25:d=12 -c:v libx264 -preset ultrafast -bf 0 -g 25 in.mp4");
    recorded = greffe::testing::record(folder, "in.mp4");
    REQUIRE(recorded.segments.size() == 2);
  }
};

// A lane with the test at the other end of its reader's channel.
struct Import {
  PosixFileSystem files;
  const PrivateKey key = PrivateKey::generate();
  const HearingId id = make_hearing_id(kStart);
  const SpoolPaths paths;
  std::unique_ptr<HearingSpool> spool;
  HearingState before;
  std::unique_ptr<Channel> child;
  std::unique_ptr<Lane> lane;

  explicit Import(const MediaFolder& folder) : paths{folder.path("spool/" + id.text())} {
    std::filesystem::remove_all(folder.path("spool"));
    REQUIRE(HearingSpool::create(files, paths));
    auto opened = HearingSpool::open(files, paths, id, "archive.court.example", key);
    REQUIRE(opened);
    spool = std::move(*opened);
    OpenEntry open;
    open.start = kStart;
    open.streams = {{"cam-bench", "video", "file"}};
    before.apply(HearingEntry(open));
    auto ends = Channel::pair();
    REQUIRE(ends);
    child = std::make_unique<Channel>(std::move(ends->second));
    TrackFacts facts;
    facts.medium = "video";
    StreamRequest request;
    request.name = "cam-bench";
    request.path = "brought-in.mp4";
    lane = std::make_unique<Lane>(request, MediaWorker::over(std::move(ends->first), request.path), facts, before, 0);
    REQUIRE(lane->start(WallClock::make(kStart, 0, {}), {}));
    REQUIRE(child->receive());
  }

  Status say(const Json& words) {
    REQUIRE(child->send(words));
    return lane->take_news(*spool);
  }
  Status need(const SegmentStart& start) {
    Json words;
    words.set("say", "need").set("run", start.run).set("cut", start.cut).set("media_us", start.media_us);
    return say(words);
  }
  // Asks for a file; the descriptor is what the reader got.
  Descriptor begin(const SegmentStart& start) {
    REQUIRE(need(start));
    REQUIRE(lane->give_file(*spool));
    auto answer = child->receive();
    REQUIRE(answer);
    return std::move(answer->descriptor);
  }
  static void put(const Descriptor& file, ByteView bytes) {
    REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  Status end_fragment(std::uint64_t bytes) {
    Json words;
    words.set("say", "fragment").set("bytes", bytes);
    GREFFE_TRY(say(words));
    REQUIRE(child->receive());
    return ok();
  }
  Status written = ok();  // what was said to the first fragment that was refused
  // Writes `bytes` as an honest reader would a segment of this layout: not the hash boxes, those are awaited.
  Descriptor write(const SegmentStart& start, ByteView bytes, const SegmentLayout& layout) {
    Descriptor file = begin(start);
    std::size_t done = 0;
    for (const Fragment& fragment : layout.fragments) {
      const std::size_t end = fragment.offset + fragment.bytes;
      if (end > bytes.size()) break;
      put(file, bytes.subspan(done, end - kHashBoxBytes - done));
      written = end_fragment(end - kHashBoxBytes);
      if (!written) return file;
      done = end;
    }
    put(file, bytes.subspan(done));
    return file;
  }
  Status segment(const FinishedSegment& said, ByteView bytes, const SegmentLayout& layout) {
    (void)write(said.start, bytes, layout);
    if (!written) return written;
    return say(write_segment_message(said));
  }
  void check_nothing_is_logged(const Status& refused, const std::string& words) {
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, Catch::Contains("brought-in.mp4: its reader was not honest: ") && Catch::Contains(words));
    CHECK(lane->waiting().empty());
    CHECK(spool->entries().empty());
    CHECK(files.list(paths.objects())->empty());
    CHECK(files.list(paths.open())->empty());  // nor is it found there by `close`
  }
};

}  // namespace

TEST_CASE("what an honest reader says is taken") {
  const Honest honest;
  Import import(honest.folder);
  for (const auto& one : honest.recorded.segments) {
    const auto taken = import.segment(one.said, one.bytes, one.layout);
    INFO((taken ? std::string() : taken.error().message));
    REQUIRE(taken);
  }
  REQUIRE(import.lane->waiting().size() == 2);
  for (Waiting& one : import.lane->waiting()) import.spool->finish_segment(std::move(*one.segment), std::get<SegmentEntry>(one.entry).sha256);
  OpenEntry open = *import.before.open();
  open.archive = "archive.court.example";
  import.spool->append(open);
  REQUIRE(import.spool->commit());
  CHECK(import.files.list(import.paths.objects())->size() == 2);
}

TEST_CASE("each thing that a reader can lie about is found") {
  const Honest honest;
  const auto& first = honest.recorded.segments[0];
  const auto& second = honest.recorded.segments[1];
  struct Lie {
    const char* words;
    std::function<void(FinishedSegment& said, Bytes& bytes)> tell;
  };
  const Lie lies[] = {
      {"another digest", [](FinishedSegment& s, Bytes&) { s.sha256 = sha256({}); }},
      {"was said to have", [](FinishedSegment& s, Bytes&) { ++s.bytes; }},
      {"whole fragment", [](FinishedSegment&, Bytes& b) { b.push_back(0); }},
      {"whole fragment", [](FinishedSegment& s, Bytes& b) { b.push_back(0); ++s.bytes; s.sha256 = sha256(b); }},
      {"another digest", [](FinishedSegment& s, Bytes& b) { b[b.size() / 2] ^= 1; s.sha256 = sha256(b); }},
      {"whole fragment", [](FinishedSegment& s, Bytes& b) { b.resize(b.size() - 1); s.bytes = b.size(); s.sha256 = sha256(b); }},
      {"whole fragment", [](FinishedSegment& s, Bytes& b) { b.resize(s.init_bytes); s.bytes = b.size(); s.sha256 = sha256(b); }},
      {"ftyp", [](FinishedSegment& s, Bytes& b) { b.assign(b.size(), 'x'); s.sha256 = sha256(b); }},
      {"codec", [](FinishedSegment& s, Bytes&) { --s.init_bytes; }},
      {"codec", [](FinishedSegment& s, Bytes&) { s.codecs = "opus"; }},
      {"where 90000 was due", [](FinishedSegment& s, Bytes&) { s.start_90k = 0; }},
      {"ends at another time", [](FinishedSegment& s, Bytes&) { ++s.duration_90k; }},
      {"was due", [](FinishedSegment& s, Bytes&) { s.duration_90k = 0; }},
      {"flags", [](FinishedSegment& s, Bytes&) { s.flags = {"recovered"}; }},
      {"flags", [](FinishedSegment& s, Bytes&) { s.flags = {"no-key-frame"}; }},
      {"cannot follow", [](FinishedSegment& s, Bytes&) { s.start.run = 3; }},
  };
  for (const Lie& lie : lies) {
    CAPTURE(lie.words);
    Import import(honest.folder);
    FinishedSegment said = first.said;
    Bytes bytes = first.bytes;
    lie.tell(said, bytes);
    import.check_nothing_is_logged(import.segment(said, bytes, first.layout), lie.words);
    CHECK(import.files.list(import.paths.quarantine())->size() == 1);  // kept for whoever looks into it
  }
  const Lie second_lies[] = {
      {"was due", [](FinishedSegment& s, Bytes&) { s.start_90k += 90; }},
      {"back in time", [](FinishedSegment& s, Bytes&) { s.start.media_us = -5000; }},
      {"disagree", [](FinishedSegment& s, Bytes&) { s.start.media_us += 60'000'000; }},
      {"at another time", [&](FinishedSegment& s, Bytes& b) { b = first.bytes; s.bytes = b.size(); s.sha256 = sha256(b); s.duration_90k = 900'000; }},
  };
  for (const Lie& lie : second_lies) {
    CAPTURE(lie.words);
    Import import(honest.folder);
    REQUIRE(import.segment(first.said, first.bytes, first.layout));
    FinishedSegment said = second.said;
    Bytes bytes = second.bytes;
    lie.tell(said, bytes);
    const auto refused = import.segment(said, bytes, bytes == first.bytes ? first.layout : second.layout);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, Catch::Contains("not honest") && Catch::Contains(lie.words));
    CHECK(import.lane->waiting().size() == 1);
  }
}

TEST_CASE("a reader that keeps a segment open could change it after it was checked") {
  const Honest honest;
  const auto& one = honest.recorded.segments[0];
  Import import(honest.folder);
  const Descriptor kept = import.write(one.said.start, one.bytes, one.layout);
  import.check_nothing_is_logged(import.say(write_segment_message(one.said)), "still open for writing");
}

TEST_CASE("a fragment is sealed only as it stands in the file, and what is sealed stays") {
  const Honest honest;
  const auto& one = honest.recorded.segments[0];
  const std::size_t first_box = one.layout.fragments[0].offset + one.layout.fragments[0].bytes - kHashBoxBytes;
  Import import(honest.folder);
  const ByteView bytes = one.bytes;
  SECTION("less is there than is said") {
    const Descriptor file = import.begin(one.said.start);
    Import::put(file, bytes.first(first_box - 1));
    import.check_nothing_is_logged(import.end_fragment(first_box), "fewer bytes than was said");
  }
  SECTION("more is there than is said") {
    const Descriptor file = import.begin(one.said.start);
    Import::put(file, bytes.first(first_box + 1));
    import.check_nothing_is_logged(import.end_fragment(first_box), "more bytes than was said");
  }
  SECTION("the same again") {
    const Descriptor file = import.begin(one.said.start);
    Import::put(file, bytes.first(first_box));
    REQUIRE(import.end_fragment(first_box));
    import.check_nothing_is_logged(import.end_fragment(first_box), "cannot end at byte");
  }
  SECTION("more than an object holds") {
    const Descriptor file = import.begin(one.said.start);
    import.check_nothing_is_logged(import.end_fragment(16'777'216), "cannot end at byte");
  }
  SECTION("a fragment of no file") {
    import.check_nothing_is_logged(import.end_fragment(first_box), "of no file");
  }
  SECTION("what was sealed cannot be written over") {
    const Descriptor file = import.begin(one.said.start);
    Import::put(file, bytes.first(first_box));
    REQUIRE(import.end_fragment(first_box));
    const std::string path = import.paths.open() + "/" + import.files.list(import.paths.open())->front();
    const Bytes before = *import.files.read_file(path, 20'000'000);
    REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    Import::put(file, to_bytes("over it"));
    const Bytes after = *import.files.read_file(path, 20'000'000);
    REQUIRE(after.size() == before.size() + 7);
    CHECK(std::equal(before.begin(), before.end(), after.begin()));
  }
}

TEST_CASE("a reader that speaks out of turn") {
  const Honest honest;
  const auto& one = honest.recorded.segments[0];
  SECTION("a segment that nobody asked for") {
    Import import(honest.folder);
    import.check_nothing_is_logged(import.say(write_segment_message(one.said)), "nobody asked for");
  }
  SECTION("a segment that begins elsewhere than its file") {
    Import import(honest.folder);
    (void)import.write(one.said.start, one.bytes, one.layout);
    FinishedSegment said = one.said;
    said.start.media_us = 1000;
    import.check_nothing_is_logged(import.say(write_segment_message(said)), "elsewhere");
  }
  SECTION("two files at once") {
    Import import(honest.folder);
    REQUIRE(import.need(one.said.start));
    import.check_nothing_is_logged(import.need(one.said.start), "before it has finished");
  }
  SECTION("more levels than there can be") {
    Import import(honest.folder);
    Json peaks;
    peaks.set("say", "peaks").set("cut", 0).set("media_us", 0).set("levels", "AAAA");
    Status said = ok();
    int count = 0;
    for (; said && count < 100'000; ++count) said = import.say(peaks);
    CHECK(count < 1000);
    CHECK_THAT(said.error().message, Catch::Contains("more than a recording can hold"));
  }
  SECTION("words that are none") {
    for (const char* text : {"{}", "[]", "7", "{\"say\":\"need\"}", "{\"say\":\"need\",\"run\":-1,\"cut\":0,\"media_us\":0}",
                             "{\"say\":\"segment\"}", "{\"say\":\"peaks\",\"cut\":0,\"media_us\":0,\"levels\":\"\"}", "{\"say\":\"done\"}"}) {
      CAPTURE(text);
      Import import(honest.folder);
      CHECK_FALSE(import.say(*parse_json(text)));
      CHECK(import.spool->entries().empty());
    }
  }
}
