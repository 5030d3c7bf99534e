// One media segment as it is written: ftyp moov (moof mdat uuid)*, hashed once, durable fragment by fragment. The libav options are those of docs/formats/segment.md; none may be left out. One thread.
#ifndef GREFFE_INGEST_SEGMENT_FILE_H
#define GREFFE_INGEST_SEGMENT_FILE_H

#include <cstdint>
#include <memory>

#include "archive/base/result.h"
#include "archive/format/digest.h"
#include "ingest/libav_owners.h"

namespace greffe::ingest {

constexpr std::size_t kSegmentBytesTarget = 12 * 1024 * 1024;  // objects end at 16 MiB; a fragment may still follow

// Hashes what stands in the file and appends the hash boxes: not who has parsed foreign bytes, but who logs the segment.
class FragmentSealer {
 public:
  virtual ~FragmentSealer() = default;
  // The file has `bytes` bytes and ends with a whole fragment. ok: its hash box follows in the file; the digest is of all
  // with it. Nothing may be written until this returns.
  virtual Result<Digest> seal(std::uint64_t bytes) = 0;
};

class SegmentFile {
 public:
  // Writes ftyp and moov to `fd`, which stays the caller's and only appends; `sealer` must outlive this object. fd -1:
  // nothing is written, everything is computed and hashed here.
  // `time_scale`: ticks a second of the timestamps that follow (90,000 for video, the sample rate for audio).
  static Result<std::unique_ptr<SegmentFile>> begin(int fd, FragmentSealer& sealer, const AVCodecParameters& parameters, int time_scale);
  ~SegmentFile();

  const Bytes& init() const { return init_; }
  // Takes the packet's bytes; dts, pts and duration are in ticks, dts and duration grow strictly.
  Status write(AVPacket& packet);
  // Ends the fragment, has it sealed and syncs: after ok, everything so far survives power loss.
  // io_error: the file must not be trusted nor written again; the same samples must go to another file.
  Status end_fragment();
  std::uint64_t bytes() const { return written_ + waiting_; }  // with what the next end_fragment will write, nearly
  bool has_open_fragment() const { return waiting_ > 0; }
  const Digest& digest() const { return digest_; }  // of all bytes; after end_fragment

 private:
  explicit SegmentFile(int fd, FragmentSealer& sealer) : fd_(fd), sealer_(sealer) {}
  Status open(const AVCodecParameters& parameters, int time_scale);
  static int write_piece(void* self, std::uint8_t* bytes, int size, AVIODataMarkerType type, std::int64_t time);
  int put(ByteView bytes);  // 0 or an AVERROR
  Result<Digest> append_box();  // without a file
  Status failure(int code, const char* doing) const;

  const int fd_;  // not owned
  FragmentSealer& sealer_;
  Sha256 hash_;   // only without a file
  Digest digest_;
  Bytes init_;
  bool in_init_ = true;
  std::uint64_t written_ = 0;
  std::uint64_t waiting_ = 0;  // payload in the open fragment
  IoPtr io_;
  OutputPtr output_;           // destroyed before io_
};

}  // namespace greffe::ingest

#endif
