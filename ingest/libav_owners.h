// Owners of what libav allocates. Each frees exactly what its libav call gave; one thread each.
#ifndef GREFFE_INGEST_LIBAV_OWNERS_H
#define GREFFE_INGEST_LIBAV_OWNERS_H

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>
#include <string>

namespace greffe::ingest {

struct FreePacket {
  void operator()(AVPacket* p) const { av_packet_free(&p); }
};
struct FreeFrame {
  void operator()(AVFrame* p) const { av_frame_free(&p); }
};
struct FreeCodec {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
};
struct FreeParameters {
  void operator()(AVCodecParameters* p) const { avcodec_parameters_free(&p); }
};
struct FreeBitstreamFilter {
  void operator()(AVBSFContext* p) const { av_bsf_free(&p); }
};
struct FreeResampler {
  void operator()(SwrContext* p) const { swr_free(&p); }
};
struct FreeScaler {
  void operator()(SwsContext* p) const { sws_freeContext(p); }
};
// avformat does not free an I/O context of ours, nor its buffer, which it may have replaced by another one.
struct FreeIo {
  void operator()(AVIOContext* p) const {
    av_freep(&p->buffer);
    avio_context_free(&p);
  }
};
struct FreeInput {
  void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
};
struct FreeOutput {
  void operator()(AVFormatContext* p) const { avformat_free_context(p); }
};

using PacketPtr = std::unique_ptr<AVPacket, FreePacket>;
using FramePtr = std::unique_ptr<AVFrame, FreeFrame>;
using CodecPtr = std::unique_ptr<AVCodecContext, FreeCodec>;
using ParametersPtr = std::unique_ptr<AVCodecParameters, FreeParameters>;
using BitstreamFilterPtr = std::unique_ptr<AVBSFContext, FreeBitstreamFilter>;
using ResamplerPtr = std::unique_ptr<SwrContext, FreeResampler>;
using ScalerPtr = std::unique_ptr<SwsContext, FreeScaler>;
using IoPtr = std::unique_ptr<AVIOContext, FreeIo>;
using InputPtr = std::unique_ptr<AVFormatContext, FreeInput>;
using OutputPtr = std::unique_ptr<AVFormatContext, FreeOutput>;

constexpr AVRational kMicroseconds{1, 1'000'000};
constexpr AVRational k90k{1, 90'000};

// What libav calls an error code, in its own words.
inline std::string libav_words(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  return av_strerror(code, text, sizeof text) == 0 ? std::string(text) : "error " + std::to_string(code);
}

}  // namespace greffe::ingest

#endif
