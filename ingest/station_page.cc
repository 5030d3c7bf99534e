#include "ingest/station_page.h"

#include <array>

#include "ingest/import_begin.h"
#include "ingest/station_requests.h"
#include "web/http/listening.h"
#include "web/http/static_files.h"

namespace greffe::ingest {
namespace {

constexpr std::uint64_t kMaxPemBytes = 1024 * 1024;
constexpr std::uint64_t kMaxSheetBytes = 8 * 1024 * 1024;
constexpr std::array<std::string_view, 3> kLanguages = {"zh", "fr", "en"};

Result<http::TlsSettings> read_tls(FileSystem& files, const PageSettings& page) {
  const Bytes certificate = GREFFE_TRY(files.read_file(page.tls_cert, kMaxPemBytes));
  const Bytes key = GREFFE_TRY(files.read_file(page.tls_key, kMaxPemBytes));
  return http::TlsSettings{std::string(as_text(certificate)), std::string(as_text(key)), false};
}

// The sheet's page in the language asked for, else in the one that it was printed in.
std::optional<Bytes> find_sheet(FileSystem& files, const SpoolPaths& paths, const std::string& wanted) {
  std::vector<std::string> order;
  for (const std::string_view language : kLanguages) order.insert(language == wanted ? order.begin() : order.end(), std::string(language));
  for (const std::string& language : order) {
    auto page = files.read_file(join(paths.directory, "sheet-" + language + ".html"), kMaxSheetBytes);
    if (page) return std::move(*page);
  }
  return std::nullopt;
}

}  // namespace

StationPage::StationPage(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, StationView view)
    : files_(files), clock_(clock), log_(log), settings_(settings), view_(std::move(view)) {}

Result<http::ListenerSettings> StationPage::listener() {
  const PageSettings& page = settings_.page;
  const bool local = GREFFE_TRY(http::is_local(page.listen));
  std::optional<std::string> password;
  if (!page.password_file.empty()) password = GREFFE_TRY(read_page_password(files_, page.password_file));
  http::ListenerSettings out;
  out.address = page.listen;
  if (!page.tls_cert.empty()) out.tls = GREFFE_TRY(read_tls(files_, page));
  access_ = std::make_unique<PageAccess>(clock_, local, !page.tls_cert.empty(), std::move(password));
  out.routes = routes();
  out.headers = http::page_headers();
  out.max_connections = 128;
  return out;
}

std::vector<http::Route> StationPage::routes() {
  std::vector<http::Route> out = access_->routes();
  const auto get = [&](const char* pattern, http::Handler handler) { out.push_back({"GET", pattern, access_->guard(std::move(handler))}); };
  // However many questions wait for the recorder, its state is still seen.
  const http::Handler look = [this](const http::Request&) { return state(); };
  out.push_back({"GET", "/station/state", access_->guard(look), 0, access_->guard_quick(look)});
  get("/station/docket", [this](const http::Request&) { return docket(); });
  get("/station/streams/{name}/picture.jpg", [this](const http::Request& request) { return picture(request); });
  get("/station/sheet", [this](const http::Request& request) { return sheet(request); });
  get("/station/sheet/{hearing}", [this](const http::Request& request) { return sheet(request); });
  out.push_back({"POST", "/station/{verb}", access_->guard(view_.ask), kMaxAskBytes});
  auto pages = http::static_routes(files_, settings_.page.ui_directory);
  if (!pages) {
    log_.error("the station's page cannot be shown: " + pages.error().message + "; build it with web/ui/build.sh, or set ui_directory in [control]");
    return out;
  }
  out.insert(out.end(), pages->begin(), pages->end());
  return out;
}

http::Response StationPage::state() const {
  Json::Array phrases;
  for (const std::string& phrase : settings_.page.phrases) phrases.emplace_back(phrase);
  Json page;
  page.set("docket", view_.docket != nullptr).set("password", access_->has_password()).set("phrases", std::move(phrases));
  Json out = view_.state();
  out.set("page", std::move(page));
  return http::json_response(200, write_json(out));
}

http::Response StationPage::docket() const {
  if (!view_.docket) return http::json_response(200, R"({"problems":[],"rows":[]})");
  const auto rows = view_.docket();
  return rows ? http::json_response(200, write_json(*rows)) : http::problem(rows.error());
}

http::Response StationPage::picture(const http::Request& request) const {
  const auto jpeg = view_.pictures == nullptr ? nullptr : view_.pictures->get(request.parameter("name"));
  if (!jpeg) return http::text_response(204, "");
  return http::text_response(200, std::string(as_text(*jpeg)), "image/jpeg");
}

http::Response StationPage::sheet(const http::Request& request) const {
  const std::string wanted = request.query_value("language");
  std::vector<HearingId> ids;
  if (request.parameter("hearing").empty()) {
    auto all = list_hearings(files_, settings_.directory);
    if (!all) return http::problem(all.error());
    ids.assign(all->rbegin(), all->rend());  // the newest that has a sheet
  } else {
    const auto id = parse_hearing_id(request.parameter("hearing"));
    if (!id) return http::problem(404, "not_found", "This is not the id of a hearing.");
    ids.push_back(*id);
  }
  for (const HearingId& id : ids) {
    const auto page = find_sheet(files_, spool_of(settings_.directory, id), wanted);
    if (!page) continue;
    auto response = http::text_response(200, std::string(as_text(*page)), "text/html; charset=utf-8");
    // It stands alone: its own style, nothing else.
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
                                            "frame-ancestors 'none'");
    return response;
  }
  return http::problem(404, "not_found", "There is no closing sheet yet.");
}

}  // namespace greffe::ingest
