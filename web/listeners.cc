#include "web/listeners.h"

#include <algorithm>

#include "web/browser_tls.h"
#include "web/http/static_files.h"
#include "web/http/tls_context.h"

namespace greffe::web {
namespace {

constexpr std::size_t kWitnessConnections = 256;  // some hundred logs that ask every minute; nobody need enrol to connect

}  // namespace

void append(std::vector<http::Route>& all, std::vector<http::Route> more) {
  for (http::Route& route : more) all.push_back(std::move(route));
}

http::ListenerSettings plain_listener(std::string address, std::vector<http::Route> routes) {
  http::ListenerSettings out;
  out.address = std::move(address);
  out.routes = std::move(routes);
  return out;
}

http::ListenerSettings machine_listener(const archive::Settings& settings, const archive::ArchiveKeys& keys, std::vector<http::Route> routes) {
  http::ListenerSettings out = plain_listener(settings.machine_address, std::move(routes));
  out.tls = http::TlsSettings{keys.server.self_signed_certificate(), keys.server.to_pem(), true};
  std::string nodes;
  for (const std::string& url : settings.nodes) nodes += (nodes.empty() ? "" : ", ") + url;
  if (!nodes.empty()) out.headers.emplace_back("Greffe-Nodes", nodes);
  return out;
}

Result<http::ListenerSettings> pages_listener(FileSystem& files, Log& log, const archive::Settings& settings, std::vector<http::Route> routes) {
  auto pages = http::static_routes(files, settings.ui_directory);
  if (pages) {
    append(routes, std::move(*pages));
  } else {
    log.warn("there are no pages to show: " + pages.error().message + "; build them with web/ui/build.sh, or set ui_directory");
  }
  http::ListenerSettings out = plain_listener(settings.browser_address, std::move(routes));
  out.tls = GREFFE_TRY(browser_tls(files, settings));
  out.headers = http::page_headers();
  return out;
}

Result<http::ListenerSettings> witness_listener(FileSystem& files, const archive::Settings& settings, std::vector<http::Route> routes) {
  http::ListenerSettings out = plain_listener(settings.witness_address, std::move(routes));
  out.tls = GREFFE_TRY(browser_tls(files, settings));
  out.max_connections = kWitnessConnections;
  return out;
}

http::ListenerSettings limited(http::ListenerSettings listener, const OpenFiles& files, Log& log) {
  listener.max_connections = std::min(listener.max_connections, files.connections);
  listener.on_shortage = [&log](std::string_view what) { log.warn(what); };
  return listener;
}

Result<store::WriterPlace> own_place(FileSystem& files, const archive::Settings& settings) {
  const http::TlsSettings tls = GREFFE_TRY(browser_tls(files, settings));
  store::WriterPlace out;
  out.machine_url = settings.machine_url;
  out.pages_url = settings.pages_url;
  out.pages_key.bytes = GREFFE_TRY(http::pinned_key_of(tls.certificate_pem));
  return out;
}

}  // namespace greffe::web
