#include "archive/format/said_again.h"

namespace greffe {
namespace {

template <typename... Kinds>
bool is(const MainEntry& entry) {
  return (std::holds_alternative<Kinds>(entry) || ...);
}

}  // namespace

// Keys of officers, cosigners, witnesses and sites are for people to decide on; so are accounts. Hearings have checkpoints of their own.
bool is_said_again(const MainEntry& entry) {
  if (const auto* key = std::get_if<KeyEntry>(&entry)) return key->role == "station";
  return is<DetailsEntry, MarkAddedEntry, PlaceEntry, AccessEntry, ExportEntry, ShareEntry, MainLostEntry>(entry);
}

}  // namespace greffe
