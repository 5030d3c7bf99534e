#include "ingest/second_files.h"

#include "ingest/import_begin.h"

namespace greffe::ingest {
namespace {

std::string name_of(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

bool is_in_open(const std::string& path) { return name_of(parent_of(path)) == "open"; }

}  // namespace

// What is appended through it, with what others appended through its descriptor before: the reader of a stream, which knows nothing of
// all this.
class CopiedFileSystem::Writer : public WritableFile {
 public:
  Writer(CopiedFileSystem& owner, std::unique_ptr<WritableFile> real, std::string path)
      : owner_(owner), real_(std::move(real)), path_(std::move(path)), end_(real_->size()) {}

  Status write(ByteView bytes) override {
    Bytes all = others_bytes();
    all.insert(all.end(), bytes.begin(), bytes.end());
    Status done = real_->write(bytes);
    if (!unknown_) owner_.hand_over(SecondJob::Kind::append, path_, all, end_);
    end_ += all.size();
    return done;
  }
  void start_writeback() override { real_->start_writeback(); }
  Status sync() override { return real_->sync(); }
  std::uint64_t size() const override { return real_->size(); }
  int descriptor() const override { return real_->descriptor(); }

 private:
  // Where they cannot be read, the copy ends before them.
  Bytes others_bytes() {
    if (!is_in_open(path_) || unknown_) return {};
    if (!reader_) {
      auto opened = owner_.real_.open_read(path_);
      if (opened) reader_ = std::move(*opened);
    }
    const auto size = reader_ ? reader_->size() : Result<std::uint64_t>(fail(Errc::io_error, ""));
    unknown_ = !size || *size < end_ || *size - end_ > kMaxObjectBytes;
    if (unknown_) return {};
    Bytes out(static_cast<std::size_t>(*size - end_));
    const auto got = reader_->read_at(end_, out);
    unknown_ = !got || *got != out.size();
    return unknown_ ? Bytes() : out;
  }

  CopiedFileSystem& owner_;
  const std::unique_ptr<WritableFile> real_;
  const std::string path_;
  std::unique_ptr<ReadableFile> reader_;
  std::uint64_t end_;
  bool unknown_ = false;
};

// Whoever holds a hearing's lock writes it, here and there.
class CopiedFileSystem::HearingLock : public FileLock {
 public:
  HearingLock(SecondCopy& copy, HearingId id, std::unique_ptr<FileLock> real) : copy_(copy), id_(id), real_(std::move(real)) {
    copy_.writes(id_, true);
  }
  ~HearingLock() override { copy_.writes(id_, false); }

 private:
  SecondCopy& copy_;
  const HearingId id_;
  const std::unique_ptr<FileLock> real_;
};

CopiedFileSystem::CopiedFileSystem(FileSystem& real, SecondCopy& copy, const std::string& directory)
    : real_(real), copy_(copy), below_(join(directory, "")) {}

std::optional<std::string> CopiedFileSystem::copied(const std::string& path) const {
  if (!path.starts_with(below_ + "spool")) return std::nullopt;
  const std::string name = name_of(path);
  if (name == "lock" || path == below_ + "spool/ballast" || path == below_ + "spool/paired") return std::nullopt;
  return path.substr(below_.size());
}

void CopiedFileSystem::hand_over(SecondJob::Kind kind, const std::string& path, ByteView bytes, std::uint64_t offset, unsigned mode) {
  auto below = copied(path);
  if (!below) return;
  SecondJob job;
  job.kind = kind;
  job.path = std::move(*below);
  job.bytes.assign(bytes.begin(), bytes.end());
  job.offset = offset;
  job.mode = mode;
  copy_.push(std::move(job));
}

void CopiedFileSystem::hand_over_two(SecondJob::Kind kind, const std::string& from, const std::string& to) {
  auto source = copied(from);
  auto target = copied(to);
  SecondJob job;
  job.kind = kind;
  if (source && target) {
    job.path = std::move(*source);
    job.to = std::move(*target);
    const auto facts = kind == SecondJob::Kind::link ? real_.stat(to) : Result<FileStat>(FileStat());
    if (facts) job.offset = facts->size;
  } else if (target) {
    // From outside of what is copied: its bytes, when they are still there.
    const auto bytes = real_.read_file(to, 2 * kMaxObjectBytes);
    if (!bytes) return;
    job.kind = SecondJob::Kind::write_new;
    job.path = std::move(*target);
    job.bytes = *bytes;
  } else {
    return;
  }
  copy_.push(std::move(job));
}

Result<std::unique_ptr<WritableFile>> CopiedFileSystem::create_unnamed(const std::string& directory) { return real_.create_unnamed(directory); }

Result<std::unique_ptr<WritableFile>> CopiedFileSystem::create(const std::string& path, unsigned mode) {
  auto file = real_.create(path, mode);
  if (!file || !copied(path)) return file;
  hand_over(SecondJob::Kind::create, path, {}, 0, mode);
  return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, std::move(*file), path));
}

