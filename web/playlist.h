// HLS playlists (RFC 8216) straight from stored objects by byte range, with gaps and marks. Pure.
#ifndef GREFFE_WEB_PLAYLIST_H
#define GREFFE_WEB_PLAYLIST_H

#include <string>
#include <vector>

#include "archive/catalogue/catalogue.h"
#include "archive/retrieval.h"

namespace greffe::web {

// Addresses are relative to the playlist: "streams/<name>/playlist.m3u8", "../../objects/<sha256>.mp4".
std::string master_playlist(const archive::Timeline& timeline);
std::string stream_playlist(const archive::Timeline& timeline, const archive::TimelineStream& stream,
                            const std::vector<catalogue::Mark>& marks);

}  // namespace greffe::web

#endif
