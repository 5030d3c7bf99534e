#include "archive/epochs.h"

#include <fmt/format.h>

#include "archive/format/tiles.h"

namespace greffe::archive {
namespace {

constexpr std::string_view kSuffix = ".json";

std::string file_of(const std::string& archive) { return sha256(as_bytes(archive)).hex().substr(0, 32) + std::string(kSuffix); }

}  // namespace

std::string Epochs::Certificate::words() const {
  return fmt::format("epoch {} of {} has begun at {}: nothing of an earlier one is taken here any more", promotion.name.epoch, promotion.name.archive,
                     promotion.machine_url);
}

Result<std::unique_ptr<Epochs>> Epochs::open(FileSystem& files, const std::string& state_directory) {
  std::unique_ptr<Epochs> out(new Epochs(files, join(state_directory, "epochs")));
  GREFFE_TRY(files.make_directories(out->directory_));
  GREFFE_TRY(out->load());
  return out;
}

Status Epochs::load() {
  const std::vector<std::string> names = GREFFE_TRY(files_.list(directory_));
  for (const std::string& name : names) {
    if (!name.ends_with(kSuffix)) continue;  // what a replacement that was cut off left behind
    const std::string path = join(directory_, name);
    const Bytes bytes = GREFFE_TRY(files_.read_file(path, kMaxEntryBytes));
    auto promotion = parse_promotion(as_text(bytes));
    if (!promotion || name != file_of(promotion->name.archive)) {
      return fail(Errc::corrupt, path + " is not the certificate of a promotion. Fetch it from the site that was promoted, or bring it back from a "
                                        "backup of the state directory");
    }
    const std::string archive = promotion->name.archive;
    known_.insert_or_assign(archive, Certificate{*std::move(promotion), std::string(as_text(bytes))});
  }
  return ok();
}

std::uint64_t Epochs::highest(const std::string& archive) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(archive);
  return found == known_.end() ? 1 : found->second.promotion.name.epoch;
}

std::optional<Epochs::Certificate> Epochs::certificate(const std::string& archive) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(archive);
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

// A crash before the file is in place: this site has not heard of it, and nobody was answered.
Result<bool> Epochs::take(std::string_view text, const Officers& officers) {
  PromotionEntry promotion = GREFFE_TRY(parse_promotion(text));
  const std::string archive = promotion.name.archive;
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(archive);
  if (known != known_.end() && known->second.text == text) return false;
  GREFFE_TRY(officers.check(promotion_statement(promotion), promotion.officers, promotion.signatures, "this promotion"));
  if (known != known_.end() && known->second.promotion.name.epoch == promotion.name.epoch) {
    if (promotion_statement(known->second.promotion) == promotion_statement(promotion)) return false;  // other officers, the same order
    return fail(Errc::conflict, fmt::format("epoch {} of {} was begun at {} and at {}: only one of them may go on, and the officers must say which",
                                            promotion.name.epoch, archive, known->second.promotion.machine_url, promotion.machine_url));
  }
  if (known != known_.end() && known->second.promotion.name.epoch > promotion.name.epoch) return false;
  GREFFE_TRY(files_.replace(join(directory_, file_of(archive)), as_bytes(text), 0640));
  known_.insert_or_assign(archive, Certificate{std::move(promotion), std::string(text)});
  return true;
}

}  // namespace greffe::archive
