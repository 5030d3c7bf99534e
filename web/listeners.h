// The listeners of an archive's machine, whether it writes to the pool or waits for its turn.
#ifndef GREFFE_WEB_LISTENERS_H
#define GREFFE_WEB_LISTENERS_H

#include <string>
#include <vector>

#include "archive/archive_keys.h"
#include "archive/base/log.h"
#include "archive/settings.h"
#include "archive/store/writer_place.h"
#include "web/http/server.h"
#include "web/open_files.h"

namespace greffe::web {

void append(std::vector<http::Route>& all, std::vector<http::Route> more);

// For stations and sites: mutual TLS; every answer names the machines of this archive (Greffe-Nodes), if there are several.
http::ListenerSettings machine_listener(const archive::Settings& settings, const archive::ArchiveKeys& keys, std::vector<http::Route> routes);
// For people: `routes` and the built pages. invalid, not_found: the certificate.
Result<http::ListenerSettings> pages_listener(FileSystem& files, Log& log, const archive::Settings& settings, std::vector<http::Route> routes);
// For the logs that this archive witnesses: anybody may connect, with the certificate of the pages. Errors as pages_listener.
Result<http::ListenerSettings> witness_listener(FileSystem& files, const archive::Settings& settings, std::vector<http::Route> routes);
// Without TLS: on this machine only.
http::ListenerSettings plain_listener(std::string address, std::vector<http::Route> routes);

// With as many connections as the open files of this process leave room for; a shortage is said in the log, which outlives the server.
http::ListenerSettings limited(http::ListenerSettings listener, const OpenFiles& files, Log& log);

// Where this machine is reached when it writes. Errors as pages_listener.
Result<store::WriterPlace> own_place(FileSystem& files, const archive::Settings& settings);

}  // namespace greffe::web

#endif
