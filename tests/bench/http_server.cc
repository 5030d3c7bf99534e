// Serves the files of a folder over TLS until standard input ends: the server side of http_ranges.py.
#include <cstdio>
#include <string>

#include "archive/base/file_system.h"
#include "web/http/server.h"

namespace {

std::string text_of(greffe::FileSystem& files, const std::string& path) {
  const auto bytes = files.read_file(path, 64 * 1024);
  return bytes ? std::string(greffe::as_text(*bytes)) : std::string();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: bench_http FOLDER NET_THREADS   (FOLDER holds cert.pem, key.pem and the files)\n");
    return 2;
  }
  const std::string folder = arguments[1];
  greffe::PosixFileSystem files;
  greffe::http::Server server(static_cast<unsigned>(std::stoul(arguments[2])), 4);
  greffe::http::ListenerSettings settings;
  settings.address = "127.0.0.1:0";
  settings.tls =
      greffe::http::TlsSettings{text_of(files, folder + "/cert.pem"), text_of(files, folder + "/key.pem"), false};
  settings.routes.push_back({"GET", "/{name}", greffe::http::Handler([&](const greffe::http::Request& request) {
                               auto file = files.open_read(folder + "/" + request.parameter("name"));
                               if (!file) return greffe::http::problem(file.error());
                               std::shared_ptr<greffe::ReadableFile> shared = std::move(*file);
                               const auto size = shared->size();
                               if (!size) return greffe::http::problem(size.error());
                               return greffe::http::file_response(request, shared, *size, "video/mp4", "\"fixed\"");
                             })});
  const auto address = server.listen(std::move(settings));
  if (!address) {
    std::fprintf(stderr, "bench_http: %s\n", address.error().message.c_str());
    return 2;
  }
  server.start();
  std::printf("%s\n", address->c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server.stop(1);
  return 0;
}
