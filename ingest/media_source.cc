#include "ingest/media_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

extern "C" {
#include <libavutil/avstring.h>
}

#include "ingest/promised_length.h"

namespace greffe::ingest {
namespace {

constexpr int kIoBufferBytes = 256 * 1024;
constexpr int kProbeBytes = 1024 * 1024;
constexpr int kMostTracks = 64;

int deny_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) { return AVERROR(EPERM); }

bool is_playlist(std::string_view format) {
  return format.find("hls") != std::string_view::npos || format == "concat" || format == "dash" || format == "sdp" ||
         format == "rtsp" || format == "imf" || format == "webvtt";
}

std::uint64_t number_at(const std::uint8_t* bytes, int size) {
  std::uint64_t out = 0;
  for (int i = 0; i < size; ++i) out = out << 8 | bytes[i];
  return out;
}

// Of an MP4 file that libav cannot open: does a box reach beyond the end of the file, or is the index missing?
bool is_mp4_cut_short(int descriptor, std::uint64_t bytes) {
  constexpr int kMostBoxes = 100'000;
  std::uint64_t at = 0;
  for (int i = 0; i < kMostBoxes && at < bytes; ++i) {
    std::array<std::uint8_t, 16> head{};
    const ssize_t got = ::pread(descriptor, head.data(), head.size(), static_cast<off_t>(at));
    if (got < 8) return true;
    std::uint64_t size = number_at(head.data(), 4);
    if (std::memcmp(head.data() + 4, "moov", 4) == 0 && size <= bytes - at) return false;
    if (size == 1 && got >= 16) size = number_at(head.data() + 8, 8);
    if (size == 0 || size > bytes - at) return true;
    if (size < 8) return false;
    at += size;
  }
  return true;  // no moov
}

const char* words_of(AVMediaType type) { return type == AVMEDIA_TYPE_VIDEO ? "video" : "audio"; }

}  // namespace

const char* const kAcceptedFormats =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,wav,w64,flac,mp3,aac,asf,flv,caf,aiff,au,h264,hevc,mxf";
const char* const kAcceptedFormatsInWords =
    "MP4, MOV, Matroska, WebM, AVI, MPEG-TS, MPEG-PS, Ogg, WAV, FLAC, MP3, AAC, ASF, FLV, CAF, AIFF, AU, MXF";

CodecTreatment treatment_of(AVCodecID codec) {
  switch (codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_AAC:
    case AV_CODEC_ID_OPUS:
    case AV_CODEC_ID_FLAC:
    case AV_CODEC_ID_MP3: return CodecTreatment::keep;
    default: break;
  }
  const std::string_view name = avcodec_get_name(codec);
  return name.substr(0, 4) == "pcm_" ? CodecTreatment::to_flac : CodecTreatment::refuse;
}

MediaSource::~MediaSource() = default;

int MediaSource::read_some(void* opaque, std::uint8_t* out, int size) {
  auto* input = static_cast<Input*>(opaque);
  for (;;) {
    const ssize_t got = ::pread(input->descriptor, out, static_cast<std::size_t>(size), static_cast<off_t>(input->offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return AVERROR(errno);
    if (got == 0) return AVERROR_EOF;
    input->offset += static_cast<std::uint64_t>(got);
    return static_cast<int>(got);
  }
}

std::int64_t MediaSource::seek(void* opaque, std::int64_t offset, int whence) {
  auto* input = static_cast<Input*>(opaque);
  const auto end = static_cast<std::int64_t>(input->bytes);
  if ((whence & AVSEEK_SIZE) != 0) return end;
  whence &= ~AVSEEK_FORCE;
  if (whence == SEEK_CUR) offset += static_cast<std::int64_t>(input->offset);
  if (whence == SEEK_END) offset += end;
  if (offset < 0) return AVERROR(EINVAL);
  input->offset = static_cast<std::uint64_t>(offset);
  return offset;
}

Result<std::unique_ptr<MediaSource>> MediaSource::open(int descriptor, std::uint64_t bytes, const TrackChoice& choice) {
  if (bytes == 0) return fail(Errc::invalid, "the file is empty");
  std::unique_ptr<MediaSource> out(new MediaSource);
  out->input_.descriptor = descriptor;
  out->input_.bytes = bytes;
  GREFFE_TRY(out->open_container());
  GREFFE_TRY(out->choose(choice));
  GREFFE_TRY(out->check_codec());
  for (unsigned i = 0; i < out->format_->nb_streams; ++i) {
    if (i != out->track_) out->format_->streams[i]->discard = AVDISCARD_ALL;
  }
  const std::int64_t start = out->format_->start_time;
  out->origin_us_ = start == AV_NOPTS_VALUE ? 0 : start;
  return out;
}

Status MediaSource::open_container() {
  av_log_set_level(AV_LOG_QUIET);  // its lines are for developers; ours say what to do
  auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferBytes));
  io_.reset(avio_alloc_context(buffer, kIoBufferBytes, 0, &input_, read_some, nullptr, seek));
  if (!io_) return fail(Errc::unavailable, "there is not enough memory to read the file");
  const AVInputFormat* found = nullptr;
  int code = av_probe_input_buffer2(io_.get(), &found, "", nullptr, 0, kProbeBytes);
  if (code == AVERROR(ENOMEM)) return why_not(code);
  if (code < 0 || found == nullptr) {
    return fail(Errc::invalid, "this is not a recording: no audio or video format was recognised in it");
  }
  const std::string_view name = found->name;
  if (is_playlist(name)) {
    return fail(Errc::invalid, fmt::format("this is a playlist ({}): it only names other files. Give the recordings themselves",
                                           name));
  }
  if (av_match_name(std::string(name.substr(0, name.find(','))).c_str(), kAcceptedFormats) <= 0) {
    return fail(Errc::invalid, fmt::format("the format \"{}\" is not accepted as a recording; accepted are {}", name,
                                           kAcceptedFormatsInWords));
  }
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return why_not(AVERROR(ENOMEM));
  context->pb = io_.get();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  context->io_open = deny_open;
  context->format_whitelist = av_strdup(kAcceptedFormats);
  context->protocol_whitelist = av_strdup("file");
  context->max_streams = kMostTracks;
  code = avformat_open_input(&context, "", found, nullptr);  // frees the context when it fails
  if (code < 0) return is_mp4_cut_short(input_.descriptor, input_.bytes) && name.find("mp4") != std::string_view::npos
                           ? fail(Errc::corrupt, "the file is cut short: its index (moov) is missing, so nothing in it can be "
                                                 "played. Copy it again from where it was recorded")
                           : why_not(code);
  format_.reset(context);
  code = avformat_find_stream_info(format_.get(), nullptr);
  return code < 0 ? Status(why_not(code)) : ok();
}

