#include "replicate/grade_book.h"

#include <algorithm>

namespace greffe::replicate {

Status GradeBook::load(store::HeadStore& heads) {
  const auto text = heads.read_head(kCopyGradeKey);
  if (!text && text.error().code != Errc::not_found) return text.error();
  const auto read = text ? parse_copy_grade(*text) : Result<CopyGrade>(CopyGrade());
  if (!read) log_.warn("what was known of a copy begins anew: " + read.error().message);
  const std::lock_guard lock(mutex_);
  stored_ = text ? *text : std::string();
  grade_ = read ? *read : CopyGrade();
  changed_ = false;
  return ok();
}

CopyGrade GradeBook::grade() const {
  const std::lock_guard lock(mutex_);
  return grade_;
}

void GradeBook::written(std::uint64_t bytes, bool read_back) {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  ++grade_.written.objects;
  if (!read_back) return;
  ++grade_.written.read;
  grade_.written.bytes += bytes;
}

bool GradeBook::found_bad(const Digest& object, const std::optional<HearingId>& hearing, bool is_missing) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(grade_.bad.begin(), grade_.bad.end(), [&](const BadObject& one) { return one.object == object; });
  if (known != grade_.bad.end()) {
    changed_ = changed_ || known->is_missing != is_missing;
    known->is_missing = is_missing;
    return true;
  }
  if (grade_.bad.size() >= CopyGrade::kMostBad) return false;
  grade_.bad.push_back({object, hearing, is_missing, clock_.utc_now()});
  changed_ = true;
  return true;
}

void GradeBook::mended(const Digest& object) {
  const std::lock_guard lock(mutex_);
  if (std::erase_if(grade_.bad, [&](const BadObject& one) { return one.object == object; }) > 0) changed_ = true;
}

Round GradeBook::round(std::uint64_t main_size) {
  const std::lock_guard lock(mutex_);
  if (grade_.going) return *grade_.going;
  Round out;
  out.began = clock_.utc_now();
  out.size = main_size;
  grade_.going = out;
  changed_ = true;
  return out;
}

void GradeBook::keep_round(const Round& round) {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  if (!round.ended) {
    grade_.going = round;
    return;
  }
  grade_.last = round;
  grade_.going.reset();
}

// A crash in here leaves the one of before.
Status GradeBook::save(store::HeadStore& heads) {
  const std::lock_guard lock(mutex_);
  if (!changed_) return ok();
  CopyGrade next = grade_;
  next.utc = clock_.utc_now();
  ++next.generation;
  const std::string text = write_copy_grade(next);
  const Status swapped = heads.swap_head(kCopyGradeKey, stored_, text);
  if (!swapped) {
    // Whether it was written is unknown: what stands there now is what the next one replaces.
    const auto now = heads.read_head(kCopyGradeKey);
    if (now) stored_ = *now;
    if (!now || *now != text) return swapped;
  }
  stored_ = text;
  grade_ = std::move(next);
  changed_ = false;
  return ok();
}

}  // namespace greffe::replicate
