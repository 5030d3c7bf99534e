#include "ingest/live_source.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

extern "C" {
#include <libavdevice/version.h>
}

#include "ingest/media_source.h"
#include "ingest/monotonic.h"
#include "ingest/sandbox.h"
#include "ingest/video_encoder.h"

namespace greffe::ingest {
namespace {

constexpr int kIoBytes = 4 * 1024;
constexpr std::int64_t kLongestSleepUs = 200'000;
constexpr std::int64_t kJumpUs = 1'000'000;  // more is no slewing of the wall clock (ingest/station_clock.cc)

// Owns what libav leaves of the options.
class Options {
 public:
  ~Options() { av_dict_free(&dictionary_); }
  void set(const char* key, const std::string& value) { av_dict_set(&dictionary_, key, value.c_str(), 0); }
  AVDictionary** get() { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

// Wall clock minus monotonic clock. A process that is put aside between the two readings must not look like a jump.
std::int64_t wall_offset_us() {
  std::int64_t out = 0;
  for (int tries = 0; tries < 10; ++tries) {
    const std::int64_t before = monotonic_us();
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME, &wall);
    out = std::int64_t{wall.tv_sec} * 1'000'000 + wall.tv_nsec / 1000 - before;
    if (monotonic_us() - before <= 5'000) break;
  }
  return out;
}

void sleep_us(std::int64_t us) {
  const timespec length{us / 1'000'000, static_cast<long>(us % 1'000'000) * 1000};
  ::nanosleep(&length, nullptr);
}

std::string option_or(const SourceAddress& address, const char* name, const char* fallback) {
  const auto found = address.options.find(name);
  return found == address.options.end() ? fallback : found->second;
}

// Not linked: it draws in a hundred libraries, which the process of a camera has no use for, neither for its memory nor
// near foreign bytes.
Status register_devices() {
  const std::string name = fmt::format("libavdevice.so.{}", LIBAVDEVICE_VERSION_MAJOR);
  void* const library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);  // stays for the life of the process
  const auto register_all = library == nullptr ? nullptr : reinterpret_cast<void (*)()>(::dlsym(library, "avdevice_register_all"));
  if (register_all == nullptr) return fail(Errc::unavailable, fmt::format("devices need {}, which cannot be loaded: {}", name, ::dlerror()));
  register_all();
  return ok();
}

}  // namespace

LiveSource::~LiveSource() = default;

Result<std::unique_ptr<LiveSource>> LiveSource::open(const LiveRequest& request) {
  av_log_set_level(AV_LOG_QUIET);  // its lines are for developers; ours say what to do
  std::unique_ptr<LiveSource> out(new LiveSource(request));
  if (request.address.kind == SourceAddress::Kind::rtsp) {
    GREFFE_TRY(out->open_camera());
  } else {
    GREFFE_TRY(out->open_here());
  }
  GREFFE_TRY(out->choose());
  return out;
}

void LiveSource::arm(std::int64_t patience_ms) { deadline_us_ = monotonic_us() + patience_ms * 1000; }

int LiveSource::is_over(void* self) { return monotonic_us() > static_cast<LiveSource*>(self)->deadline_us_ ? 1 : 0; }

Status LiveSource::open_camera() {
  const CameraPlace place = GREFFE_TRY(find_camera(request_.address));
  SandboxLimits limits;
  limits.kind = SandboxKind::connecting;
  GREFFE_TRY(enter_sandbox(limits));
  arm(request_.open_ms);
  camera_ = GREFFE_TRY(RtspSession::open(place, request_.address, request_.video, deadline_us_));
  GREFFE_TRY(tighten_sandbox());
  return open_packets();
}

int LiveSource::read_description(void* self, std::uint8_t* out, int size) {
  LiveSource& me = *static_cast<LiveSource*>(self);
  const std::string& text = me.camera_->description();
  const std::size_t taken = std::min(text.size() - me.described_, static_cast<std::size_t>(size));
  std::memcpy(out, text.data() + me.described_, taken);
  me.described_ += taken;
  return taken == 0 ? AVERROR_EOF : static_cast<int>(taken);
}

int LiveSource::read_packet(void* self, std::uint8_t* out, int size) {
  LiveSource& me = *static_cast<LiveSource*>(self);
  return me.camera_->read({out, static_cast<std::size_t>(size)}, me.deadline_us_);
}

int LiveSource::write_report(void* self, std::uint8_t* bytes, int size) {
  static_cast<LiveSource*>(self)->camera_->report({bytes, static_cast<std::size_t>(size)});
  return size;
}

// libav reads the description through one door, and then the packets that it is about through another, one a call.
Status LiveSource::open_packets() {
  const auto make_io = [this](int writable, int (*reader)(void*, std::uint8_t*, int), int (*writer)(void*, std::uint8_t*, int)) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBytes));
    return IoPtr(buffer == nullptr ? nullptr : avio_alloc_context(buffer, kIoBytes, writable, this, reader, writer, nullptr));
  };
  const IoPtr description = make_io(0, read_description, nullptr);
  io_ = make_io(1, read_packet, write_report);
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr || !description || !io_) return why_not(AVERROR(ENOMEM));
  context->pb = description.get();
  Options options;
  options.set("sdp_flags", "custom_io");
  options.set("reorder_queue_size", "0");  // over TCP they come in order
  const int code = avformat_open_input(&context, "", av_find_input_format("sdp"), options.get());  // frees the context when it fails
  if (code < 0) return why_not(code);
  format_.reset(context);
  context->pb = io_.get();
  return look_closer();
}

