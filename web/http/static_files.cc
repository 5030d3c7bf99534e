#include "web/http/static_files.h"

#include <openssl/sha.h>

#include <array>
#include <map>
#include <memory>

namespace greffe::http {
namespace {

constexpr std::uint64_t kMaxAssetBytes = 8 * 1024 * 1024;

struct Asset {
  std::string bytes;
  std::string type;
  std::string etag;
};

std::string type_of(std::string_view name) {
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  if (ends(".html")) return "text/html; charset=utf-8";
  if (ends(".js")) return "text/javascript; charset=utf-8";
  if (ends(".css")) return "text/css; charset=utf-8";
  if (ends(".json")) return "application/json";
  if (ends(".svg")) return "image/svg+xml";
  if (ends(".png")) return "image/png";
  return "application/octet-stream";
}

Response serve(const Asset& asset, const Request& request, std::string_view cache) {
  if (request.header("if-none-match") == asset.etag) {
    auto unchanged = text_response(304, "");
    unchanged.set("ETag", asset.etag);
    return unchanged;
  }
  auto response = text_response(200, asset.bytes, asset.type);
  response.set("ETag", asset.etag);
  response.set("Cache-Control", std::string(cache));
  return response;
}

using Assets = std::map<std::string, Asset, std::less<>>;

std::string etag_of(ByteView bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(bytes.data(), bytes.size(), digest.data());
  return "\"" + to_hex(ByteView(digest).first(16)) + "\"";
}

Status load(FileSystem& files, const std::string& directory, const std::string& prefix, Assets& assets) {
  const std::vector<std::string> names = GREFFE_TRY(files.list(directory));
  for (const std::string& name : names) {
    const std::string path = join(directory, name);
    const FileStat info = GREFFE_TRY(files.stat(path));
    if (info.is_directory) {
      GREFFE_TRY(load(files, path, prefix + name + "/", assets));
    } else if (info.is_regular) {
      const Bytes bytes = GREFFE_TRY(files.read_file(path, kMaxAssetBytes));
      assets.emplace(prefix + name, Asset{std::string(as_text(bytes)), type_of(name), etag_of(bytes)});
    }
  }
  return ok();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> page_headers() {
  return {{"Content-Security-Policy",
           "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; "
           "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
          {"Strict-Transport-Security", "max-age=31536000"},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"}};
}

Result<std::vector<Route>> static_routes(FileSystem& files, const std::string& directory) {
  auto assets = std::make_shared<Assets>();
  GREFFE_TRY(load(files, directory, "", *assets));
  if (!assets->contains("index.html")) return fail(Errc::not_found, directory + " has no index.html: the pages are not built");
  const Handler page = [assets](const Request& request) {
    return serve(assets->find("index.html")->second, request, "no-cache");
  };
  const Handler asset = [assets](const Request& request) {
    const auto found = assets->find("ui/" + request.parameter("path"));
    if (found == assets->end()) return problem(404, "not_found", "There is no such file.");
    return serve(found->second, request, "public, max-age=31536000, immutable");
  };
  return std::vector<Route>{{"GET", "/", page}, {"GET", "/ui/{path*}", asset}};
}

}  // namespace greffe::http
