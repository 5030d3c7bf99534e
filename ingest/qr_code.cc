#include "ingest/qr_code.h"

#include <fmt/format.h>
#include <qrencode.h>

#include <memory>

namespace greffe::ingest {
namespace {

constexpr unsigned kUtf8 = 26;  // ECI assignment: without it a reader has to guess the encoding
constexpr int kQuietModules = 4;

using Input = std::unique_ptr<QRinput, decltype(&QRinput_free)>;
using Code = std::unique_ptr<QRcode, decltype(&QRcode_free)>;

Code encode(std::string_view text) {
  const Input input(QRinput_new2(0, QR_ECLEVEL_Q), QRinput_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const bool good = input && QRinput_appendECIheader(input.get(), kUtf8) == 0 &&
                    QRinput_append(input.get(), QR_MODE_8, static_cast<int>(text.size()), bytes) == 0;
  return {good ? QRcode_encodeInput(input.get()) : nullptr, QRcode_free};
}

// The dark modules of a row as rectangles of a path, each run as one: neighbours leave no hairline in print.
std::string path_of_row(const QRcode& code, int y) {
  std::string out;
  const unsigned char* row = code.data + static_cast<std::ptrdiff_t>(y) * code.width;
  for (int x = 0; x < code.width;) {
    int end = x;
    while (end < code.width && (row[end] & 1) != 0) ++end;
    if (end > x) out += fmt::format("M{} {}h{}v1h-{}z", x + kQuietModules, y + kQuietModules, end - x, end - x);
    x = end + 1;
  }
  return out;
}

}  // namespace

Result<std::string> qr_code_svg(std::string_view text, std::string_view label) {
  if (text.empty() || text.size() > 4096) return fail(Errc::invalid, "a QR code holds 1 to about 1,600 bytes");
  const Code code = encode(text);
  if (!code) return fail(Errc::invalid, fmt::format("{} bytes do not fit into a QR code", text.size()));
  const int side = code->width + 2 * kQuietModules;
  std::string path;
  for (int y = 0; y < code->width; ++y) path += path_of_row(*code, y);
  return fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {} {}\" "
                     "shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{}v{}H0z\"/><path fill=\"#000\" d=\"{}\"/></svg>",
                     label, side, side, side, side, path);
}

}  // namespace greffe::ingest
