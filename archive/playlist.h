// HLS playlists (RFC 8216) straight from stored objects by byte range, with gaps and marks. Pure.
#ifndef GREFFE_ARCHIVE_PLAYLIST_H
#define GREFFE_ARCHIVE_PLAYLIST_H

#include <string>
#include <string_view>
#include <vector>

#include "archive/catalogue/catalogue.h"
#include "archive/retrieval.h"

namespace greffe::archive {

// Names the streams' playlists relative to itself: "streams/<name>/playlist.m3u8".
std::string master_playlist(const Timeline& timeline);
// `objects`: where the objects stand, relative to the playlist, with the slash: "../../objects/". Their names end in ".mp4".
std::string stream_playlist(const Timeline& timeline, const TimelineStream& stream, const std::vector<catalogue::Mark>& marks,
                            std::string_view objects);

}  // namespace greffe::archive

#endif
