// Any bytes as the target of a request: what is accepted can never leave the folder it is joined to.
#include <cstdint>
#include <string_view>

#include "archive/base/bytes.h"
#include "archive/base/result.h"
#include "web/http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto target = greffe::http::parse_target({reinterpret_cast<const char*>(bytes), size});
  if (!target) {
    GREFFE_CHECK(target.error().code == greffe::Errc::invalid && !target.error().message.empty());
    return 0;
  }
  const std::string& path = target->path;
  GREFFE_CHECK(path.starts_with('/') && greffe::is_valid_utf8(path));
  GREFFE_CHECK(path.find("//") == std::string::npos && path.find('\\') == std::string::npos);
  GREFFE_CHECK((path + "/").find("/../") == std::string::npos && (path + "/").find("/./") == std::string::npos);
  for (const char c : path) GREFFE_CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  for (const auto& [name, value] : target->query) {
    GREFFE_CHECK(greffe::is_valid_utf8(name) && greffe::is_valid_utf8(value));
    GREFFE_CHECK((name + value).find('\0') == std::string::npos);
  }
  return 0;
}
