// Signed checkpoints of earlier sizes of a main log. A second site that was away takes the log in pieces, and each piece must end at a
// checkpoint that was signed: one is kept each time the log grows past a multiple of 4,096.
#ifndef GREFFE_ARCHIVE_TLOG_KEPT_CHECKPOINTS_H
#define GREFFE_ARCHIVE_TLOG_KEPT_CHECKPOINTS_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace greffe::tlog {

bool is_kept_checkpoint(std::uint64_t old_size, std::uint64_t size);
std::string kept_checkpoints_folder(std::string_view log_path);                        // "<log>/evidence/checkpoints/"
std::string kept_checkpoint_path(std::string_view log_path, std::uint64_t size);  // "<log>/evidence/checkpoints/<size>.note"
std::optional<std::uint64_t> kept_checkpoint_size(std::string_view key);           // of such a path; nothing: it is none

}  // namespace greffe::tlog

#endif
