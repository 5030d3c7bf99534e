#include "archive/tlog/kept_checkpoints.h"

#include <fmt/format.h>

#include "archive/base/bytes.h"

namespace greffe::tlog {
namespace {

constexpr std::uint64_t kEvery = 4096;
constexpr std::string_view kEnd = ".note";

}  // namespace

bool is_kept_checkpoint(std::uint64_t old_size, std::uint64_t size) { return size / kEvery != old_size / kEvery; }

std::string kept_checkpoints_folder(std::string_view log_path) { return fmt::format("{}/evidence/checkpoints/", log_path); }

std::string kept_checkpoint_path(std::string_view log_path, std::uint64_t size) {
  return fmt::format("{}{}{}", kept_checkpoints_folder(log_path), size, kEnd);
}

std::optional<std::uint64_t> kept_checkpoint_size(std::string_view key) {
  if (!key.ends_with(kEnd)) return std::nullopt;
  key.remove_suffix(kEnd.size());
  const auto size = parse_decimal(key.substr(key.rfind('/') + 1));
  return size ? std::optional<std::uint64_t>(*size) : std::nullopt;
}

}  // namespace greffe::tlog
