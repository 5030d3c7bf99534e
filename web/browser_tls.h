// The certificate of the browser listener: the configured one, or a self-signed one kept in the state directory.
#ifndef GREFFE_WEB_BROWSER_TLS_H
#define GREFFE_WEB_BROWSER_TLS_H

#include "archive/base/file_system.h"
#include "archive/settings.h"
#include "web/http/server.h"

namespace greffe::web {

Result<http::TlsSettings> browser_tls(FileSystem& files, const archive::Settings& settings);

}  // namespace greffe::web

#endif
