// The lamp of each stream: where its last segment is held. Pure.
#ifndef GREFFE_INGEST_STREAM_COVER_H
#define GREFFE_INGEST_STREAM_COVER_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ingest/hearing_state.h"

namespace greffe::ingest {

enum class Lamp { green, amber };

struct StreamCover {
  std::string stream;
  std::optional<UtcTime> last;  // when its last segment ends; nothing: it has none yet
  bool received = false;        // the archive's receipt covers that segment
  bool read_back = false;       // and the archive has read it back from its volumes
  Lamp lamp() const { return received && read_back ? Lamp::green : Lamp::amber; }
};

// Of every stream of `state`, which is the state after all of `entries`. The receipt covers the first `receipt_size` of them,
// the archive has read back those before `read_back_size`.
std::vector<StreamCover> cover_of(const HearingState& state, const std::vector<std::string>& entries, std::uint64_t receipt_size,
                                  std::uint64_t read_back_size);

}  // namespace greffe::ingest

#endif