Error MediaSource::why_not(int code) const {
  if (code == AVERROR(ENOMEM)) {
    return fail(Errc::unavailable, "reading the file needs more memory than is allowed; it is damaged or not a recording");
  }
  if (code == AVERROR(EIO)) return fail(Errc::io_error, "the file cannot be read from its disk; copy it to another one first");
  return fail(Errc::invalid, "the file is damaged or not a recording: " + libav_words(code));
}

Status MediaSource::choose(const TrackChoice& choice) {
  int counts[2] = {0, 0};  // video, audio
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream& stream = *format_->streams[i];
    const AVMediaType type = stream.codecpar->codec_type;
    if (type != AVMEDIA_TYPE_VIDEO && type != AVMEDIA_TYPE_AUDIO) continue;
    if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) continue;  // a cover picture
    const bool video = type == AVMEDIA_TYPE_VIDEO;
    const int number = counts[video ? 0 : 1]++;
    const bool wanted = choice.medium == TrackChoice::Medium::any
                            ? number == 0 && (video || counts[0] == 0)
                            : number == choice.number && video == (choice.medium == TrackChoice::Medium::video);
    if (wanted) track_ = i;
    if (wanted && choice.medium != TrackChoice::Medium::any) return ok();
  }
  if (counts[0] + counts[1] == 0) return fail(Errc::invalid, "there is neither video nor audio in the file");
  if (choice.medium == TrackChoice::Medium::any) return ok();
  const bool video = choice.medium == TrackChoice::Medium::video;
  return fail(Errc::invalid, fmt::format("there is no {} track {} in the file; it has {} video and {} audio tracks, counted from 0",
                                         video ? "video" : "audio", choice.number, counts[0], counts[1]));
}

Status MediaSource::check_codec() const {
  const AVCodecParameters& parameters = *track().codecpar;
  if (treatment_of(parameters.codec_id) == CodecTreatment::refuse) {
    return fail(Errc::invalid,
                fmt::format("its {} is {}, which is not accepted. Accepted are H.264 and H.265 video; AAC, Opus, FLAC and MP3 audio, "
                            "kept as they are; PCM and G.711 audio, stored as FLAC. Convert it first, for example: "
                            "ffmpeg -i FILE -c:v libx264 -c:a aac NEW.mp4",
                            words_of(parameters.codec_type), avcodec_get_name(parameters.codec_id)));
  }
  const bool video = parameters.codec_type == AVMEDIA_TYPE_VIDEO;
  if (video && (parameters.width <= 0 || parameters.height <= 0)) {
    return fail(Errc::invalid, "no picture of its video can be decoded: it has no key frame, or its headers are missing");
  }
  if (!video && (parameters.sample_rate <= 0 || parameters.sample_rate > 768'000 || parameters.ch_layout.nb_channels <= 0 ||
                 parameters.ch_layout.nb_channels > 64)) {
    return fail(Errc::invalid, "its audio has no usable sample rate or number of channels");
  }
  return ok();
}

std::optional<std::int64_t> MediaSource::stated_us() const {
  constexpr std::int64_t kMost = 366LL * 86'400 * 1'000'000;  // what says more is not to be believed
  const auto end = promised_end_us({input_.descriptor, input_.bytes}, *format_, track());
  if (!end || *end <= 0 || *end > kMost || origin_us_ > kMost || origin_us_ < -kMost) return std::nullopt;
  return *end - origin_us_;
}

Result<bool> MediaSource::read(AVPacket& packet) {
  constexpr int kMostErrorsInARow = 100;
  int errors = 0;
  while (!ended_) {
    const int code = av_read_frame(format_.get(), &packet);
    if (code == AVERROR(ENOMEM) || code == AVERROR(EIO)) return why_not(code);
    if (code < 0) {
      // Some demuxers report one damaged place and go on behind it.
      if (code == AVERROR_INVALIDDATA && ++errors < kMostErrorsInARow && !avio_feof(io_.get())) continue;
      damaged_ = damaged_ || code != AVERROR_EOF || ends_early({input_.descriptor, input_.bytes}, *format_);
      ended_ = true;
      break;
    }
    errors = 0;
    const bool torn = (packet.flags & AV_PKT_FLAG_CORRUPT) != 0 && avio_feof(io_.get());
    if (packet.stream_index == static_cast<int>(track_) && packet.size > 0 && !torn) return true;
    damaged_ = damaged_ || torn;
    av_packet_unref(&packet);
  }
  return false;
}

}  // namespace greffe::ingest
