// Built pages: read once at start, served with a strict policy; hashed names are immutable.
#ifndef GREFFE_WEB_HTTP_STATIC_FILES_H
#define GREFFE_WEB_HTTP_STATIC_FILES_H

#include <string>
#include <utility>
#include <vector>

#include "archive/base/file_system.h"
#include "web/http/server.h"

namespace greffe::http {

// Security headers of every response of a listener for browsers.
std::vector<std::pair<std::string, std::string>> page_headers();

// "/" gives index.html (the query says which page); "/ui/<file>" gives the assets below "<directory>/ui". not_found: the directory has no
// index.html: the pages were not built.
Result<std::vector<Route>> static_routes(FileSystem& files, const std::string& directory);

}  // namespace greffe::http

#endif
