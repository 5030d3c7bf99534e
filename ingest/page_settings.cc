#include "ingest/page_settings.h"

#include <fmt/format.h>

#include "web/http/listening.h"

namespace greffe::ingest {
namespace {

constexpr std::size_t kMostPhrases = 8;  // as many as F-keys that a page may use
constexpr std::size_t kMostPhraseBytes = 200;

Status check(const PageSettings& page, const std::string& config_path) {
  const std::string where = config_path + ": [control] ";
  if (page.tls_cert.empty() != page.tls_key.empty()) return fail(Errc::invalid, where + "tls_cert and tls_key go together: give both or none");
  if (page.phrases.size() > kMostPhrases) return fail(Errc::invalid, fmt::format("{}phrases has {} items; there are keys for {}", where, page.phrases.size(), kMostPhrases));
  for (const std::string& phrase : page.phrases) {
    if (phrase.empty() || phrase.size() > kMostPhraseBytes) return fail(Errc::invalid, fmt::format("{}each of phrases has 1 to {} bytes", where, kMostPhraseBytes));
  }
  if (page.listen.empty()) return ok();
  const auto local = http::is_local(page.listen);
  if (!local) return local.error().within(where + "listen");
  if (!*local && (page.tls_cert.empty() || page.password_file.empty())) {
    return fail(Errc::invalid, fmt::format("{}listen = \"{}\" is reached from other machines, so it needs tls_cert, tls_key and password_file; "
                                           "for this machine alone write \"127.0.0.1:8450\"", where, page.listen));
  }
  return ok();
}

}  // namespace

Result<PageSettings> read_page_settings(Config& control, const std::string& config_path) {
  PageSettings out;
  const auto path = [&control](const char* key, std::string_view fallback) -> Result<std::string> {
    const std::string text = GREFFE_TRY(control.string_or(key, fallback));
    return text.empty() ? text : control.path_from_here(text);
  };
  out.listen = GREFFE_TRY(control.string_or("listen", ""));
  out.tls_cert = GREFFE_TRY(path("tls_cert", ""));
  out.tls_key = GREFFE_TRY(path("tls_key", ""));
  out.password_file = GREFFE_TRY(path("password_file", ""));
  out.ui_directory = GREFFE_TRY(path("ui_directory", "/usr/share/greffe/station-ui"));
  out.docket = GREFFE_TRY(path("docket", ""));
  out.phrases = GREFFE_TRY(control.strings_or_none("phrases"));
  GREFFE_TRY(control.refuse_unknown());
  GREFFE_TRY(check(out, config_path));
  return out;
}

}  // namespace greffe::ingest
