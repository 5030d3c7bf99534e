#include "replicate/last_comparison.h"

#include <fmt/format.h>

namespace greffe::replicate {
namespace {

constexpr std::uint64_t kMaxFileBytes = 4096;
constexpr unsigned kMode = 0644;
std::string path_in(const std::string& folder) { return join(folder, "comparison.json"); }

}  // namespace

std::string LastComparison::words() const {
  std::string out = fmt::format("compared on {} at {} main log entries: ", to_text(utc), main_size);
  out += equal() ? fmt::format("equal, {} objects and logs", items) : fmt::format("{} differences, {} objects unproved", differences, unproved);
  return out + fmt::format("; {} objects were read back at both sites", challenged);
}

Json LastComparison::json() const {
  Json out;
  out.set("challenged", challenged).set("differences", differences).set("equal", equal()).set("items", items).set("main_size", main_size);
  return out.set("root", root).set("unproved", unproved).set("utc", utc);
}

Status save_comparison(FileSystem& files, const std::string& folder, const LastComparison& comparison) {
  const std::string text = write_json(comparison.json()) + "\n";
  return files.replace(path_in(folder), as_bytes(text), kMode);
}

Result<std::optional<LastComparison>> load_comparison(FileSystem& files, const std::string& folder) {
  const std::string path = path_in(folder);
  const auto bytes = files.read_file(path, kMaxFileBytes);
  if (!bytes && bytes.error().code == Errc::not_found) return std::optional<LastComparison>();
  if (!bytes) return bytes.error();
  const auto read = [&]() -> Result<LastComparison> {
    const Json json = GREFFE_TRY(parse_json(as_text(*bytes)));
    LastComparison out;
    out.challenged = GREFFE_TRY(json.size("challenged"));
    out.differences = GREFFE_TRY(json.size("differences"));
    out.items = GREFFE_TRY(json.size("items"));
    out.main_size = GREFFE_TRY(json.size("main_size"));
    out.root = GREFFE_TRY(json.digest("root"));
    out.unproved = GREFFE_TRY(json.size("unproved"));
    out.utc = GREFFE_TRY(json.utc("utc"));
    return out;
  };
  const auto comparison = read();
  if (!comparison) return fail(Errc::invalid, path + ": " + comparison.error().message + "; the next `compare` writes it anew");
  return std::optional(*comparison);
}

}  // namespace greffe::replicate
