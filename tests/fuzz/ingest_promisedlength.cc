// What a media file says of its own length, read beside libav: chunks of WAV, the last page of Ogg, tags of Matroska.
// Input: which container, then the file; for Matroska the tag.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "archive/base/result.h"
#include "ingest/promised_length.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace greffe::ingest;
  if (size < 1) return 0;
  static const char* const kNames[] = {"wav", "ogg", "matroska", "avi", "mp4"};
  static const int file = ::memfd_create("media", MFD_CLOEXEC);
  GREFFE_CHECK(file >= 0 && ::ftruncate(file, 0) == 0);
  GREFFE_CHECK(::pwrite(file, bytes + 1, size - 1, 0) == static_cast<ssize_t>(size - 1));
  const OutputPtr format(avformat_alloc_context());  // never opened, so not to be closed
  format->iformat = av_find_input_format(kNames[bytes[0] % 5]);
  GREFFE_CHECK(format->iformat != nullptr);
  AVStream* track = avformat_new_stream(format.get(), nullptr);
  GREFFE_CHECK(track != nullptr);
  track->codecpar->codec_type = AVMEDIA_TYPE_AUDIO;
  track->codecpar->bit_rate = 128'000;
  track->time_base = AVRational{1, 16'000};
  track->nb_frames = static_cast<std::int64_t>(size) * 1'000'000;
  av_dict_set(&track->metadata, "DURATION", std::string(reinterpret_cast<const char*>(bytes) + 1, size - 1).c_str(), 0);
  const MediaFile media{file, size - 1};
  const auto end = promised_end_us(media, *format, *track);
  GREFFE_CHECK(!end || *end >= 0);
  (void)ends_early(media, *format);
  return 0;
}
