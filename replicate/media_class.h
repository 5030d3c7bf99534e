// What an object is for whoever must choose what goes first: the log and its documents, then sound, then picture.
#ifndef GREFFE_REPLICATE_MEDIA_CLASS_H
#define GREFFE_REPLICATE_MEDIA_CLASS_H

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "archive/format/entries.h"
#include "archive/tlog/log_reader.h"

namespace greffe::replicate {

enum class MediaClass : std::uint8_t { log, sound, picture };  // in the order in which they go
constexpr std::array<MediaClass, 3> kMediaClasses = {MediaClass::log, MediaClass::sound, MediaClass::picture};
template <class T>
using ByClass = std::array<T, kMediaClasses.size()>;
constexpr std::size_t index_of(MediaClass one) { return static_cast<std::size_t>(one); }

std::string_view name_of(MediaClass one);  // "log", "sound", "picture"
std::optional<MediaClass> parse_media_class(std::string_view text);

// Classes of one hearing's objects, by the streams that its `open` and `stream` entries announce. One thread.
class HearingClasses {
 public:
  // `first`: of() is asked about entries from there on, in order; those before are read when an entry needs them.
  HearingClasses(const tlog::LogReader& reader, std::uint64_t first) : reader_(reader), first_(first) {}
  // A segment is sound or picture, of a stream that nothing announced picture; all other objects are log. Else what reading
  // the log returned.
  Result<MediaClass> of(const HearingEntry& entry);

 private:
  void learn(const HearingEntry& entry);
  Status read_until(std::uint64_t last);

  const tlog::LogReader& reader_;
  const std::uint64_t first_;
  std::uint64_t read_ = 0;
  std::map<std::string, MediaClass, std::less<>> streams_;
};

}  // namespace greffe::replicate

#endif
