#include "tests/bench/deposit_floor.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace greffe::bench {
namespace {

constexpr std::size_t kPieceBytes = 1024 * 1024;

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

}  // namespace

void deposit_floor(const std::vector<std::string>& directories, std::span<const std::uint8_t> bytes, Syncs syncs) {
  std::vector<int> files;
  for (const std::string& root : directories) {
    files.push_back(::open((root + "/sha256").c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0440));
    need(files.back() >= 0, "make a file in", root);
  }
  EVP_MD_CTX* hash = EVP_MD_CTX_new();
  EVP_DigestInit_ex(hash, EVP_sha256(), nullptr);
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const auto piece = bytes.subspan(at, std::min(kPieceBytes, bytes.size() - at));
    EVP_DigestUpdate(hash, piece.data(), piece.size());
    for (const int fd : files) {
      need(::write(fd, piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()), "write", "");
      if (syncs == Syncs::all && piece.size() == kPieceBytes) {
        ::sync_file_range(fd, static_cast<off64_t>(at), static_cast<off64_t>(piece.size()), SYNC_FILE_RANGE_WRITE);
      }
    }
  }
  unsigned char digest[32];
  EVP_DigestFinal_ex(hash, digest, nullptr);
  EVP_MD_CTX_free(hash);
  const std::string hex = hex_of(digest);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (syncs == Syncs::all) need(::fdatasync(files[i]) == 0, "sync", hex);
    const std::string directory = directory_of(directories[i], hex, syncs);
    const std::string source = "/proc/self/fd/" + std::to_string(files[i]);
    const std::string target = directory + "/" + hex;
    need(::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0, "link", target);
    ::close(files[i]);
    if (syncs == Syncs::all) sync_directory(directory);
  }
}

}  // namespace greffe::bench
