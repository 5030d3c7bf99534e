#include "web/browser_tls.h"

#include "web/http/self_signed.h"

namespace greffe::web {
namespace {

constexpr std::uint64_t kMaxPemBytes = 1024 * 1024;

}  // namespace

Result<http::TlsSettings> browser_tls(FileSystem& files, const archive::Settings& settings) {
  const bool own = settings.tls_certificate.empty();
  const std::string certificate_path = own ? join(settings.state_directory, "browser.crt") : settings.tls_certificate;
  const std::string key_path = own ? join(settings.state_directory, "browser.key.pem") : settings.tls_key;
  if (own && !files.stat(certificate_path)) {
    const http::SelfSigned made = http::make_self_signed(settings.name);
    GREFFE_TRY(files.replace(key_path, as_bytes(made.key_pem), 0600));
    GREFFE_TRY(files.replace(certificate_path, as_bytes(made.certificate_pem), 0644));
  }
  const Bytes certificate = GREFFE_TRY(files.read_file(certificate_path, kMaxPemBytes));
  const Bytes key = GREFFE_TRY(files.read_file(key_path, kMaxPemBytes));
  return http::TlsSettings{std::string(as_text(certificate)), std::string(as_text(key)), false};
}

}  // namespace greffe::web
