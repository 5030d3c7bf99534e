// Where the segments of a segmenter under test go, with no other process between.
#ifndef GREFFE_TESTS_UNIT_INGEST_FILE_SINK_H
#define GREFFE_TESTS_UNIT_INGEST_FILE_SINK_H

#include "tests/unit/ingest/media_fixture.h"

namespace greffe::testing {

class FileSink : public ingest::SegmentSink {
 public:
  explicit FileSink(std::string path) : path_(std::move(path)) {}
  Result<int> file_for(const ingest::SegmentStart&) override {
    std::filesystem::remove(path_);
    file_ = GREFFE_TRY(PosixFileSystem().create(path_, 0600));
    return file_->descriptor();
  }
  Result<Digest> seal(std::uint64_t bytes) override { return greffe::testing::seal(path_, *file_, bytes); }
  Status segment(const ingest::FinishedSegment& said) override {
    PosixFileSystem files;
    RecordedSegment one{said, GREFFE_TRY(files.read_file(path_, 20'000'000)), {}};
    one.layout = GREFFE_TRY(read_segment(one.bytes));
    recorded.segments.push_back(std::move(one));
    return ok();
  }
  Recorded recorded;

 private:
  const std::string path_;
  std::unique_ptr<WritableFile> file_;
};

}  // namespace greffe::testing

#endif
