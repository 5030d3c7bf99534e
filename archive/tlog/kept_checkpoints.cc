#include "archive/tlog/kept_checkpoints.h"

#include <fmt/format.h>

namespace greffe::tlog {
namespace {

constexpr std::uint64_t kEvery = 4096;

}  // namespace

bool is_kept_checkpoint(std::uint64_t old_size, std::uint64_t size) { return size / kEvery != old_size / kEvery; }

std::string kept_checkpoints_folder(std::string_view log_path) { return fmt::format("{}/evidence/checkpoints/", log_path); }

std::string kept_checkpoint_path(std::string_view log_path, std::uint64_t size) {
  return fmt::format("{}{}.note", kept_checkpoints_folder(log_path), size);
}

}  // namespace greffe::tlog