Result<std::unique_ptr<WritableFile>> CopiedFileSystem::open_append(const std::string& path) {
  auto file = real_.open_append(path);
  if (!file || !copied(path)) return file;
  return std::unique_ptr<WritableFile>(std::make_unique<Writer>(*this, std::move(*file), path));
}

// A file that had no name is copied when it gets one.
Status CopiedFileSystem::link(WritableFile& file, const std::string& path) {
  const Status done = real_.link(file, path);
  const auto bytes = done && copied(path) ? real_.read_file(path, 2 * kMaxObjectBytes) : Result<Bytes>(fail(Errc::not_found, ""));
  if (bytes) hand_over(SecondJob::Kind::write_new, path, *bytes);
  return done;
}

Status CopiedFileSystem::link_file(const std::string& from, const std::string& to) {
  const Status done = real_.link_file(from, to);
  if (done) hand_over_two(SecondJob::Kind::link, from, to);
  return done;
}

Status CopiedFileSystem::write_new(const std::string& path, ByteView bytes) {
  const Status done = real_.write_new(path, bytes);
  if (done) hand_over(SecondJob::Kind::write_new, path, bytes);
  return done;
}

Status CopiedFileSystem::replace(const std::string& path, ByteView bytes, unsigned mode) {
  const Status done = real_.replace(path, bytes, mode);
  if (done || name_of(path) == "checkpoint") hand_over(SecondJob::Kind::replace, path, bytes, 0, mode);
  return done;
}

Status CopiedFileSystem::rename(const std::string& from, const std::string& to) {
  const Status done = real_.rename(from, to);
  if (done) hand_over_two(SecondJob::Kind::rename, from, to);
  return done;
}

Status CopiedFileSystem::remove(const std::string& path) {
  const Status done = real_.remove(path);
  if (done) hand_over(SecondJob::Kind::remove, path);
  return done;
}

Status CopiedFileSystem::truncate(const std::string& path, std::uint64_t size) {
  const Status done = real_.truncate(path, size);
  if (done) hand_over(SecondJob::Kind::truncate, path, {}, size);
  return done;
}

Status CopiedFileSystem::sync_directory(const std::string& path) {
  const Status done = real_.sync_directory(path);
  if (done) hand_over(SecondJob::Kind::sync_directory, path);
  return done;
}

Status CopiedFileSystem::make_directories(const std::string& path) {
  const Status done = real_.make_directories(path);
  if (done) hand_over(SecondJob::Kind::make_directories, path);
  return done;
}

Result<std::unique_ptr<FileLock>> CopiedFileSystem::lock(const std::string& path) {
  auto lock = real_.lock(path);
  const auto id = parse_hearing_id(name_of(parent_of(path)));
  if (!lock || !id || name_of(path) != "lock" || !path.starts_with(below_ + "spool/")) return lock;
  return std::unique_ptr<FileLock>(std::make_unique<HearingLock>(copy_, *id, std::move(*lock)));
}

}  // namespace greffe::ingest