// Devices and files are opened first: what is on this machine is not hostile, and the sandbox opens nothing.
Status LiveSource::open_here() {
  const SourceAddress& address = request_.address;
  if (address.kind != SourceAddress::Kind::file) GREFFE_TRY(register_devices());
  Options options;
  std::string location = address.place;
  const char* format = nullptr;
  switch (address.kind) {
    case SourceAddress::Kind::alsa:
      format = "alsa";
      options.set("sample_rate", option_or(address, "rate", "48000"));
      options.set("channels", option_or(address, "channels", "1"));
      by_arrival_ = true;  // libavdevice smooths the wall clock, and a jump of it takes seconds to get through that
      opened_offset_us_ = wall_offset_us();
      break;
    case SourceAddress::Kind::v4l2:
      format = "v4l2";
      if (address.options.contains("size")) options.set("video_size", address.options.at("size"));
      if (address.options.contains("rate")) options.set("framerate", address.options.at("rate"));
      if (address.options.contains("format")) options.set("input_format", address.options.at("format"));
      break;
    case SourceAddress::Kind::test:
      format = "lavfi";
      paced_ = true;
      location = address.place == "bars"
                     ? fmt::format("testsrc2=size={}:rate={}", option_or(address, "size", "640x360"), option_or(address, "rate", "25"))
                     : fmt::format("sine=frequency={}:sample_rate={}", option_or(address, "frequency", "440"), option_or(address, "rate", "48000"));
      break;
    case SourceAddress::Kind::file: {
      struct stat facts {};
      if (::stat(location.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return fail(Errc::not_found, "there is no such file");
      paced_ = true;
      break;
    }
    case SourceAddress::Kind::rtsp: break;  // open_camera
  }
  const AVInputFormat* input = format == nullptr ? nullptr : av_find_input_format(format);
  if (format != nullptr && input == nullptr) return fail(Errc::invalid, fmt::format("this system's libavdevice cannot read from {}", format));
  GREFFE_TRY(open_input(input, location, options.get()));
  SandboxLimits limits;
  limits.kind = SandboxKind::device;
  return enter_sandbox(limits);
}

Status LiveSource::open_input(const AVInputFormat* format, const std::string& location, AVDictionary** options) {
  AVFormatContext* context = avformat_alloc_context();
  if (context == nullptr) return why_not(AVERROR(ENOMEM));
  context->interrupt_callback = {is_over, this};
  if (format == nullptr) {
    context->format_whitelist = av_strdup(kAcceptedFormats);
    context->protocol_whitelist = av_strdup("file");
  }
  arm(request_.open_ms);
  const int code = avformat_open_input(&context, location.c_str(), format, options);  // frees the context when it fails
  if (code < 0) return why_not(code);
  format_.reset(context);
  return look_closer();
}

Status LiveSource::look_closer() {
  arm(request_.open_ms);
  const int code = avformat_find_stream_info(format_.get(), nullptr);
  return code < 0 ? Status(why_not(code)) : ok();
}

std::string LiveSource::broken_words(int code) const {
  if (request_.address.kind == SourceAddress::Kind::rtsp) return "the connection broke: " + libav_words(code);
  return "it gives nothing any more: is it plugged in? (" + libav_words(code) + ")";
}

Error LiveSource::why_not(int code) const {
  // libavdevice says this of every sound device that it cannot open.
  if (code == AVERROR(EIO) && request_.address.kind == SourceAddress::Kind::alsa) {
    return fail(Errc::not_found, "it cannot be opened: is it plugged in, and used by no other program?");
  }
  switch (code) {
    case AVERROR_EXIT: return fail(Errc::unavailable, fmt::format("it does not answer within {} s", request_.open_ms / 1000));
    case AVERROR(ENOMEM): return fail(Errc::unavailable, "there is not enough memory");
    case AVERROR(ENOENT):
    case AVERROR(ENODEV): return fail(Errc::not_found, "there is no such device: is it plugged in?");
    case AVERROR(EACCES): return fail(Errc::denied, "this user may not open it (groups audio and video)");
    case AVERROR(EBUSY): return fail(Errc::unavailable, "another program is using it");
    case AVERROR_EOF: return fail(Errc::unavailable, "it ends the connection");
    case AVERROR_INVALIDDATA: return fail(Errc::invalid, "what it sends is not a recording");
    default: return fail(Errc::unavailable, libav_words(code));
  }
}

Status LiveSource::choose() {
  const AVMediaType wanted = request_.video ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
  std::optional<unsigned> found;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream& stream = *format_->streams[i];
    if (!found && stream.codecpar->codec_type == wanted) found = i;
    if (found != i) stream.discard = AVDISCARD_ALL;
  }
  if (!found) return fail(Errc::invalid, fmt::format("it sends no {}", request_.video ? "picture" : "sound"));
  track_ = *found;
  const AVCodecParameters& parameters = *track().codecpar;
  const bool here = request_.address.kind != SourceAddress::Kind::rtsp && is_encoded_here(parameters.codec_id);
  if (treatment_of(parameters.codec_id) == CodecTreatment::refuse && !here) {
    return fail(Errc::invalid, fmt::format("it sends {}, which is not kept. Set it to H.264, H.265, AAC, Opus or G.711",
                                           avcodec_get_name(parameters.codec_id)));
  }
  if (request_.video && (parameters.width <= 0 || parameters.height <= 0)) return fail(Errc::unavailable, "no picture comes");
  if (!request_.video && (parameters.sample_rate <= 0 || parameters.ch_layout.nb_channels <= 0)) return fail(Errc::unavailable, "no sound comes");
  return ok();
}

// Until the packet's time has come, counted from the first one on.
void LiveSource::pace(const AVPacket& packet) {
  if (packet.dts == AV_NOPTS_VALUE) return;
  const std::int64_t at_us = av_rescale_q(packet.dts, track().time_base, kMicroseconds);
  if (first_us_ == AV_NOPTS_VALUE) {
    first_us_ = at_us;
    began_us_ = monotonic_us();
  }
  for (;;) {
    const std::int64_t wait_us = began_us_ + (at_us - first_us_) - monotonic_us();
    if (wait_us <= 0) return;
    sleep_us(std::min(wait_us, kLongestSleepUs));
  }
}

Result<bool> LiveSource::read(AVPacket& packet) {
  arm(request_.stall_ms);
  for (;;) {
    const int code = av_read_frame(format_.get(), &packet);
    if (code == AVERROR_EOF) return false;
    if (code == AVERROR(EAGAIN)) {
      if (is_over(this) != 0) return fail(Errc::unavailable, "nothing comes any more");
      sleep_us(5'000);
      continue;
    }
    stalled_ = code == AVERROR_EXIT || code == AVERROR(ETIMEDOUT);
    if (stalled_) return fail(Errc::unavailable, fmt::format("nothing has come for {} s", request_.stall_ms / 1000));
    if (code < 0) return fail(Errc::unavailable, broken_words(code));
    if (by_arrival_ && std::llabs(wall_offset_us() - opened_offset_us_) > kJumpUs) {
      return fail(Errc::unavailable, "the clock of this station was set, and its times hang on that; it is opened anew");
    }
    if (packet.stream_index == static_cast<int>(track_) && packet.size > 0) break;
    const bool nothing = packet.size == 0;  // what a device that is gone may give for ever
    av_packet_unref(&packet);
    if (!nothing) continue;
    if (is_over(this) != 0) {
      stalled_ = true;
      return fail(Errc::unavailable, fmt::format("nothing has come for {} s", request_.stall_ms / 1000));
    }
    sleep_us(5'000);
  }
  if (paced_) pace(packet);
  return true;
}

}  // namespace greffe::ingest
