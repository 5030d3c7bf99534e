#include "ingest/second_job.h"

#include <fmt/format.h>

#include "ingest/station.h"

namespace greffe::ingest {
namespace {

// The bytes stand where they stand in the original, or the copy is not one.
Status append(FileSystem& files, const std::string& path, const SecondJob& job) {
  const auto file = GREFFE_TRY(files.open_append(path));
  const std::uint64_t size = file->size();
  if (size < job.offset) return fail(Errc::conflict, fmt::format("{} has {} bytes, and what follows stands at {}", path, size, job.offset));
  const std::uint64_t done = size - job.offset;
  if (done >= job.bytes.size()) return ok();
  GREFFE_TRY(file->write(ByteView(job.bytes).subspan(static_cast<std::size_t>(done))));
  return file->sync();
}

// A folder is only made in one that is there: where the disk is not mounted any more, nothing is.
Status make_directories(FileSystem& files, const std::string& directory, const std::string& path) {
  GREFFE_TRY(files.stat(spool_path(directory)));
  return files.make_directories(path);
}

// A segment that some of its bytes have not reached never becomes an object.
Status link(FileSystem& files, const std::string& path, const std::string& to, std::uint64_t size) {
  const FileStat facts = GREFFE_TRY(files.stat(path));
  if (facts.size != size) return fail(Errc::conflict, fmt::format("{} has {} bytes instead of {}", path, facts.size, size));
  return files.link_file(path, to);
}

Status done(FileSystem& files, const std::string& directory, const SecondJob& job) {
  const std::string path = join(directory, job.path);
  const std::string to = join(directory, job.to);
  using Kind = SecondJob::Kind;
  switch (job.kind) {
    case Kind::make_directories: return make_directories(files, directory, path);
    case Kind::create: {
      const auto made = files.create(path, job.mode);
      return made ? ok() : Status(made.error());
    }
    case Kind::append: return append(files, path, job);
    case Kind::write_new: return files.write_new(path, job.bytes);
    case Kind::replace: return files.replace(path, job.bytes, job.mode);
    case Kind::rename: return files.rename(path, to);
    case Kind::link: return link(files, path, to, job.offset);
    case Kind::remove: return files.remove(path);
    case Kind::truncate: return files.truncate(path, job.offset);
    case Kind::sync_directory: return files.sync_directory(path);
  }
  return ok();
}

}  // namespace

Status apply(FileSystem& files, const std::string& directory, const SecondJob& job, bool again) {
  const Status status = done(files, directory, job);
  if (status) return status;
  const Errc code = status.error().code;
  const bool new_name = job.kind == SecondJob::Kind::write_new || job.kind == SecondJob::Kind::link;
  if (new_name && code == Errc::already_exists) return ok();  // named by what it contains, or the same record
  if (job.kind == SecondJob::Kind::remove && code == Errc::not_found) return ok();
  if (again && (code == Errc::already_exists || code == Errc::not_found)) return ok();
  if (again && job.kind == SecondJob::Kind::rename && files.stat(join(directory, job.to))) return ok();
  return status;
}

}  // namespace greffe::ingest
