#include "archive/base/record_sort.h"

#include <fmt/format.h>

namespace greffe {
namespace {

constexpr std::size_t kWaitingBytes = 32 * 1024;  // of each part: 8 MiB for all

}  // namespace

RecordParts::~RecordParts() {
  for (unsigned part = 0; part < kParts; ++part) {
    if (parts_[part].written > 0) static_cast<void>(files_.remove(file_of(part)));  // what stays is removed by the next sort here
  }
}

std::string RecordParts::file_of(unsigned part) const { return fmt::format("{}.{:02x}", path_, part); }

Status RecordParts::add(ByteView record) {
  Bytes& waiting = parts_[record[0]].waiting;
  waiting.insert(waiting.end(), record.begin(), record.end());
  return waiting.size() < kWaitingBytes ? ok() : write(record[0]);
}

// Opened anew each time: 256 descriptors of one sort would be a quarter of what a process may have.
Status RecordParts::write(unsigned part) {
  Part& one = parts_[part];
  const std::string path = file_of(part);
  const auto file = GREFFE_TRY(one.written == 0 ? files_.create(path, 0600) : files_.open_append(path));
  // From here on there is a file, whether or not all of it could be written.
  one.written += one.waiting.size();
  GREFFE_TRY(file->write(one.waiting));
  one.waiting.clear();
  return ok();
}

Status RecordParts::take(unsigned part, std::span<std::uint8_t> out) {
  Part& one = parts_[part];
  GREFFE_CHECK(out.size() == size(part));
  if (one.written > 0) {
    const auto file = GREFFE_TRY(files_.open_read(file_of(part)));
    const std::size_t got = GREFFE_TRY(file->read_at(0, out.first(static_cast<std::size_t>(one.written))));
    if (got != one.written) return fail(Errc::corrupt, file_of(part) + " became shorter after it was written");
    GREFFE_TRY(files_.remove(file_of(part)));
  }
  std::copy(one.waiting.begin(), one.waiting.end(), out.begin() + static_cast<std::ptrdiff_t>(one.written));
  one = Part{};
  return ok();
}

}  // namespace greffe
