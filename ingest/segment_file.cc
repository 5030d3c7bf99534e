#include "ingest/segment_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "archive/format/segment.h"

namespace greffe::ingest {
namespace {

constexpr int kIoBufferBytes = 256 * 1024;
constexpr std::size_t kSampleOverheadBytes = 24;  // at most, of one sample in a trun box

// Owns what avformat_write_header leaves of the options.
class Options {
 public:
  ~Options() { av_dict_free(&dictionary_); }
  void set(const char* key, const char* value) { av_dict_set(&dictionary_, key, value, 0); }
  AVDictionary** get() { return &dictionary_; }
  const char* left() const {
    const AVDictionaryEntry* entry = av_dict_get(dictionary_, "", nullptr, AV_DICT_IGNORE_SUFFIX);
    return entry != nullptr ? entry->key : nullptr;
  }

 private:
  AVDictionary* dictionary_ = nullptr;
};

}  // namespace

SegmentFile::~SegmentFile() = default;

Result<std::unique_ptr<SegmentFile>> SegmentFile::begin(int fd, FragmentSealer& sealer, const AVCodecParameters& parameters, int time_scale) {
  std::unique_ptr<SegmentFile> out(new SegmentFile(fd, sealer));
  GREFFE_TRY(out->open(parameters, time_scale));
  return out;
}

Status SegmentFile::open(const AVCodecParameters& parameters, int time_scale) {
  AVFormatContext* context = nullptr;
  int code = avformat_alloc_output_context2(&context, nullptr, "mp4", nullptr);
  if (code < 0) return failure(code, "prepare a segment");
  output_.reset(context);
  auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferBytes));
  io_.reset(avio_alloc_context(buffer, kIoBufferBytes, 1, this, nullptr, nullptr, nullptr));
  if (!io_) return failure(AVERROR(ENOMEM), "prepare a segment");
  io_->write_data_type = write_piece;
  io_->seekable = 0;  // so nothing that was hashed is ever written again
  output_->pb = io_.get();
  output_->flags |= AVFMT_FLAG_CUSTOM_IO;
  output_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;  // how this libavformat calls Opus and FLAC in MP4

  AVStream* stream = avformat_new_stream(output_.get(), nullptr);
  if (stream == nullptr) return failure(AVERROR(ENOMEM), "prepare a segment");
  code = avcodec_parameters_copy(stream->codecpar, &parameters);
  if (code < 0) return failure(code, "prepare a segment");
  stream->codecpar->codec_tag = parameters.codec_id == AV_CODEC_ID_HEVC ? MKTAG('h', 'v', 'c', '1') : 0;
  stream->time_base = AVRational{1, time_scale};

  Options options;
  options.set("movflags", "+frag_custom+empty_moov+default_base_moof+frag_discont+skip_trailer");
  options.set("use_editlist", "0");
  options.set("avoid_negative_ts", "disabled");
  options.set("video_track_timescale", "90000");
  code = avformat_write_header(output_.get(), options.get());
  if (code < 0) return failure(code, "begin a segment");
  if (options.left() != nullptr) {
    return fail(Errc::invalid, fmt::format("this libavformat does not know the option {}; segments need it", options.left()));
  }
  avio_flush(io_.get());
  in_init_ = false;
  if (stream->time_base.num != 1 || stream->time_base.den != time_scale) {
    return fail(Errc::invalid, fmt::format("the time scale {} cannot be stored in a segment", time_scale));
  }
  return io_->error < 0 ? failure(io_->error, "write a segment") : ok();
}

int SegmentFile::write_piece(void* self, std::uint8_t* bytes, int size, AVIODataMarkerType, std::int64_t) {
  auto* file = static_cast<SegmentFile*>(self);
  const ByteView piece(bytes, static_cast<std::size_t>(size));
  if (file->in_init_) file->init_.insert(file->init_.end(), piece.begin(), piece.end());
  const int code = file->put(piece);
  return code < 0 ? code : size;
}

int SegmentFile::put(ByteView bytes) {
  written_ += bytes.size();
  if (fd_ < 0) hash_.update(bytes);
  while (fd_ >= 0 && !bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return AVERROR(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
  return 0;
}

Status SegmentFile::write(AVPacket& packet) {
  packet.stream_index = 0;
  packet.pos = -1;
  waiting_ += static_cast<std::uint64_t>(packet.size) + kSampleOverheadBytes;
  const int code = av_write_frame(output_.get(), &packet);
  return code < 0 ? failure(code, "write a sample") : ok();
}

Status SegmentFile::end_fragment() {
  const int code = av_write_frame(output_.get(), nullptr);
  if (code < 0) return failure(code, "end a fragment");
  avio_flush(io_.get());
  if (io_->error < 0) return failure(io_->error, "write a segment");
  waiting_ = 0;
  digest_ = GREFFE_TRY(fd_ >= 0 ? sealer_.seal(written_) : append_box());
  if (fd_ >= 0) written_ += kHashBoxBytes;
  if (fd_ >= 0 && ::fdatasync(fd_) != 0) return failure(AVERROR(errno), "make a segment durable");
  return ok();
}

Result<Digest> SegmentFile::append_box() {
  put(hash_box(hash_.peek()));
  return hash_.peek();
}

Status SegmentFile::failure(int code, const char* doing) const {
  Errc kind = Errc::invalid;
  if (code == AVERROR(ENOSPC) || code == AVERROR(EDQUOT)) kind = Errc::no_space;
  if (code == AVERROR(EIO) || code == AVERROR(EROFS)) kind = Errc::io_error;
  if (code == AVERROR(ENOMEM)) kind = Errc::unavailable;
  return fail(kind, fmt::format("cannot {}: {}", doing, libav_words(code)));
}

}  // namespace greffe::ingest
