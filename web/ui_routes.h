// The built pages: read once at start, served with a strict policy; hashed names are immutable.
#ifndef GREFFE_WEB_UI_ROUTES_H
#define GREFFE_WEB_UI_ROUTES_H

#include <string>
#include <vector>

#include "archive/base/file_system.h"
#include "web/http/server.h"

namespace greffe::web {

// Security headers of every response of the browser listener.
std::vector<std::pair<std::string, std::string>> browser_headers();

// "/" gives index.html (the query says which page); "/ui/<file>" gives the assets below "<directory>/ui". not_found: the directory has no
// index.html: the pages were not built.
Result<std::vector<http::Route>> ui_routes(FileSystem& files, const std::string& directory);

}  // namespace greffe::web

#endif
