#include "tests/bench/deposit_floor.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace greffe::bench {
namespace {

constexpr std::size_t kPieceBytes = 1024 * 1024;
constexpr std::size_t kBatchMax = 16;

void need(bool good, const char* what, const std::string& path) {
  if (good) return;
  std::perror((std::string(what) + " " + path).c_str());
  std::exit(2);
}

void sync_directory(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  need(fd >= 0 && ::fsync(fd) == 0, "sync", path);
  ::close(fd);
}

// The two levels of directories below which an object lies; a new one is made durable.
std::string directory_of(const std::string& root, const std::string& hex, Syncs syncs) {
  const std::string upper = root + "/sha256/" + hex.substr(0, 2);
  const std::string lower = upper + "/" + hex.substr(2, 2);
  if (::mkdir(lower.c_str(), 0750) == 0) {
    if (syncs == Syncs::all) sync_directory(upper);
  } else {
    need(errno == EEXIST, "make", lower);
  }
  return lower;
}

std::string hex_of(const unsigned char* digest) {
  std::string out;
  for (int i = 0; i < 32; ++i) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", digest[i]);
    out += pair;
  }
  return out;
}

struct Written {
  std::vector<int> files;  // without a name, one in each directory
  std::string hex;
};

// One hash, one file in each directory.
Written write_files(const std::vector<std::string>& directories, std::span<const std::uint8_t> bytes, Syncs syncs) {
  Written out;
  for (const std::string& root : directories) {
    out.files.push_back(::open((root + "/sha256").c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0440));
    need(out.files.back() >= 0, "make a file in", root);
  }
  EVP_MD_CTX* hash = EVP_MD_CTX_new();
  EVP_DigestInit_ex(hash, EVP_sha256(), nullptr);
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const auto piece = bytes.subspan(at, std::min(kPieceBytes, bytes.size() - at));
    EVP_DigestUpdate(hash, piece.data(), piece.size());
    for (const int fd : out.files) {
      need(::write(fd, piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()), "write", "");
      if (syncs == Syncs::all && piece.size() == kPieceBytes) {
        ::sync_file_range(fd, static_cast<off64_t>(at), static_cast<off64_t>(piece.size()), SYNC_FILE_RANGE_WRITE);
      }
    }
  }
  unsigned char digest[32];
  EVP_DigestFinal_ex(hash, digest, nullptr);
  EVP_MD_CTX_free(hash);
  out.hex = hex_of(digest);
  return out;
}

// Gives the file its name; the directory in which it stands.
std::string give_name(const std::string& root, int file, const std::string& hex, Syncs syncs) {
  const std::string directory = directory_of(root, hex, syncs);
  const std::string source = "/proc/self/fd/" + std::to_string(file);
  const std::string target = directory + "/" + hex;
  need(::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0, "link", target);
  return directory;
}

}  // namespace

void deposit_floor(const std::vector<std::string>& directories, std::span<const std::uint8_t> bytes, Syncs syncs) {
  const Written written = write_files(directories, bytes, syncs);
  for (std::size_t i = 0; i < directories.size(); ++i) {
    if (syncs == Syncs::all) need(::fdatasync(written.files[i]) == 0, "sync", written.hex);
    const std::string directory = give_name(directories[i], written.files[i], written.hex, syncs);
    ::close(written.files[i]);
    if (syncs == Syncs::all) sync_directory(directory);
  }
}

void FloorGroupCommit::deposit(const std::vector<std::string>& directories, std::span<const std::uint8_t> bytes) {
  const Written written = write_files(directories, bytes, Syncs::all);
  std::vector<Ticket> tickets;
  for (const int file : written.files) tickets.push_back({file, written.hex, false});
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < tickets.size(); ++i) queues_[directories[i]].waiting.push_back(&tickets[i]);
  }
  // Whichever directory nobody leads at the moment first.
  std::unique_lock lock(mutex_);
  for (;;) {
    bool all_done = true;
    std::size_t free = tickets.size();
    for (std::size_t i = 0; i < tickets.size(); ++i) {
      if (tickets[i].done) continue;
      all_done = false;
      if (!queues_[directories[i]].led) free = std::min(free, i);
    }
    if (all_done) break;
    if (free == tickets.size()) {
      changed_.wait(lock);
      continue;
    }
    lead(lock, directories[free]);
  }
  lock.unlock();
  for (const int file : written.files) ::close(file);
}

// `lock` holds mutex_ before and after.
void FloorGroupCommit::lead(std::unique_lock<std::mutex>& lock, const std::string& root) {
  Queue& queue = queues_[root];
  queue.led = true;
  const auto end = queue.waiting.begin() + static_cast<std::ptrdiff_t>(std::min(kBatchMax, queue.waiting.size()));
  const std::vector<Ticket*> batch(queue.waiting.begin(), end);
  queue.waiting.erase(queue.waiting.begin(), end);
  lock.unlock();
  for (const Ticket* ticket : batch) need(::fdatasync(ticket->file) == 0, "sync", ticket->hex);
  std::set<std::string> named;
  for (const Ticket* ticket : batch) named.insert(give_name(root, ticket->file, ticket->hex, Syncs::all));
  for (const std::string& directory : named) sync_directory(directory);
  lock.lock();
  for (Ticket* ticket : batch) ticket->done = true;
  queue.led = false;
  changed_.notify_all();
}

}  // namespace greffe::bench
