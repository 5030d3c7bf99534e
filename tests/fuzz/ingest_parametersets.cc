// Parameter sets inside packets of foreign video. Input: codec and form, the length of the track's description, the
// description, the packet.
#include <cstdint>
#include <cstring>

#include "archive/base/result.h"
#include "ingest/parameter_sets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) return 0;
  const greffe::ingest::ParametersPtr parameters(avcodec_parameters_alloc());
  parameters->codec_type = AVMEDIA_TYPE_VIDEO;
  parameters->codec_id = (bytes[0] & 1) != 0 ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264;
  const std::size_t described = std::min<std::size_t>(bytes[1], size - 2);
  if (described > 0) greffe::ingest::set_extradata(*parameters, greffe::Bytes(bytes + 2, bytes + 2 + described));
  const std::size_t left = size - 2 - described;
  const greffe::ingest::PacketPtr packet(av_packet_alloc());
  if (av_new_packet(packet.get(), static_cast<int>(left)) < 0) return 0;
  if (left > 0) std::memcpy(packet->data, bytes + 2 + described, left);
  const greffe::Bytes sets = greffe::ingest::parameter_sets_in(*parameters, *packet);
  GREFFE_CHECK(sets.size() <= 4 * left + 4);
  if (sets.empty()) return 0;
  const greffe::Bytes extradata = greffe::ingest::extradata_of(*parameters, sets);
  GREFFE_CHECK(extradata.size() <= 2 * sets.size() + 16);
  return 0;
}
