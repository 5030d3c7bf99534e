// One audio or video track of a file that somebody brought: opened by libav over an already open descriptor, so that
// nothing else can be opened; known containers only, no playlists. Runs in the sandboxed child. One thread.
#ifndef GREFFE_INGEST_MEDIA_SOURCE_H
#define GREFFE_INGEST_MEDIA_SOURCE_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "ingest/packet_source.h"

namespace greffe::ingest {

struct TrackChoice {
  enum class Medium { any, audio, video };
  Medium medium = Medium::any;  // any: the first video track, else the first audio track
  int number = 0;               // 0 is the first of that medium
};

// The containers that are read, in libav's names and in people's.
extern const char* const kAcceptedFormats;
extern const char* const kAcceptedFormatsInWords;

class MediaSource : public PacketSource {
 public:
  // `descriptor` stays the caller's and must outlive this object. Errors are sentences that go on after "FILE: ";
  // invalid: not accepted. corrupt: cut short so that nothing can be read. unavailable: not enough memory.
  static Result<std::unique_ptr<MediaSource>> open(int descriptor, std::uint64_t bytes, const TrackChoice& choice);
  ~MediaSource() override;

  const AVStream& track() const override { return *format_->streams[track_]; }
  std::int64_t origin_us() const override { return origin_us_; }
  // How long the file says that it is; nothing when it does not say.
  std::optional<std::int64_t> stated_us() const;
  Result<bool> read(AVPacket& packet) override;
  bool damaged() const { return damaged_; }  // reading ended before the file did, or in the middle of a sample
  std::uint64_t bytes_read() const { return input_.offset; }

 private:
  struct Input {
    int descriptor = -1;
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;
  };
  MediaSource() = default;
  static int read_some(void* input, std::uint8_t* out, int size);
  static std::int64_t seek(void* input, std::int64_t offset, int whence);
  Status open_container();
  Error why_not(int code) const;
  Status choose(const TrackChoice& choice);
  Status check_codec() const;

  Input input_;
  IoPtr io_;
  InputPtr format_;  // destroyed before io_
  unsigned track_ = 0;
  std::int64_t origin_us_ = 0;
  bool damaged_ = false;
  bool ended_ = false;
};

}  // namespace greffe::ingest

#endif
